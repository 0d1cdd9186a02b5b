"""The shuffle of deduplication: key blocks in, one decision file per unit out.

Only keys are shuffled, as binary blobs: each block is split by the top bits of its keys into
partitions, a partition's blocks meet in one reducer, and what it decides goes back to each unit.
Equal keys of one unit are combined before, so a key costs each unit one entry however many copies
there are; the unit expands what was decided on an entry from its own key file.

Locally the key space is processed in slices of a few partitions, so that memory stays flat; a
slice reads only its own range of every block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, TypeAlias

import apache_beam as beam
import numpy as np
import orjson

from dedup.decisions import Decided, Structured, Summary, entry_type, expanded, summarize
from dedup.groups import Groups, find_groups
from dedup.key_blocks import Combine, KeyBlock, read_range
from pipeline.deduplication.decision_files import (
    DECISIONS,
    Decisions,
    array_bytes,
    digest,
    finish,
    finished,
    read_summary,
)
from pipeline.deduplication.key_units import KeyUnits
from pipeline.passes.run import Run
from pipeline.passes.shuffle import WHOLE, ForUnit, Numbers, cut, give_back, meet
from pipeline.plugins import Travels
from pipeline.store import files
from pipeline.store.commit import Attempt, Place
from pipeline.store.records import UnitInput, UnitRecord
from pipeline.store.tables import TableFile, read_records
from pipeline.store.units import Unit

BYTES_PER_KEY = 16  # with its rank
# Of the whole comparison, in tables: no unit is called so, since a slash is in no file's name.
SUMMARY_NAME = "/summary"

Decide: TypeAlias = Callable[[Groups], Iterable[Decided]]


@dataclass(frozen=True)
class Comparison(Travels):
    """One kind of key over the units of one or several datasets.

    Attributes:
        units: whose keys are compared.
        kind: of key block.
        decide: what follows from equal keys.
        dtype: of one decision; it has a field `row`.
        place: of the decision files.
        partition_bytes: bound on the keys of one partition.
        combine: what equal keys of one unit need not be told apart.
    """

    units: KeyUnits
    kind: str
    decide: Decide
    dtype: np.dtype[Any]
    place: Place
    partition_bytes: int
    combine: Combine = "key"

    def read(self, number: int, partitions: range, bits: int) -> KeyBlock:
        """A range of the keys of a unit."""
        with files.open_read(self.units[number].files[f"keys/{self.kind}"]) as file:
            return read_range(file, partitions, bits)


def compare(work: Comparison, keys: dict[int, int], fingerprint: str, run: Run) -> Decisions:
    """Decide, unless it is decided under this fingerprint.

    Args:
        work: what is compared.
        keys: how many there are when those of each unit are combined, by scope.
        fingerprint: of everything that decides the result.
        run: that the comparison is part of.
    """
    decisions = finished(work.place, fingerprint)
    if decisions is not None:
        return decisions
    sizes = [count * BYTES_PER_KEY for count in keys.values()]
    chosen = cut(sizes, work.partition_bytes, run.engine)
    sources = work.units.sources()
    summary = Summary.empty(int(sources.max(initial=0)) + 1)
    tables: list[TableFile] = []
    for partitions in chosen:
        expansion = partial(expand, work=work, partitions=partitions, bits=chosen.bits)
        name = f"{work.kind} comparison"
        result = run.run_records(name, work.place, len(work.units) + 1, expansion)
        tables += result.summary.tables
        for record in read_records(work.place.root, result.summary.tables):
            if record.unit == SUMMARY_NAME:
                summary.add(read_summary(dict(record.extra["summary"])))
    return finish(work.place, fingerprint, tables, {"summary": asdict(summary)})


def expand(root: beam.Pipeline, work: Comparison, partitions: range, bits: int) -> beam.PCollection:
    """The transforms of one slice of the key space; yields a record for each unit's file."""
    split = partial(_split, work=work, partitions=partitions, bits=bits)
    decide = partial(_decide, work=work, bits=bits)
    write = partial(_write, work=work, partitions=partitions, bits=bits)
    met = meet(root | Numbers(0, len(work.units)), "partition", split, _Located)
    decided = met | "decide" >> beam.FlatMap(decide).with_output_types(ForUnit)
    return give_back(root, len(work.units), decided, write)


_Located: TypeAlias = tuple[tuple[int, int], tuple[int, bytes]]
# Before what is decided on a unit: whether it is on its rows, or on entries of which partition.
_ON_ROWS, _ON_ENTRIES = b"r", b"e"
_ENTRIES_START = len(_ON_ENTRIES) + 8


def _split(number: int, work: Comparison, partitions: range, bits: int) -> Iterator[_Located]:
    scope, block = work.units[number].scope, work.read(number, partitions, bits)
    block = block.combined(work.combine)
    for partition in partitions:
        part = block.partition(partition, bits)
        if len(part):
            yield (scope, partition), (number, part.to_bytes(fenced=False))


def _decide(
    item: tuple[tuple[int, int], Iterable[tuple[int, bytes]]], work: Comparison, bits: int
) -> Iterator[ForUnit]:
    located = sorted(item[1], key=lambda pair: pair[0])
    numbers = [number for number, _ in located]
    all_sources = work.units.sources()
    sources = [int(all_sources[number]) for number in numbers]
    groups = find_groups([KeyBlock.from_bytes(data) for _, data in located], numbers, sources, bits)
    partition = np.array([item[0][1]], "<u8").tobytes()
    for number, decided in work.decide(groups):
        kind = _ON_ROWS if decided.dtype == work.dtype else _ON_ENTRIES + partition
        yield number, kind + decided.tobytes()
    summary = summarize(groups, all_sources)
    yield WHOLE, orjson.dumps(summary)


def _write(
    item: tuple[int, Iterable[bytes]], work: Comparison, partitions: range, bits: int
) -> UnitRecord:
    number, parts = item
    filled = [part for part in parts if part]
    if number == WHOLE:
        summary = Summary.empty(int(work.units.sources().max(initial=0)) + 1)
        for part in filled:
            summary.add(read_summary(orjson.loads(part)))
        extra = {"summary": asdict(summary)}
        return UnitRecord(SUMMARY_NAME, "", "", UnitInput("", "", 0), (), NO_FUNNEL, extra=extra)
    decided = _on_rows(number, filled, work, partitions, bits)
    name = work.units[number].full_name
    return write_rows(work.place, name, decided, digest(decided, work.units))


def _on_rows(
    number: int, parts: Sequence[bytes], work: Comparison, partitions: range, bits: int
) -> Structured:
    """What was decided on each row of a unit, in an order that does not depend on arrival."""
    rows = b"".join(part[1:] for part in parts if part.startswith(_ON_ROWS))
    found = [np.frombuffer(rows, work.dtype)]
    on_entries = [part for part in parts if part.startswith(_ON_ENTRIES)]
    block = work.read(number, partitions, bits) if on_entries else None
    for part in on_entries:
        assert block is not None
        partition = int(np.frombuffer(part, "<u8", 1, len(_ON_ENTRIES))[0])
        decided = np.frombuffer(part, entry_type(work.dtype), offset=_ENTRIES_START)
        own = block.partition(partition, bits)
        found.append(expanded(decided, own, work.combine, work.dtype))
    records = np.concatenate(found)
    by = [records[name] for name in reversed(_ORDER) if name in (work.dtype.names or ())]
    return records[np.lexsort(by)]


# Fields by which the decisions on a unit are in order; a row may have several candidates.
_ORDER = ("row", "other")

NO_FUNNEL: dict[str, Any] = {"skipped": {}, "stages": []}


def write_rows(
    place: Place, name: str, rows: Any, content: str, kind: str = DECISIONS
) -> UnitRecord:
    """Publish rows about a unit; no record is put beside them: the comparison as a whole has one.

    Args:
        place: of the comparison.
        name: full name of the unit.
        rows: a structured array.
        content: hash of what they say.
        kind: of file.
    """
    attempt = Attempt(place, Unit(name, "", name, 0))
    attempt.write(kind, "npy", array_bytes(rows))
    found = attempt.publish({kind: len(rows)})
    return UnitRecord(name, "", "", UnitInput("", "", 0), found, NO_FUNNEL, content=content)
