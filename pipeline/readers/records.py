"""What a reader may yield besides documents, so that every input record is accounted for.

A reader is a generator over a byte stream. It never raises for bad input: a record it cannot use
becomes a `BadRecord`, and where a stretch of the stream is lost, or all that follows, it yields one
`BadRecord` that says so (`lost`). A record that is no content by design (a WARC request) is a
`SkippedRecord`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from filters.document import Document


@dataclass(frozen=True, slots=True)
class LostInput:
    """A stretch of a unit's input that cannot be read, whatever number of records it holds.

    Attributes:
        bytes_read: of the input before it, as well as can be told: to a chunk where it is
            compressed. What a truncated file lacks is not counted.
        bytes_lost: of the input in it; None for all that follows.
    """

    bytes_read: int = 0
    bytes_lost: int | None = None

    def bytes_of(self, size: int) -> int:
        """Bytes lost of an input of `size` bytes."""
        left = max(0, size - self.bytes_read)
        return left if self.bytes_lost is None else min(left, self.bytes_lost)

    def within(self, start: int, size: int) -> LostInput:
        """The same in an input of which this one is a part of `size` bytes from `start` on."""
        return LostInput(start + self.bytes_read, self.bytes_of(size))


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that gets a row in the rejects, stage `read`.

    Attributes:
        id: the record's id, or where it starts (`offset 1234`).
        url: its URL if known, else empty.
        reason: snake_case, countable (`truncated_gzip`, `not_html`, `revisit`).
        detail: what a person wants to know, values included.
        lost: the input that it stands for, where that is more than one record.
    """

    id: str
    url: str
    reason: str
    detail: str = ""
    lost: LostInput | None = None


@dataclass(frozen=True, slots=True)
class SkippedRecord:
    """A record that carries no document by design: counted by reason, without a row."""

    reason: str


Record: TypeAlias = Document | BadRecord | SkippedRecord
Records: TypeAlias = Iterator[Record]
