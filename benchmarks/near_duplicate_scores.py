"""Scores of what a tool removed and clustered, against the exact Jaccard of every pair.

Of removals, at a threshold t; a component is one of the graph of all exact pairs of at least t:

* precision: share of the removed documents that have some document with J >= t in the whole set.
* recall: removals wanted are all documents of each component but one, whichever; of them, the share
  that was removed. A removal beyond that (a whole component gone) earns nothing.
* lost: removed documents of whose component at 0.5 nothing was kept, so their text is gone; a
  tool that removes both copies, or drops documents on other grounds, shows here.

Of pairs, where the tool gives clusters; a tool's pairs are all pairs within its clusters:

* precision: share of the tool's pairs with J >= t. Clusters are transitive and J is not, so
  even exact clusters stay below 1.
* recall: share of the exact pairs with J >= t that are among the tool's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Array = npt.NDArray[Any]


class Score(NamedTuple):
    """Precision and recall."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True)
class Truth:
    """Exact pairs of at least 0.5 (document numbers, left < right), and each document's kind."""

    left: Array
    right: Array
    jaccard: Array
    kind: Array

    @classmethod
    def load(cls, folder: Path) -> Truth:
        with np.load(folder / "pairs.npz") as file:
            return cls(file["left"], file["right"], file["jaccard"], file["kind"])

    def components(self, threshold: float) -> Array:
        """Number of its component, per document."""
        near = self.jaccard >= threshold
        size = len(self.kind)
        edges = (np.ones(near.sum(), np.int8), (self.left[near], self.right[near]))
        return np.asarray(connected_components(coo_matrix(edges, (size, size)), directed=False)[1])

    def has_near(self, threshold: float) -> Array:
        """Whether some other document is at least as near, per document."""
        near = self.jaccard >= threshold
        result = np.zeros(len(self.kind), bool)
        result[self.left[near]] = result[self.right[near]] = True
        return result

    def wanted(self, threshold: float) -> int:
        """How many removals are wanted."""
        return len(self.kind) - len(np.unique(self.components(threshold)))

    def exact_clusters(self, threshold: float) -> list[list[int]]:
        """Components of two and more: what exact Jaccard and transitive closure would give."""
        members: dict[int, list[int]] = {}
        for document, component in enumerate(self.components(threshold).tolist()):
            members.setdefault(component, []).append(document)
        return [documents for documents in members.values() if len(documents) > 1]


def score_removals(truth: Truth, removed: Array, threshold: float) -> Score:
    """Of a mask of removed documents."""
    component = truth.components(threshold)
    sizes = np.bincount(component)
    gone = np.bincount(component, weights=removed)
    done = np.minimum(gone, sizes - 1).sum()
    right = (removed & truth.has_near(threshold)).sum()
    return Score(right / max(1, removed.sum()), done / max(1, (sizes - 1).sum()))


def count_lost(truth: Truth, removed: Array) -> int:
    """Removed documents of which no copy is left at all."""
    component = truth.components(0.5)
    whole = np.bincount(component) == np.bincount(component, weights=removed)
    return int((removed & whole[component]).sum())


def score_pairs(truth: Truth, clusters: Iterable[Sequence[int]], threshold: float) -> Score:
    """Of clusters of document numbers."""
    label = np.full(len(truth.kind), -1, np.int64)
    pairs = 0
    for number, members in enumerate(clusters):
        label[list(members)] = number
        pairs += len(members) * (len(members) - 1) // 2
    near = truth.jaccard >= threshold
    left, right = label[truth.left[near]], label[truth.right[near]]
    found = ((left == right) & (left >= 0)).sum()
    return Score(found / max(1, pairs), found / max(1, near.sum()))


def wrong_kinds(truth: Truth, removed: Array, threshold: float) -> Counter[str]:
    """Kinds of the documents removed without a near one."""
    return Counter(truth.kind[removed & ~truth.has_near(threshold)].tolist())


def resolved_by_bin(truth: Truth, removed: Array, edges: Sequence[float]) -> Array:
    """Per bin of Jaccard, the share of exact pairs of which at least one document was removed."""
    place = np.searchsorted(edges, truth.jaccard, side="right") - 1
    resolved = removed[truth.left] | removed[truth.right]
    counts = np.bincount(place, minlength=len(edges))
    return np.bincount(place, weights=resolved, minlength=len(edges)) / np.maximum(counts, 1)
