"""Overlap of long documents: how much of the smaller one is in the other.

LLaMA drops books with more than 90 % content overlap (arXiv 2302.13971, section 2.1); the paper
says no more. Read here as containment of shingle sets, |A and B| / min(|A|, |B|): an edition inside
a larger volume overlaps it wholly, whatever their Jaccard similarity. Candidates are pairs that
share sampled shingles (a shingle is in the sample by its hash, as in FracMinHash, so the sample of
a set says what the sample of any other has in common with it); they are verified on all shingles.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dedup.components import MEMBER
from dedup.decisions import Decided, Structured, by_unit
from dedup.groups import Groups

# A pair of documents and how many sampled shingles they share.
SHARED = np.dtype([("row", "<u4"), ("other", "<u8"), ("shared", "<u4")])


def sampled(shingles: NDArray[np.uint64], sample: int) -> NDArray[np.uint64]:
    """One in `sample` of sorted shingles: those with the smallest hashes."""
    # Mixed once more, so that the keys of the sample are spread over the whole key space.
    kept = shingles[: int(np.searchsorted(shingles, np.uint64((1 << 64) // sample - 1), "right"))]
    return np.sort(kept * np.uint64(0x9E3779B97F4A7C55))


def containment(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    """Shared elements as a share of the smaller of two sets (sorted, unique); 0 if one is empty."""
    smaller, larger = (one, other) if len(one) <= len(other) else (other, one)
    if not len(smaller):
        return 0.0
    places = np.minimum(np.searchsorted(larger, smaller), len(larger) - 1)
    return float((larger[places] == smaller).mean())


def shared_pairs(groups: Groups, maximum_owners: int) -> Iterator[Decided]:
    """Pairs of documents that own the same sampled shingle, with how many they share.

    All pairs of a group up to `maximum_owners` documents; of a larger one only those with its
    preferred document, so that a shingle of every document costs its share and no more.
    """
    ones, others = [], []
    sizes = groups.sizes
    for size in np.unique(sizes[sizes <= maximum_owners]).tolist():
        starts = groups.starts[sizes == size]
        members = groups.positions[starts[:, None] + np.arange(size)]
        first, second = np.triu_indices(size, 1)
        ones.append(members[:, first].ravel())
        others.append(members[:, second].ravel())
    large = groups.of_each(sizes > maximum_owners)
    ones.append(groups.of_each(groups.positions[groups.starts])[large])
    others.append(groups.positions[large])
    yield from _counted(np.concatenate(ones), np.concatenate(others))


def _counted(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> Iterator[Decided]:
    """Equal pairs as one with their number; the later document is the row, the earlier `other`."""
    low, high = np.minimum(one, other), np.maximum(one, other)
    order = np.lexsort((low, high))
    low, high = low[order], high[order]
    new = np.append(True, (low[1:] != low[:-1]) | (high[1:] != high[:-1]))[: len(low)]
    starts = np.flatnonzero(new & (low != high))
    ends = np.append(np.flatnonzero(new), len(low))
    pairs = np.empty(len(starts), SHARED)
    pairs["other"] = low[starts]
    pairs["shared"] = ends[np.searchsorted(ends, starts, "right")] - starts
    yield from by_unit(high[starts], pairs)


def choose(edges: Structured) -> Structured:
    """Who stays, and what each of the others overlaps.

    In order of preference, (rank, position): a document goes when it overlaps a preferred one that
    stays. So a book goes for what another book that is kept holds, never for one that went itself.

    Args:
        edges: pairs that overlap, of dtype `dedup.components.EDGE`.

    Returns:
        Array of `dedup.components.MEMBER`, by node; size counts the document that stays and those
        that went for it.
    """
    forward = (edges["one_rank"] < edges["other_rank"]) | (
        (edges["one_rank"] == edges["other_rank"]) & (edges["one"] < edges["other"])
    )
    better = np.where(forward, edges["one"], edges["other"])
    worse = np.where(forward, edges["other"], edges["one"])
    rank = np.where(forward, edges["one_rank"], edges["other_rank"])
    worse_rank = np.where(forward, edges["other_rank"], edges["one_rank"])
    gone: dict[int, int] = {}
    order = np.lexsort((worse, worse_rank, better, rank))
    for stays, goes in zip(better[order].tolist(), worse[order].tolist(), strict=True):
        if stays not in gone:
            gone.setdefault(goes, stays)
    nodes = np.unique(np.concatenate([better, worse]))
    members: NDArray[Any] = np.empty(len(nodes), MEMBER)
    members["node"] = nodes
    kept = np.array([gone.get(node, node) for node in nodes.tolist()], np.uint64)
    members["representative"] = kept
    _, place, counts = np.unique(kept, return_inverse=True, return_counts=True)
    members["size"] = counts[place]
    return members
