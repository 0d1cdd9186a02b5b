"""Builds the index of evaluation items that `dedup.contamination` matches documents against."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray

from dedup.contamination import CHARACTERS, NgramArrays, NgramIndex, second_probe
from dedup.runs import run_starts
from dedup.shingles import Hashes, Shingles, combine, hash_words

# Bits of the pre-filter for each n-gram: one clean n-gram in 64 passes both probes at most.
_BITS = 16
# N-grams are sorted slice by slice of the key space, so that little is held beside the result.
_SLICE_BITS = 5
_SLICES = 1 << _SLICE_BITS
# N-grams added to the pre-filter at once: bounds memory.
_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class Built:
    """An index and what was left out of it.

    Attributes:
        index: the index.
        too_short: bool, shape [items]; the item has no text that is long enough.
        too_common: bool, shape [items]; all n-grams of the item are too common.
        common: uint64, ascending: hashes of the n-grams that are too common.
    """

    index: NgramIndex
    too_short: NDArray[np.bool_]
    too_common: NDArray[np.bool_]
    common: Hashes


class NgramIndexBuilder:
    """Collects the items of evaluation sets, one set after another.

    Memory: about 30 bytes for each n-gram of the input, and 150 for each text.

    Args:
        size: n, in words.
        minimum_words: the least length of a text matched whole; at most `size`.
        maximum_items: an n-gram in more items of a set than this is left out.
    """

    def __init__(self, size: int, minimum_words: int, maximum_items: int) -> None:
        self._size = size
        self._minimum_words = minimum_words
        self._maximum_items = maximum_items
        self._items = 0
        self._known: dict[int, int] = {}
        self._pending: list[str] = []
        self._pending_characters = 0
        self._texts = 0
        self._set = 0
        self._pairs = (array("I"), array("I"))
        self._text_sets: list[NDArray[np.uint32]] = []
        self._text_words: list[NDArray[np.uint32]] = []
        self._prefixes: list[Hashes] = []
        self._slices: list[list[tuple[Hashes, NDArray[np.uint32]]]] = [[] for _ in range(_SLICES)]

    def start_set(self) -> None:
        """The items that follow belong to another set."""
        self._flush()
        self._known = {}
        self._set += 1

    def add(self, texts: Iterable[str]) -> None:
        """Add the next item; a text that several items of a set share is kept once."""
        for text in texts:
            key = xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))
            number = self._known.setdefault(key, self._texts + len(self._pending))
            if number == self._texts + len(self._pending):
                self._pending.append(text)
                self._pending_characters += len(text)
            self._pairs[0].append(number)
            self._pairs[1].append(self._items)
        self._items += 1
        if self._pending_characters >= CHARACTERS:
            self._flush()

    def _flush(self) -> None:
        tokens = hash_words(self._pending)
        words = np.diff(tokens.offsets)
        whole = (words >= self._minimum_words) & (words < self._size)
        beginnings = combine(tokens, self._minimum_words)
        prefixes = np.zeros(len(words), np.uint64)
        prefixes[whole] = beginnings.hashes[beginnings.offsets[:-1][whole]]
        self._prefixes.append(prefixes)
        self._text_words.append(words.astype(np.uint32))
        self._text_sets.append(np.full(len(words), self._set, np.uint32))
        self._add_postings(combine(tokens, self._size), words >= self._minimum_words)
        self._texts += len(words)
        self._pending = []
        self._pending_characters = 0

    def _add_postings(self, shingles: Shingles, long_enough: NDArray[np.bool_]) -> None:
        """Sort the n-grams into slices of the key space; a short text is one n-gram."""
        counts = np.diff(shingles.offsets)
        numbers = np.arange(self._texts, self._texts + len(counts), dtype=np.uint32)
        chosen = np.repeat(long_enough, counts)
        hashes, owners = shingles.hashes[chosen], np.repeat(numbers, counts)[chosen]
        order = np.argsort(hashes, kind="stable")
        hashes, owners = hashes[order], owners[order]
        borders = np.arange(1, _SLICES, dtype=np.uint64) << np.uint64(64 - _SLICE_BITS)
        ends = np.searchsorted(hashes, borders)
        parts = zip(np.split(hashes, ends), np.split(owners, ends), strict=True)
        for known, part in zip(self._slices, parts, strict=True):
            known.append(part)

    def build(self) -> Built:
        """The index of all items; the builder is empty afterwards."""
        self._flush()
        self._known = {}
        words = np.concatenate(self._text_words)
        texts, items = self._represented(words)
        item_counts = np.bincount(texts, minlength=len(words))
        hashes, starts, owners, common = self._postings(item_counts)
        text_ngrams = _count(owners, len(words))
        whole = (words < self._size) & (text_ngrams > 0)
        prefixes = np.unique(np.concatenate(self._prefixes)[whole])
        arrays = NgramArrays(
            hashes=hashes,
            text_starts=starts,
            texts=owners,
            text_ngrams=text_ngrams,
            item_starts=np.concatenate(([0], np.cumsum(item_counts))).astype(np.uint32),
            items=items,
            prefixes=prefixes,
            whole_lengths=np.unique(words[whole]),
            table=_table(hashes, prefixes),
        )
        too_short = np.ones(self._items, bool)
        too_short[items] = False
        too_common = ~too_short
        too_common[items[text_ngrams[texts] > 0]] = False
        index = NgramIndex(self._size, self._minimum_words, arrays)
        return Built(index, too_short, too_common, common)

    def _postings(
        self, item_counts: NDArray[np.int64]
    ) -> tuple[Hashes, NDArray[np.uint32], NDArray[np.uint32], Hashes]:
        """N-grams, where the texts of each start, the texts; n-grams that are too common."""
        sets = np.concatenate(self._text_sets)
        # As large as they can become; what is not filled costs no memory.
        total = sum(len(part[0]) for known in self._slices for part in known)
        all_hashes, all_owners = np.empty(total, np.uint64), np.empty(total, np.uint32)
        all_starts = np.zeros(total + 1, np.uint32)
        left_out = []
        ngrams = postings = 0
        while self._slices:
            hashes, owners = self._sorted_slice(item_counts > 0)
            common = _common(hashes, owners, sets, item_counts, self._maximum_items)
            left_out.append(np.unique(hashes[common]))
            hashes, owners = hashes[~common], owners[~common]
            starts = run_starts(hashes)
            all_hashes[ngrams : ngrams + len(starts)] = hashes[starts]
            all_starts[ngrams : ngrams + len(starts)] = postings + starts
            all_owners[postings : postings + len(owners)] = owners
            ngrams += len(starts)
            postings += len(owners)
        all_starts[ngrams] = postings
        shown = all_hashes[:ngrams], all_starts[: ngrams + 1], all_owners[:postings]
        return *shown, np.concatenate(left_out)

    def _represented(
        self, words: NDArray[np.uint32]
    ) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Text and item of each pair that represents the item, by text and item."""
        texts, items = (np.frombuffer(values, np.uint32) for values in self._pairs)
        is_long = words[texts] >= self._size
        has_long = np.zeros(self._items, bool)
        has_long[items[is_long]] = True
        chosen = is_long | ((words[texts] >= self._minimum_words) & ~has_long[items])
        pairs = np.unique(texts[chosen].astype(np.uint64) << np.uint64(32) | items[chosen])
        return (pairs >> np.uint64(32)).astype(np.uint32), pairs.astype(np.uint32)

    def _sorted_slice(self, used: NDArray[np.bool_]) -> tuple[Hashes, NDArray[np.uint32]]:
        """Hash and text of each posting of the next slice, each once, by hash and text."""
        parts = self._slices.pop(0)
        owners = np.concatenate([part[1] for part in parts])
        hashes = np.concatenate([part[0] for part in parts])
        chosen = used[owners]
        hashes, owners = hashes[chosen], owners[chosen]
        order = np.argsort(hashes, kind="stable")  # the texts of a hash stay in order
        hashes, owners = hashes[order], owners[order]
        first = np.ones(len(hashes), bool)
        first[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
        return hashes[first], owners[first]


def _common(
    hashes: Hashes,
    owners: NDArray[np.uint32],
    sets: NDArray[np.uint32],
    item_counts: NDArray[np.int64],
    maximum_items: int,
) -> NDArray[np.bool_]:
    """Of each posting, whether its n-gram is in too many items of any one set."""
    if not len(hashes):
        return np.zeros(0, bool)
    runs = run_starts(hashes, sets[owners])
    held = np.add.reduceat(item_counts[owners], runs)
    return np.isin(hashes, hashes[runs[held > maximum_items]])


def _count(values: NDArray[np.uint32], length: int) -> NDArray[np.uint32]:
    """How often each number occurs; np.bincount a part at a time, as it makes them 8 bytes each."""
    counts = np.zeros(length, np.uint32)
    for start in range(0, len(values), _AT_ONCE):
        part = np.bincount(values[start : start + _AT_ONCE], minlength=length)
        counts += part.astype(np.uint32)
    return counts


def _table(*hashes: Hashes) -> NDArray[np.uint8]:
    """The bit table: two bits for each hash."""
    count = sum(map(len, hashes))
    bits = 1 << max(10, (count * _BITS - 1).bit_length())
    shift = np.uint64(64 - (bits - 1).bit_length())
    table = np.zeros(bits // 8, np.uint8)
    for values in hashes:
        for start in range(0, len(values), _AT_ONCE):
            part = values[start : start + _AT_ONCE]
            for probe in (part >> shift, second_probe(part, shift)):
                bit = np.left_shift(np.uint8(1), (probe & np.uint64(7)).astype(np.uint8))
                np.bitwise_or.at(table, (probe >> np.uint64(3)).view(np.int64), bit)
    return table
