"""Units by reference: a pass carries the name of a file of units, never the units themselves."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import IO, Any, cast

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.store import files
from pipeline.store.units import Skip, Unit

ROWS_PER_GROUP = 1000
_TEXT = ("inputs", "earlier", "skipped")
_TYPES = {"size": pa.int64(), "offset": pa.int64(), "length": pa.int64()}
_NAMES = [field.name for field in fields(Unit)]
_FIELDS: list[pa.Field[Any]] = [pa.field(name, _TYPES.get(name, pa.string())) for name in _NAMES]
SCHEMA = pa.schema(_FIELDS)


@dataclass(frozen=True)
class UnitsFile:
    """A file of units.

    Attributes:
        path: where it is.
        units: how many.
    """

    path: str
    units: int

    @property
    def groups(self) -> range:
        """Numbers of the groups that it is read in."""
        return range(-(-self.units // ROWS_PER_GROUP))

    def read(self, group: int) -> Iterator[Unit]:
        """The units of one group."""
        handle = cast(IO[bytes], files.open_read(self.path))
        with handle:
            table = pq.ParquetFile(handle).read_row_group(group)
        for row in table.to_pylist():
            yield _unit(row)

    def __getitem__(self, number: int) -> Unit:
        group, row = divmod(number, ROWS_PER_GROUP)
        return _group(self, group)[row]


@lru_cache(maxsize=2)
def _group(file: UnitsFile, group: int) -> list[Unit]:
    return list(file.read(group))


def write_units(path: str, units: Sequence[Unit]) -> UnitsFile:
    """Write a file of units, in their order."""
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, SCHEMA, compression="zstd") as writer:
        for first in range(0, len(units), ROWS_PER_GROUP):
            rows = [_row(unit) for unit in units[first : first + ROWS_PER_GROUP]]
            writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))
    files.write_bytes(path, sink.getvalue())
    return UnitsFile(path, len(units))


def _row(unit: Unit) -> dict[str, Any]:
    row = {name: getattr(unit, name) for name in _NAMES}
    for name in _TEXT:
        row[name] = orjson.dumps(row[name]).decode()
    return row


def _unit(row: dict[str, Any]) -> Unit:
    row["inputs"] = tuple((kind, path) for kind, path in orjson.loads(row["inputs"]))
    row["earlier"] = tuple(orjson.loads(row["earlier"]))
    row["skipped"] = tuple(Skip(**one) for one in orjson.loads(row["skipped"]))
    return Unit(**row)
