"""Length bounds are inclusive."""

from __future__ import annotations

import pytest

from filters.document import Document, Rejected
from filters.length import LengthFilter, LengthSettings


@pytest.mark.parametrize(
    ("length", "reason"),
    [(0, "too_short"), (299, "too_short"), (300, ""), (400, ""), (401, "too_long")],
)
def test_bounds(length: int, reason: str) -> None:
    settings = LengthSettings(enabled=True, minimum_characters=300, maximum_characters=400)
    result = LengthFilter(settings)(Document("a", "test", "é" * length))
    assert (result.reason if isinstance(result, Rejected) else "") == reason


def test_no_upper_bound() -> None:
    settings = LengthSettings(enabled=True, minimum_characters=1, maximum_characters=0)
    document = Document("a", "test", "x" * 1_000_000)
    assert LengthFilter(settings)(document) is document


def test_detail_names_both_lengths() -> None:
    settings = LengthSettings(enabled=True, minimum_characters=3, maximum_characters=4)
    stage = LengthFilter(settings)
    assert stage(Document("a", "test", "xy")) == Rejected("too_short", "2 characters < 3")
    assert stage(Document("a", "test", "x" * 5)) == Rejected("too_long", "5 characters > 4")
