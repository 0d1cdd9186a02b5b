"""Shingles: the array computation equals the definition, word by word."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup import shingles
from dedup.shingles import Token, shingle_hash, shingle_texts

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=80), max_size=6)


def expected(text: str, token: Token, size: int) -> list[int]:
    """Shingles by the definition."""
    lowered = shingles.lower(text)
    parts = re.findall(r"\w+", lowered) if token == "word" else list(" ".join(lowered.split()))
    joint = " " if token == "word" else ""
    if not parts:
        return []
    windows = [parts[i : i + size] for i in range(max(1, len(parts) - size + 1))]
    return [shingle_hash(joint.join(window), token) for window in windows]


@given(TEXTS, st.sampled_from(["word", "character"]), st.integers(1, 6))
def test_arrays_equal_the_definition(texts: list[str], token: Token, size: int) -> None:
    found = shingle_texts(texts, token, size)
    assert len(found.offsets) == len(texts) + 1
    for number, text in enumerate(texts):
        own = found.hashes[found.offsets[number] : found.offsets[number + 1]]
        assert own.tolist() == expected(text, token, size)


def test_case_punctuation_and_line_ends_do_not_count_for_words() -> None:
    found = shingle_texts(["The cat, sat\non THE mat!", "the cat sat on the mat"], "word", 5)
    assert found.unique(0).tolist() == found.unique(1).tolist()
    assert len(found.unique(0)) == 2


def test_order_of_words_counts() -> None:
    found = shingle_texts(["a b c d e", "e d c b a"], "word", 5)
    assert found.hashes[0] != found.hashes[1]


@pytest.mark.parametrize("length", [1000, shingles._PIECE, 3 * shingles._PIECE])
def test_pieces_of_long_texts_and_endless_words(length: int) -> None:
    text = "x" * length + " " + "lorem ipsum dolor sit amet " * (length // 20)
    whole = shingle_texts([text, "after it"], "word", 3)
    words = text.split()
    assert int(whole.offsets[1]) == len(words) - 2
    assert whole.hashes[1] == shingle_hash(" ".join(words[1:4]))
    assert whole.hashes[-1] == shingle_hash("after it")


def test_lower_keeps_offsets() -> None:
    text = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x110000)]))
    assert len(shingles.lower(text)) == len(text)


def test_hashes_are_spread_over_all_bits() -> None:
    texts = [f"{a} {b}" for a in range(300) for b in range(100)]
    hashes = shingle_texts(texts, "word", 2).hashes
    assert len(np.unique(hashes)) == len(texts)
    bits = np.unpackbits(hashes.view(np.uint8).reshape(-1, 8), axis=1)
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 0.02


def test_word_characters_are_letters_digits_and_the_underscore() -> None:
    expected = [chr(point).isalnum() or point == ord("_") for point in range(0x110000)]
    assert np.array_equal(shingles._is_word(), expected)
