"""The units whose keys are compared, by reference: one file, read once by each process."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.store import files

_FIELDS: list[pa.Field[Any]] = [
    pa.field("name", pa.string()),
    pa.field("scope", pa.int64()),
    pa.field("source", pa.int64()),
    pa.field("label", pa.string()),
    pa.field("files", pa.string()),
]
_SCHEMA = pa.schema(_FIELDS)


@dataclass(frozen=True, slots=True)
class KeyUnit:
    """A unit whose keys are compared.

    Attributes:
        name: of the unit.
        scope: units of the same number are compared with each other.
        source: order of preference; a smaller one keeps its copy.
        label: of the dataset, where there are several.
        files: kind -> path: its key block and side arrays.
    """

    name: str
    scope: int = 0
    source: int = 0
    label: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """Unique among all datasets, and safe as a file name."""
        return f"{self.label}.{self.name}" if self.label else self.name


@dataclass(frozen=True)
class KeyUnits:
    """Units in order of source, and of preference within a source; a unit is its number here.

    Attributes:
        path: of the file.
        count: how many there are.
    """

    path: str
    count: int

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> KeyUnit:
        row = _table(self.path).slice(number, 1).to_pylist()[0]
        return KeyUnit(**{**row, "files": orjson.loads(row["files"])})

    def __iter__(self) -> Iterator[KeyUnit]:
        for number in range(self.count):
            yield self[number]

    def sources(self) -> NDArray[np.int64]:
        """The source of every unit."""
        return np.asarray(_table(self.path).column("source").to_numpy())

    def number_of(self, full_name: str) -> int:
        """The number of a unit.

        Raises:
            KeyError: it is none of these.
        """
        return _numbers(self.path)[full_name]


def write_key_units(path: str, units: Sequence[KeyUnit]) -> KeyUnits:
    """Write the file."""
    rows = [
        {
            "name": unit.name,
            "scope": unit.scope,
            "source": unit.source,
            "label": unit.label,
            "files": orjson.dumps(dict(unit.files)).decode(),
        }
        for unit in units
    ]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), sink, compression="zstd")
    files.write_bytes(path, sink.getvalue())
    return KeyUnits(path, len(units))


@lru_cache(maxsize=2)
def _table(path: str) -> pa.Table:
    return pq.read_table(io.BytesIO(files.read_bytes(path)), use_threads=False)


@lru_cache(maxsize=2)
def _numbers(path: str) -> dict[str, int]:
    units = KeyUnits(path, len(_table(path)))
    return {unit.full_name: number for number, unit in enumerate(units)}
