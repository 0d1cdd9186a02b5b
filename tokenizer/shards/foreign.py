"""Token files of other programs: how they look, and how they are read.

- nanoGPT: `train.bin`, `val.bin`; uint16 ids, nothing else.
- llm.c: a header of 256 int32 (20240520, version 1, count of tokens), then uint16 ids.
- datatrove: `.ds`, uint16 or uint32 ids, and `.ds.index`, the end of each document in tokens as
  uint64; `.ds.metadata` is for people.
- huggingface: Parquet with a list of ids per row, `input_ids`, as `datasets.load_dataset` reads.

The first two do not say where documents end: BOS and EOS do. Documents are read without either.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tokenizer.errors import TokenizerError
from tokenizer.shards.manifest import TokenizerIdentity
from tokenizer.shards.writer import PROVENANCE

_LLMC_MAGIC, _LLMC_VERSION, _LLMC_HEADER = 20240520, 1, 256
# Tokens that are held at a time, unless one document has more.
TOKENS_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class Documents:
    """Documents without BOS and EOS.

    Attributes:
        ids: (tokens,) int32, one document after another.
        lengths: (documents,) of each.
        rows: what the file says of each, columns of `PROVENANCE`; None if nothing.
    """

    ids: NDArray[np.int32]
    lengths: NDArray[np.int64]
    rows: pa.Table | None = None


def read_nanogpt(path: str, tokenizer: TokenizerIdentity) -> Iterator[Documents]:
    """Documents of a nanoGPT file."""
    return _unbounded(_ids_of(path, np.dtype("<u2"), 0), tokenizer)


def read_llmc(path: str, tokenizer: TokenizerIdentity) -> Iterator[Documents]:
    """Documents of an llm.c file.

    Raises:
        TokenizerError: its header is not llm.c's, or says another size.
    """
    with open(path, "rb") as stream:
        head = stream.read(4 * _LLMC_HEADER)
    if len(head) < 4 * _LLMC_HEADER or struct.unpack_from("<ii", head) != (
        _LLMC_MAGIC,
        _LLMC_VERSION,
    ):
        raise TokenizerError(f"{path} has no header of llm.c, version 1 (bytes 0 to 1,023)")
    ids = _ids_of(path, np.dtype("<u2"), len(head))
    (stated,) = struct.unpack_from("<i", head, 8)
    if stated != len(ids):
        raise TokenizerError(f"{path} holds {len(ids):,} tokens where its header says {stated:,}")
    return _unbounded(ids, tokenizer)


def read_datatrove(path: str, tokenizer: TokenizerIdentity) -> Iterator[Documents]:
    """Documents of a datatrove file.

    Raises:
        TokenizerError: its index is missing, or is of another file.
    """
    try:
        ends = np.fromfile(f"{path}.index", "<u8").astype(np.int64)
    except FileNotFoundError:
        raise TokenizerError(f"there is no {path}.index, which says where documents end") from None
    tokens, size = int(ends[-1]) if len(ends) else 0, Path(path).stat().st_size
    if not tokens:
        if size:
            raise TokenizerError(f"{path}.index is of another file: it has no documents")
        return
    if size not in (2 * tokens, 4 * tokens) or np.any(np.diff(ends) < 0):
        raise TokenizerError(
            f"{path} has {size:,} bytes where its index has {tokens:,} tokens of 2 or 4 bytes"
        )
    ids = _ids_of(path, np.dtype("<u2" if size == 2 * tokens else "<u4"), 0)
    starts = np.concatenate([[0], ends])
    first = 0
    while first < len(ends):
        last = int(np.searchsorted(starts, starts[first] + TOKENS_AT_ONCE, "right")) - 1
        last = max(first + 1, last)
        part = ids[starts[first] : starts[last]]
        yield _bounded(path, part, np.diff(starts[first : last + 1]), tokenizer)
        first = last


def read_huggingface(path: str, tokenizer: TokenizerIdentity) -> Iterator[Documents]:
    """Documents of a Parquet file with `input_ids`.

    Raises:
        TokenizerError: it is damaged, or has no such column.
    """
    try:
        with pq.ParquetFile(path) as parquet:
            names = parquet.schema_arrow.names
            if "input_ids" not in names:
                raise TokenizerError(f"{path} has no column input_ids")
            wanted = [name for name in PROVENANCE if name in names]
            for batch in parquet.iter_batches(batch_size=256, columns=["input_ids", *wanted]):
                lists = cast("pa.ListArray[Any]", batch.column("input_ids"))
                lengths = lists.value_lengths().to_numpy()
                found = _bounded(path, lists.flatten().to_numpy(), lengths, tokenizer)
                rows = pa.Table.from_batches([batch.select(wanted)])
                yield Documents(found.ids, found.lengths, rows)
    except (pa.ArrowException, OSError) as error:
        raise TokenizerError(f"{path} cannot be read as Parquet: {error}") from None


READERS: dict[str, Callable[[str, TokenizerIdentity], Iterator[Documents]]] = {
    "nanogpt": read_nanogpt,
    "llmc": read_llmc,
    "datatrove": read_datatrove,
    "huggingface": read_huggingface,
}


def _ids_of(path: str, dtype: np.dtype[Any], offset: int) -> NDArray[Any]:
    """The ids after the header, mapped.

    Raises:
        TokenizerError: half an id is left over.
    """
    size = Path(path).stat().st_size - offset
    if size % dtype.itemsize:
        raise TokenizerError(f"{path} ends within an id: {size:,} bytes of {dtype.name}")
    return np.memmap(path, dtype, "r", offset) if size else np.empty(0, dtype)


def _unbounded(ids: NDArray[Any], tokenizer: TokenizerIdentity) -> Iterator[Documents]:
    """Documents that BOS and EOS part: all that stands between two of them is one."""
    first = 0
    while first < len(ids):
        length = TOKENS_AT_ONCE
        while True:
            part = np.asarray(ids[first : first + length])
            special = (part == tokenizer.bos_id) | (part == tokenizer.eos_id)
            at = np.flatnonzero(special)
            if first + length >= len(ids):
                end = len(part)
                break
            if len(at) and at[-1]:
                end = int(at[-1])
                break
            length *= 2
        borders = np.concatenate([[-1], at[at < end], [end]])
        lengths = np.diff(borders) - 1
        yield Documents(part[:end][~special[:end]].astype(np.int32), lengths[lengths > 0])
        first += end


def _bounded(
    path: str, ids: NDArray[Any], lengths: NDArray[Any], tokenizer: TokenizerIdentity
) -> Documents:
    """Documents of known lengths; one may have BOS and EOS of its own, around it only.

    Raises:
        TokenizerError: BOS or EOS stands within a document.
    """
    ends = np.cumsum(lengths, dtype=np.int64)
    starts = ends - lengths
    full = lengths > 0
    special = np.zeros(len(ids), bool)
    special[starts[full]] |= ids[starts[full]] == tokenizer.bos_id
    special[ends[full] - 1] |= ids[ends[full] - 1] == tokenizer.eos_id
    wrong = ((ids == tokenizer.bos_id) | (ids == tokenizer.eos_id)) & ~special
    if wrong.any():
        document = int(np.searchsorted(ends, int(np.argmax(wrong)), "right"))
        raise TokenizerError(
            f"{path}: BOS or EOS stands within a document (the one that ends with token "
            f"{ends[document]:,} of those read together); this is not the tokenizer that made it"
        )
    kept = np.concatenate([[0], np.cumsum(~special)])
    return Documents(ids[~special].astype(np.int32), kept[ends] - kept[starts])


def llmc_header(tokens: int) -> bytes:
    """The header of an llm.c file.

    Raises:
        TokenizerError: there are more tokens than it can say.
    """
    if tokens >= 1 << 31:
        raise TokenizerError(f"a file of llm.c cannot hold {tokens:,} tokens")
    header = np.zeros(_LLMC_HEADER, "<i4")
    header[:3] = _LLMC_MAGIC, _LLMC_VERSION, tokens
    return header.tobytes()
