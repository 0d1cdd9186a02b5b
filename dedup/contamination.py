"""Evaluation items in documents: word n-grams in common (Brown et al. 2020, arXiv 2005.14165, C).

An item is one or more texts; an n-gram never runs across two of them. An item whose texts are all
shorter than n words is represented by its texts of at least `minimum_words`, each matched whole. An
n-gram in more than `maximum_items` items of one set is an instruction or a licence, not an item; it
is left out. Words and hashes are those of `dedup.shingles`: case, punctuation and line breaks do
not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from dedup.shingles import Hashes, Shingles, combine, hash_words

# Characters matched or indexed at once: the arrays stay in the processor's cache.
CHARACTERS = 1 << 18


@dataclass(frozen=True, slots=True)
class Matches:
    """N-grams of the index in one document, in the order of their first words.

    Attributes:
        starts: int64, shape [matches]; ordinal of the n-gram's first word in the document.
        lengths: int64, shape [matches]; its words.
        ngrams: int64, shape [matches]; its row in the index.
    """

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    ngrams: NDArray[np.int64]

    @property
    def distinct(self) -> int:
        """How many different n-grams there are."""
        return len(np.unique(self.ngrams))


@dataclass(frozen=True, slots=True)
class Contamination:
    """What a document's matches amount to.

    Attributes:
        items: int64, ascending: the items of which the document holds enough.
        matches: the matches that belong to them.
    """

    items: NDArray[np.int64]
    matches: Matches


@dataclass(frozen=True, slots=True)
class NgramArrays:
    """The arrays of an index; any of them may be memory-mapped.

    Attributes:
        hashes: uint64, shape [n-grams], ascending, each once.
        text_starts: uint32, shape [n-grams + 1]; n-gram i is in
            texts[text_starts[i]:text_starts[i + 1]].
        texts: uint32, shape [postings].
        text_ngrams: uint32, shape [texts]; n-grams of the text that are in the index.
        item_starts: uint32, shape [texts + 1]; text i belongs to
            items[item_starts[i]:item_starts[i + 1]].
        items: uint32.
        prefixes: uint64, ascending: the first `minimum_words` words of texts matched whole.
        whole_lengths: uint32, ascending: the lengths of texts matched whole, in words.
        table: uint8; bit table of the hashes and prefixes, a power of two in size.
    """

    hashes: Hashes
    text_starts: NDArray[np.uint32]
    texts: NDArray[np.uint32]
    text_ngrams: NDArray[np.uint32]
    item_starts: NDArray[np.uint32]
    items: NDArray[np.uint32]
    prefixes: Hashes
    whole_lengths: NDArray[np.uint32]
    table: NDArray[np.uint8]

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Names of the arrays."""
        return tuple(field.name for field in fields(cls))


class NgramIndex:
    """Finds the n-grams of evaluation items in documents.

    Args:
        size: n, in words.
        minimum_words: the least length of a text matched whole.
        arrays: as built.
    """

    def __init__(self, size: int, minimum_words: int, arrays: NgramArrays) -> None:
        self.size = size
        self.minimum_words = minimum_words
        self.arrays = arrays
        self._shift = np.uint64(64 - (len(arrays.table) * 8 - 1).bit_length())

    def find(self, texts: Sequence[str]) -> dict[int, Matches]:
        """The matches of those texts that have any, by position in `texts`."""
        found: dict[int, Matches] = {}
        for first, chunk in _chunks(texts):
            for document, matches in self._find(chunk):
                found[first + document] = matches
        return found

    def judge(self, matches: Matches, minimum_matches: int) -> Contamination | None:
        """Which items a document holds, or None.

        A text counts when at least `minimum_matches` different n-grams of it occur, or all it has.
        """
        ngrams = np.unique(matches.ngrams)
        rows, texts = _gather(ngrams, self.arrays.text_starts, self.arrays.texts)
        held, occurring = np.unique(texts, return_counts=True)
        enough = occurring >= np.minimum(self.arrays.text_ngrams[held], minimum_matches)
        if not enough.any():
            return None
        _, items = _gather(held[enough], self.arrays.item_starts, self.arrays.items)
        evidence = ngrams[np.unique(rows[np.isin(texts, held[enough])])]
        chosen = np.isin(matches.ngrams, evidence)
        kept = Matches(matches.starts[chosen], matches.lengths[chosen], matches.ngrams[chosen])
        return Contamination(np.unique(items).astype(np.int64), kept)

    def _find(self, texts: Sequence[str]) -> Iterator[tuple[int, Matches]]:
        tokens = hash_words(texts)
        documents, starts, ngrams = self._lookup(tokens, self.size, self.arrays.hashes)
        lengths = np.full(len(starts), self.size)
        if len(self.arrays.prefixes):
            whole = self._find_whole(tokens)
            documents = np.concatenate((documents, whole[0]))
            starts = np.concatenate((starts, whole[1]))
            lengths = np.concatenate((lengths, whole[2]))
            ngrams = np.concatenate((ngrams, whole[3]))
            order = np.lexsort((lengths, starts, documents))
            documents, starts, lengths, ngrams = (
                values[order] for values in (documents, starts, lengths, ngrams)
            )
        if not len(documents):
            return
        borders = np.flatnonzero(np.diff(documents)) + 1
        for part in np.split(np.arange(len(documents)), borders):
            yield int(documents[part[0]]), Matches(starts[part], lengths[part], ngrams[part])

    def _find_whole(self, tokens: Shingles) -> list[NDArray[np.int64]]:
        """Texts matched whole, in the documents that hold the beginning of one."""
        parts: list[list[NDArray[np.int64]]] = [[np.empty(0, np.int64)] for _ in range(4)]
        begun, _, _ = self._lookup(tokens, self.minimum_words, self.arrays.prefixes)
        for document in np.unique(begun):
            first, last = tokens.offsets[document : document + 2]
            own = Shingles(tokens.hashes[first:last], np.array([0, last - first]))
            for length in self.arrays.whole_lengths.tolist():
                _, starts, ngrams = self._lookup(own, length, self.arrays.hashes)
                same = np.full(len(starts), document), starts, np.full(len(starts), length), ngrams
                for part, values in zip(parts, same, strict=True):
                    part.append(values)
        return [np.concatenate(part) for part in parts]

    def _lookup(
        self, tokens: Shingles, size: int, among: Hashes
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Document, first word and row of every shingle of `size` words that is `among`."""
        shingles = combine(tokens, size)
        places = self._passing(shingles.hashes)
        wanted = shingles.hashes[places]
        rows = np.searchsorted(among, wanted)
        rows[rows == len(among)] = 0
        equal = among[rows] == wanted if len(among) else np.zeros(len(rows), bool)
        places, rows = places[equal], rows[equal]
        documents = np.searchsorted(shingles.offsets, places, side="right") - 1
        # A document with fewer words than a shingle has one of all it has: no n-gram.
        full = np.diff(tokens.offsets)[documents] >= size
        documents = documents[full]
        return documents, places[full] - shingles.offsets[documents], rows[full]

    def _passing(self, hashes: Hashes) -> NDArray[np.int64]:
        """Places of the hashes that the bit table does not rule out."""
        table, shift = self.arrays.table, self._shift
        places = np.flatnonzero(_test(table, hashes >> shift))
        return places[_test(table, second_probe(hashes[places], shift)) != 0]


def _chunks(texts: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """Runs of texts of bounded size, with the position of the first."""
    first, characters = 0, 0
    for position, text in enumerate(texts):
        characters += len(text)
        if characters >= CHARACTERS:
            yield first, texts[first : position + 1]
            first, characters = position + 1, 0
    if first < len(texts):
        yield first, texts[first:]


def _gather(
    rows: NDArray[np.int64] | NDArray[np.uint32],
    starts: NDArray[np.uint32],
    values: NDArray[np.uint32],
) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """The values of several rows of a ragged array, each with its place in `rows`."""
    first = starts[rows].astype(np.int64)
    counts = starts[rows + 1].astype(np.int64) - first
    of = np.repeat(np.arange(len(rows)), counts)
    inside = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    return of, values[first[of] + inside]


def second_probe(hashes: Hashes, shift: np.uint64) -> Hashes:
    """The second probe: the low bits of the hash."""
    return hashes & ((np.uint64(1) << (np.uint64(64) - shift)) - np.uint64(1))


def _test(table: NDArray[np.uint8], probes: Hashes) -> NDArray[np.uint8]:
    """The bit of each probe."""
    slots = table.take((probes >> np.uint64(3)).view(np.int64))
    slots >>= (probes & np.uint64(7)).astype(np.uint8)
    slots &= np.uint8(1)
    return slots
