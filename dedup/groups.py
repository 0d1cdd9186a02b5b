"""Which keys of several units are equal, and which of their owners is preferred.

The one comparison that every kind of deduplication rests on. Keys are never sorted together with
what belongs to them: the top bits of a key and its place among all keys make one number, bare
numbers sort in a few nanoseconds, and only what occurs more than once is looked up again. The
first member of a group does not depend on the order of arrival: it is the one with the smallest
(source, rank, unit, row).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dedup.key_blocks import KeyBlock
from dedup.runs import run_starts

# The place of a document or a line: `unit number << 32 | row`.
Positions: TypeAlias = NDArray[np.uint64]
ROW_BITS = np.uint64(32)


@dataclass(frozen=True, slots=True)
class Groups:
    """The members of every group of equal keys, group after group, the preferred member first.

    A member is an entry of a unit's block, which may stand for several rows of that unit.

    Attributes:
        positions: of the members, or of the preferred row of each, shape [members].
        starts: where each group starts among the members, shape [groups].
        keys: how many rows were compared, those of keys that occur once included.
        ranks: of the members, shape [members]; None where the blocks have none.
        counts: rows that each member stands for, shape [members]; None where it is one.
        entries: number of each member among those of its block that stand for several rows, shape
            [members]; None if there are no counts.
    """

    positions: Positions
    starts: NDArray[np.int64]
    keys: int
    ranks: NDArray[np.uint32] | None = None
    counts: NDArray[np.uint32] | None = None
    entries: NDArray[np.uint32] | None = None

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Members of each group, shape [groups]."""
        return np.diff(self.starts, append=len(self.positions))

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Rows of each group, shape [groups]."""
        return self.lengths if self.counts is None else self.total(self.counts)

    def total(self, values: NDArray[Any]) -> NDArray[np.int64]:
        """The sum over the members of each group."""
        if not len(self.starts):
            return np.zeros(0, np.int64)
        return np.add.reduceat(values, self.starts, dtype=np.int64)

    def of_each(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """A value of every group, repeated for each of its members."""
        return np.repeat(values, self.lengths)


def find_groups(
    blocks: Sequence[KeyBlock], units: Sequence[int], sources: Sequence[int], shared_bits: int = 0
) -> Groups:
    """Groups of two and more rows with equal keys.

    Args:
        blocks: the keys of some units, combined or not.
        units: number of each block's unit, ascending.
        sources: of each block, ascending; a smaller number is preferred.
        shared_bits: so many top bits are the same in all keys.
    """
    keys = np.concatenate([block.keys for block in blocks])
    ends = np.cumsum([len(block) for block in blocks])
    begins = np.concatenate(([0], ends[:-1]))
    several = [_several(block) for block in blocks]
    of_several_rows = np.concatenate(
        [begin + own for begin, (own, _) in zip(begins, several, strict=True)]
    )
    places = _repeated(keys, shared_bits, of_several_rows)
    positions = np.concatenate([block.rows for block in blocks], dtype=np.uint64)
    for unit, begin, end in zip(units, begins, ends, strict=True):
        positions[begin:end] |= np.uint64(unit) << ROW_BITS
    members, ranks = keys[places], None
    if any(block.ranks is not None for block in blocks):
        ranks = np.concatenate([_ranks(block) for block in blocks])[places]
        source = np.repeat(sources, [len(block) for block in blocks])[places]
        # Members stand in order of position, and equal keys side by side.
        order = np.lexsort((ranks, source, members))
        places, members, ranks = places[order], members[order], ranks[order]
    starts = run_starts(members)
    if not len(of_several_rows):
        return Groups(positions[places], starts, len(keys), ranks)
    counts, entries = np.ones(len(places), np.uint32), np.zeros(len(places), np.uint32)
    is_several = np.zeros(len(keys), dtype=bool)
    is_several[of_several_rows] = True
    found = np.flatnonzero(is_several[places])
    which = np.searchsorted(of_several_rows, places[found])
    rows_of_each = np.concatenate([rows for _, rows in several])
    counts[found] = rows_of_each[which]
    entries[found] = np.concatenate([np.arange(len(own)) for own, _ in several])[which]
    compared = len(keys) + int(rows_of_each.sum(dtype=np.int64)) - len(rows_of_each)
    return Groups(positions[places], starts, compared, ranks, counts, entries)


def _several(block: KeyBlock) -> tuple[NDArray[np.intp], NDArray[np.uint32]]:
    """Places of the entries of a block that stand for several rows, and how many."""
    if block.counts is None:
        return np.empty(0, np.intp), np.empty(0, np.uint32)
    places = np.flatnonzero(block.counts > 1)
    return places, block.counts[places]


def _repeated(
    keys: NDArray[np.uint64], shared_bits: int, of_several_rows: NDArray[np.intp]
) -> NDArray[np.int64]:
    """Places of the keys of more than one row, equal keys side by side, by place."""
    place_bits = np.uint64(max(1, (len(keys) - 1).bit_length()))
    # The top bits of a key, its place, and whether it stands for several rows.
    low_bits = place_bits + np.uint64(1)
    mask = (np.uint64(1) << low_bits) - np.uint64(1)
    packed = keys << np.uint64(shared_bits) & ~mask
    packed |= np.arange(0, 2 * len(keys), 2, dtype=np.uint64)
    packed[of_several_rows] |= np.uint64(1)
    packed.sort()
    chosen = _next_to_equal(packed >> low_bits)
    if len(of_several_rows):
        chosen |= (packed & np.uint64(1)).astype(bool)
    places = ((packed[chosen] & mask) >> np.uint64(1)).astype(np.int64)
    # Keys with equal top bits are nearly always equal; where they are not, sort in full.
    found = keys[places]
    tops = found << np.uint64(shared_bits) >> low_bits
    if ((tops[1:] == tops[:-1]) & (found[1:] != found[:-1])).any():
        order = np.lexsort((places, found))
        places, several = places[order], (packed[chosen] & np.uint64(1)).astype(bool)[order]
        places = places[_next_to_equal(keys[places]) | several]
    return places


def _next_to_equal(ordered: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which values have an equal one beside them."""
    again = np.zeros(len(ordered) + 1, dtype=bool)
    np.equal(ordered[1:], ordered[:-1], out=again[1:-1])
    return again[1:] | again[:-1]


def _ranks(block: KeyBlock) -> NDArray[np.uint32]:
    return np.zeros(len(block), np.uint32) if block.ranks is None else block.ranks
