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
from typing import TypeAlias

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

    Attributes:
        positions: of the members, shape [members].
        starts: where each group starts among the members, shape [groups].
        keys: how many keys were compared, those that occur once included.
        ranks: of the members, shape [members]; None where the blocks have none.
    """

    positions: Positions
    starts: NDArray[np.int64]
    keys: int
    ranks: NDArray[np.uint32] | None = None

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Members of each group, shape [groups]."""
        return np.diff(self.starts, append=len(self.positions))

    def of_each(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """A value of every group, repeated for each of its members."""
        return np.repeat(values, self.sizes)


def find_groups(
    blocks: Sequence[KeyBlock], units: Sequence[int], sources: Sequence[int], shared_bits: int = 0
) -> Groups:
    """Groups of two and more equal keys.

    Args:
        blocks: the keys of some units.
        units: number of each block's unit, ascending.
        sources: of each block, ascending; a smaller number is preferred.
        shared_bits: so many top bits are the same in all keys.
    """
    keys = np.concatenate([block.keys for block in blocks])
    places = _repeated(keys, shared_bits)
    positions = np.concatenate([block.rows for block in blocks], dtype=np.uint64)
    ends = np.cumsum([len(block) for block in blocks])
    for unit, block, end in zip(units, blocks, ends, strict=True):
        positions[end - len(block) : end] |= np.uint64(unit) << ROW_BITS
    positions = positions[places]
    members, ranks = keys[places], None
    if any(block.ranks is not None for block in blocks):
        ranks = np.concatenate([_ranks(block) for block in blocks])[places]
        source = np.repeat(sources, [len(block) for block in blocks])[places]
        # Members stand in order of position, and equal keys side by side.
        order = np.lexsort((ranks, source, members))
        members, positions, ranks = members[order], positions[order], ranks[order]
    return Groups(positions, run_starts(members), len(keys), ranks)


def _repeated(keys: NDArray[np.uint64], shared_bits: int) -> NDArray[np.int64]:
    """Places of the keys that occur more than once, equal keys side by side, by place."""
    place_bits = np.uint64(max(1, (len(keys) - 1).bit_length()))
    mask = (np.uint64(1) << place_bits) - np.uint64(1)
    packed = keys << np.uint64(shared_bits) & ~mask
    packed |= np.arange(len(keys), dtype=np.uint64)
    packed.sort()
    tops = packed >> place_bits
    again = np.zeros(len(keys) + 1, dtype=bool)
    np.equal(tops[1:], tops[:-1], out=again[1:-1])
    places = (packed[again[1:] | again[:-1]] & mask).astype(np.int64)
    # Keys with equal top bits are nearly always equal; where they are not, sort in full.
    found = keys[places]
    tops = found << np.uint64(shared_bits) >> place_bits
    if ((tops[1:] == tops[:-1]) & (found[1:] != found[:-1])).any():
        places = places[np.lexsort((places, found))]
        found = keys[places]
        again = np.zeros(len(found) + 1, dtype=bool)
        np.equal(found[1:], found[:-1], out=again[1:-1])
        places = places[again[1:] | again[:-1]]
    return places


def _ranks(block: KeyBlock) -> NDArray[np.uint32]:
    return np.zeros(len(block), np.uint32) if block.ranks is None else block.ranks
