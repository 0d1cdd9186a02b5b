"""Keys that a unit combines before they are compared: the same decisions, from one entry a key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from key_data import FEW_KEYS, UnitData, groups_of, sources_of, units

from dedup.components import MEMBER_ROW
from dedup.decisions import (
    CANDIDATE,
    REMOVED,
    Decided,
    candidate_pairs,
    cluster_rows,
    entry_type,
    expanded,
    removed_rows,
    summarize,
)
from dedup.groups import Groups, find_groups
from dedup.key_blocks import Combine, KeyBlock

DATA = units(FEW_KEYS)
Decide = Callable[[Groups], Iterable[Decided]]
METHODS: dict[str, tuple[Decide, np.dtype[Any], Combine]] = {
    "keep_first": (partial(removed_rows, policy="keep_first"), REMOVED, "key"),
    "remove_all": (partial(removed_rows, policy="remove_all"), REMOVED, "key"),
    "clusters": (cluster_rows, MEMBER_ROW, "key"),
    "candidates": (candidate_pairs, CANDIDATE, "key and rank"),
}


def combined_groups(data: list[UnitData], combine: Combine) -> Groups:
    blocks = [unit.block().combined(combine) for unit in data]
    numbers, sources = [unit.number for unit in data], [unit.source for unit in data]
    return find_groups([KeyBlock.from_bytes(one.to_bytes()) for one in blocks], numbers, sources)


def on_rows(
    decided: Iterable[Decided], record: np.dtype[Any], data: list[UnitData], combine: Combine
) -> dict[int, list[tuple[int, ...]]]:
    """All records by unit, those on entries expanded, in order."""
    blocks = {unit.number: unit.block() for unit in data}
    found: dict[int, list[tuple[int, ...]]] = {}
    for number, records in decided:
        is_on_entries = records.dtype == entry_type(record)
        own = expanded(records, blocks[number], combine, record) if is_on_entries else records
        assert own.dtype == record
        found.setdefault(number, []).extend(own.tolist())
    return {number: sorted(records) for number, records in found.items() if records}


@settings(max_examples=200)
@pytest.mark.parametrize("method", METHODS)
@given(data=DATA)
@example(data=[UnitData(0, 0, (7, 7, 7))])
@example(data=[UnitData(0, 0, (7,)), UnitData(1, 0, (7, 7, 7), (2, 0, 0))])
@example(data=[UnitData(0, 0, (7, 7), (1, 1)), UnitData(1, 0, (7, 7, 7), (1, 0, 1))])
def test_what_is_decided_on_combined_keys_is_what_is_decided_on_each(
    method: str, data: list[UnitData]
) -> None:
    decide, record, combine = METHODS[method]
    if method == "candidates":  # their sources do not matter
        data = [UnitData(one.number, 0, one.keys, one.ranks) for one in data]
    each = on_rows(decide(groups_of(data)), record, data, combine)
    together = combined_groups(data, combine)
    assert on_rows(decide(together), record, data, combine) == each
    assert summarize(together, sources_of(data)) == summarize(groups_of(data), sources_of(data))


@given(DATA, st.sampled_from(["key", "key and rank", "nothing"]))
def test_a_block_counts_its_entries(data: list[UnitData], combine: Combine) -> None:
    for unit in data:
        block, combined = unit.block(), unit.block().combined(combine)
        assert block.entries(combine) == len(combined)
        ranks = unit.ranks if combine == "key and rank" and unit.ranks else (0,) * len(unit.keys)
        distinct = len(set(zip(unit.keys, ranks, strict=True)))
        assert len(combined) == (len(block) if combine == "nothing" else distinct)
        counts = np.ones(len(combined)) if combined.counts is None else combined.counts
        assert counts.sum() == len(block)


def test_the_preferred_row_stands_for_the_others() -> None:
    """By rank, then by row; without ranks the first."""
    keys, rows = np.array([5, 5, 5, 9], np.uint64), np.arange(4, dtype=np.uint32)
    ranked = KeyBlock(keys, rows, np.array([3, 1, 1, 0], np.uint32))
    combined = ranked.combined("key")
    assert combined.rows.tolist() == [1, 3]
    assert combined.counts is not None
    assert combined.counts.tolist() == [3, 1]
    assert KeyBlock(keys, rows).combined("key").rows.tolist() == [0, 3]
    by_rank = ranked.combined("key and rank")
    assert by_rank.rows.tolist() == [0, 1, 3]


def test_a_key_of_every_row_is_one_entry_a_unit() -> None:
    """40,000 equal keys in four units: four entries, and as many decisions as before."""
    data = [UnitData(number, 0, (7,) * 10_000) for number in range(4)]
    groups = combined_groups(data, "key")
    assert (len(groups.positions), groups.keys, groups.sizes.tolist()) == (4, 40_000, [40_000])
    decided = list(removed_rows(groups, "keep_first"))
    assert [len(records) for _, records in decided] == [1, 1, 1, 1]
    rows = on_rows(decided, REMOVED, data, "key")
    assert [len(rows[number]) for number in range(4)] == [9999, 10_000, 10_000, 10_000]
    assert summarize(groups, [0] * 4).most_repeated == [(40_000, 0)]
