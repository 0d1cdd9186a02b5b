"""Document shards: Parquet files that pandas, Polars, DuckDB and Hugging Face open as they are.

Columns: `id, source, text, url, language, timestamp, licence`, then the source's own metadata and
signals as typed columns (a field's Parquet metadata says which it is), then `extra`: JSON of what
has no column. Same documents, same bytes: no clock, no host, no worker goes into a file.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import IO, Any, BinaryIO, cast

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from filters.document import Document
from pipeline.errors import OutputError
from pipeline.passes.batch import RejectedDocument
from pipeline.readers.document_shards import (
    BASE_METADATA,
    BATCH_BYTES,
    ROLE,
    Columns,
    DocumentShard,
    columns_of,
)
from pipeline.store import files

__all__ = [
    "BASE_METADATA",
    "BATCH_BYTES",
    "REJECTED_SCHEMA",
    "Columns",
    "ShardWriter",
    "batches_of",
    "columns_of",
    "document_row",
    "document_schema",
    "read_rejected",
    "read_rows",
    "rejected_row",
    "with_signals",
]


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


def with_signals(columns: Columns, stages: Iterable[object]) -> Columns:
    """Columns with those that stages measure (`signals`); where both have one, its type stays."""
    signals = dict(columns.signals)
    for stage in stages:
        for name, kind in getattr(stage, "signals", {}).items():
            signals.setdefault(name, arrow_type(kind))
    return Columns(columns.metadata, signals)


def arrow_type(name: str) -> pa.DataType:
    """The Arrow type of a name: `double`, or a list as `list<string>`."""
    if name.startswith("list<"):
        return pa.list_(arrow_type(name[5:-1]))
    kind: pa.DataType = pa.type_for_alias(name)  # type: ignore[call-overload]  # knows literals
    return kind


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
    """A rejected document as a row, which can always be written: what cannot is escaped."""
    return {
        "id": _encodable(rejected.id),
        "url": _encodable(rejected.url),
        "stage": rejected.stage,
        "reason": _encodable(rejected.reason),
        "detail": _encodable(rejected.detail),
        "characters": rejected.characters,
        "signals": _signals(rejected.signals) if rejected.signals else None,
        "text": None if rejected.text is None else _encodable(rejected.text),
    }


def _encodable(text: str) -> str:
    """The text, with lone surrogates spelled out."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def _signals(signals: Mapping[str, Any]) -> str:
    try:
        return _json(signals)
    except TypeError:
        return _json({_encodable(str(name)): _writable(value) for name, value in signals.items()})


def _writable(value: Any) -> Any:
    """A signal, or what stands in its place if JSON cannot have it."""
    try:
        _json(value)
    except TypeError:
        return f"unwritable {type(value).__name__}"
    return value


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY).decode()


def read_rows(path: str, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """Rows of a shard as plain values, some of them in memory at a time.

    Raises:
        InputError: it is no Parquet file, or is damaged.
    """
    with files.open_read(path) as handle:
        for batch in batches_of(handle, columns, path):
            yield from batch.to_pylist()


def batches_of(
    file: BinaryIO | io.RawIOBase, columns: list[str] | None = None, path: str = "the shard"
) -> Iterator[pa.RecordBatch]:
    """Record batches of a shard, of plain types; null is what a row has not, or not readably.

    Raises:
        InputError: `path` is no Parquet file, or is damaged.
    """
    shard = DocumentShard(path, file)
    for batch in shard.batches(columns or shard.names):
        yield batch.rows


def read_rejected(path: str) -> Iterable[RejectedDocument]:
    """Rejected documents of a shard."""
    for row in read_rows(path):
        signals = orjson.loads(row.pop("signals") or "{}")
        yield RejectedDocument(**row, signals=signals)
