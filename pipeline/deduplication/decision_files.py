"""What deduplication decided on each unit: a NumPy file for each unit and slice of the key space.

A structured array (`.npy`), also where nothing was decided, so that a missing file is an error. The
record of the whole comparison names the tables of these files; it is written when all are there.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from dedup.decisions import Structured, Summary
from dedup.groups import ROW_BITS
from pipeline.deduplication.key_units import KeyUnits
from pipeline.store import files
from pipeline.store.commit import Place, put_record, read_record
from pipeline.store.records import OutputFile, UnitInput, UnitRecord
from pipeline.store.tables import TableFile, read_table
from pipeline.store.units import Unit

DECISIONS = "decisions"
REPRESENTATIVE = "representative"
_LANES = 2
_NOTHING = UnitInput("", "", 0)


def read_array(path: str) -> Structured:
    """A NumPy file.

    Raises:
        ValueError: cut off, or no NumPy file.
    """
    return np.asarray(np.load(io.BytesIO(files.read_bytes(path)), allow_pickle=False))


def array_bytes(array: Structured) -> bytes:
    """A NumPy file, as bytes."""
    sink = io.BytesIO()
    np.save(sink, array, allow_pickle=False)
    return sink.getvalue()


def read_rows(paths: Sequence[str]) -> Structured:
    """The decisions on one unit, in several files, by row."""
    found = np.concatenate([read_array(path) for path in paths])
    return found[np.argsort(found["row"], kind="stable")]


def digest(rows: Structured, units: KeyUnits) -> str:
    """Hash of the decisions on a unit: the same however the key space is cut (`joined`).

    A sum over rows, in two lanes of 64 bits, in which units go by their names: numbers change when
    units come and go.
    """
    fields = rows.dtype.names or ()
    columns = [rows[name].astype(np.uint64) for name in fields if name != REPRESENTATIVE]
    if REPRESENTATIVE in fields:
        numbers, places = np.unique(rows[REPRESENTATIVE] >> ROW_BITS, return_inverse=True)
        names = [units[int(number)].full_name.encode() for number in numbers]
        hashed = np.array([xxhash.xxh3_64_intdigest(name) for name in names], np.uint64)
        columns += [hashed[places], rows[REPRESENTATIVE] & np.uint64(0xFFFFFFFF)]
    lanes = []
    for seed in range(_LANES):
        hashes = np.full(len(rows), seed, np.uint64)
        for column in columns:
            hashes = _mixed(hashes + column)
        lanes.append(int(hashes.sum(dtype=np.uint64)))
    return "".join(f"{lane:016x}" for lane in lanes)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Steele's SplitMix64, one step of it."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def joined(digests: Sequence[str]) -> str:
    """The digest of what has these digests, one for each part of the key space."""
    split = [[one[at : at + 16] for at in range(0, len(one), 16)] for one in digests]
    lanes = zip(*split, strict=True)
    return "".join(f"{sum(int(part, 16) for part in lane) % (1 << 64):016x}" for lane in lanes)


@dataclass(frozen=True)
class UnitDecisions:
    """The decisions on a unit: where they are, and their hash."""

    paths: tuple[str, ...]
    digest: str

    def read(self) -> Structured:
        """All of them, by row."""
        return read_rows(self.paths)

    @property
    def inputs(self) -> tuple[tuple[str, str], ...]:
        """As inputs of a unit."""
        return tuple((DECISIONS, path) for path in self.paths)


@dataclass(frozen=True)
class Decisions:
    """A finished comparison.

    Attributes:
        place: where it is.
        tables: of the records of units; a unit has one for each slice of the key space.
        extra: statistics, as plain data.
        record: name of the file that names all this.
    """

    place: Place
    tables: tuple[TableFile, ...]
    extra: Mapping[str, Any]
    record: str = ""

    def __reduce__(self) -> tuple[Any, ...]:
        """By reference: each process reads the tables for itself."""
        return Decisions, (self.place, self.tables, self.extra, self.record)

    @property
    def summary(self) -> Summary:
        """The statistics of a comparison of keys."""
        return read_summary(dict(self.extra["summary"]))

    @cached_property
    def units(self) -> dict[str, UnitDecisions]:
        """The decisions on each unit, by full name."""
        found: dict[str, tuple[list[str], list[str]]] = {}
        for table in self.tables:
            for row in self._rows(table):
                if not row["files"]:
                    continue  # said of the comparison as a whole
                paths, digests = found.setdefault(row["unit"], ([], []))
                paths += [self.place.full(file["name"]) for file in row["files"]]
                digests.append(row["content"])
        return {
            unit: UnitDecisions(tuple(paths), joined(digests))
            for unit, (paths, digests) in found.items()
        }

    def _rows(self, table: TableFile) -> list[dict[str, Any]]:
        return read_table(self.place.root, table, ["unit", "content", "files"]).to_pylist()

    @cached_property
    def bytes(self) -> dict[str, int]:
        """Bytes of the decisions on each unit, by full name."""
        found: dict[str, int] = {}
        for table in self.tables:
            for row in self._rows(table):
                size = sum(file["bytes"] for file in row["files"])
                found[row["unit"]] = found.get(row["unit"], 0) + size
        return found

    def names(self) -> Iterator[str]:
        """Paths, below the dataset's folder, of all that a rerun would take over."""
        if self.record:
            yield f"{self.place.inner('done')}/{self.record}"
        for table in self.tables:
            yield table.name
            for row in self._rows(table):
                yield from (file["name"] for file in row["files"])


def _whole(place: Place) -> Unit:
    """The comparison as a unit, which has one record."""
    return Unit("all", "", place.step, 0)


def finished(place: Place, fingerprint: str) -> Decisions | None:
    """The comparison that was made under this fingerprint, if all its files are there."""
    unit = _whole(place)
    record = read_record(place, place.done(unit, unit.key(fingerprint)))
    found = None if record is None else _of(place, record)
    return found if found is not None and _is_whole(found) else None


def _is_whole(decisions: Decisions) -> bool:
    """Whether all files are there, by one listing."""
    place = decisions.place
    there = {file.path for file in files.list_files(place.folder(DECISIONS))}
    return all(path in there for one in decisions.units.values() for path in one.paths)


def finish(
    place: Place, fingerprint: str, tables: Iterable[TableFile], extra: Mapping[str, Any]
) -> Decisions:
    """Record a comparison whose files are all there, with its statistics."""
    unit = _whole(place)
    outputs = tuple(
        OutputFile("tables", table.name, table.bytes, table.sha256, table.rows) for table in tables
    )
    record = UnitRecord(
        unit.name, unit.key(fingerprint), unit.identity, _NOTHING, outputs, {}, extra=extra
    )
    first = put_record(place, unit, record)
    if first is not record and not _is_whole(_of(place, first)):
        files.write_bytes(place.done(unit, record.key), record.to_bytes())
        first = record
    return _of(place, first)


def _of(place: Place, record: UnitRecord) -> Decisions:
    tables = tuple(
        TableFile(file.name, file.bytes, file.sha256, file.rows) for file in record.files
    )
    return Decisions(place, tables, record.extra, record.name)


def read_summary(plain: dict[str, Any]) -> Summary:
    """A summary from JSON data."""
    most = [(copies, position) for copies, position in plain.pop("most_repeated")]
    return Summary(**plain, most_repeated=most)
