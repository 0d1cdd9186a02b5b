"""Reads the documents of a shard, ours or a foreign one, as columns of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import InputError
from pipeline.shards import batches_of
from pipeline.store.streams import HashingReader

EMPTY = "empty"
INVALID = "invalid_utf8"


def document_batches(
    path: str, stream: HashingReader, columns: Sequence[str], size: int
) -> Iterator[pa.Table]:
    """Rows of a document shard, about `size` bytes of text at a time.

    Args:
        path: for errors.
        stream: the shard.
        columns: to read, as strings; `id` and `text` among them. Others that a foreign file does
            not have are null.
        size: unless one document has more.

    Raises:
        InputError: it is no Parquet file, or is damaged, or a document has no `id` or no `text`.
    """
    try:
        names = pq.read_schema(cast(IO[bytes], stream)).names
        missing = {"id", "text"} - set(names)
        if missing:
            raise InputError(f"{path} has no column {' and no column '.join(sorted(missing))}")
        wanted = [name for name in columns if name in names]
        held: list[pa.RecordBatch] = []
        held_bytes = 0
        for batch in batches_of(stream, wanted):
            held.append(batch)
            held_bytes += batch.column("text").nbytes
            if held_bytes >= size:
                yield _strings(path, pa.Table.from_batches(held), columns)
                held, held_bytes = [], 0
        if held:
            yield _strings(path, pa.Table.from_batches(held), columns)
    except (pa.ArrowException, OSError) as error:
        if stream.failure is not None:
            raise stream.failure from None
        raise InputError(f"{path} is no Parquet file, or is damaged: {error}") from None


def _strings(path: str, table: pa.Table, columns: Sequence[str]) -> pa.Table:
    if table.column("id").null_count:
        raise InputError(f"{path} holds documents without id")
    nothing = pa.nulls(len(table), pa.string())
    return pa.table(
        {
            name: table.column(name).cast(pa.string()) if name in table.column_names else nothing
            for name in columns
        }
    )


def reasons(texts: pa.ChunkedArray[Any]) -> list[str]:
    """Why each text is none: `EMPTY` or `INVALID`; an empty string where it is one."""
    sizes = pc.fill_null(pc.binary_length(texts), 0).to_pylist()
    found = ["" if size else EMPTY for size in sizes]
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        for row, content in enumerate(texts.cast(pa.binary()).to_pylist()):
            try:
                (content or b"").decode("utf-8")
            except UnicodeDecodeError:
                found[row] = INVALID
    return found
