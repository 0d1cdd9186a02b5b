"""Rows of Arrow as Python has them; one that Python does not have costs itself alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row with a value that Python does not have.

    Attributes:
        detail: for people.
    """

    detail: str


def python_rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any] | Unreadable]:
    """Rows, or why Python has no such: a text that is no UTF-8, a time beyond the year 9999."""
    try:
        found = batch.to_pylist()
    except (ValueError, OverflowError):
        found = []  # some row is at fault; which, is found one by one
    yield from found
    for place in range(len(found), len(batch)):
        try:
            yield batch.slice(place, 1).to_pylist()[0]
        except (ValueError, OverflowError) as error:
            yield Unreadable(str(error)[:500])
