"""Writes one token shard: `.bin`, `.idx` and `.docs.parquet`, into streams that the caller opens.

`.bin` holds the ids of the documents one after another, `BOS ... EOS` each; `.idx` is Megatron's
index of it; `.docs.parquet` has one row per document in the same order. Same documents, same bytes,
however they were cut into batches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tokenizer.shards.index import check_ids, token_type, write_index

# What a reader needs to know of a document without its text.
PROVENANCE = ("id", "url", "licence", "language", "source")
_FIELDS: list[pa.Field[Any]] = [
    pa.field("id", pa.string(), nullable=False),
    *(pa.field(name, pa.string()) for name in PROVENANCE[1:]),
    pa.field("tokens", pa.int64(), nullable=False),
    pa.field("text_bytes", pa.int64(), nullable=False),
]
DOCUMENTS_SCHEMA = pa.schema(_FIELDS)
SUFFIXES = (".bin", ".idx", ".docs.parquet")
ROWS_PER_GROUP = 1 << 15


@dataclass(frozen=True)
class Streams:
    """Where the three files of a shard go."""

    tokens: IO[bytes]
    index: IO[bytes]
    documents: IO[bytes]


class TokenShardWriter:
    """Writes one shard.

    Args:
        streams: opened for writing; the caller closes them.
        vocabulary_size: ids are below it.
    """

    def __init__(self, streams: Streams, vocabulary_size: int) -> None:
        self.documents = 0
        self.tokens = 0
        self.text_bytes = 0
        self._streams = streams
        self._vocabulary_size = vocabulary_size
        self._dtype = token_type(vocabulary_size)
        self._lengths: list[NDArray[np.int64]] = []
        self._pending: list[pa.Table] = []
        self._pending_rows = 0
        self._parquet = pq.ParquetWriter(
            streams.documents, DOCUMENTS_SCHEMA, compression="zstd", compression_level=3
        )

    def add(self, ids: NDArray[Any], documents: pa.Table) -> None:
        """Write documents.

        Args:
            ids: all their tokens, one document after another.
            documents: a row each, of `DOCUMENTS_SCHEMA`; `tokens` adds up to the ids.

        Raises:
            TokenizerError: an id is outside the vocabulary.
            ValueError: the rows say another number of tokens.
        """
        lengths = documents.column("tokens").to_numpy()
        if int(lengths.sum()) != len(ids):
            raise ValueError(f"rows say {int(lengths.sum())} tokens, there are {len(ids)}")
        check_ids(ids, self._vocabulary_size, f"after {self.tokens:,} tokens")
        self._streams.tokens.write(np.ascontiguousarray(ids, self._dtype).data.cast("B"))
        self._lengths.append(lengths)
        self.documents += len(lengths)
        self.tokens += len(ids)
        self.text_bytes += int(documents.column("text_bytes").to_numpy().sum())
        self._pending.append(documents.cast(DOCUMENTS_SCHEMA))
        self._pending_rows += len(documents)
        while self._pending_rows >= ROWS_PER_GROUP:
            self._write_rows(ROWS_PER_GROUP)

    def _write_rows(self, count: int) -> None:
        table = pa.concat_tables(self._pending)
        rest = table.slice(count)
        self._parquet.write_table(table.slice(0, count).combine_chunks(), row_group_size=count)
        self._pending = [rest] if len(rest) else []
        self._pending_rows = len(rest)

    def finish(self) -> None:
        """Write what is still held, and the index."""
        if self._pending_rows:
            self._write_rows(self._pending_rows)
        self._parquet.close()
        lengths = np.concatenate([np.empty(0, np.int64), *self._lengths])
        self._streams.index.write(write_index(lengths, self._dtype))

    def counts(self) -> dict[str, int]:
        """Tokens, documents and bytes of text written, by name."""
        return {
            "tokens": self.tokens,
            "documents": self.documents,
            "text_bytes": self.text_bytes,
        }

    def discard(self) -> None:
        """Give up; what the streams hold is worth nothing."""
        self._parquet.close()
