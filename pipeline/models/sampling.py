"""Draws that depend on what is drawn, not on its order, its number or the machine: by hash."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xxhash

EVERY_HASH = (1 << 64) - 1


def hash_of(text: str, seed: int) -> int:
    """xxh3-64 of UTF-8 text; another seed makes an independent draw."""
    return xxhash.xxh3_64_intdigest(text.encode("utf-8"), seed=seed)


def in_share(text: str, share: float, seed: int) -> bool:
    """Whether this text falls into a share (0 to 1) of all texts."""
    return hash_of(text, seed) < int(share * (1 << 64))


class SmallestHashes:
    """The `limit` smallest of the hashes offered, in at most 16 bytes x `limit`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.threshold = EVERY_HASH if limit else -1
        self._hashes = array("Q")

    def offer(self, value: int) -> bool:
        """Whether the hash is among the smallest up to now."""
        if value > self.threshold:
            return False
        self._hashes.append(value)
        if len(self._hashes) >= 2 * self.limit:
            self._shrink(self.limit)
        return True

    def finish(self, limit: int | None = None) -> int:
        """The largest hash of the sample, -1 if there is none; `limit` may shrink it further."""
        limit = self.limit if limit is None else min(limit, self.limit)
        if len(self._hashes) > limit:
            self._shrink(limit)
        return self.threshold

    def __len__(self) -> int:
        return min(len(self._hashes), self.limit)

    def _shrink(self, limit: int) -> None:
        if limit == 0:
            self._hashes, self.threshold = array("Q"), -1
            return
        hashes = np.frombuffer(self._hashes, np.uint64)
        smallest = np.partition(hashes, limit - 1)[:limit]
        self._hashes = array("Q", smallest.tobytes())
        self.threshold = int(smallest.max())


class SampledLines:
    """At most `limit` lines of text in a file, drawn by their hash from all that were added.

    Memory is bounded by `limit`; the file by a small multiple of it, since only lines that could
    still be drawn are written. Equal lines are drawn together.
    """

    def __init__(self, path: Path, limit: int, seed: int) -> None:
        self._path = path
        self._seed = seed
        self._hashes = SmallestHashes(limit)
        self._file = path.open("w", encoding="utf-8", newline="\n")
        self.added = 0
        self.drawn = 0

    def add(self, line: str) -> None:
        """Offer a line; it must hold no newline."""
        self.added += 1
        if self._hashes.offer(hash_of(line, self._seed)):
            self._file.write(line + "\n")

    def __iter__(self) -> Iterator[str]:
        """The lines drawn, in the order they were added in; ends adding. `drawn` counts them."""
        self.close()
        self.drawn = 0
        threshold = self._hashes.finish()
        with self._path.open(encoding="utf-8", newline="\n") as handle:
            for line in handle:
                if hash_of(line[:-1], self._seed) <= threshold:
                    self.drawn += 1
                    yield line[:-1]

    def close(self) -> None:
        """End adding."""
        self._file.close()
