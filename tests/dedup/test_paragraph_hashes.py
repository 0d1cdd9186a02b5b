"""Paragraph keys against SHA-1 taken line by line, and the rule within one document."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.decisions import removed_rows
from dedup.groups import find_groups
from dedup.key_blocks import KeyBlock
from dedup.paragraph_hashes import (
    BLANK_KEY,
    compared_paragraphs,
    hash_document,
    paragraph_keys,
    unique_paragraphs,
)
from filters.ccnet_text import normalize_for_dedup


def slow_key(line: str) -> int:
    digest = hashlib.sha1(normalize_for_dedup(line).encode()).digest()
    key: int = struct.unpack("<Q", digest[:8])[0]
    return key


def kept(text: str) -> list[str]:
    hashes = hash_document(text)
    return [hashes.lines[index] for index in unique_paragraphs(hashes.lines, hashes.keys)]


def test_key_is_the_first_8_bytes_of_sha1_little_endian() -> None:
    # SHA-1("abc") = a9993e36 4706816a ba3e2571 7850c26c 9cd0d89d (FIPS 180, appendix A).
    keys = paragraph_keys(["  ABC\t"])
    assert keys.dtype == np.uint64
    assert keys.tolist() == [0x6A810647363E99A9]


@pytest.mark.parametrize("line", ["", "   ", "\x00", "…", "»"])
def test_a_line_without_content_has_the_blank_key(line: str) -> None:
    assert BLANK_KEY == 0x0D4B6B5EEEA339DA
    assert paragraph_keys([line]).tolist() == [BLANK_KEY]


def test_lines_that_differ_in_case_digits_and_marks_are_the_same() -> None:
    first, second, third = paragraph_keys(["Page 1 of 20", "“page 7 of 99”", "page 7 of 999"])
    assert first == second != third


@given(st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]))))
def test_keys_equal_those_of_each_line(lines: list[str]) -> None:
    assert paragraph_keys(lines).tolist() == [slow_key(line) for line in lines]


def test_no_lines() -> None:
    assert paragraph_keys([]).shape == (0,)
    assert hash_document("").lines == [""]
    assert unique_paragraphs([], paragraph_keys([])).tolist() == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("A\nA\nB\n\nC", ["A", "B", "C"]),
        ("x\nX\nx", ["x"]),
        ("B\n \n…\nD", ["B", "D"]),
        ("\n\n", []),
        ("one\ntwo", ["one", "two"]),
    ],
)
def test_first_of_equal_lines_stays_and_blanks_go(text: str, lines: list[str]) -> None:
    assert kept(text) == lines


@given(st.lists(st.sampled_from(["a", "A", "b", "1", "2", "", " ", "…", "c"])))
def test_unique_paragraphs_equals_a_plain_loop(lines: list[str]) -> None:
    seen, expected = {normalize_for_dedup("")}, []
    for index, line in enumerate(lines):
        if (form := normalize_for_dedup(line)) not in seen:
            seen.add(form)
            expected.append(index)
    assert unique_paragraphs(lines, paragraph_keys(lines)).tolist() == expected


def test_with_removal_of_every_copy_as_cc_net() -> None:
    documents = ["A\nA\nB\n\nC", "B\n\nD", "x\nx\nx"]
    keys, lines = [], []
    for document in documents:
        hashes = hash_document(document)
        unique = unique_paragraphs(hashes.lines, hashes.keys)
        keys.append(hashes.keys[unique])
        lines.append([hashes.lines[index] for index in unique])
    joined = np.concatenate(keys)
    block = KeyBlock.of(joined, np.arange(len(joined), dtype=np.uint32))
    decided = dict(removed_rows(find_groups([block], [0], [0]), "remove_all"))
    removed = decided[0]["row"].tolist()
    rows = iter(range(sum(map(len, lines))))
    remaining = [[line for line in own if next(rows) not in removed] for own in lines]
    assert remaining == [["A", "C"], ["D"], ["x"]]


def test_keys_of_other_lines_are_refused() -> None:
    with pytest.raises(ValueError, match="2 lines, 1 keys"):
        unique_paragraphs(["a", "b"], paragraph_keys(["a"]))


def stays(lines: list[str], kinds: str, minimum_words: int = 10) -> tuple[list[int], list[bool]]:
    """Numbers of the lines that stay, and whether each of them is compared."""
    hashed = hash_document("\n".join(lines))
    kept, keys = compared_paragraphs(hashed, kinds, minimum_words)
    return kept.tolist(), [key != BLANK_KEY for key in keys.tolist()]


LONG = "The council met on Tuesday evening to discuss the plans for the bridge."
CHINESE = "市议会星期二晚上开会讨论了跨河新桥的计划，居民们担心施工期间的交通问题。"


def test_only_long_paragraphs_are_compared():
    assert stays([LONG, "Conclusion", LONG, "Conclusion"], "pppp") == (
        [0, 1, 3],
        [True, False, False],
    )
    assert stays([LONG, LONG.replace("T", "t")], "pp") == ([0], [True])
    ten = "one two three four five six seven eight nine ten"
    assert stays([ten, ten[:-4], ten, ten[:-4]], "pppp") == ([0, 1, 3], [True, False, False])


def test_code_rows_items_verse_and_headings_stay_however_long():
    for kind in "circvh":
        assert stays([LONG, LONG, LONG], kind * 3) == ([0, 1, 2], [False] * 3)


def test_blank_lines_stay_in_code_and_between_blocks_only():
    assert stays([LONG, "", "x = 1", "", "", "y", ""], "ppcccc-") == (
        [0, 2, 3, 4, 5, 6],
        [True, False, False, False, False, False],
    )


def test_words_of_scripts_without_spaces():
    assert stays([CHINESE, CHINESE], "pp") == ([0], [True])
    assert stays(["常见问题", "常见问题"], "pp") == ([0, 1], [False, False])
