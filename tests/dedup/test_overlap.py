"""Overlap: containment, the pairs that share sampled shingles, and who stays."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from key_data import UnitData, groups_of, reference_groups, units

from dedup.components import EDGE, MEMBER
from dedup.overlap import SHARED, choose, containment, sampled, shared_pairs

LARGEST = 2**64 - 1
SETS = st.sets(st.integers(0, 30), max_size=20)


def array_of(values: set[int]) -> np.ndarray:
    return np.array(sorted(values), np.uint64)


@given(SETS, SETS)
def test_containment_is_the_share_of_the_smaller_set(one: set[int], other: set[int]) -> None:
    smaller = min(len(one), len(other))
    wanted = len(one & other) / smaller if smaller else 0.0
    assert containment(array_of(one), array_of(other)) == pytest.approx(wanted)


@given(st.sets(st.integers(0, LARGEST) | st.sampled_from([0, LARGEST])), st.integers(1, 70))
def test_the_sample_is_those_with_the_smallest_hashes(hashes: set[int], sample: int) -> None:
    """Whether a shingle is in the sample depends on itself alone; the sample is its own set."""
    kept = {value for value in hashes if value <= 2**64 // sample - 1}
    found = sampled(array_of(hashes), sample)
    assert len(found) == len(kept)
    assert found.tolist() == sorted(set(found.tolist()))
    alone = {int(key) for value in hashes for key in sampled(array_of({value}), sample)}
    assert set(found.tolist()) == alone


def test_a_sample_has_about_its_share_and_lies_all_over_the_key_space() -> None:
    hashes = np.random.default_rng(3).integers(0, 2**64, size=64_000, dtype=np.uint64)
    found = sampled(np.unique(hashes), 64)
    assert 850 < len(found) < 1150
    assert (np.bincount(found >> np.uint64(62), minlength=4) > 200).all()


def reference_pairs(data: list[UnitData], maximum: int) -> Counter[tuple[int, int]]:
    """(later, earlier) -> shared keys: all pairs of a small group, the star of a large one."""
    found: Counter[tuple[int, int]] = Counter()
    for group in reference_groups(data).values():
        pairs = combinations(group, 2)
        if len(group) > maximum:
            pairs = iter([(group[0], other) for other in group[1:]])
        found.update((max(pair), min(pair)) for pair in pairs)
    return found


@given(units(st.integers(0, 12)), st.integers(2, 6))
def test_pairs_are_those_of_all_small_groups(data: list[UnitData], maximum: int) -> None:
    found = {}
    for number, records in shared_pairs(groups_of(data), maximum):
        assert records.dtype == SHARED
        assert (np.diff(records["row"].astype(np.int64)) >= 0).all()
        for row, other, shared in records.tolist():
            assert found.setdefault((number << 32 | row, other), shared) == shared
    assert found == reference_pairs(data, maximum)


def test_a_shingle_of_every_document_costs_its_share() -> None:
    """20,000 owners: a star of 19,999 pairs; sixteen owners: all their 120 pairs."""
    data = [UnitData(0, 0, (7,) * 20_000)]
    pairs = [len(records) for _, records in shared_pairs(groups_of(data), 16)]
    assert pairs == [19_999]
    data = [UnitData(0, 0, (7,) * 16)]
    assert [len(records) for _, records in shared_pairs(groups_of(data), 16)] == [120]


def test_no_group_gives_no_pair() -> None:
    assert not list(shared_pairs(groups_of([UnitData(0, 0, (1, 2, 3))]), 16))


EDGES = st.lists(
    st.tuples(st.integers(0, 14), st.integers(0, 14)).filter(lambda pair: pair[0] != pair[1]),
    max_size=40,
)


def edges_of(pairs: list[tuple[int, int]], ranks: list[int]) -> np.ndarray:
    rows = [(one, other, ranks[one], ranks[other]) for one, other in pairs]
    return np.array(rows, EDGE)


def reference_choice(pairs: list[tuple[int, int]], ranks: list[int]) -> dict[int, int]:
    """Node -> who stays for it: the best of its better neighbours that stay, or itself."""
    stays: dict[int, int] = {}
    order = sorted({node for pair in pairs for node in pair}, key=lambda node: (ranks[node], node))
    for node in order:
        around = {a if b == node else b for a, b in pairs if node in (a, b)}
        kept = [one for one in order if one in around and stays.get(one) == one]
        stays[node] = kept[0] if kept else node
    return stays


@given(EDGES, st.lists(st.integers(0, 3), min_size=15, max_size=15))
def test_a_document_goes_for_a_better_one_that_stays(
    pairs: list[tuple[int, int]], ranks: list[int]
) -> None:
    members = choose(edges_of(pairs, ranks))
    assert members.dtype == MEMBER
    stays = reference_choice(pairs, ranks)
    sizes = Counter(stays.values())
    # A document that lost all its rivals to others stands alone: it is no duplicate.
    wanted = [(node, kept, sizes[kept]) for node, kept in sorted(stays.items()) if sizes[kept] > 1]
    assert members.tolist() == wanted


def test_a_chain_loses_only_what_overlaps_one_that_stays() -> None:
    """0 - 1 - 2: 1 goes for 0; 2 overlapped only what went, so it is no duplicate of anything."""
    members = choose(edges_of([(0, 1), (1, 2)], [0, 0, 0]))
    assert members.tolist() == [(0, 0, 2), (1, 0, 2)]


def test_nothing_to_choose() -> None:
    assert len(choose(np.empty(0, EDGE))) == 0
