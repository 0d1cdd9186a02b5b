"""Key blocks: the keys of one unit as sorted arrays, so that no Python object exists per key.

File format, version 1, little-endian: 8 bytes magic `ROVKEYS1`, uint64 count n, n x uint64 keys
in ascending order, n x uint32 rows (ordinal of the document or paragraph in the unit). Equal keys
are in ascending order of row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAGIC = b"ROVKEYS1"


@dataclass(frozen=True, slots=True)
class KeyBlock:
    """Sorted keys (uint64, shape [n]) with the rows they stand at (uint32, shape [n])."""

    keys: NDArray[np.uint64]
    rows: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.keys)

    @staticmethod
    def builder() -> KeyBlockBuilder:
        return KeyBlockBuilder()

    def to_bytes(self) -> bytes:
        count = np.array([len(self.keys)], dtype="<u8").tobytes()
        keys = self.keys.astype("<u8", copy=False).tobytes()
        return MAGIC + count + keys + self.rows.astype("<u4", copy=False).tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> KeyBlock:
        """Read a block without copying.

        Raises:
            ValueError: not a key block, or cut off.
        """
        if data[:8] != MAGIC:
            raise ValueError("not a key block: wrong magic bytes")
        count = int.from_bytes(data[8:16], "little")
        if len(data) != 16 + 12 * count:
            raise ValueError(f"key block of {count} keys has {len(data)} bytes: cut off or damaged")
        keys = np.frombuffer(data, dtype="<u8", count=count, offset=16)
        rows = np.frombuffer(data, dtype="<u4", count=count, offset=16 + 8 * count)
        return cls(keys, rows)

    def partition(self, partition: int, bits: int) -> KeyBlock:
        """The keys whose top `bits` bits equal `partition`."""
        if bits == 0:
            return self
        low = np.uint64(partition << (64 - bits))
        start = int(np.searchsorted(self.keys, low))
        if partition + 1 == 1 << bits:
            end = len(self.keys)
        else:
            end = int(np.searchsorted(self.keys, np.uint64((partition + 1) << (64 - bits))))
        return KeyBlock(self.keys[start:end], self.rows[start:end])


class KeyBlockBuilder:
    """Collects the keys of a unit; the row of a key is its ordinal in the order of `extend`."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.uint64]] = []

    def extend(self, parts: Iterable[NDArray[np.uint64]]) -> None:
        self._parts.extend(parts)

    def build(self) -> KeyBlock:
        """Sort what was collected."""
        if not self._parts:
            return KeyBlock(np.empty(0, np.uint64), np.empty(0, np.uint32))
        keys = np.concatenate(self._parts)
        order = np.argsort(keys, kind="stable").astype(np.uint32)
        return KeyBlock(keys[order], order)
