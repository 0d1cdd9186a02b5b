"""Checksums of files: of the whole, to know that one is sound, and by block, to know where not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import xxhash

# A wrong byte is located to this many.
BLOCK_BYTES = 1 << 20


class Checksums:
    """Size, SHA-256 and the XXH3-64 of each block, of bytes that come piece by piece."""

    def __init__(self) -> None:
        self.size = 0
        self._whole = hashlib.sha256()
        self._block = xxhash.xxh3_64()
        self._blocks: list[str] = []

    def update(self, data: Any) -> None:
        """Add bytes."""
        view = memoryview(data).cast("B")
        self._whole.update(view)
        while len(view):
            part = view[: BLOCK_BYTES - self.size % BLOCK_BYTES]
            self._block.update(part)
            self.size += len(part)
            view = view[len(part) :]
            if self.size % BLOCK_BYTES == 0:
                self._blocks.append(self._block.hexdigest())
                self._block.reset()

    def sha256(self) -> str:
        return self._whole.hexdigest()

    def blocks(self) -> list[str]:
        """XXH3-64 of each block, the last of which may be shorter."""
        return [*self._blocks, self._block.hexdigest()] if self.size % BLOCK_BYTES else self._blocks


@dataclass(frozen=True)
class Damage:
    """Something of a dataset that is not as it was written.

    Attributes:
        path: of the file.
        problem: in words.
        first, last: the bytes that it concerns, counted from 0; both -1 if it has no place.
    """

    path: str
    problem: str
    first: int = -1
    last: int = -1

    def __str__(self) -> str:
        where = f", bytes {self.first:,} to {self.last:,}" if self.first >= 0 else ""
        return f"{self.path}{where}: {self.problem}"


def check_content(
    path: str, stream: IO[bytes], size: int, sha256: str, blocks: Sequence[str]
) -> Iterator[Damage]:
    """What of a file differs from what was written.

    Args:
        path: for the report.
        stream: the file, from its beginning.
        size, sha256: as recorded when it was written.
        blocks: as `Checksums.blocks` recorded them; none if they are not known.
    """
    sums = Checksums()
    while data := stream.read(BLOCK_BYTES):
        sums.update(data)
    if sums.size < size:
        yield Damage(path, f"the file ends at byte {sums.size:,} of {size:,}", sums.size, size - 1)
    elif sums.size > size:
        yield Damage(path, f"there is more than the {size:,} bytes written", size, sums.size - 1)
    elif sums.sha256() == sha256:
        return
    # The last block of a file that was cut short has been reported.
    whole = min(sums.size, size) // BLOCK_BYTES if sums.size != size else len(blocks)
    wrong = [
        number
        for number, (found, written) in enumerate(zip(sums.blocks(), blocks, strict=False))
        if found != written and number < whole
    ]
    for first, last in _runs(wrong):
        end = min((last + 1) * BLOCK_BYTES, size)
        yield Damage(path, "not the bytes that were written", first * BLOCK_BYTES, end - 1)
    if sums.size == size and not wrong:
        yield Damage(path, "not the bytes that were written", 0, size - 1)


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of consecutive numbers."""
    first = previous = -2
    for number in numbers:
        if number != previous + 1:
            if first >= 0:
                yield first, previous
            first = number
        previous = number
    if first >= 0:
        yield first, previous
