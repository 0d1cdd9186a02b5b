"""Blocks of several units, and what a plain dictionary says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from dedup.groups import Groups, find_groups
from dedup.key_blocks import KeyBlock

LARGEST = 2**64 - 1
# Many equal keys, many with equal top bits, and the ends of the key space.
FEW_KEYS = st.sampled_from([0, 1, 2, 3, 2**40, 2**40 + 1, 2**63, 2**63 + 1, LARGEST - 1, LARGEST])
KEYS = FEW_KEYS | st.integers(0, LARGEST)


@dataclass(frozen=True)
class UnitData:
    """A unit's keys in order of row, with a rank for each or for none, and its source."""

    number: int
    source: int
    keys: tuple[int, ...]
    ranks: tuple[int, ...] | None = None

    def block(self) -> KeyBlock:
        """Rows count 0, 3, 6...: not every line has a key."""
        rows = np.arange(len(self.keys), dtype=np.uint32) * np.uint32(3)
        ranks = None if self.ranks is None else np.array(self.ranks, np.uint32)
        return KeyBlock.of(np.array(self.keys, np.uint64), rows, ranks)


@st.composite
def units(draw: st.DrawFn, keys: st.SearchStrategy[int] = KEYS, most: int = 6) -> list[UnitData]:
    """Units as a comparison gets them: numbers ascend, sources ascend, some without a key."""
    count = draw(st.integers(1, most))
    numbers = sorted(draw(st.sets(st.integers(0, 9), min_size=count, max_size=count)))
    sources = sorted(draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)))
    made = []
    for number, source in zip(numbers, sources, strict=True):
        own = draw(st.lists(keys, max_size=25))
        rank = st.integers(0, 3) | st.just(2**32 - 1)
        ranks = draw(st.none() | st.lists(rank, min_size=len(own), max_size=len(own)).map(tuple))
        made.append(UnitData(number, source, tuple(own), ranks))
    return made


def groups_of(data: Sequence[UnitData], shared_bits: int = 0) -> Groups:
    return find_groups(
        [unit.block() for unit in data],
        [unit.number for unit in data],
        [unit.source for unit in data],
        shared_bits,
    )


def reference_groups(data: Sequence[UnitData]) -> dict[int, list[int]]:
    """Positions of the members of each key that occurs more than once, the preferred first."""
    members: dict[int, list[tuple[int, int, int, int]]] = {}
    for unit in data:
        ranks = unit.ranks or (0,) * len(unit.keys)
        for index, (key, rank) in enumerate(zip(unit.keys, ranks, strict=True)):
            members.setdefault(key, []).append((unit.source, rank, unit.number, 3 * index))
    return {
        key: [number << 32 | row for _, _, number, row in sorted(found)]
        for key, found in sorted(members.items())
        if len(found) > 1
    }


def sources_of(data: Sequence[UnitData]) -> list[int]:
    """The source of every unit number up to the largest; those without keys are of source 0."""
    sources = dict.fromkeys(range(data[-1].number + 1), 0)
    sources.update({unit.number: unit.source for unit in data})
    return list(sources.values())
