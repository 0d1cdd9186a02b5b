"""Megatron-LM's index of a token file: where each document starts, and how the ids are stored.

The layout is that of `IndexedDataset` in megatron-core, version 1, little-endian:

    magic "MMIDIDX\\0\\0" | version uint64 | code of the type uint8 | sequences uint64 |
    entries of the document index uint64 | lengths int32[sequences] (tokens) |
    pointers int64[sequences] (bytes) | document index int64[sequences + 1]

Here every document is one sequence.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokenizer.errors import TokenizerError

MAGIC = b"MMIDIDX\x00\x00"
VERSION = 1
_HEADER = struct.Struct("<9sQBQQ")
# Megatron's codes of the types that ids are stored in; it has no uint32.
_CODES = {"uint16": 8, "int32": 4}
LARGEST_ID = 2**31 - 1
LONGEST_DOCUMENT = 2**31 - 1


def token_type(vocabulary_size: int) -> np.dtype[Any]:
    """The type that ids below `vocabulary_size` are stored in: uint16, or int32 beyond it.

    Raises:
        TokenizerError: ids would not fit in int32.
    """
    if vocabulary_size - 1 > LARGEST_ID:
        raise TokenizerError(f"a vocabulary of {vocabulary_size:,} pieces has ids beyond int32")
    return np.dtype("<u2" if vocabulary_size <= 1 << 16 else "<i4")


def check_ids(ids: NDArray[Any], vocabulary_size: int, where: str) -> None:
    """Fail on an id outside the vocabulary, before it is stored in a narrower type.

    Raises:
        TokenizerError: there is one.
    """
    if len(ids) and (int(ids.min()) < 0 or int(ids.max()) >= vocabulary_size):
        wrong = int(np.flatnonzero((ids < 0) | (ids >= vocabulary_size))[0])
        raise TokenizerError(
            f"{where}: token {wrong} has id {int(ids[wrong])}, which is not in a vocabulary of "
            f"{vocabulary_size:,} pieces"
        )


def write_index(lengths: NDArray[np.int64], dtype: np.dtype[Any]) -> bytes:
    """The index of documents of these lengths (in tokens), stored one after another.

    Raises:
        TokenizerError: a document is longer than the index can say.
    """
    if len(lengths) and int(lengths.max()) > LONGEST_DOCUMENT:
        raise TokenizerError(
            f"a document of {int(lengths.max()):,} tokens is longer than an index can say"
        )
    starts = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    count = len(lengths)
    return b"".join(
        (
            _HEADER.pack(MAGIC, VERSION, _CODES[dtype.name], count, count + 1),
            lengths.astype("<i4").tobytes(),
            (starts[:-1] * dtype.itemsize).astype("<i8").tobytes(),
            np.arange(count + 1, dtype="<i8").tobytes(),
        )
    )


def read_index(data: bytes, where: str) -> tuple[np.dtype[Any], NDArray[np.int64]]:
    """Type of the ids, and where documents start in tokens: (documents + 1,), the end last.

    Args:
        data: content of an `.idx` file.
        where: its path, for errors.

    Raises:
        TokenizerError: it is no index, is cut short, or its offsets contradict its lengths.
    """
    if len(data) < _HEADER.size or data[: len(MAGIC)] != MAGIC:
        raise TokenizerError(f"{where} is no Megatron index: bytes 0 to 8 are not {MAGIC!r}")
    _, version, code, sequences, entries = _HEADER.unpack_from(data)
    names = {number: name for name, number in _CODES.items()}
    if version != VERSION or code not in names:
        raise TokenizerError(
            f"{where}: version {version} with type code {code} is not supported (bytes 9 to 17); "
            f"supported are version {VERSION} with codes {sorted(names)}"
        )
    expected = _HEADER.size + 12 * sequences + 8 * entries
    if len(data) != expected or entries < 1:
        raise TokenizerError(
            f"{where} has {len(data):,} bytes where {sequences:,} sequences and {entries:,} "
            f"entries need {expected:,}"
        )
    dtype = np.dtype(names[code]).newbyteorder("<")
    lengths = np.frombuffer(data, "<i4", sequences, _HEADER.size)
    pointers = np.frombuffer(data, "<i8", sequences, _HEADER.size + 4 * sequences)
    documents = np.frombuffer(data, "<i8", entries, _HEADER.size + 12 * sequences)
    starts = np.zeros(sequences + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    wrong = np.flatnonzero((pointers != starts[:-1] * dtype.itemsize) | (lengths < 0))
    if len(wrong):
        row = int(wrong[0])
        at = _HEADER.size + 4 * sequences + 8 * row
        raise TokenizerError(
            f"{where}: sequence {row} starts at byte {int(pointers[row]):,} where the lengths "
            f"before it say {int(starts[row]) * dtype.itemsize:,} (bytes {at:,} to {at + 7:,})"
        )
    ordered = np.all(np.diff(documents) > 0)
    if documents[0] != 0 or documents[-1] != sequences or not ordered:
        at = _HEADER.size + 12 * sequences
        raise TokenizerError(
            f"{where}: the document index does not go from 0 to {sequences:,} "
            f"(bytes {at:,} to {len(data) - 1:,})"
        )
    return dtype, starts[documents]
