"""Shingles as 64-bit hashes, computed for many documents at once in NumPy.

A shingle is n consecutive words (maximal runs of Unicode letters, digits and underscores, `\\w+`,
of the lower-cased text) or n consecutive characters (lower-cased, runs of white space as one
space). A document with fewer than n of them has one shingle of all it has; one with none has none.

The hash of a word is a polynomial modulo 2**64 over random values of its characters, that of a
shingle a polynomial over the hashes of its words, finished with MurmurHash3's mixer: all of it
prefix sums and products of whole arrays. `shingle_hash` states the same for a single shingle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dedup.runs import run_starts

Token: TypeAlias = Literal["word", "character"]
Hashes: TypeAlias = NDArray[np.uint64]

_CODE_POINTS = 0x110000
# Odd constants of MurmurHash3 and SplitMix64; any odd number would do.
_POSITION = 0x9E3779B97F4A7C55
_POSITION_INVERSE = pow(_POSITION, -1, 1 << 64)
_ORDER = 0xFF51AFD7ED558CCD
_MIXERS = (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)
_MASK = (1 << 64) - 1
# Characters hashed at once: the arrays stay in the processor's cache.
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Shingles:
    """Shingle hashes of several documents, one document after another, in text order.

    Attributes:
        hashes: uint64, shape [all shingles]; the same shingle may occur several times.
        offsets: int64, shape [documents + 1]; document i has hashes[offsets[i]:offsets[i + 1]].
    """

    hashes: Hashes
    offsets: NDArray[np.int64]

    def unique(self, document: int) -> Hashes:
        """The set of a document's shingles, ascending."""
        return distinct(self.hashes[self.offsets[document] : self.offsets[document + 1]])


def distinct(hashes: Hashes) -> Hashes:
    """The set of some hashes, ascending; np.unique takes far longer for large ones."""
    ascending = np.sort(hashes)
    return ascending[run_starts(ascending)]


def shingle_texts(texts: Sequence[str], token: Token, size: int) -> Shingles:
    """Shingles of `size` tokens of every text."""
    tokens = hash_words(texts) if token == "word" else hash_characters(texts)
    return combine(tokens, size)


def shingle_hash(shingle: str, token: Token = "word") -> int:
    """The hash of one shingle: its words, lower-cased, with single spaces between."""
    words = shingle.split(" ") if token == "word" else shingle
    combined = 0
    for word in words:
        value = sum(
            int(_character_values()[ord(character)]) * pow(_POSITION, place, 1 << 64)
            for place, character in enumerate(word)
        )
        combined = (combined * _ORDER + value) & _MASK
    for multiplier in _MIXERS:
        combined ^= combined >> 33
        combined = combined * multiplier & _MASK
    return combined ^ combined >> 33


def lower(text: str) -> str:
    """The text in lower case, character for character: offsets stay what they were."""
    return text.replace("\u0130", "i").lower()


def combine(tokens: Shingles, size: int) -> Shingles:
    """Shingles of `size` consecutive tokens, from the tokens' hashes."""
    counts = np.diff(tokens.offsets)
    short = counts < size
    lengths = np.where(short, np.minimum(counts, 1), counts - size + 1)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    windows = max(0, len(tokens.hashes) - size + 1)
    combined = tokens.hashes[:windows].copy()
    for place in range(1, size):
        combined *= np.uint64(_ORDER)
        combined += tokens.hashes[place : place + windows]
    inside = np.ones(windows, dtype=bool)
    for place in range(1, size):  # no window may start so near a document's end
        ends = tokens.offsets[1:] - place
        inside[ends[(ends >= 0) & (ends < windows)]] = False
    whole = combined[inside]
    if short.any():
        whole = _with_short(whole, tokens, lengths, short, offsets)
    return Shingles(_mixed(whole), offsets)


def _with_short(
    whole: Hashes,
    tokens: Shingles,
    lengths: NDArray[np.int64],
    short: NDArray[np.bool_],
    offsets: NDArray[np.int64],
) -> Hashes:
    """Put in the one shingle of each document that has fewer tokens than a shingle."""
    result = np.empty(offsets[-1], np.uint64)
    of_short = np.repeat(short, lengths)
    result[~of_short] = whole
    for document in np.flatnonzero(short & (lengths > 0)):
        combined = np.uint64(0)
        for value in tokens.hashes[tokens.offsets[document] : tokens.offsets[document + 1]]:
            with np.errstate(over="ignore"):
                combined = combined * np.uint64(_ORDER) + value
        result[offsets[document]] = combined
    return result


def hash_words(texts: Sequence[str]) -> Shingles:
    """The words of every text as shingles of one, not mixed yet."""
    points, bounds = _code_points(texts)
    parts, places = [], []
    for start, piece in _pieces(points):
        hashes, starts = _hash_words(piece)
        parts.append(hashes)
        places.append(starts + start)
    positions = np.concatenate(places) if places else np.empty(0, np.int64)
    hashes = np.concatenate(parts) if parts else np.empty(0, np.uint64)
    return Shingles(hashes, np.searchsorted(positions, bounds).astype(np.int64))


def hash_characters(texts: Sequence[str]) -> Shingles:
    """The characters of every text as shingles of one, white space run together."""
    texts = [" ".join(lower(text).split()) for text in texts]
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), "<u4")
    return Shingles(_character_values().take(points), np.concatenate(([0], np.cumsum(lengths))))


def _code_points(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Lower-cased characters of all texts with a line end after each; where each text starts."""
    lowered = [lower(text) for text in texts]
    joined = "\n".join([*lowered, ""])
    lengths = np.fromiter((len(text) + 1 for text in lowered), np.int64, len(lowered))
    points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), "<u4")
    return points, np.concatenate(([0], np.cumsum(lengths)))


def _pieces(points: NDArray[np.uint32]) -> Iterator[tuple[int, NDArray[np.uint32]]]:
    """Cut between words, so that each piece is short enough for the cache."""
    word = _is_word()
    start = 0
    while start < len(points):
        end = min(start + _PIECE, len(points))
        if end < len(points):
            back = np.flatnonzero(~word[points[start:end]])
            if len(back):
                end = start + int(back[-1]) + 1
            else:  # one endless word
                ahead = np.flatnonzero(~word[points[end:]])
                end = end + int(ahead[0]) + 1 if len(ahead) else len(points)
        yield start, points[start:end]
        start = end


def _hash_words(points: NDArray[np.uint32]) -> tuple[Hashes, NDArray[np.int64]]:
    """Hash of each word of a piece, and the place where it starts."""
    values = _word_values().take(points)
    inside = values != 0
    first = inside.copy()
    first[1:] &= ~inside[:-1]
    starts = np.flatnonzero(first)
    if not len(starts):
        return np.empty(0, np.uint64), starts
    powers, inverses = _powers(1 << (len(points) - 1).bit_length())
    values *= powers[: len(values)]
    # What is between words has value 0, so a sum to the next word's start is the word's own.
    return np.add.reduceat(values, starts) * inverses[starts], starts


def _mixed(values: Hashes) -> Hashes:
    for multiplier in _MIXERS:
        values ^= values >> np.uint64(33)
        values *= np.uint64(multiplier)
    values ^= values >> np.uint64(33)
    return values


@lru_cache(maxsize=1)
def _is_word() -> NDArray[np.bool_]:
    r"""For each code point, whether `\w` matches it."""
    every = np.arange(_CODE_POINTS, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    found = np.zeros(_CODE_POINTS, np.bool_)
    for run in re.finditer(r"\w+", every):
        found[run.start() : run.end()] = True
    return found


@lru_cache(maxsize=1)
def _character_values() -> Hashes:
    """A random odd value for each code point."""
    values = np.arange(1, _CODE_POINTS + 1, dtype=np.uint64)
    return _mixed(values) | np.uint64(1)


@lru_cache(maxsize=1)
def _word_values() -> Hashes:
    """The same, with 0 for what is no word character."""
    return np.where(_is_word(), _character_values(), np.uint64(0))


@lru_cache(maxsize=4)
def _powers(count: int) -> tuple[Hashes, Hashes]:
    """Powers of the position constant and of its inverse."""
    pair = []
    for base in (_POSITION, _POSITION_INVERSE):
        powers = np.full(count, base, dtype=np.uint64)
        powers[0] = 1
        pair.append(np.multiply.accumulate(powers))
    return pair[0], pair[1]
