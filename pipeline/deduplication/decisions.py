"""What deduplication decided on each unit: a NumPy file for each unit and slice of the key space.

A structured array (`.npy`), also where nothing was decided, so that a missing file is an error. The
record of the whole comparison names the tables of these files; it is written when all are there.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from dedup.decisions import Structured, Summary
from dedup.groups import ROW_BITS
from pipeline.deduplication.key_units import KeyUnits
from pipeline.store import files
from pipeline.store.commit import Place, put_record, read_record
from pipeline.store.records import OutputFile, UnitInput, UnitRecord
from pipeline.store.tables import TableFile, read_table
from pipeline.store.units import Unit

DECISIONS = "decisions"
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
    """Short hash of the decisions on a unit, whatever numbers the units have this time.

    Numbers of units are in order of preference, so that which is which follows from their names.
    """
    hashed = hashlib.sha256()
    for name in rows.dtype.names or ():
        if name != "representative":
            hashed.update(rows[name].tobytes())
            continue
        numbers, places = np.unique(rows[name] >> ROW_BITS, return_inverse=True)
        hashed.update(places.astype("<u4").tobytes())
        hashed.update((rows[name] & np.uint64(0xFFFFFFFF)).astype("<u4").tobytes())
        names = [units[int(number)].full_name for number in numbers]
        hashed.update("\n".join(names).encode())
    return hashed.hexdigest()[:16]


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
                paths, digests = found.setdefault(row["unit"], ([], []))
                paths += [self.place.full(file["name"]) for file in row["files"]]
                digests.append(row["content"])
        return {
            unit: UnitDecisions(tuple(paths), hashlib.sha256("".join(digests).encode()).hexdigest())
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
    if record is None:
        return None
    found = _of(place, record)
    there = {file.path for file in files.list_files(place.folder(DECISIONS))}
    if all(path in there for one in found.units.values() for path in one.paths):
        return found
    return None


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
    return _of(place, put_record(place, unit, record))


def _of(place: Place, record: UnitRecord) -> Decisions:
    tables = tuple(
        TableFile(file.name, file.bytes, file.sha256, file.rows) for file in record.files
    )
    return Decisions(place, tables, record.extra, record.name)


def read_summary(plain: dict[str, Any]) -> Summary:
    """A summary from JSON data."""
    most = [(copies, position) for copies, position in plain.pop("most_repeated")]
    return Summary(**plain, most_repeated=most)
