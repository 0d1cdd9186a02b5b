"""Reads the documents of a shard, ours or a foreign one, as columns of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.readers.document_shards import NO_TEXT, DocumentShard, ShardBatch, row_id
from pipeline.store.streams import HashingReader

EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Rows:
    """Some documents of a shard.

    Attributes:
        table: the columns asked for, as strings; null where there is nothing.
        reasons: why each text is none: `EMPTY`, or a reason of `readers.document_shards`; an empty
            string where it is one.
    """

    table: pa.Table
    reasons: list[str]


def document_batches(
    path: str, stream: HashingReader, columns: Sequence[str], size: int
) -> Iterator[Rows]:
    """Rows of a document shard, about `size` bytes of text at a time.

    Args:
        path: for errors.
        stream: the shard.
        columns: to read; `id` and `text` among them. Others that a foreign file does not have are
            null. An id that is missing or cannot be read is made of the file's name and the row.
        size: unless one document has more.

    Raises:
        InputError: it is no Parquet file, or is damaged, or has no `id` or no `text`.
    """
    shard = DocumentShard(path, stream)
    shard.require("id", "text")
    held: list[ShardBatch] = []
    held_bytes = 0
    for batch in shard.batches(columns):
        held.append(batch)
        held_bytes += batch.rows.column("text").nbytes
        if held_bytes >= size:
            yield _rows(path, held)
            held, held_bytes = [], 0
    if held:
        yield _rows(path, held)


def _rows(path: str, batches: Sequence[ShardBatch]) -> Rows:
    table = pa.Table.from_batches([batch.rows for batch in batches])
    sizes = pc.fill_null(pc.binary_length(table["text"]), 0).to_pylist()
    reasons = ["" if size else EMPTY for size in sizes]
    start = 0
    for batch in batches:
        for place, rejected in batch.reasons.items():
            # A text that is missing is as empty as one without a character.
            if rejected.reason != NO_TEXT:
                reasons[start + place] = rejected.reason
        start += len(batch.rows)
    return Rows(_with_ids(path, table, batches), reasons)


def _with_ids(path: str, table: pa.Table, batches: Sequence[ShardBatch]) -> pa.Table:
    """The same with an id for every row."""
    if not table["id"].null_count:
        return table
    numbers = [batch.first + place for batch in batches for place in range(len(batch.rows))]
    made = pa.array([row_id(path, number) for number in numbers], pa.string())
    place = table.column_names.index("id")
    ids: Any = pc.coalesce(table["id"], made)
    return table.set_column(place, "id", ids)
