"""Key blocks: the keys of one unit as sorted arrays, so that no Python object exists per key.

File format, version 2, little-endian:

    8 bytes   magic `ROVKEYS2`
    uint64    count n
    uint32    fence bits b
    uint32    1 if there are ranks, plus 2 if there are counts
    uint64    fences, 2**b + 1 of them: fence i is the number of keys whose top b bits are below i
    uint64    keys, n of them, ascending
    uint32    rows, n of them: ordinal of the document or line in the unit
    uint32    ranks, n of them, if there are any: preference among equal keys, smaller is better
    if there are counts, of entries that stand for several rows:
    uint64    how many entries do, m
    uint32    their places, m of them, ascending
    uint32    their numbers of rows, m of them

A unit's own file has no counts. What of it is compared is combined first, to one entry for all
rows of a key: a line of every document costs a unit one key. Equal keys are in ascending order of
row. The fences let a reader fetch a range of the key space without reading the rest.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dedup.runs import run_starts

MAGIC = b"ROVKEYS2"
_HEADER_BYTES = 24
# A look-up of a range reads 32 kB of keys more than it needs at most; fences are 0.02 % of a block.
_KEYS_PER_FENCE = 4096
_MAXIMUM_FENCE_BITS = 16
_RANKS, _COUNTS = 1, 2

# What one entry stands for: rows of the same key, of the same key and rank, or one row.
Combine: TypeAlias = Literal["key", "key and rank", "nothing"]


@dataclass(frozen=True, slots=True)
class Shared:
    """The entries of a combined block that stand for several rows, in their order there.

    Attributes:
        places: in the block, those of one entry side by side, its rows ascending.
        starts: of each entry among the places, shape [entries].
        lengths: rows of each entry, shape [entries].
        preferred: place of the row that stands for each entry, shape [entries].
    """

    places: NDArray[np.intp]
    starts: NDArray[np.intp]
    lengths: NDArray[np.intp]
    preferred: NDArray[np.intp]

    def of_entries(self, entries: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Places of all rows of some entries, and for each which of these entries it is of."""
        lengths = self.lengths[entries]
        within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        places = self.places[np.repeat(self.starts[entries], lengths) + within]
        return places, np.repeat(np.arange(len(entries)), lengths)

    def all_places(self) -> NDArray[np.intp]:
        """Places of all rows that share an entry."""
        return self.of_entries(np.arange(len(self.starts)))[0]


@dataclass(frozen=True, slots=True)
class KeyBlock:
    """Sorted keys (uint64, shape [n]), and of each its row and, it may be, rank and count (uint32).

    With counts, an entry stands for so many rows, of which the preferred one is named.
    """

    keys: NDArray[np.uint64]
    rows: NDArray[np.uint32]
    ranks: NDArray[np.uint32] | None = None
    counts: NDArray[np.uint32] | None = None

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

    def shared(self, combine: Combine) -> Shared:
        """What of the block is combined to fewer entries."""
        if combine == "nothing":
            nothing = np.empty(0, np.intp)
            return Shared(nothing, nothing, nothing, nothing)
        again = np.zeros(len(self) + 1, dtype=bool)
        np.equal(self.keys[1:], self.keys[:-1], out=again[1:-1])
        places = np.flatnonzero(again[1:] | again[:-1])
        if combine == "key" or self.ranks is None:
            starts = run_starts(self.keys[places])
        else:
            places = places[np.lexsort((self.ranks[places], self.keys[places]))]
            starts = run_starts(self.keys[places], self.ranks[places])
        lengths = np.diff(starts, append=len(places))
        preferred = places[starts]
        if combine == "key" and self.ranks is not None and len(starts):
            own = self.ranks[places]
            best = np.flatnonzero(own == np.repeat(np.minimum.reduceat(own, starts), lengths))
            preferred = places[best[np.searchsorted(best, starts)]]
        order = np.argsort(preferred)
        order = order[lengths[order] > 1]
        return Shared(places, starts[order], lengths[order], preferred[order])

    def entries(self, combine: Combine) -> int:
        """How many entries `combined` has."""
        shared = self.shared(combine)
        return len(self) - int(shared.lengths.sum()) + len(shared.lengths)

    def combined(self, combine: Combine) -> KeyBlock:
        """One entry for all rows that are not told apart: the preferred row, and their number.

        Preferred is the smallest rank, then the smallest row.
        """
        shared = self.shared(combine)
        if not len(shared.starts):
            return self
        stays = np.ones(len(self), dtype=bool)
        stays[shared.all_places()] = False
        stays[shared.preferred] = True
        counts = np.ones(len(self), np.uint32)
        counts[shared.preferred] = shared.lengths
        ranks = None if self.ranks is None else self.ranks[stays]
        return KeyBlock(self.keys[stays], self.rows[stays], ranks, counts[stays])

    def to_bytes(self, *, fenced: bool = True) -> bytes:
        """The block as a file; without fences for a block that is read whole."""
        bits = (len(self) // _KEYS_PER_FENCE).bit_length() if fenced else 0
        bits = min(bits, _MAXIMUM_FENCE_BITS)
        fences = np.append(np.searchsorted(self.keys, _lowest(bits)), len(self))
        flags = (self.ranks is not None) * _RANKS + (self.counts is not None) * _COUNTS
        several = np.empty(0, np.intp)
        if self.counts is not None:
            several = np.flatnonzero(self.counts > 1)
        return b"".join(
            [
                MAGIC,
                np.array([len(self)], "<u8").tobytes(),
                np.array([bits, flags], "<u4").tobytes(),
                fences.astype("<u8").tobytes(),
                self.keys.astype("<u8", copy=False).tobytes(),
                self.rows.astype("<u4", copy=False).tobytes(),
                b"" if self.ranks is None else self.ranks.astype("<u4", copy=False).tobytes(),
                b"" if self.counts is None else np.array([len(several)], "<u8").tobytes(),
                several.astype("<u4").tobytes(),
                b"" if self.counts is None else self.counts[several].astype("<u4").tobytes(),
            ]
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> KeyBlock:
        """Read a block without copying.

        Raises:
            ValueError: not a key block, or cut off.
        """
        count, bits, flags = _header(data[:_HEADER_BYTES], len(data))
        start = _HEADER_BYTES + 8 * ((1 << bits) + 1)
        keys = np.frombuffer(data, "<u8", count, start)
        rows = np.frombuffer(data, "<u4", count, start + 8 * count)
        ranks = np.frombuffer(data, "<u4", count, start + 12 * count) if flags & _RANKS else None
        if not flags & _COUNTS:
            return cls(keys, rows, ranks)
        start += _key_bytes(flags) * count
        several = int(np.frombuffer(data, "<u8", 1, start)[0])
        if len(data) != start + 8 + 8 * several:
            raise ValueError(f"key block of {count} keys is cut off or damaged in its counts")
        places, numbers = np.frombuffer(data, "<u4", 2 * several, start + 8).reshape(2, several)
        counts = np.ones(count, np.uint32)
        counts[places] = numbers
        return cls(keys, rows, ranks, counts)

    def partition(self, partition: int, bits: int) -> KeyBlock:
        """The keys whose top `bits` bits equal `partition`, without copying."""
        start, end = _bounds(self.keys, range(partition, partition + 1), bits)
        ranks = None if self.ranks is None else self.ranks[start:end]
        counts = None if self.counts is None else self.counts[start:end]
        return KeyBlock(self.keys[start:end], self.rows[start:end], ranks, counts)


def read_range(file: BinaryIO, partitions: range, bits: int) -> KeyBlock:
    """The keys of a unit's file whose top `bits` bits are in `partitions`; reads little else.

    Raises:
        ValueError: not a key block, or cut off.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    count, fence_bits, flags = _header(file.read(_HEADER_BYTES), size)
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
    ranks = _read(file, rows_start + 4 * count, "<u4", end - begin) if flags & _RANKS else None
    return KeyBlock(keys[begin:end], rows, ranks)


def _key_bytes(flags: int) -> int:
    """Bytes of a key with its row and, it may be, rank."""
    return 16 if flags & _RANKS else 12


def _header(data: bytes, size: int) -> tuple[int, int, int]:
    """Count, fence bits and flags of a block of so many bytes."""
    if data[:8] != MAGIC:
        raise ValueError("not a key block of this version: wrong magic bytes")
    if len(data) < _HEADER_BYTES:
        raise ValueError("key block is cut off in its header")
    count = int.from_bytes(data[8:16], "little")
    bits, flags = np.frombuffer(data, "<u4", 2, 16).tolist()
    if bits > _MAXIMUM_FENCE_BITS or flags > _RANKS + _COUNTS:
        raise ValueError(f"key block has {bits} fence bits and {flags} for flags: damaged")
    whole = _HEADER_BYTES + 8 * ((1 << bits) + 1) + _key_bytes(flags) * count
    if size < whole + 8 if flags & _COUNTS else size != whole:
        raise ValueError(f"key block of {count} keys has {size} bytes: cut off or damaged")
    return count, bits, flags


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
