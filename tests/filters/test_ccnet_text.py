"""CCNet's normalisers: worked values, and the fast form against the rules taken one by one."""

from __future__ import annotations

import re
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.ccnet_text import (
    PUNCTUATION,
    normalize_for_dedup,
    normalize_for_language_model,
    normalized_lines,
)

CONTROLS = {chr(c) for c in (*range(0x20), *range(0x7F, 0xA0))}

# Text in which the rules meet: marks, digits of several scripts, controls, accents, marks whose
# order NFD changes, letters that change length in lower case, and white space of all kinds.
TEXTS = st.text(
    st.sampled_from(
        [
            *"aZ 9\n\t\r\x00\x7f\x85\xa0\u2028",
            *PUNCTUATION,
            *"éÉİΣß½²٣५𝟘ﬁK한",
            *"\u0301\u0323\u302e\u1b44\U0001d16d\U0001d165\U0001d158\U00010a0f",
            *"\u1680\u3000\u200b\u0378\U0001f600\U000e0001",
        ]
    )
    | st.characters(exclude_categories=["Cs"])
)


def dedup_rules(line: str) -> str:
    """The comparison form of one line, a rule at a time."""
    line = line.strip().lower()
    line = re.sub(r"\d", "0", line)
    return "".join(c for c in line if c not in PUNCTUATION and c not in CONTROLS)


def language_model_rules(text: str) -> str:
    """The language model's form of a document, a rule at a time."""
    text = unicodedata.normalize("NFD", text.strip().lower())
    text = "".join(c for c in text if unicodedata.category(c) != "Mn")
    text = re.sub(r"\d", "0", text)
    text = "".join(PUNCTUATION.get(c, c) for c in text)
    return "".join(c for c in text if c not in CONTROLS)


def test_table_has_the_34_marks() -> None:
    assert len(PUNCTUATION) == 34
    assert all(not mark.isascii() and new.isascii() for mark, new in PUNCTUATION.items())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", ""),
        ("  \t ", ""),
        ("Tel. 0815-4711!", "tel. 0000-0000!"),
        ("Éléphant ÜBER", "éléphant über"),
        ("“Don’t”, she said…", "dont, she said"),
        ("10–12 – ok — fine", "0000  ok  fine"),
        ("« bonjour »", " bonjour "),
        ("１２３，全角％", "000全角"),
        ("٣५", "00"),
        ("a\tb\x00c\x7fd\x85e", "abcde"),
        ("½ ² ⑨", "½ ² ⑨"),
        ("(a) [b] <c>; d:", "(a) [b] <c>; d:"),
        ("…", ""),
    ],
)
def test_dedup_form(line: str, expected: str) -> None:
    assert normalize_for_dedup(line) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("world.\nÉté", "world.ete"),
        ("a\tb\nc", "abc"),
        ("Ünïcödé 2024", "unicode 0000"),
        ("“Don’t”…", '"don\'t"...'),
        ("a—b", "a - b"),
        ("３．１４，５", "0. 00,0"),
        ("１", "0"),
        ("【九％】？", "[九%]?"),
        ("Straße", "straße"),
        ("й", "и"),
        ("\u1ffd", "'"),
    ],
)
def test_language_model_form(text: str, expected: str) -> None:
    assert normalize_for_language_model(text, newlines="delete") == expected


def test_newlines_as_spaces_keep_words_apart() -> None:
    text = " One two\nthree\tfour\r\nÉté\x00 \n"
    assert normalize_for_language_model(text, newlines="space") == "one two three four  ete"


def test_many_different_characters_take_the_other_way() -> None:
    text = "".join(chr(c) for c in range(0x300, 0x370)) + "".join(PUNCTUATION)
    assert normalize_for_language_model(text, newlines="delete") == language_model_rules(text)


@given(TEXTS)
@settings(max_examples=400)
def test_dedup_form_equals_the_rules_line_by_line(text: str) -> None:
    expected = [dedup_rules(line) for line in text.split("\n")]
    assert normalize_for_dedup(text).split("\n") == expected


@given(TEXTS)
@settings(max_examples=400)
def test_language_model_form_equals_the_rules(text: str) -> None:
    assert normalize_for_language_model(text, newlines="delete") == language_model_rules(text)


@given(st.lists(TEXTS.map(lambda text: text.replace("\n", " "))))
def test_every_line_gets_its_own_form(lines: list[str]) -> None:
    assert normalized_lines(lines) == [dedup_rules(line).encode() for line in lines]


def test_every_character_alone() -> None:
    characters = [chr(c) for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000]
    together = "\n".join(f"x{c}y" for c in characters if c != "\n")
    expected = [dedup_rules(f"x{c}y") for c in characters if c != "\n"]
    assert normalize_for_dedup(together).split("\n") == expected


def test_a_newline_inside_a_line_is_refused() -> None:
    with pytest.raises(ValueError, match="newline"):
        normalized_lines(["a\nb"])


@pytest.mark.real
def test_real_text(real_data: Path) -> None:
    for path in sorted((real_data / "books").glob("*.txt"))[::6]:
        text = path.read_bytes().decode("utf-8", "replace")[:60_000]
        assert normalize_for_language_model(text, newlines="delete") == language_model_rules(text)
        expected = [dedup_rules(line) for line in text.split("\n")]
        assert normalize_for_dedup(text).split("\n") == expected
