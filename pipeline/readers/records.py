"""What a reader may yield besides documents, so that every input record is accounted for.

A reader is a generator over a byte stream. It never raises for bad input: a record it cannot use
becomes a `BadRecord`, and where the rest of the stream is lost it yields one `BadRecord` that says
so and returns. A record that is no content by design (a WARC request) is a `SkippedRecord`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from filters.document import Document


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that gets a row in the rejects, stage `read`.

    Attributes:
        id: the record's id, or where it starts (`offset 1234`).
        url: its URL if known, else empty.
        reason: snake_case, countable (`truncated_gzip`, `not_html`, `revisit`).
        detail: what a person wants to know, values included.
    """

    id: str
    url: str
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SkippedRecord:
    """A record that carries no document by design: counted by reason, without a row."""

    reason: str


Record: TypeAlias = Document | BadRecord | SkippedRecord
Records: TypeAlias = Iterator[Record]
