"""Ranks: a smaller one for what is preferred, the worst for what is missing."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.preference import WORST, length_ranks, score_ranks, time_ranks

FLOATS = st.floats(width=32, allow_nan=False)


@given(st.lists(st.integers(0, 2**33) | st.none(), max_size=20))
def test_the_longest_comes_first(lengths: list[int | None]) -> None:
    ranks = length_ranks(lengths)
    assert ranks.dtype == np.uint32
    for length, rank in zip(lengths, ranks.tolist(), strict=True):
        assert rank == 2**32 - 1 - min(length or 0, 2**32 - 1)


@given(FLOATS, FLOATS)
def test_the_highest_score_comes_first(one: float, other: float) -> None:
    first, second = score_ranks([one, other]).tolist()
    assert (first < second) == (one > other)
    assert (first == second) == (one == other)


@given(FLOATS | st.just(-math.inf))
def test_a_missing_score_is_worse_than_any(score: float) -> None:
    ranks = score_ranks([score, None, math.nan, -math.nan])
    assert ranks.dtype == np.uint32
    assert ranks[0] < WORST
    assert ranks[1:].tolist() == [WORST] * 3


def test_scores_that_need_care() -> None:
    scores = [math.inf, 1e39, 0.1, float(np.float32(0.1)), 0.0, -0.0, -1e-45, -1e39, -math.inf]
    with np.errstate(over="ignore"):
        ranks = score_ranks(scores).tolist()
    assert ranks == sorted(ranks)
    assert ranks[2] == ranks[3]  # the precision of float32
    assert ranks[4] == ranks[5]
    assert len(set(ranks)) == 5


@pytest.mark.parametrize("values", [[0, 1, 5], [False, True], [2**40, 2**50]])
def test_integers_and_booleans_are_scores(values: list[float]) -> None:
    ranks = score_ranks(values).tolist()
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(ranks)) == len(values)


AWARE = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0)
)


@given(AWARE, AWARE, st.integers(-12 * 60, 14 * 60))
def test_the_newest_comes_first_in_any_zone(one: datetime, other: datetime, minutes: int) -> None:
    elsewhere = other.astimezone(timezone(timedelta(minutes=minutes)))
    first, second = time_ranks([one.isoformat(), elsewhere.isoformat()]).tolist()
    assert (first < second) == (one > other)
    assert (first == second) == (one == other)


def test_forms_of_a_timestamp() -> None:
    """All of one second, written as our sources and foreign files write it."""
    forms = [
        "2020-01-02T03:04:05Z",
        "2020-01-02T03:04:05",
        "2020-01-02 03:04:05",
        "2020-01-02T03:04:05.678Z",
        "2020-01-02 03:04:05.678901",
        "2020-01-02T05:04:05+02:00",
    ]
    seconds = int(datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp())
    assert time_ranks(forms).tolist() == [2**32 - 1 - seconds] * len(forms)
    newer, day, older = time_ranks(["2020-01-02T00:00:01Z", "2020-01-02", "1960-01-01"]).tolist()
    assert newer < day < older == WORST


@given(st.text() | st.none())
def test_any_text_has_a_rank(text: str | None) -> None:
    assert 0 <= time_ranks([text])[0] <= WORST


@pytest.mark.parametrize(
    "text",
    [None, "", "yesterday", "Z", "0001-01-01T00:00:00+23:59", "2020-13-01", "\ud800", "٢٠٢٠-01-01"],
)
def test_what_cannot_be_read_comes_last(text: str | None) -> None:
    assert time_ranks([text]).tolist() == [WORST]


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z"])
def test_the_far_future_is_newest(text: str) -> None:
    assert time_ranks([text]).tolist() == [0]
