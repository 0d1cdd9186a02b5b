"""Overlap of long documents: how much of the smaller one is in the other.

LLaMA drops books with more than 90 % content overlap (arXiv 2302.13971, section 2.1); the paper
says no more. Read here as containment of shingle sets, |A and B| / min(|A|, |B|): an edition inside
a larger volume overlaps it wholly, whatever their Jaccard similarity. Candidates are pairs that
share sampled shingles (a shingle is in the sample by its hash, as in FracMinHash, so the sample of
a set says what the sample of any other has in common with it); they are verified on all shingles.
What the sample can miss, and how likely that is: docs/books-overlap.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dedup.components import MEMBER
from dedup.decisions import Decided, Structured, by_unit
from dedup.groups import Groups
from dedup.runs import run_starts

# A pair of documents and how many sampled shingles they share. A document with itself: how many of
# its sampled shingles were not compared with all their owners.
SHARED = np.dtype([("row", "<u4"), ("other", "<u8"), ("shared", "<u4")])

# So many shingles of a document are in its sample at least, if it has them: that two texts of
# which one holds 90 % of the other share none of 64 has a chance of 0.1 ** 64.
LEAST_SAMPLE = 64
# The chance that the sampled shingles sort out a pair that is at the threshold; lower ones cost
# exact counts of pairs that are not.
_MISS = 1e-6
# Pairs expanded at once: bounds memory.
_PIECE = 1 << 21


def sampled(shingles: NDArray[np.uint64], sample: int, least: int = 0) -> NDArray[np.uint64]:
    """One in `sample` of sorted shingles: those with the smallest hashes, `least` of them or all.

    With m and n shingles in the samples of two sets, the smaller of both bounds holds for what is
    in both samples: it is all that the sets share below that bound.
    """
    count = int(np.searchsorted(shingles, np.uint64((1 << 64) // sample - 1), "right"))
    # Mixed once more, so that the keys of the sample are spread over the whole key space.
    return np.sort(shingles[: max(count, least)] * np.uint64(0x9E3779B97F4A7C55))


def least_shared(
    sizes: NDArray[np.int64], samples: NDArray[np.int64], threshold: float, margin: float
) -> NDArray[np.float64]:
    """How many sampled shingles a pair must share to be worth the exact count.

    Where a share `rate` of both sets is sampled, a pair at the threshold shares `expected` =
    threshold * smaller size * rate sampled shingles on average. That it shares fewer by a factor
    1 - d has a chance of at most exp(-d**2 * expected / 2) (Chernoff; drawing without replacement
    only makes it smaller, Hoeffding 1963).

    Args:
        sizes: shingles of both documents, shape [pairs, 2], none 0.
        samples: how many of them are sampled, shape [pairs, 2].
        threshold: of containment.
        margin: at least this much below the threshold is let through.
    """
    rate = (samples / sizes).min(axis=1)
    expected = threshold * rate * sizes.min(axis=1)
    slack = np.sqrt(-2 * np.log(_MISS) * expected)
    slack[rate == 1] = 0  # all shingles are sampled: nothing is left to chance
    return expected - np.maximum(slack, margin / threshold * expected)


def containment(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    """Shared elements as a share of the smaller of two sets (sorted, unique); 0 if one is empty."""
    smaller, larger = (one, other) if len(one) <= len(other) else (other, one)
    if not len(smaller):
        return 0.0
    places = np.minimum(np.searchsorted(larger, smaller), len(larger) - 1)
    return float((larger[places] == smaller).mean())


def shared_pairs(groups: Groups, maximum_owners: int) -> Iterator[Decided]:
    """Pairs of documents that own the same sampled shingle, with how many they share.

    Each owner is paired with the `maximum_owners` most preferred ones before it at most, so that a
    shingle of every document costs its share and no more. A pair of a document with itself counts
    the shingles where that leaves out others.
    """
    sizes = groups.sizes
    first = np.repeat(groups.starts, sizes)
    place = np.arange(len(groups.positions)) - first
    partners = np.minimum(place, maximum_owners)
    left_out = (place >= maximum_owners) & (np.repeat(sizes, sizes) > maximum_owners + 1)
    ends = np.cumsum(partners)
    total = int(ends[-1]) if len(ends) else 0
    cuts = np.searchsorted(ends, np.arange(_PIECE, total, _PIECE), "right")
    for start, end in zip([0, *cuts], [*cuts, len(ends)], strict=True):
        counts, members = partners[start:end], groups.positions[start:end]
        nth = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        others = groups.positions[np.repeat(first[start:end], counts) + nth]
        alone = members[left_out[start:end]]
        ones = np.concatenate([np.repeat(members, counts), alone])
        yield from _counted(ones, np.concatenate([others, alone]))


def _counted(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> Iterator[Decided]:
    """Equal pairs as one with their number; the later document is the row, the earlier `other`."""
    low, high = np.minimum(one, other), np.maximum(one, other)
    order = np.lexsort((low, high))
    low, high = low[order], high[order]
    starts = run_starts(low, high)
    pairs = np.empty(len(starts), SHARED)
    pairs["other"] = low[starts]
    pairs["shared"] = np.diff(starts, append=len(low))
    yield from by_unit(high[starts], pairs)


def choose(edges: Structured) -> Structured:
    """Who stays, and what each of the others overlaps.

    In order of preference, (rank, position): a document goes when it overlaps a preferred one that
    stays. So a book goes for what another book that is kept holds, never for one that went itself.

    Args:
        edges: pairs that overlap, of dtype `dedup.components.EDGE`.

    Returns:
        Array of `dedup.components.MEMBER`, by node; size counts the document that stays and those
        that went for it. A document that stays, and for which none went, is not in it.
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
    return members[members["size"] > 1]
