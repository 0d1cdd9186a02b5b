"""Document shards: Parquet files that pandas, Polars, DuckDB and Hugging Face open as they are.

Columns: `id, source, text, url, language, timestamp, licence`, then the source's own metadata and
signals as typed columns (a field's Parquet metadata says which it is), then `extra`: JSON of what
has no column. Same documents, same bytes: no clock, no host, no worker goes into a file.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO, cast

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from filters.document import Document
from pipeline.batch import RejectedDocument
from pipeline.errors import InputError, OutputError
from pipeline.store import files

BASE_METADATA = ("url", "language", "timestamp", "licence")
ROLE = b"roving.role"

# Rows, and bytes of text, that are held as Python objects at a time.
BATCH_ROWS = 256
BATCH_BYTES = 8_000_000


@dataclass(frozen=True)
class Columns:
    """Typed columns of a source besides the base columns: name -> Arrow type."""

    metadata: Mapping[str, pa.DataType] = field(default_factory=dict)
    signals: Mapping[str, pa.DataType] = field(default_factory=dict)


def document_schema(columns: Columns) -> pa.Schema:
    """The schema of a document shard."""
    fields: list[pa.Field[Any]] = [
        pa.field(name, pa.string(), nullable=False) for name in ("id", "source", "text")
    ]
    fields += [_field(name, pa.string(), b"metadata") for name in BASE_METADATA]
    fields += [_field(name, kind, b"metadata") for name, kind in columns.metadata.items()]
    fields += [_field(name, kind, b"signal") for name, kind in columns.signals.items()]
    fields.append(pa.field("extra", pa.string()))
    return pa.schema(fields)


def _field(name: str, kind: pa.DataType, role: bytes) -> pa.Field[Any]:
    return pa.field(name, kind, metadata={ROLE: role})


_REJECTED_FIELDS: list[pa.Field[Any]] = [
    pa.field("id", pa.string(), nullable=False),
    pa.field("url", pa.string(), nullable=False),
    pa.field("stage", pa.string(), nullable=False),
    pa.field("reason", pa.string(), nullable=False),
    pa.field("detail", pa.string(), nullable=False),
    pa.field("characters", pa.int64(), nullable=False),
    pa.field("signals", pa.string()),
    pa.field("text", pa.string()),
]
REJECTED_SCHEMA = pa.schema(_REJECTED_FIELDS)


class ShardWriter:
    """Writes rows to one Parquet file; whoever began the file publishes it."""

    def __init__(self, file: files.NewFile, schema: pa.Schema, rows_per_group: int) -> None:
        self.rows = 0
        self._schema = schema
        self._rows_per_group = rows_per_group
        self._pending: list[dict[str, Any]] = []
        self._pending_characters = 0
        self._writer = pq.ParquetWriter(
            cast(IO[bytes], file),
            schema,
            compression="zstd",
            compression_level=3,
            write_statistics=True,
        )

    def add(self, row: dict[str, Any]) -> None:
        self._pending.append(row)
        self._pending_characters += len(row.get("text") or "")
        if len(self._pending) >= self._rows_per_group or self._pending_characters > 64_000_000:
            self._flush()

    def _flush(self) -> None:
        table = pa.Table.from_pylist(self._pending, schema=self._schema)
        self._writer.write_table(table, row_group_size=max(1, len(self._pending)))
        self.rows += len(self._pending)
        self._pending = []
        self._pending_characters = 0

    def close(self) -> None:
        """Write what is left."""
        if self._pending:
            self._flush()
        self._writer.close()

    def discard(self) -> None:
        """Write no more."""
        self._pending = []
        with suppress(OSError, OutputError):  # a full disk takes no footer either
            self._writer.close()


def document_row(document: Document, schema: pa.Schema) -> dict[str, Any]:
    """A document as a row; what has no column goes to `extra`."""
    row: dict[str, Any] = {
        "id": document.id,
        "source": document.source,
        "text": document.text,
    }
    extra: dict[str, dict[str, Any]] = {}
    for role, values in (("metadata", document.metadata), ("signals", document.signals)):
        for name, value in values.items():
            if schema.get_field_index(name) >= 0:
                row[name] = value
            elif value is not None:
                extra.setdefault(role, {})[name] = value
    row["extra"] = _json(extra) if extra else None
    return row


def rejected_row(rejected: RejectedDocument) -> dict[str, Any]:
    """A rejected document as a row."""
    return {
        "id": rejected.id,
        "url": rejected.url,
        "stage": rejected.stage,
        "reason": rejected.reason,
        "detail": rejected.detail,
        "characters": rejected.characters,
        "signals": _json(rejected.signals) if rejected.signals else None,
        "text": rejected.text,
    }


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY).decode()


def read_rows(path: str, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """Rows of a shard, one row group in memory at a time."""
    with files.open_read(path) as handle:
        for batch in batches_of(handle, columns):
            yield from batch.to_pylist()


def batches_of(
    file: BinaryIO | io.RawIOBase, columns: list[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Record batches of a shard, small enough to be held as Python objects, books included."""
    parquet = pq.ParquetFile(cast(IO[bytes], file))
    groups = [parquet.metadata.row_group(index) for index in range(parquet.num_row_groups)]
    largest = max((group.total_byte_size // max(1, group.num_rows) for group in groups), default=0)
    rows = max(1, min(BATCH_ROWS, BATCH_BYTES // max(1, largest)))
    yield from parquet.iter_batches(batch_size=rows, columns=columns)


def read_documents(file: BinaryIO | io.RawIOBase) -> Iterator[Document]:
    """Documents of a shard as the writer was given them.

    A Parquet file that is not ours needs `id` and `text`; its other columns become metadata.
    """
    roles = _roles(pq.read_schema(cast(IO[bytes], file)))
    for batch in batches_of(file):
        for row in batch.to_pylist():
            yield _document(row, roles)


def columns_of(path: str) -> Columns:
    """The typed columns of a shard besides the base columns.

    Raises:
        InputError: it has no `id` or no `text`.
    """
    with files.open_read(path) as handle:
        schema = pq.read_schema(handle)
    missing = {"id", "text"} - set(schema.names)
    if missing:
        raise InputError(f"{path} has no column {' and no column '.join(sorted(missing))}")
    roles = _roles(schema)
    metadata = {name: schema.field(name).type for name, role in roles.items() if role == "metadata"}
    signals = {name: schema.field(name).type for name, role in roles.items() if role == "signal"}
    for name in BASE_METADATA:
        metadata.pop(name, None)
    return Columns(metadata, signals)


def _roles(schema: pa.Schema) -> dict[str, str]:
    """For each column that is no part of the record itself, whether metadata or signal."""
    return {
        item.name: (item.metadata or {}).get(ROLE, b"metadata").decode()
        for item in schema
        if item.name not in ("id", "source", "text", "extra")
    }


def _document(row: dict[str, Any], roles: Mapping[str, str]) -> Document:
    document = Document(str(row["id"]), row.get("source") or "", row["text"] or "")
    for name, role in roles.items():
        if row[name] is not None:
            values = document.metadata if role == "metadata" else document.signals
            # A foreign file may have its timestamps typed.
            values[name] = str(row[name]) if name in BASE_METADATA else row[name]
    if row.get("extra"):
        extra = orjson.loads(row["extra"])
        document.metadata.update(extra.get("metadata", {}))
        document.signals.update(extra.get("signals", {}))
    return document


def read_rejected(path: str) -> Iterable[RejectedDocument]:
    """Rejected documents of a shard."""
    for row in read_rows(path):
        signals = orjson.loads(row.pop("signals") or "{}")
        yield RejectedDocument(**row, signals=signals)
