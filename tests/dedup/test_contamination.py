"""Matching and cutting of evaluation items: the arrays equal the definition, in plain Python."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.contamination import CHARACTERS, Matches, NgramArrays
from dedup.contamination_builder import Built, NgramIndexBuilder
from dedup.contamination_spans import matched_spans, remove_spans, word_spans
from dedup.shingles import lower

WORDS = ["the", "cat", "sat", "Straße", "на", "Δέντρο", "7", "x_1", "naïve", "don't"]
GAPS = [" ", "  ", ", ", ".\n", "\n\n", " – ", "… ", "\t", " (", '" ', "\r\n"]
Item = list[str]
TEXT = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
ITEMS = st.lists(st.lists(TEXT, min_size=1, max_size=3), min_size=1, max_size=8)


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", lower(text))


def build(
    sets: list[list[Item]], size: int = 4, minimum_words: int = 3, maximum_items: int = 100
) -> Built:
    builder = NgramIndexBuilder(size, minimum_words, maximum_items)
    for items in sets:
        builder.start_set()
        for item in items:
            builder.add(item)
    return builder.build()


def definition(items: list[Item], size: int, minimum_words: int) -> dict[tuple[str, ...], set[int]]:
    """Word n-gram -> the items that it stands for."""
    ngrams: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for number, item in enumerate(items):
        texts = [words_of(text) for text in item]
        is_long = any(len(text) >= size for text in texts)
        for text in texts:
            length = size if len(text) >= size else len(text)
            if length == size or (not is_long and length >= minimum_words):
                for start in range(len(text) - length + 1):
                    ngrams[tuple(text[start : start + length])].add(number)
    return ngrams


def matches_by_definition(
    text: str, ngrams: dict[tuple[str, ...], set[int]]
) -> set[tuple[int, int]]:
    words = words_of(text)
    lengths = {len(ngram) for ngram in ngrams}
    return {
        (start, length)
        for length in lengths
        for start in range(len(words) - length + 1)
        if tuple(words[start : start + length]) in ngrams
    }


def positions(matches: Matches | None) -> set[tuple[int, int]]:
    if matches is None:
        return set()
    return set(zip(matches.starts.tolist(), matches.lengths.tolist(), strict=True))


@given(ITEMS, st.lists(TEXT, max_size=6), st.integers(2, 5), st.integers(1, 5))
@settings(max_examples=300)
def test_finds_exactly_what_the_definition_finds(
    items: list[Item], texts: list[str], size: int, minimum_words: int
) -> None:
    minimum_words = min(size, minimum_words)
    built = build([items], size, minimum_words)
    ngrams = definition(items, size, minimum_words)
    found = built.index.find(texts)
    assert set(found) <= set(range(len(texts)))
    for number, text in enumerate(texts):
        expected = matches_by_definition(text, ngrams)
        assert positions(found.get(number)) == expected
        if expected:
            contamination = built.index.judge(found[number], 1)
            assert contamination is not None
            words = words_of(text)
            held = (ngrams[tuple(words[s : s + length])] for s, length in expected)
            assert contamination.items.tolist() == sorted(set().union(*held))
            assert positions(contamination.matches) == expected
    represented = set().union(*ngrams.values()) if ngrams else set()
    assert built.too_short.tolist() == [n not in represented for n in range(len(items))]


@given(st.data(), st.lists(st.sampled_from(WORDS).filter(str.isascii), min_size=4, max_size=9))
@settings(max_examples=200)
def test_a_planted_item_is_found_whatever_stands_between_its_words(
    data: st.DataObject, item: list[str]
) -> None:
    planted = "".join(
        data.draw(st.sampled_from([word, word.upper(), word.capitalize()]))
        + data.draw(st.sampled_from(GAPS))
        for word in item
    )
    before, after = data.draw(TEXT), data.draw(TEXT)
    texts = ["an innocent text of a few words", f"{before} | {planted} | {after}"]
    index = build([[[" ".join(item)]]]).index
    found = index.find(texts)
    assert set(found) == {1}
    start, length = len(words_of(before)), len(words_of(planted))
    assert {(place, 4) for place in range(start, start + length - 3)} <= positions(found[1])


def test_no_ngram_runs_across_two_texts_of_an_item_or_two_documents() -> None:
    built = build([[["one two three four", "five six seven eight"]]])
    assert not built.index.find(["three four five six", "one two", "three four"])
    assert set(built.index.find(["one two three four", "five six seven eight"])) == {0, 1}


def test_random_text_has_no_match_and_planted_text_has_every_one() -> None:
    generator = random.Random(3)
    vocabulary = [f"w{number}" for number in range(3000)]
    items = [[" ".join(generator.choices(vocabulary, k=40))] for _ in range(500)]
    texts = [" ".join(generator.choices(vocabulary, k=600)) for _ in range(500)]
    for number in range(0, 500, 10):
        words = texts[number].split()
        place = generator.randrange(580)
        words[place : place + 13] = items[number][0].split()[20:33]
        texts[number] = " ".join(words)
    index = build([items], size=13, minimum_words=8).index
    found = index.find(texts)
    assert sorted(found) == list(range(0, 500, 10))
    for number, matches in found.items():
        contamination = index.judge(matches, 1)
        assert contamination is not None
        assert contamination.items.tolist() == [number]


def test_short_texts_stand_for_an_item_only_if_it_has_no_long_one() -> None:
    items = [["red green blue"], ["alpha beta gamma delta", "red lilac blue"], ["too short"]]
    built = build([items])
    assert built.too_short.tolist() == [False, False, True]
    found = built.index.find(["RED, green; blue", "red lilac blue", "red green"])
    assert positions(found.pop(0)) == {(0, 3)}
    assert not found


def test_what_is_in_too_many_items_of_a_set_is_left_out() -> None:
    template = "answer the following question"
    one = [[f"{template} word{n} word{n}a word{n}b word{n}c"] for n in range(5)]
    one.append([template])
    built = build([one], maximum_items=5)
    assert len(built.common) == 1
    assert built.too_common.tolist() == [False] * 5 + [True]
    assert not built.index.find([template])
    assert 0 in built.index.find([f"{template} word3 word3a word3b"])
    # The same text in several sets is no template: each set counts alone.
    halves = build([one[:3], one[3:]], maximum_items=5)
    assert not len(halves.common)
    contamination = halves.index.judge(halves.index.find([template])[0], 1)
    assert contamination is not None
    assert contamination.items.tolist() == [0, 1, 2, 3, 4, 5]


def test_a_shared_passage_is_kept_once_and_names_every_item() -> None:
    items = [
        ["a passage that every question shares", f"question number {n} of five"] for n in "abc"
    ]
    built = build([items])
    contamination = built.index.judge(built.index.find(["passage that every question"])[0], 1)
    assert contamination is not None
    assert contamination.items.tolist() == [0, 1, 2]
    assert not len(build([items], maximum_items=3).common)
    assert len(build([items], maximum_items=2).common) == 3


def test_minimum_matches_counts_different_ngrams_of_one_text() -> None:
    index = build([[["a b c d e f g h"], ["i j k l"]]]).index
    once, twice = index.find(["a b c d x a b c d x", "a b c d e"]).values()
    assert once.distinct == 1
    assert index.judge(once, 1) is not None
    assert index.judge(once, 2) is None
    contamination = index.judge(twice, 2)
    assert contamination is not None
    assert contamination.items.tolist() == [0]
    # A text with fewer n-grams than that counts when it occurs whole.
    whole = index.judge(index.find(["x i j k l x"])[0], 2)
    assert whole is not None
    assert whole.items.tolist() == [1]


def test_matches_below_the_threshold_are_no_evidence() -> None:
    index = build([[["a b c d e f g h"], ["i j k l m n"]]]).index
    contamination = index.judge(index.find(["a b c d x i j k l m"])[0], 2)
    assert contamination is not None
    assert contamination.items.tolist() == [1]
    assert positions(contamination.matches) == {(5, 4), (6, 4)}


@pytest.mark.parametrize("items", [[], [["too short"]], [[""]], [[]]])
def test_nothing_to_match_finds_nothing(items: list[Item]) -> None:
    built = build([items])
    assert built.too_short.all()
    assert not built.index.find(["anything at all would do", ""])
    assert not built.index.find([])


def test_long_inputs_are_matched_in_chunks() -> None:
    index = build([[["one two three four"]]]).index
    filler = "lorem ipsum " * (CHARACTERS // 12)
    texts = ["", filler, f"{filler} one two three four", "one two three four", filler]
    assert sorted(index.find(texts)) == [2, 3]


def test_the_same_items_make_the_same_arrays() -> None:
    generator = random.Random(5)
    items = [[" ".join(generator.choices(WORDS, k=generator.randrange(30)))] for _ in range(300)]
    one, other = (build([items[:100], items[100:]], maximum_items=20) for _ in range(2))
    for name in NgramArrays.names():
        assert np.array_equal(getattr(one.index.arrays, name), getattr(other.index.arrays, name))
    hashes = one.index.arrays.hashes
    assert (hashes[1:] > hashes[:-1]).all()


@given(
    ITEMS,
    st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(GAPS)), max_size=40),
)
@settings(max_examples=300)
def test_a_cut_takes_what_matches_and_nothing_else(
    items: list[Item], parts: list[tuple[str, str]]
) -> None:
    text = "".join(word + gap for word, gap in parts)
    matches = build([items]).index.find([text]).get(0)
    if matches is None:
        return
    spans = matched_spans(text, matches)
    assert spans == sorted(spans)
    assert all(end < start for (_, end), (start, _) in pairwise(spans))
    rest = remove_spans(text, spans)
    assert len(rest) == len(text) - sum(end - start for start, end in spans)
    words = word_spans(text)
    inside = [any(start <= word[0] < end for start, end in spans) for word in words]
    covered = {s + step for s, length in positions(matches) for step in range(length)}
    assert all(inside[place] for place in covered)
    # No word is split, none is joined.
    kept = [text[start:end] for (start, end), cut in zip(words, inside, strict=True) if not cut]
    assert re.findall(r"\w+", rest) == kept
    # What is cut beside the matches is the rest of a word that an apostrophe divides.
    extra = [text[slice(*words[n])] for n, cut in enumerate(inside) if cut and n not in covered]
    assert set(extra) <= {"don", "t"}


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Before. One two THREE four! After.", "Before. ! After."),
        ("one-two three four", ""),
        ("x-one two three four-y z", " z"),
        ("one two three four five one two three four", " five "),
        ("(one two three four)(one two three four)", "()"),
        ("é one two three four\u0301 é", "é  é"),
        ("a one\ntwo\n\nthree - four\nb", "a \nb"),
    ],
)
def test_spans_are_as_wide_as_words_are_written(text: str, rest: str) -> None:
    matches = build([[["one two three four"]]]).index.find([text])[0]
    assert remove_spans(text, matched_spans(text, matches)) == rest
