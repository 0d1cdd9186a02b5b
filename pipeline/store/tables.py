"""Tables of unit records: Parquet, a row a unit, sorted by unit. A manifest names them.

They are written by the pass itself, some thousand units each, so that nothing is done unit by unit
where a run is started.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import IO, Any, cast

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputError
from pipeline.store import files
from pipeline.store.records import OutputFile, UnitInput, UnitRecord

_FILE: list[pa.Field[Any]] = [
    pa.field("kind", pa.string()),
    pa.field("name", pa.string()),
    pa.field("bytes", pa.int64()),
    pa.field("sha256", pa.string()),
    pa.field("rows", pa.int64()),
    pa.field("blocks", pa.list_(pa.string())),
]
_INPUT: list[pa.Field[Any]] = [
    pa.field("path", pa.string()),
    pa.field("identity", pa.string()),
    pa.field("listed_bytes", pa.int64()),
    pa.field("bytes", pa.int64()),
    pa.field("sha256", pa.string()),
    pa.field("lost_bytes", pa.int64()),
    pa.field("lost", pa.string()),
]
_FIELDS: list[pa.Field[Any]] = [
    pa.field("unit", pa.string()),
    pa.field("key", pa.string()),
    pa.field("identity", pa.string()),
    pa.field("input", pa.struct(_INPUT)),
    pa.field("files", pa.list_(pa.struct(_FILE))),
    pa.field("content", pa.string()),
    # JSON: their fields differ from step to step.
    pa.field("funnel", pa.string()),
    pa.field("seconds", pa.string()),
    pa.field("extra", pa.string()),
]
SCHEMA = pa.schema(_FIELDS)
_JSON = ("funnel", "seconds", "extra")


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table: path below the dataset's folder, size, SHA-256, how many units."""

    name: str
    bytes: int
    sha256: str
    rows: int


def write_table(root: str, name: str, records: Iterable[UnitRecord]) -> TableFile:
    """Write a table of records, sorted by unit.

    Args:
        root: the dataset's folder.
        name: path below it.
        records: of different units.
    """
    rows = [_row(record) for record in sorted(records, key=lambda record: record.unit)]
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    with files.new_file(files.join(root, name)) as file:
        pq.write_table(table, cast(IO[bytes], file), compression="zstd")
    return TableFile(name, file.size, file.sha256(), len(rows))


def _row(record: UnitRecord) -> dict[str, Any]:
    row = asdict(record)
    for name in _JSON:
        row[name] = orjson.dumps(row[name]).decode()
    return row


def read_table(root: str, table: TableFile, columns: Sequence[str] | None = None) -> pa.Table:
    """A table, or some of its columns.

    Raises:
        InputError: it is gone, or is not what was written.
    """
    path = files.join(root, table.name)
    try:
        data = files.read_bytes(path)
    except FileNotFoundError:
        raise InputError(f"{path} is gone: {root} was made anew meanwhile; start again") from None
    if len(data) != table.bytes:
        raise InputError(f"{path} has {len(data):,} bytes, not the {table.bytes:,} written")
    try:
        # Without threads: a process that ends while they start is aborted.
        wanted = None if columns is None else list(columns)
        return pq.read_table(io.BytesIO(data), columns=wanted, use_threads=False)
    except pa.ArrowException as error:
        raise InputError(f"{path} cannot be read: {error}") from None


def read_records(root: str, tables: Iterable[TableFile]) -> Iterator[UnitRecord]:
    """The records of tables, one table in memory at a time."""
    for table in tables:
        for row in read_table(root, table).to_pylist():
            for name in _JSON:
                row[name] = orjson.loads(row[name])
            row["input"] = UnitInput(**row["input"])
            row["files"] = tuple(
                OutputFile(**{**file, "blocks": tuple(file["blocks"])}) for file in row["files"]
            )
            yield UnitRecord(**row)
