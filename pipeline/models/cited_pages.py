"""Chooses pages for the reference classifier: those that Wikipedia cites, and as many others.

A join of two of our own datasets on `dedup.url_keys`. Only keys are held in memory: 8 bytes per
cited URL, and those of the pages drawn. A dataset's texts are read twice and stay on disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow.compute as pc
import xxhash
from numpy.typing import NDArray

from dedup.url_keys import url_keys
from pipeline.models.sampling import SmallestHashes
from pipeline.models.training_texts import read_batches

_SEED_DRAW = 11
_ARCHIVED = r"^(?i:https?:)?//web\.archive\.org/web/[0-9]+[a-z_]*/"


class Page(NamedTuple):
    """A page to learn from; pages with equal keys fall on the same side of the held-out split."""

    key: str
    text: str


class _Candidates(NamedTuple):
    """Documents of one batch; arrays of shape [n]."""

    texts: Any
    keys: NDArray[np.uint64]
    positive: NDArray[np.bool_]
    negative: NDArray[np.bool_]


@dataclass
class Selection:
    """Which pages of documents datasets are positives and negatives.

    Attributes:
        documents: dataset folders.
        cited: sorted keys of the cited URLs, shape [n].
        minimum_characters: shorter cited pages are neither.
        languages: documents of other languages are neither; empty for all.
        positive_threshold, negative_threshold: largest draw that is in; set by `select_pages`.
        counts: what was found, for the card.
    """

    documents: Sequence[str]
    cited: NDArray[np.uint64]
    minimum_characters: int
    languages: Sequence[str] = ()
    positive_threshold: int = -1
    negative_threshold: int = -1
    counts: dict[str, int] | None = None

    def positives(self) -> Iterator[Page]:
        """Cited pages, each URL once."""
        return self._pages(True, self.positive_threshold)

    def negatives(self) -> Iterator[Page]:
        """As many other pages, each URL once."""
        return self._pages(False, self.negative_threshold)

    def candidates(self) -> Iterator[_Candidates]:
        """Batches of the documents that have a URL."""
        for folder in self.documents:
            for batch in read_batches(folder, ["url", "text"], self.languages):
                columns: Any = batch.filter(pc.is_valid(batch["url"]))
                keys = url_keys(columns["url"])
                cited = is_member(keys, self.cited)
                lengths = pc.utf8_length(columns["text"]).to_numpy(zero_copy_only=False)
                long_enough = lengths >= self.minimum_characters
                yield _Candidates(columns["text"], keys, cited & long_enough, ~cited)

    def _pages(self, positive: bool, threshold: int) -> Iterator[Page]:
        seen: set[int] = set()
        for batch in self.candidates():
            for row in np.flatnonzero(batch.positive if positive else batch.negative):
                key = int(batch.keys[row])
                if draw(key) <= threshold and key not in seen:
                    seen.add(key)
                    yield Page(f"{key:016x}", batch.texts[int(row)].as_py())


def draw(key: int) -> int:
    """The hash by which a URL key is drawn."""
    return xxhash.xxh3_64_intdigest(key.to_bytes(8, "little"), seed=_SEED_DRAW)


def is_member(keys: NDArray[np.uint64], members: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which keys are among the sorted `members`; both of shape [n]."""
    if not len(members):
        return np.zeros(len(keys), dtype=bool)
    places = np.minimum(np.searchsorted(members, keys), len(members) - 1)
    return np.asarray(members[places] == keys)


def cited_keys(citations: Sequence[str], languages: Sequence[str] = ()) -> NDArray[np.uint64]:
    """Sorted distinct keys of the URLs that the pages of Wikipedia datasets cite, shape [n].

    A link into the Internet Archive counts as a citation of the page that is archived.
    """
    parts = [np.empty(0, np.uint64)]
    for folder in citations:
        for batch in read_batches(folder, ["cited_urls"], languages):
            urls: Any = pc.list_flatten(batch["cited_urls"])
            parts.append(url_keys(pc.replace_substring_regex(urls, _ARCHIVED, "")))
    keys = np.sort(np.concatenate(parts))
    first = np.ones(len(keys), dtype=bool)
    first[1:] = keys[1:] != keys[:-1]
    return keys[first]


def select_pages(
    documents: Sequence[str],
    cited: NDArray[np.uint64],
    *,
    minimum_characters: int,
    maximum_positives: int,
    languages: Sequence[str] = (),
) -> Selection:
    """Choose at most `maximum_positives` cited pages and as many others, by hash of their URLs."""
    selection = Selection(documents, cited, minimum_characters, languages)
    positives = SmallestHashes(maximum_positives)
    negatives = SmallestHashes(maximum_positives)
    offered: set[int] = set()
    pages = cited_pages = 0
    for batch in selection.candidates():
        pages += len(batch.keys)
        cited_pages += int((~batch.negative).sum())
        for row in np.flatnonzero(batch.positive | batch.negative):
            key = int(batch.keys[row])
            hashes = positives if batch.positive[row] else negatives
            value = draw(key)
            if value <= hashes.threshold and key not in offered:
                offered.add(key)
                hashes.offer(value)
    amount = min(len(positives), len(negatives))
    selection.counts = {
        "cited_urls": len(cited),
        "pages": pages,
        "cited_pages": cited_pages,
        "drawn_of_each": amount,
    }
    selection.positive_threshold = positives.finish(amount)
    selection.negative_threshold = negatives.finish(amount)
    return selection
