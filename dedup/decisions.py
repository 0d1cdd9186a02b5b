"""What follows from groups of equal keys: rows to remove, clusters, candidate pairs, statistics.

Every function yields one structured array for each unit concerned, by row, so that each unit gets
its own decisions. A position is `unit number << 32 | row` (`dedup.groups`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dedup.components import MEMBER_ROW
from dedup.groups import ROW_BITS, Groups, Positions
from dedup.runs import run_starts

Policy: TypeAlias = Literal["keep_first", "remove_all"]
Structured: TypeAlias = NDArray[Any]
# A unit's number and what was decided on it.
Decided: TypeAlias = tuple[int, Structured]

REMOVED = np.dtype([("row", "<u4")])
CANDIDATE = np.dtype([("row", "<u4"), ("other", "<u8")])

# So many of the most repeated keys are kept for the report.
MOST_REPEATED = 100


@dataclass
class Summary:
    """What a comparison found, added up over the key space.

    Attributes:
        keys: compared.
        groups: of equal keys.
        members: keys in those groups.
        shared: row a, column b: keys of source a that source b has too; on the diagonal, keys of
            which the source itself has another copy.
        most_repeated: (copies, position of the preferred copy), the largest groups first.
    """

    keys: int
    groups: int
    members: int
    shared: list[list[int]]
    most_repeated: list[tuple[int, int]]

    @classmethod
    def empty(cls, sources: int) -> Summary:
        return cls(0, 0, 0, [[0] * sources for _ in range(sources)], [])

    def add(self, other: Summary) -> None:
        """Add what another part of the key space holds."""
        self.keys += other.keys
        self.groups += other.groups
        self.members += other.members
        for mine, more in zip(self.shared, other.shared, strict=True):
            mine[:] = [one + another for one, another in zip(mine, more, strict=True)]
        together = self.most_repeated + other.most_repeated
        together.sort(key=lambda group: (-group[0], group[1]))
        self.most_repeated = together[:MOST_REPEATED]


def removed_rows(groups: Groups, policy: Policy) -> Iterator[Decided]:
    """Rows that go: all copies but the preferred one, or every copy."""
    going = np.ones(len(groups.positions), dtype=bool)
    if policy == "keep_first":
        going[groups.starts] = False
    positions = np.sort(groups.positions[going])
    yield from by_unit(positions, np.zeros(len(positions), REMOVED))


def cluster_rows(groups: Groups) -> Iterator[Decided]:
    """The documents of every group, with the preferred one as representative."""
    members = np.empty(len(groups.positions), MEMBER_ROW)
    members["size"] = groups.of_each(groups.sizes)
    members["representative"] = groups.of_each(groups.positions[groups.starts])
    order = np.argsort(groups.positions)
    yield from by_unit(groups.positions[order], members[order])


def candidate_pairs(groups: Groups) -> Iterator[Decided]:
    """Each member paired with the first of its group, and with the first of the same rank in it.

    Stars rather than all pairs: a group costs twice its size, however large it is. Where a group is
    a family of pages that are half alike, the first is hardly like any other of them; ranks then
    bring those together that have more in common (`pipeline.deduplication.makers.band_block`).
    """
    first = groups.of_each(groups.starts)
    ends = [groups.positions[first]]
    if groups.ranks is not None:
        new = np.append(True, groups.ranks[1:] != groups.ranks[:-1])[: len(groups.ranks)]
        new[groups.starts] = True
        starts = np.flatnonzero(new)
        alike = np.repeat(starts, np.diff(starts, append=len(new)))
        ends.append(groups.positions[np.where(alike == first, np.arange(len(new)), alike)])
    other = np.concatenate(ends)
    members = np.tile(groups.positions, len(ends))
    order = np.flatnonzero(other != members)
    order = order[np.argsort(members[order], kind="stable")]
    pairs = np.empty(len(order), CANDIDATE)
    pairs["other"] = other[order]
    yield from by_unit(members[order], pairs)


def summarize(groups: Groups, sources: Sequence[int] | NDArray[np.int64]) -> Summary:
    """Statistics of the groups; `sources` holds the source of every unit."""
    sources = np.asarray(sources, np.int64)
    summary = Summary.empty(int(sources.max(initial=0)) + 1)
    summary.keys = groups.keys
    summary.groups, summary.members = len(groups.starts), len(groups.positions)
    if summary.groups:
        summary.shared = _shared(groups, sources).tolist()
    sizes, first = groups.sizes, groups.positions[groups.starts]
    if len(sizes) > MOST_REPEATED:
        large = sizes >= np.partition(sizes, -MOST_REPEATED)[-MOST_REPEATED]
        sizes, first = sizes[large], first[large]
    order = np.lexsort((first, -sizes))[:MOST_REPEATED]
    summary.most_repeated = list(zip(sizes[order].tolist(), first[order].tolist(), strict=True))
    return summary


def _shared(groups: Groups, sources: NDArray[np.int64]) -> NDArray[np.int64]:
    """The matrix of a summary; there are few sources and many groups."""
    count = int(sources.max()) + 1
    if count == 1:
        return np.array([[len(groups.positions)]])
    source = sources[(groups.positions >> ROW_BITS).astype(np.int64)]
    copies = np.stack(
        [np.add.reduceat(source == one, groups.starts, dtype=np.int64) for one in range(count)]
    )
    matrix = copies @ (copies > 0).T
    np.fill_diagonal(matrix, np.where(copies > 1, copies, 0).sum(axis=1))
    return matrix


def by_unit(positions: Positions, records: Structured) -> Iterator[Decided]:
    """The records of each unit with their rows filled in; both in order of position."""
    records["row"] = positions & np.uint64(0xFFFFFFFF)
    units = positions >> ROW_BITS
    starts = run_starts(units)
    for part, first in zip(np.split(records, starts[1:]), starts, strict=False):
        yield int(units[first]), part
