"""The order of windows: shares at every prefix, each window once an epoch, no state."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenizer.errors import TokenizerError
from tokenizer.mixture.order import SourceOrder, chairman_cycle, permute
from tokenizer.mixture.shares import cycle_weights, shares_of

LLAMA = {
    "commoncrawl": 0.67,
    "c4": 0.15,
    "github": 0.045,
    "wikipedia": 0.045,
    "books": 0.045,
    "arxiv": 0.025,
    "stackexchange": 0.02,
}


def test_llamas_shares_are_whole_numbers_of_two_hundred_windows() -> None:
    assert cycle_weights(LLAMA) == {
        "commoncrawl": 134,
        "c4": 30,
        "github": 9,
        "wikipedia": 9,
        "books": 9,
        "arxiv": 5,
        "stackexchange": 4,
    }


def test_a_share_of_zero_leaves_a_source_out() -> None:
    assert cycle_weights({"a": 1.0, "b": 0.0}) == {"a": 1}


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"a": -0.1, "b": 1.1}, "the share of a is negative"),
        ({"a": 0.0}, "no source has a share"),
        ({"a": 0.123456789, "b": 0.87654321}, "fewer decimals"),
    ],
)
def test_shares_that_cannot_be_used_are_refused(shares: dict[str, float], message: str) -> None:
    with pytest.raises(TokenizerError, match=message):
        cycle_weights(shares)


def test_sources_and_shares_must_name_each_other() -> None:
    with pytest.raises(TokenizerError, match=r"no tokens of books.*mixture\.shares\.books = 0"):
        shares_of(["wikipedia"], {"wikipedia": 0.5, "books": 0.5})
    with pytest.raises(TokenizerError, match="gives no share to extra"):
        shares_of(["wikipedia", "extra"], {"wikipedia": 1.0})
    assert shares_of(["a", "b"], {"a": 1.0, "b": 0.0}) == {"a": 1.0}


@given(st.lists(st.integers(1, 60), min_size=1, max_size=9))
@settings(max_examples=150)
def test_every_prefix_has_every_source_within_one_window_of_its_share(weights: list[int]) -> None:
    cycle, total = chairman_cycle(weights), sum(weights)
    given_so_far = np.zeros(len(weights), int)
    for position, source in enumerate(cycle, start=1):
        given_so_far[source] += 1
        for weight, count in zip(weights, given_so_far, strict=True):
            assert abs(Fraction(weight * position, total) - int(count)) < 1
    assert given_so_far.tolist() == weights


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), st.integers(0, 10**12))
@settings(max_examples=50)
def test_a_window_is_found_without_those_before(weights: list[int], start: int) -> None:
    order = SourceOrder.of(weights)
    windows = np.arange(start, start + 100)
    sources, ordinals = order.locate(windows)
    before = order.counts(start)
    for source in range(len(weights)):
        mine = ordinals[sources == source]
        assert mine.tolist() == list(range(int(before[source]), int(before[source]) + len(mine)))
    assert order.counts(start + 100).sum() == start + 100


@given(st.integers(1, 5000), st.text(max_size=8))
@settings(max_examples=60)
def test_a_permutation_has_each_index_once(size: int, key: str) -> None:
    images = permute(np.arange(size), size, key)
    assert sorted(images.tolist()) == list(range(size))


def test_permutations_differ_by_key_and_look_shuffled() -> None:
    size = 10_000
    first, second = (permute(np.arange(size), size, key) for key in ("0 books 0", "0 books 1"))
    # Two random permutations agree in about one place.
    assert (first == second).sum() < 10
    assert (first == np.arange(size)).sum() < 10
    assert abs(np.corrcoef(first, np.arange(size))[0, 1]) < 0.05
    neighbours = np.abs(np.diff(first))
    assert 0.9 < neighbours.mean() / (size / 3) < 1.1


def test_a_permutation_of_a_huge_range_needs_no_table() -> None:
    size = 10**13
    images = permute(np.array([0, 1, size - 1]), size, "key")
    assert len(set(images.tolist())) == 3
    assert ((images >= 0) & (images < size)).all()
