"""Key blocks: the keys of one unit as sorted arrays, so that no Python object exists per key.

File format, version 2, little-endian:

    8 bytes   magic `ROVKEYS2`
    uint64    count n
    uint32    fence bits b
    uint32    1 if there are ranks, else 0
    uint64    fences, 2**b + 1 of them: fence i is the number of keys whose top b bits are below i
    uint64    keys, n of them, ascending
    uint32    rows, n of them: ordinal of the document or line in the unit
    uint32    ranks, n of them, if there are any: preference among equal keys, smaller is better

Equal keys are in ascending order of row. The fences let a reader fetch a range of the key space
without reading the rest.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

MAGIC = b"ROVKEYS2"
_HEADER_BYTES = 24
# A look-up of a range reads 32 kB of keys more than it needs at most; fences are 0.02 % of a block.
_KEYS_PER_FENCE = 4096
_MAXIMUM_FENCE_BITS = 16


@dataclass(frozen=True, slots=True)
class KeyBlock:
    """Sorted keys (uint64, shape [n]), their rows and, it may be, ranks (uint32, shape [n])."""

    keys: NDArray[np.uint64]
    rows: NDArray[np.uint32]
    ranks: NDArray[np.uint32] | None = None

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def of(
        cls,
        keys: NDArray[np.uint64],
        rows: NDArray[np.uint32],
        ranks: NDArray[np.uint32] | None = None,
    ) -> KeyBlock:
        """A block of keys in any order; rows must ascend."""
        order = np.argsort(keys, kind="stable")
        return cls(keys[order], rows[order], None if ranks is None else ranks[order])

    def to_bytes(self, *, fenced: bool = True) -> bytes:
        """The block as a file; without fences for a block that is read whole."""
        bits = (len(self) // _KEYS_PER_FENCE).bit_length() if fenced else 0
        bits = min(bits, _MAXIMUM_FENCE_BITS)
        fences = np.append(np.searchsorted(self.keys, _lowest(bits)), len(self))
        return b"".join(
            [
                MAGIC,
                np.array([len(self)], "<u8").tobytes(),
                np.array([bits, self.ranks is not None], "<u4").tobytes(),
                fences.astype("<u8").tobytes(),
                self.keys.astype("<u8", copy=False).tobytes(),
                self.rows.astype("<u4", copy=False).tobytes(),
                b"" if self.ranks is None else self.ranks.astype("<u4", copy=False).tobytes(),
            ]
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> KeyBlock:
        """Read a block without copying.

        Raises:
            ValueError: not a key block, or cut off.
        """
        count, bits, ranked = _header(data[:_HEADER_BYTES], len(data))
        start = _HEADER_BYTES + 8 * ((1 << bits) + 1)
        keys = np.frombuffer(data, "<u8", count, start)
        rows = np.frombuffer(data, "<u4", count, start + 8 * count)
        ranks = np.frombuffer(data, "<u4", count, start + 12 * count) if ranked else None
        return cls(keys, rows, ranks)

    def partition(self, partition: int, bits: int) -> KeyBlock:
        """The keys whose top `bits` bits equal `partition`, without copying."""
        start, end = _bounds(self.keys, range(partition, partition + 1), bits)
        ranks = None if self.ranks is None else self.ranks[start:end]
        return KeyBlock(self.keys[start:end], self.rows[start:end], ranks)


def read_range(file: BinaryIO, partitions: range, bits: int) -> KeyBlock:
    """The keys of a block file whose top `bits` bits are in `partitions`; reads little else.

    Raises:
        ValueError: not a key block, or cut off.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    count, fence_bits, ranked = _header(file.read(_HEADER_BYTES), size)
    fences = _read(file, _HEADER_BYTES, "<u8", (1 << fence_bits) + 1)
    low, high = (end << fence_bits >> bits for end in (partitions.start, partitions.stop))
    # A partition smaller than a fence's range starts and ends inside one.
    high += (partitions.stop << fence_bits) % (1 << bits) > 0
    first, last = int(fences[low]), int(fences[high])
    if not first <= last <= count:
        raise ValueError(f"key block of {count} keys has fences at {first} and {last}: damaged")
    start = _HEADER_BYTES + 8 * len(fences)
    keys = _read(file, start + 8 * first, "<u8", last - first)
    begin, end = _bounds(keys, partitions, bits)
    rows_start = start + 8 * count + 4 * (first + begin)
    rows = _read(file, rows_start, "<u4", end - begin)
    ranks = _read(file, rows_start + 4 * count, "<u4", end - begin) if ranked else None
    return KeyBlock(keys[begin:end], rows, ranks)


def _header(data: bytes, size: int) -> tuple[int, int, bool]:
    """Count, fence bits, and whether there are ranks, of a block of so many bytes."""
    if data[:8] != MAGIC:
        raise ValueError("not a key block of this version: wrong magic bytes")
    if len(data) < _HEADER_BYTES:
        raise ValueError("key block is cut off in its header")
    count = int.from_bytes(data[8:16], "little")
    bits, ranked = np.frombuffer(data, "<u4", 2, 16).tolist()
    if bits > _MAXIMUM_FENCE_BITS or ranked > 1:
        raise ValueError(f"key block has {bits} fence bits and {ranked} for ranks: damaged")
    if size != _HEADER_BYTES + 8 * ((1 << bits) + 1) + (16 if ranked else 12) * count:
        raise ValueError(f"key block of {count} keys has {size} bytes: cut off or damaged")
    return count, bits, bool(ranked)


def _read(file: BinaryIO, offset: int, kind: str, count: int) -> NDArray[Any]:
    file.seek(offset)
    return np.frombuffer(file.read(count * np.dtype(kind).itemsize), kind, count)


def _lowest(bits: int) -> NDArray[np.uint64]:
    """The lowest key of each partition."""
    return np.arange(1 << bits, dtype=np.uint64) << np.uint64(64 - bits if bits else 0)


def _bounds(keys: NDArray[np.uint64], partitions: range, bits: int) -> tuple[int, int]:
    """Where the keys of consecutive partitions start and end among sorted keys."""
    low, high = partitions.start << (64 - bits), partitions.stop << (64 - bits)
    start = int(np.searchsorted(keys, np.uint64(low)))
    end = int(np.searchsorted(keys, np.uint64(high))) if high < 1 << 64 else len(keys)
    return start, end
