"""Groups of equal keys are those of a dictionary of lists, whatever the keys look like."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from key_data import LARGEST, UnitData, groups_of, reference_groups, units

from dedup.groups import Groups


def lists_of(groups: Groups) -> list[list[int]]:
    members = groups.positions.tolist()
    ends = [*groups.starts.tolist(), len(members)]
    return [members[start:end] for start, end in pairwise(ends)]


def assert_as_reference(data: list[UnitData], shared_bits: int = 0) -> None:
    groups = groups_of(data, shared_bits)
    assert lists_of(groups) == list(reference_groups(data).values())
    assert groups.keys == sum(len(unit.keys) for unit in data)
    assert groups.sizes.tolist() == [len(group) for group in reference_groups(data).values()]
    assert groups.positions.dtype == np.uint64


@settings(max_examples=100)
@given(units())
@example([UnitData(0, 0, ())])
@example([UnitData(0, 0, ()), UnitData(3, 1, ())])
@example([UnitData(2, 0, (5,))])
@example([UnitData(0, 0, (0,)), UnitData(1, 0, (0,))])
@example([UnitData(0, 0, (LARGEST, 0, LARGEST)), UnitData(1, 0, (0,))])
@example([UnitData(0, 0, (7,), (9,)), UnitData(1, 0, (7,)), UnitData(2, 1, (7,), (0,))])
def test_groups_are_those_of_a_dictionary(data: list[UnitData]) -> None:
    assert_as_reference(data)


@settings(max_examples=50)
@given(st.integers(1, 20), st.data())
def test_keys_of_one_partition(bits: int, draw: st.DataObject) -> None:
    """All keys share their top bits, which say nothing then."""
    partition = draw.draw(st.integers(0, (1 << bits) - 1))
    low = st.integers(0, 3) | st.integers(0, (1 << (64 - bits)) - 1)
    data = draw.draw(units(low.map(lambda key: partition << (64 - bits) | key)))
    assert_as_reference(data, bits)


@given(
    st.lists(st.integers(0, 40), min_size=2, max_size=300),
    st.integers(0, 24),
    st.integers(0, 12),
)
def test_keys_that_differ_in_their_low_bits_only(
    lows: list[int], shift: int, shared_bits: int
) -> None:
    """With so many keys the lowest bits are cut off before sorting: equal tops, unequal keys."""
    half = len(lows) // 2
    top = (1 << shared_bits) - 1 << (64 - shared_bits) if shared_bits else 0
    keys = [top | low << shift for low in lows]
    ranks = tuple(low % 3 for low in lows[half:])
    data = [UnitData(0, 0, tuple(keys[:half])), UnitData(4, 0, tuple(keys[half:]))]
    assert_as_reference(data, shared_bits)
    assert_as_reference([data[0], UnitData(4, 0, data[1].keys, ranks)], shared_bits)


@pytest.mark.parametrize(
    "pattern", [(0, 1), (0, 1, 0), (1, 0, 1, 0), (0, 1, 1, 0, 2, 0), (2, 1, 0)]
)
def test_equal_tops_alternate(pattern: tuple[int, ...]) -> None:
    """Equal keys apart from each other among those with equal top bits, and none equal at all."""
    for base in (0, 2**63, LARGEST - 7):
        assert_as_reference([UnitData(0, 0, tuple(base + low for low in pattern))])


def test_many_keys_of_which_some_agree_in_all_but_the_lowest_bits() -> None:
    """100,000 keys, so that 17 bits are cut off; 3,000 of them differ in those bits only."""
    generator = np.random.default_rng(2)
    keys = generator.integers(0, 2**64, size=100_000, dtype=np.uint64)
    keys[:3000] = (keys[3000:6000] & ~np.uint64(0x1FFFF)) | generator.integers(
        0, 2**17, size=3000, dtype=np.uint64
    )
    keys[6000:9000] = keys[9000:12_000]
    generator.shuffle(keys)
    values = keys.tolist()
    data = [UnitData(n, n // 3, tuple(values[n * 20_000 : (n + 1) * 20_000])) for n in range(5)]
    reference = reference_groups(data)
    groups = groups_of(data)
    assert len(groups.starts) == len(reference) >= 3000
    # Where the top bits of two groups are equal they are in order of key too.
    assert lists_of(groups) == list(reference.values())


def test_a_value_of_each_group_for_each_member() -> None:
    groups = groups_of([UnitData(0, 0, (1, 1, 2, 5, 5, 5))])
    assert groups.of_each(np.array([10, 20])).tolist() == [10, 10, 20, 20, 20]
