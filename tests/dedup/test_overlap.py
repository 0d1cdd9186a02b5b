"""Overlap: containment, the pairs that share sampled shingles, and who stays."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from key_data import UnitData, groups_of, reference_groups, units

from dedup.components import EDGE, MEMBER
from dedup.overlap import SHARED, choose, containment, least_shared, sampled, shared_pairs

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


@given(st.sets(st.integers(0, LARGEST), max_size=30), st.integers(1, 70), st.integers(0, 40))
def test_a_small_set_is_sampled_more(hashes: set[int], sample: int, least: int) -> None:
    whole = sampled(array_of(hashes), sample)
    found = sampled(array_of(hashes), sample, least)
    smallest = sampled(array_of(set(sorted(hashes)[:least])), 1)
    assert set(found.tolist()) == set(whole.tolist()) | set(smallest.tolist())


SIZES = st.tuples(st.integers(1, 10_000), st.integers(1, 64))


@given(SIZES, SIZES, st.floats(0.1, 0.99), st.floats(0, 0.5))
def test_where_all_is_sampled_only_the_margin_is_let_through(
    one: tuple[int, int], other: tuple[int, int], threshold: float, margin: float
) -> None:
    """Below, chance is allowed for; never more than the threshold is asked."""
    sizes = np.array([[one[0], other[0]]])
    whole = least_shared(sizes, sizes, threshold, margin)[0]
    assert whole == pytest.approx((threshold - margin) * sizes.min())
    samples = np.array([[-(-size // share) for size, share in (one, other)]])
    part = least_shared(sizes, samples, threshold, margin)[0]
    rate = (samples / sizes).min()
    assert part <= (threshold - margin) * rate * sizes.min() + 1e-9


def reference_pairs(data: list[UnitData], maximum: int) -> Counter[tuple[int, int]]:
    """(later, earlier) -> shared keys; (document, itself) -> keys not compared with all owners."""
    found: Counter[tuple[int, int]] = Counter()
    for group in reference_groups(data).values():
        for place, one in enumerate(group):
            found.update((max(one, other), min(one, other)) for other in group[:place][:maximum])
            if place >= maximum and len(group) > maximum + 1:
                found[one, one] += 1
    return found


def pairs_of(data: list[UnitData], maximum: int) -> dict[tuple[int, int], int]:
    found: dict[tuple[int, int], int] = {}
    for number, records in shared_pairs(groups_of(data), maximum):
        assert records.dtype == SHARED
        assert (np.diff(records["row"].astype(np.int64)) >= 0).all()
        for row, other, shared in records.tolist():
            assert found.setdefault((number << 32 | row, other), shared) == shared
    return found


@given(units(st.integers(0, 12)), st.integers(2, 6))
def test_each_owner_is_paired_with_the_most_preferred(data: list[UnitData], maximum: int) -> None:
    assert pairs_of(data, maximum) == reference_pairs(data, maximum)


def test_a_pair_left_out_is_counted_with_both() -> None:
    """The two worst of four owners, with two partners at most."""
    found = pairs_of([UnitData(0, 0, (7, 7, 7, 7), (3, 1, 2, 0))], 2)
    positions = {(a // 3, b // 3): shared for (a, b), shared in found.items()}
    assert positions == dict.fromkeys([(3, 1), (3, 2), (2, 1), (3, 0), (1, 0), (0, 0), (2, 2)], 1)


@pytest.mark.parametrize(
    ("owners", "pairs", "alone"), [(16, 120, 0), (17, 136, 0), (5000, 136 + 16 * 4983, 4984)]
)
def test_a_shingle_of_every_document_costs_its_share(owners: int, pairs: int, alone: int) -> None:
    found = pairs_of([UnitData(0, 0, (7,) * owners)], 16)
    assert sum(one == other for one, other in found) == alone
    assert len(found) == pairs + alone


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


@settings(max_examples=50)
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
