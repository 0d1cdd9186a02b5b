"""Connected components of a graph of near-duplicates, on arrays of edges.

`find_clusters` takes the whole graph, through SciPy. `large_star` and `small_star` are one
reducer's share of a round of the alternating algorithm of Kiveris et al., "Connected Components in
MapReduce and Beyond" (SoCC 2014), for graphs that no single worker holds;
`pipeline.deduplication.clusters` runs them. All give the same clusters and representatives.

A node is a document: unit number << 32 | row. Nodes are ordered by (rank, number), so that the
smallest node of a component is its representative. A reducer reads each of its edges as
`one`, a node of its own, and `other`, a neighbour.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dedup.runs import run_starts

EDGE = np.dtype([("one", "<u8"), ("other", "<u8"), ("one_rank", "<u8"), ("other_rank", "<u8")])
MEMBER = np.dtype([("node", "<u8"), ("representative", "<u8"), ("size", "<u4")])
MEMBER_ROW = np.dtype([("row", "<u4"), ("size", "<u4"), ("representative", "<u8")])

Structured: TypeAlias = NDArray[Any]
Nodes: TypeAlias = NDArray[np.uint64]
Partitions: TypeAlias = NDArray[np.uint16]

# Numbers of 16 bits, which NumPy sorts by radix.
MAXIMUM_PARTITIONS = 1 << 16

UNIT_SHIFT = np.uint64(32)
_LARGEST = np.uint64(0xFFFFFFFFFFFFFFFF)
# Odd constants of SplitMix64 and MurmurHash3; any odd number would do.
_MIXER = np.uint64(0x9E3779B97F4A7C55)
_OTHER_MIXER = np.uint64(0xFF51AFD7ED558CCD)
# Nodes looked up at once: sorted, so that a look-up walks through memory.
_PIECE = 1 << 20


def find_clusters(edges: Structured) -> Structured:
    """The cluster of every node that occurs in an edge.

    Args:
        edges: EDGE, shape [edges]; in either direction, repeated or from a node to itself. A node
            has the same rank in all its edges.

    Returns:
        MEMBER, shape [nodes], ascending by node.
    """
    nodes, _, best, sizes = _components(edges)
    members = np.empty(len(nodes), MEMBER)
    members["node"] = nodes
    members["representative"] = nodes[best]
    members["size"] = sizes
    return members


def star_edges(edges: Structured) -> Structured:
    """A forest with the same components: an edge (node, representative) for every other node.

    A component of one node, which has nothing but an edge to itself, keeps that.
    """
    nodes, ranks, best, sizes = _components(edges)
    rays = np.flatnonzero((best != np.arange(len(best))) | (sizes == 1))
    best = best[rays]
    return _edges(nodes[rays], nodes[best], ranks[rays], ranks[best])


def _components(
    edges: Structured,
) -> tuple[Nodes, Nodes, NDArray[np.int32], NDArray[np.uint32]]:
    """Nodes, ascending, and of each its rank, its representative's index, its component's size."""
    from scipy import sparse  # noqa: PLC0415  (a third of a second)
    from scipy.sparse import csgraph  # noqa: PLC0415

    ends = np.concatenate((edges["one"], edges["other"]))
    ends.sort()
    nodes = ends[run_starts(ends)]
    del ends
    one, other = _indices(nodes, edges["one"]), _indices(nodes, edges["other"])
    ranks = np.empty(len(nodes), np.uint64)
    ranks[one] = edges["one_rank"]
    ranks[other] = edges["other_rank"]
    # SciPy computes in float64 whatever it is given, and would copy anything else.
    ones = np.ones(len(one), np.float64)
    graph = sparse.coo_array((ones, (one, other)), shape=(len(nodes), len(nodes))).tocsr()
    del ones, one, other
    count, labels = csgraph.connected_components(graph, directed=False)
    del graph
    smallest = np.full(count, _LARGEST)
    np.minimum.at(smallest, labels, ranks)
    candidates = np.flatnonzero(ranks == smallest[labels])[::-1]
    best = np.empty(count, np.int32)
    best[labels[candidates]] = candidates  # of several the last counts: the smallest node
    sizes = np.bincount(labels, minlength=count).astype(np.uint32)
    return nodes, ranks, best[labels], sizes[labels]


def _indices(nodes: Nodes, values: Nodes) -> NDArray[np.int32]:
    """Where each value stands in the ascending nodes."""
    result = np.empty(len(values), np.int32)
    for start in range(0, len(values), _PIECE):
        piece = values[start : start + _PIECE].copy()
        order = np.argsort(piece)
        result[start : start + _PIECE][order] = np.searchsorted(nodes, piece[order])
    return result


def smallest_neighbours(edges: Structured) -> Structured:
    """For each node `one` the edge to its smallest neighbour, or to itself if it is smaller.

    Returns:
        EDGE, shape [distinct nodes], ascending by `one`.
    """
    if not len(edges):
        return edges
    edges = edges.take(np.argsort(edges["one"]))
    starts = run_starts(edges["one"])
    lengths = np.diff(np.append(starts, len(edges)))
    one, one_rank = edges["one"][starts], edges["one_rank"][starts]
    ranks = np.minimum.reduceat(edges["other_rank"], starts)
    is_best = edges["other_rank"] == np.repeat(ranks, lengths)
    others = np.minimum.reduceat(np.where(is_best, edges["other"], _LARGEST), starts)
    itself = _precedes(one_rank, one, ranks, others)
    return _edges(one, np.where(itself, one, others), one_rank, np.where(itself, one_rank, ranks))


def large_star(edges: Structured) -> tuple[Structured, int]:
    """Link every larger neighbour of a node to the node's smallest neighbour.

    Args:
        edges: EDGE, of a reducer's nodes: `one` the node, `other` a neighbour, an edge to itself
            counted as larger. All of a node's smaller neighbours, or the smallest, must be there.

    Returns:
        The new edges, `one` the larger node, with repetitions; and how many differ from the old.
    """
    smallest = smallest_neighbours(edges)
    smaller = _precedes(edges["other_rank"], edges["other"], edges["one_rank"], edges["one"])
    larger = edges.take(np.flatnonzero(~smaller))
    centre = smallest.take(_indices(smallest["one"], larger["one"]))
    rewritten = int(np.count_nonzero(centre["other"] != larger["one"]))
    moved = _edges(larger["other"], centre["other"], larger["other_rank"], centre["other_rank"])
    return moved, rewritten


def small_star(edges: Structured) -> tuple[Structured, int]:
    """Link a node and all its smaller neighbours to the smallest of them.

    Args:
        edges: EDGE, of a reducer's nodes: `one` the node, `other` a smaller neighbour or itself.

    Returns:
        The new edges, `one` the larger node, with repetitions; and how many of the old are gone.
    """
    smallest = smallest_neighbours(edges)
    centre = smallest.take(_indices(smallest["one"], edges["one"]))
    rewritten = int(np.count_nonzero(centre["other"] != edges["other"]))
    moved = _edges(edges["other"], centre["other"], edges["other_rank"], centre["other_rank"])
    # No edge from the smallest to itself, unless it was there: the node's own edge names it.
    moved = moved.take(np.flatnonzero(moved["one"] != moved["other"]))
    return np.concatenate((moved, smallest)), rewritten


def unique_edges(edges: Structured) -> Structured:
    """The edges without repetitions, in an order of their own."""
    keys = edges["one"] * _MIXER
    keys ^= edges["other"] * _OTHER_MIXER
    edges = edges.take(np.argsort(keys))
    # Edges are compared, not keys: two with the same key both stay.
    differs = edges["one"][1:] != edges["one"][:-1]
    differs |= edges["other"][1:] != edges["other"][:-1]
    return edges.take(np.flatnonzero(np.concatenate((np.ones(len(edges[:1]), bool), differs))))


def turned(edges: Structured) -> Structured:
    """The same edges, seen from the other end."""
    return _edges(edges["other"], edges["one"], edges["other_rank"], edges["one_rank"])


def partition_of(nodes: Nodes, partitions: int) -> Partitions:
    """The partition of each node, by its hash; at most MAXIMUM_PARTITIONS."""
    mixed = (nodes ^ (nodes >> np.uint64(31))) * _OTHER_MIXER
    mixed ^= mixed >> np.uint64(33)
    return (mixed % np.uint64(partitions)).astype(np.uint16)


def split(rows: Structured, partitions: Partitions) -> Iterator[tuple[int, Structured]]:
    """Rows by partition, ascending, without the partitions that have none."""
    if not len(rows):
        return
    order = np.argsort(partitions, kind="stable")
    ordered = partitions[order]
    starts = run_starts(ordered)
    ends = np.append(starts[1:], len(ordered))
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        yield int(ordered[start]), rows.take(order[start:end])


def count_by(nodes: Nodes, counts: NDArray[np.uint64]) -> tuple[Nodes, NDArray[np.uint64]]:
    """The distinct nodes, ascending, and the sum of each one's counts."""
    order = np.argsort(nodes)
    ordered = nodes[order]
    starts = run_starts(ordered)
    if not len(starts):
        return ordered, counts[order]
    return ordered[starts], np.add.reduceat(counts[order], starts)


def member_rows(members: Structured) -> Structured:
    """What a unit's file says of its nodes: MEMBER in, MEMBER_ROW out."""
    rows = np.empty(len(members), MEMBER_ROW)
    rows["row"] = members["node"] & np.uint64(0xFFFFFFFF)
    rows["size"] = members["size"]
    rows["representative"] = members["representative"]
    return rows


def _edges(one: Nodes, other: Nodes, one_rank: Nodes, other_rank: Nodes) -> Structured:
    edges = np.empty(len(one), EDGE)
    edges["one"], edges["other"] = one, other
    edges["one_rank"], edges["other_rank"] = one_rank, other_rank
    return edges


def _precedes(rank: Nodes, node: Nodes, other_rank: Nodes, other: Nodes) -> NDArray[np.bool_]:
    """Whether the first node of each pair is the smaller one."""
    smaller = rank < other_rank
    smaller |= (rank == other_rank) & (node < other)
    return smaller
