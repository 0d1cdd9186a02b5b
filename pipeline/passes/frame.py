"""The frame around every pass over units: what is finished is taken over, the rest is made.

    units file -> unit -> finished? its record
                       -> else the pass's own transforms -> its record
    records -> tables (some thousand rows each) -> one summary

Nothing is done unit by unit where the run is started: it lists names, writes the units file, and
reads the summary and the tables.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import apache_beam as beam
from apache_beam.metrics import Metrics

from pipeline.passes.progress import COUNTERS, NAMESPACE, count
from pipeline.passes.spread import Spread, Spreading
from pipeline.passes.summary import Summary, merged
from pipeline.passes.units_file import UnitsFile
from pipeline.store import files
from pipeline.store.accounting import Funnel
from pipeline.store.commit import Place, take_over, with_identity
from pipeline.store.records import UnitRecord
from pipeline.store.tables import write_table
from pipeline.store.units import Unit

UNITS_PER_TABLE = 10_000
_DONE = "done"


class UnitPass(Protocol):
    """A pass that needs no shuffle: each unit becomes its files by itself."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def place(self) -> Place:
        """Where its units are committed."""

    @property
    def fingerprint(self) -> str:
        """Of everything that decides what becomes of a unit, but the unit."""

    def check(self) -> None:
        """Fail on a worker that would make something else of a unit (`Fingerprinted`)."""

    def through(self, units: beam.PCollection) -> tuple[beam.PCollection, ...]:
        """The transforms from units to the records of those committed, in any number of parts."""


@dataclass(frozen=True)
class Tables:
    """Where the records of a pass go.

    Attributes:
        place: of the pass.
        units: how many records there will be, about.
        id: of this pipeline, or of these, one a local worker.
        part: tells the workers' pipelines apart.
    """

    place: Place
    units: int
    id: str
    part: str = "0"

    @property
    def number(self) -> int:
        """How many tables there are."""
        return max(1, -(-self.units // UNITS_PER_TABLE))

    @property
    def summaries(self) -> str:
        """Folder of summaries."""
        return files.join(self.place.root, "work", "runs", self.place.run, "summaries", self.id)

    def table_name(self, number: int) -> str:
        """Path of a table below the dataset's folder."""
        name = f"{self.place.step}.{self.part}-{number:04}.{self.place.attempt()}.parquet"
        return f"{self.place.inner('tables')}/{name}"

    def summary_path(self) -> str:
        """Path of a new summary."""
        return files.join(self.summaries, f"{self.part}.{self.place.attempt()}.json")


def expand_units(
    root: beam.Pipeline, work: UnitPass, units: UnitsFile, tables: Tables
) -> beam.PCollection:
    """The transforms of a pass over a file of units."""
    groups = root | "groups" >> Spreading(units.groups)
    found = groups | "units" >> beam.FlatMap(units.read) | "spread" >> Spread()
    return through(work, found, tables)


def through(work: UnitPass, units: beam.PCollection, tables: Tables) -> beam.PCollection:
    """The transforms of a pass from units on."""
    take_over = beam.ParDo(TakeOver(work)).with_outputs(_DONE, main="todo")
    taken = units | "take over" >> take_over
    parts = taken[_DONE], *work.through(taken["todo"])
    # Counted before they meet: what comes after that may wait for the last unit.
    counted = tuple(
        part | f"count {number}" >> beam.Map(_counted) for number, part in enumerate(parts)
    )
    return write_tables(counted | "all" >> beam.Flatten(), tables)


def write_tables(records: beam.PCollection, tables: Tables) -> beam.PCollection:
    """Records to tables, and one summary of all of them."""
    grouped = (
        records
        | "records" >> beam.Map(_numbered, tables.number).with_output_types(tuple[int, bytes])
        | "table of each" >> beam.GroupByKey()
    )
    if tables.number == 1:
        return grouped | "write table" >> beam.Map(_write_only_table, tables)
    return (
        grouped
        | "write tables" >> beam.Map(_write_table, tables).with_output_types(bytes)
        | "summary" >> beam.CombineGlobally(merged).without_defaults()
        | "write summary" >> beam.Map(_write_summary, tables)
    )


class TakeOver(beam.DoFn):
    """Yields units that are to be made, and beside them the records of those finished.

    A worker that has other code, libraries or models than the run was started with refuses here.
    """

    def __init__(self, work: UnitPass) -> None:
        self._work = work
        self._fingerprint = work.fingerprint

    def setup(self) -> None:
        self._work.check()

    def process(self, unit: Unit) -> Iterator[Any]:
        unit = with_identity(unit)
        record = take_over(self._work.place, unit, unit.key(self._fingerprint))
        if record is None:
            yield unit
        else:
            yield beam.pvalue.TaggedOutput(_DONE, record)


def _counted(record: UnitRecord) -> UnitRecord:
    funnel = Funnel.from_json(record.funnel)
    counts = (1, record.input.listed_bytes, funnel.records, funnel.kept)
    count(counts)
    for name, value in zip(COUNTERS, counts, strict=True):
        Metrics.counter(NAMESPACE, name).inc(value)
    return record


def _numbered(record: UnitRecord, tables: int) -> tuple[int, bytes]:
    return zlib.crc32(record.unit.encode()) % tables, record.to_bytes()


def _write_table(item: tuple[int, Iterable[bytes]], tables: Tables) -> bytes:
    number, found = item
    summary = Summary()
    records = [UnitRecord.from_bytes(data) for data in found]
    records.sort(key=lambda record: record.unit)
    for record in records:
        summary.add_record(record)
    place = tables.place
    summary.tables.append(write_table(place.root, tables.table_name(number), records))
    return summary.to_bytes()


def _write_only_table(item: tuple[int, Iterable[bytes]], tables: Tables) -> None:
    _write_summary(_write_table(item, tables), tables)


def _write_summary(summary: bytes, tables: Tables) -> None:
    files.write_bytes(tables.summary_path(), summary)
