"""What is decided on groups of equal keys, against dictionaries and sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from key_data import FEW_KEYS, UnitData, groups_of, reference_groups, sources_of, units

from dedup.components import MEMBER_ROW
from dedup.decisions import (
    CANDIDATE,
    MOST_REPEATED,
    REMOVED,
    Decided,
    Policy,
    Summary,
    by_unit,
    candidate_pairs,
    cluster_rows,
    removed_rows,
    summarize,
)
from dedup.groups import find_groups
from dedup.key_blocks import KeyBlock

DATA = units(FEW_KEYS)


Records = dict[int, list[tuple[int, ...]]]


def rows_of(decided: Iterable[Decided], dtype: np.dtype[np.void]) -> Records:
    """The records by unit; checks that units ascend, that each comes once and has some."""
    found: Records = {}
    for number, records in decided:
        assert records.dtype == dtype
        assert len(records)
        assert number > max(found, default=-1)
        assert (np.diff(records["row"].astype(np.int64)) >= 0).all()
        found[number] = records.tolist()
    return found


def by_number(records: Iterable[tuple[int, tuple[int, ...]]]) -> Records:
    """Records (position, what follows) by unit, in order of row."""
    found: Records = {}
    for position, rest in sorted(records):
        found.setdefault(position >> 32, []).append((position & 0xFFFFFFFF, *rest))
    return found


@settings(max_examples=50)
@given(DATA)
def test_keep_first_leaves_the_preferred_copy(data: list[UnitData]) -> None:
    groups = reference_groups(data).values()
    wanted = by_number((position, ()) for group in groups for position in group[1:])
    assert rows_of(removed_rows(groups_of(data), "keep_first"), REMOVED) == wanted


@settings(max_examples=50)
@given(DATA)
def test_remove_all_leaves_only_what_occurs_once(data: list[UnitData]) -> None:
    groups = reference_groups(data).values()
    wanted = by_number((position, ()) for group in groups for position in group)
    assert rows_of(removed_rows(groups_of(data), "remove_all"), REMOVED) == wanted


@settings(max_examples=50)
@given(DATA)
def test_a_cluster_names_its_size_and_the_copy_that_stays(data: list[UnitData]) -> None:
    groups = reference_groups(data).values()
    wanted = by_number((pos, (len(group), group[0])) for group in groups for pos in group)
    assert rows_of(cluster_rows(groups_of(data)), MEMBER_ROW) == wanted


@settings(max_examples=50)
@given(DATA)
def test_candidates_are_a_star_around_the_preferred(data: list[UnitData]) -> None:
    data = [replace(unit, ranks=None) for unit in data]
    groups = reference_groups(data).values()
    wanted = by_number((position, (group[0],)) for group in groups for position in group[1:])
    assert rows_of(candidate_pairs(groups_of(data)), CANDIDATE) == wanted


@given(DATA)
def test_of_a_group_those_of_equal_rank_are_candidates_of_each_other(data: list[UnitData]) -> None:
    """With one source; whoever is first of the group, pairs of equal rank are found."""
    data = [replace(unit, source=0) for unit in data]
    ranks = {
        unit.number << 32 | 3 * index: (unit.ranks or (0,) * len(unit.keys))[index]
        for unit in data
        for index in range(len(unit.keys))
    }
    wanted = []
    for group in reference_groups(data).values():
        for position in group[1:]:
            wanted.append((position, (group[0],)))
            alike = next(other for other in group if ranks[other] == ranks[position])
            if any(unit.ranks for unit in data) and alike not in (position, group[0]):
                wanted.append((position, (alike,)))
    found = rows_of(candidate_pairs(groups_of(data)), CANDIDATE)
    assert {number: sorted(rows) for number, rows in found.items()} == by_number(wanted)


def test_a_document_with_a_key_twice_is_no_candidate_of_itself_but_of_the_preferred() -> None:
    """Two bands of one document may meet: the preferred one has no pair, the other one has two."""
    keys = np.array([5, 5], np.uint64)
    twice, again = KeyBlock(keys, np.array([0, 0], "u4")), KeyBlock(keys, np.array([8, 8], "u4"))
    found = rows_of(candidate_pairs(find_groups([twice, again], [0, 1], [0, 0])), CANDIDATE)
    assert found == {1: [(8, 0), (8, 0)]}


def test_a_hot_key_costs_its_share() -> None:
    """20,000 equal keys in four units: as many candidates as members, less one."""
    data = [UnitData(number, 0, (7,) * 5000) for number in range(4)]
    groups = groups_of(data)
    pairs = rows_of(candidate_pairs(groups), CANDIDATE)
    assert {number: len(rows) for number, rows in pairs.items()} == {
        0: 4999,
        1: 5000,
        2: 5000,
        3: 5000,
    }
    assert {row[1] for rows in pairs.values() for row in rows} == {0}
    assert sum(len(records) for _, records in cluster_rows(groups)) == 20_000
    assert summarize(groups, [0] * 4).most_repeated == [(20_000, 0)]


@pytest.mark.parametrize("policy", ["keep_first", "remove_all"])
def test_nothing_is_yielded_where_nothing_is_equal(policy: Policy) -> None:
    groups = groups_of([UnitData(0, 0, (1, 2, 3)), UnitData(1, 0, ())])
    assert not list(removed_rows(groups, policy))
    assert not list(cluster_rows(groups))
    assert not list(candidate_pairs(groups))
    assert summarize(groups, [0, 0]) == Summary(3, 0, 0, [[0]], [])


def test_what_two_documents_share_goes_from_both() -> None:
    """[A,A,B,blank,C], [B,blank,D], [x,x,x] -> [A,C], [D], [x]; repeats and blanks went before."""
    a, b, c, d, x = range(1, 6)
    groups = groups_of([UnitData(0, 0, (a, b, c, b, d, x))])
    assert rows_of(removed_rows(groups, "remove_all"), REMOVED) == {0: [(3,), (9,)]}


@given(st.lists(st.integers(0, 2**40), unique=True, max_size=30))
def test_by_unit_cuts_between_units(positions: list[int]) -> None:
    ordered = np.array(sorted(positions), np.uint64)
    found = rows_of(by_unit(ordered, np.zeros(len(ordered), REMOVED)), REMOVED)
    assert found == by_number((position, ()) for position in positions)


def reference_summary(data: list[UnitData]) -> Summary:
    sources = sources_of(data)
    count = max(sources) + 1
    shared = [[0] * count for _ in range(count)]
    groups = reference_groups(data).values()
    for group in groups:
        copies = Counter(sources[position >> 32] for position in group)
        for one in copies:
            for other in copies:
                # On the diagonal: keys of which the source itself has another copy.
                if one != other or copies[one] > 1:
                    shared[one][other] += copies[one]
    most = sorted((-len(group), group[0]) for group in groups)[:MOST_REPEATED]
    return Summary(
        sum(len(unit.keys) for unit in data),
        len(groups),
        sum(map(len, groups)),
        shared,
        [(-size, first) for size, first in most],
    )


@settings(max_examples=50)
@given(DATA)
@example([UnitData(0, 0, (1, 1)), UnitData(1, 1, (1, 2)), UnitData(2, 2, (2, 3, 3))])
def test_the_summary_counts_what_a_dictionary_counts(data: list[UnitData]) -> None:
    assert summarize(groups_of(data), sources_of(data)) == reference_summary(data)


def test_the_matrix_by_hand() -> None:
    """Two sources share one key, of which the first has two copies; the second has its own pair."""
    data = [UnitData(0, 0, (1, 1, 2)), UnitData(1, 1, (1, 3, 3, 4))]
    assert summarize(groups_of(data), [0, 1]).shared == [[2, 2], [1, 2]]


def test_of_equally_many_copies_the_first_positions_are_reported() -> None:
    """300 groups of two, one of three: the report takes the largest, then the first."""
    keys = [key for key in range(300) for _ in range(2)]
    data = [UnitData(0, 0, (*reversed(keys), 150))]
    summary = summarize(groups_of(data), [0])
    assert summary == reference_summary(data)
    assert len(summary.most_repeated) == MOST_REPEATED
    assert summary.most_repeated[:3] == [(3, 3 * 298), (2, 0), (2, 6)]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 400)), max_size=1200),
    st.lists(st.integers(0, 400), max_size=4),
)
def test_the_summaries_of_any_parts_of_the_key_space_add_up(
    keys: list[tuple[int, int]], cuts: list[int]
) -> None:
    data = [UnitData(n, n, tuple(key for number, key in keys if number == n)) for n in range(3)]
    total = Summary.empty(3)
    for low, high in pairwise([0, *sorted(cuts), 401]):
        total.add(summarize(find_groups(parts_of(data, low, high), range(3), range(3)), range(3)))
    assert total == summarize(groups_of(data), range(3)) == reference_summary(data)


def test_of_equally_many_copies_in_two_parts_the_first_positions_are_reported() -> None:
    data = [UnitData(0, 0, (8, 1, 9, 1, 8, 9))]
    total = Summary.empty(1)
    for low, high in ((0, 5), (5, 10)):
        total.add(summarize(find_groups(parts_of(data, low, high), [0], [0]), [0]))
    assert total.most_repeated == [(2, 0), (2, 3), (2, 6)]


def parts_of(data: list[UnitData], low: int, high: int) -> list[KeyBlock]:
    """Of each unit the keys from low up to, not including, high."""
    blocks = [unit.block() for unit in data]
    masks = [(block.keys >= low) & (block.keys < high) for block in blocks]
    return [KeyBlock(b.keys[mask], b.rows[mask]) for b, mask in zip(blocks, masks, strict=True)]
