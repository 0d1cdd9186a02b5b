"""What follows from groups of equal keys: rows to remove, clusters, candidate pairs, statistics.

Every function yields structured arrays for each unit concerned, by row, so that each unit gets its
own decisions: one of records on single rows and, where a unit's equal keys were combined, one of
records on entries of its block (`entry_type`), which the unit expands (`expanded`). A position is
`unit number << 32 | row` (`dedup.groups`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dedup.components import MEMBER_ROW
from dedup.groups import ROW_BITS, Groups, Positions
from dedup.key_blocks import Combine, KeyBlock
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


# A row that an entry's record leaves out; none if it is negative.
_NONE = -1


def entry_type(record: np.dtype[Any]) -> np.dtype[Any]:
    """A record on an entry of several rows: it holds for all of them, but for the one `spared`.

    Entries are numbered as in `dedup.key_blocks.Shared`.
    """
    fields = [(name, record[name]) for name in record.names or ()]
    return np.dtype([("entry", "<u4"), ("spared", "<i8"), *fields])


def expanded(
    decided: Structured, block: KeyBlock, combine: Combine, record: np.dtype[Any]
) -> Structured:
    """The records on single rows that records on entries stand for.

    Args:
        decided: of `entry_type(record)`.
        block: that was combined, as it was before.
        combine: how.
        record: type of a record on a row.
    """
    places, of_each = block.shared(combine).of_entries(decided["entry"])
    rows = block.rows[places]
    stays = rows != decided["spared"][of_each]
    found = np.empty(int(np.count_nonzero(stays)), record)
    for name in record.names or ():
        found[name] = decided[name][of_each[stays]]
    found["row"] = rows[stays]
    return found


def removed_rows(groups: Groups, policy: Policy) -> Iterator[Decided]:
    """Rows that go: all copies but the preferred one, or every copy."""
    spared = np.zeros(len(groups.positions), dtype=bool)
    if policy == "keep_first":
        spared[groups.starts] = True
    order = np.argsort(groups.positions)
    records = np.zeros(len(order), REMOVED)
    yield from _decided(groups, order, records, spared[order])


def cluster_rows(groups: Groups) -> Iterator[Decided]:
    """The documents of every group, with the preferred one as representative."""
    members = np.empty(len(groups.positions), MEMBER_ROW)
    members["size"] = groups.of_each(groups.sizes)
    members["representative"] = groups.of_each(groups.positions[groups.starts])
    order = np.argsort(groups.positions)
    yield from _decided(groups, order, members[order], np.zeros(len(order), dtype=bool))


def candidate_pairs(groups: Groups) -> Iterator[Decided]:
    """Each member paired with the first of its group, and with the first of the same rank in it.

    Stars rather than all pairs: a group costs twice its size, however large it is. Where a group is
    a family of pages that are half alike, the first is hardly like any other of them; ranks then
    bring those together that have more in common (`band_block` of the method minhash).
    """
    first = groups.of_each(groups.starts)
    pairs = [(np.arange(len(first)), first)]
    if groups.ranks is not None:
        new = np.append(True, groups.ranks[1:] != groups.ranks[:-1])[: len(groups.ranks)]
        new[groups.starts] = True
        starts = np.flatnonzero(new)
        alike = np.repeat(starts, np.diff(starts, append=len(new)))
        others = np.flatnonzero(alike != first)
        pairs.append((others, alike[others]))
    member, other = (np.concatenate(ends) for ends in zip(*pairs, strict=True))
    order = np.argsort(groups.positions[member], kind="stable")
    member, other = member[order], other[order]
    records = np.empty(len(order), CANDIDATE)
    records["other"] = groups.positions[other]
    yield from _decided(groups, member, records, groups.positions[member] == records["other"])


def _decided(
    groups: Groups, members: NDArray[np.intp], records: Structured, spared: NDArray[np.bool_]
) -> Iterator[Decided]:
    """Records on members, in order of position.

    Args:
        groups: of which they are.
        members: that each record is on.
        records: their rows are filled in here.
        spared: whether a record is not on the preferred row of the member, only on the others.
    """
    positions = groups.positions[members]
    if groups.counts is None or groups.entries is None:
        yield from by_unit(positions[~spared], records[~spared])
        return
    single = groups.counts[members] == 1
    yield from by_unit(positions[single & ~spared], records[single & ~spared])
    several = np.flatnonzero(~single)
    entries = np.empty(len(several), entry_type(records.dtype))
    for name in records.dtype.names or ():
        entries[name] = records[name][several]
    entries["entry"] = groups.entries[members[several]]
    rows = (positions[several] & np.uint64(0xFFFFFFFF)).astype(np.int64)
    entries["spared"] = np.where(spared[several], rows, _NONE)
    yield from by_unit(positions[several], entries)


def summarize(groups: Groups, sources: Sequence[int] | NDArray[np.int64]) -> Summary:
    """Statistics of the groups; `sources` holds the source of every unit."""
    sources = np.asarray(sources, np.int64)
    summary = Summary.empty(int(sources.max(initial=0)) + 1)
    summary.keys = groups.keys
    sizes, first = groups.sizes, groups.positions[groups.starts]
    summary.groups, summary.members = len(groups.starts), int(sizes.sum())
    if summary.groups:
        summary.shared = _shared(groups, sources).tolist()
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
        return np.array([[groups.sizes.sum()]])
    source = sources[(groups.positions >> ROW_BITS).astype(np.int64)]
    counts = np.ones(len(source), np.uint32) if groups.counts is None else groups.counts
    copies = np.stack([groups.total(np.where(source == one, counts, 0)) for one in range(count)])
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
