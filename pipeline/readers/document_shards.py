"""Document shards, our own and others': Parquet with `id` and `text`, as columns of plain types.

Other programs write text as `large_string`, `string_view`, dictionary-encoded or binary, and may
write bytes there that are no UTF-8, or nothing; here text is `string`. A row that is no document
keeps its place, so that rows count the same whatever is read of them: what cannot be read is null,
and the reason stands beside it. Memory is bounded by some rows, books included.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO, cast

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from filters.document import Document, Rejected
from pipeline.errors import InputError
from pipeline.readers.arrow_rows import Unreadable, python_rows
from pipeline.readers.records import BadRecord
from pipeline.store import files
from pipeline.store.streams import HashingReader

BASE_METADATA = ("url", "language", "timestamp", "licence")
ROLE = b"roving.role"
# Columns that are text whatever a file has them as.
TEXT_COLUMNS = frozenset(("id", "source", "text", "extra", *BASE_METADATA))

NO_ID = "no_id"
NO_TEXT = "no_text"
INVALID_UTF8 = "invalid_utf8"
UNREADABLE_VALUE = "unreadable_value"
MALFORMED_EXTRA = "malformed_extra"

# Rows, and bytes of text, that are held as Python objects at a time.
BATCH_ROWS = 256
BATCH_BYTES = 8_000_000


@dataclass(frozen=True)
class Columns:
    """Typed columns of a source besides the base columns: name -> Arrow type."""

    metadata: Mapping[str, pa.DataType] = field(default_factory=dict)
    signals: Mapping[str, pa.DataType] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShardBatch:
    """Some rows of a shard.

    Attributes:
        first: number of the first row in the shard.
        rows: the columns asked for; null is what a row does not have, or what cannot be read.
        reasons: why rows are no documents, as far as these columns tell, by place in the batch.
    """

    first: int
    rows: pa.RecordBatch
    reasons: Mapping[int, Rejected]


class DocumentShard:
    """A shard that is open for reading.

    Args:
        path: for ids and errors.
        stream: the file's bytes, seekable.

    Raises:
        InputError: it is no Parquet file, is damaged, or has two columns of one name.
    """

    def __init__(self, path: str, stream: BinaryIO | io.RawIOBase) -> None:
        self.path = path
        self._stream = stream
        self._parquet = self._checked(lambda: pq.ParquetFile(cast(IO[bytes], stream)))
        self.schema = self._parquet.schema_arrow
        self.names = self.schema.names
        twice = [name for name in self.names if self.names.count(name) > 1]
        if twice:
            raise InputError(f"{path} has two columns {twice[0]!r}; rename one of them")

    @property
    def metadata(self) -> pq.FileMetaData:
        """Row groups and their statistics."""
        return self._parquet.metadata

    def require(self, *names: str) -> None:
        """Fail if columns are missing, or hold what cannot be read as text.

        Raises:
            InputError: they are, or do.
        """
        missing = sorted(set(names) - set(self.names))
        if missing:
            raise InputError(f"{self.path} has no column {' and no column '.join(missing)}")
        for name in TEXT_COLUMNS & set(self.names):
            kind = self.schema.field(name).type
            if pa.types.is_nested(_storage(kind)):
                raise InputError(f"column {name!r} of {self.path} holds {kind}, which is no text")

    def columns(self) -> Columns:
        """The typed columns besides the base columns, of plain types."""
        found: dict[str, dict[str, pa.DataType]] = {"metadata": {}, "signal": {}}
        for name, role in self._roles().items():
            if name not in BASE_METADATA:
                found[role][name] = plain_type(self.schema.field(name).type)
        return Columns(found["metadata"], found["signal"])

    def _roles(self) -> dict[str, str]:
        """For each column that is no part of the record itself, whether metadata or signal."""
        return {
            item.name: "signal" if (item.metadata or {}).get(ROLE) == b"signal" else "metadata"
            for item in self.schema
            if item.name not in ("id", "source", "text", "extra")
        }

    def batches(
        self, columns: Sequence[str], groups: Sequence[int] | None = None
    ) -> Iterator[ShardBatch]:
        """Rows in order, small enough to be held as Python objects.

        Args:
            columns: to read; those that the shard does not have are null.
            groups: numbers of row groups; None for all.

        Raises:
            InputError: the file is damaged.
        """
        sizes = [self.metadata.row_group(number) for number in range(self.metadata.num_row_groups)]
        largest = max(
            (group.total_byte_size // max(1, group.num_rows) for group in sizes), default=0
        )
        rows = max(1, min(BATCH_ROWS, BATCH_BYTES // max(1, largest)))
        present = [name for name in columns if name in self.names]
        for number in range(len(sizes)) if groups is None else groups:
            first = sum(group.num_rows for group in sizes[:number])
            batches = self._parquet.iter_batches(rows, row_groups=[number], columns=present)
            while (batch := self._checked(lambda: next(batches, None))) is not None:  # noqa: B023
                yield _plain_batch(first, batch, columns)
                first += len(batch)

    def _checked(self, read: Callable[[], Any]) -> Any:
        """What is read; a sentence where the file is damaged, the storage's error where that is."""
        try:
            return read()
        except (pa.ArrowException, OSError, ValueError) as error:
            if isinstance(self._stream, HashingReader) and self._stream.failure is not None:
                raise self._stream.failure from None
            raise InputError(f"{self.path} is no Parquet file, or is damaged: {error}") from None

    def documents(self) -> Iterator[Document | BadRecord]:
        """One for each row, in order; a row that is no document, with its reason.

        A file that is not ours needs `id` and `text`; its other columns become metadata. Reasons:
        `no_id`, `no_text`, `invalid_utf8`, `unreadable_value`, `malformed_extra`.

        Raises:
            InputError: columns are missing, or the file is damaged.
        """
        self.require("id", "text")
        roles = self._roles()
        for batch in self.batches(self.names):
            for place, row in enumerate(python_rows(batch.rows)):
                found: Document | Rejected
                known: Mapping[str, Any] = {}
                if isinstance(row, Unreadable):
                    found = Rejected(UNREADABLE_VALUE, row.detail)
                else:
                    found, known = batch.reasons.get(place) or _document(row, roles), row
                if isinstance(found, Rejected):
                    identifier = known.get("id") or row_id(self.path, batch.first + place)
                    yield BadRecord(identifier, known.get("url") or "", found.reason, found.detail)
                else:
                    yield found


def row_id(path: str, number: int) -> str:
    """The id of a row that has none."""
    return f"{files.split(path)[1]}#{number}"


def _storage(kind: pa.DataType) -> pa.DataType:
    """What a type is made of, without an extension's name or a dictionary."""
    while isinstance(kind, (pa.BaseExtensionType, pa.DictionaryType)):
        kind = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind.value_type
    return kind


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type that values are read as: one type of text, of bytes and of lists."""
    kind = _storage(kind)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.binary()
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(plain_type(kind.value_type))
    if pa.types.is_struct(kind):
        fields = [kind.field(number) for number in range(kind.num_fields)]
        return pa.struct([pa.field(one.name, plain_type(one.type)) for one in fields])
    return kind


def _plain_batch(first: int, batch: pa.RecordBatch, columns: Sequence[str]) -> ShardBatch:
    arrays: list[pa.Array[Any]] = []
    reasons: dict[int, Rejected] = {}
    for name in columns:
        if name not in batch.schema.names:
            arrays.append(pa.nulls(len(batch), pa.string()))
            continue
        array, problems = _plain_column(name, batch.column(name))
        arrays.append(array)
        reasons = problems | reasons
    for name, reason in (("id", NO_ID), ("text", NO_TEXT)):
        if name in columns:
            nulls = arrays[columns.index(name)].is_null().to_numpy(zero_copy_only=False)
            for place in np.flatnonzero(nulls).tolist():
                reasons.setdefault(place, Rejected(reason))
    return ShardBatch(first, pa.RecordBatch.from_arrays(arrays, names=list(columns)), reasons)


def _plain_column(name: str, array: pa.Array[Any]) -> tuple[pa.Array[Any], dict[int, Rejected]]:
    """A column of its plain type, and what is wrong with rows, which are null then, by place."""
    target = pa.string() if name in TEXT_COLUMNS else plain_type(array.type)
    try:
        plain = _cast(array, target)
        plain.validate(full=True)
        return plain, {}
    except pa.ArrowException:
        pass  # some row is at fault; which, is found one by one
    values, problems = [], dict[int, Rejected]()
    for place, scalar in enumerate(array):
        try:
            value = scalar.as_py()
            value = value.decode() if isinstance(value, bytes) and target == pa.string() else value
            pa.array([value], target)
        except UnicodeDecodeError as error:
            value, problems[place] = None, Rejected(INVALID_UTF8, f"{name}: {error}")
        except (ValueError, TypeError, OverflowError, pa.ArrowException) as error:
            value, problems[place] = None, Rejected(UNREADABLE_VALUE, f"{name}: {error}")
        values.append(value)
    return pa.array(values, target), problems


def _cast(array: pa.Array[Any], target: pa.DataType) -> pa.Array[Any]:
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if target == pa.string() and pa.types.is_timestamp(array.type):
        # ISO 8601 to the second, in UTC where the file says where it is.
        zone = "UTC" if array.type.tz else None
        moments = array.cast(pa.timestamp(array.type.unit, zone))
        seconds: Any = moments.cast(pa.timestamp("s", zone), safe=False)
        return pc.strftime(seconds, "%Y-%m-%dT%H:%M:%S" + ("Z" if zone else ""))
    if pa.types.is_timestamp(target):
        return array.cast(target, safe=False)  # nanoseconds are cut off
    return array if array.type == target else array.cast(target)


def _document(row: Mapping[str, Any], roles: Mapping[str, str]) -> Document | Rejected:
    document = Document(row["id"], row.get("source") or "", row["text"])
    for name, role in roles.items():
        if row[name] is not None:
            values = document.metadata if role == "metadata" else document.signals
            values[name] = row[name]
    if row.get("extra"):
        extra = _parse_extra(row["extra"])
        if extra is None:
            return Rejected(MALFORMED_EXTRA, row["extra"][:200])
        document.metadata.update(extra.get("metadata", {}))
        document.signals.update(extra.get("signals", {}))
    return document


def _parse_extra(extra: str) -> dict[str, dict[str, Any]] | None:
    """What the writer put aside for lack of a column; None if it is something else."""
    try:
        found = orjson.loads(extra)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, dict) or not all(isinstance(part, dict) for part in found.values()):
        return None
    return found


def columns_of(path: str) -> Columns:
    """The typed columns of a shard besides the base columns.

    Raises:
        InputError: it has no `id` or no `text`, or a column `extra` that is not ours.
    """
    with files.open_read(path) as handle:
        shard = DocumentShard(path, handle)
        shard.require("id", "text")
        first = next(shard.batches(["extra"]), None)
        extras = [] if first is None else first.rows.column(0).drop_null().to_pylist()
        if extras and extras[0] and _parse_extra(extras[0]) is None:
            raise InputError(
                f"column 'extra' of {path} is not the JSON of metadata and signals that Roving "
                "keeps under this name; rename the column"
            )
        return shard.columns()
