"""Sentences counted as NLTK counts them, and the pages that have too few."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.document import Document, Rejected
from filters.sentences import Punkt, SentenceFilter, SentenceSettings

THREE = SentenceSettings(enabled=True, minimum_sentences=3)
PUNKT = Punkt()


def opened(line_by_line: bool) -> SentenceFilter:
    stage = SentenceFilter(THREE, "sentences", line_by_line)
    stage.open()
    return stage


BY_LINE, WHOLE = opened(True), opened(False)


def count(text: str) -> int:
    return len(list(PUNKT.sentences(text)))


# What NLTK 3.10.4 says, with the English model of its punkt_tab.
@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Dr. Smith met Mr. Jones at 5 p.m. on Jan. 3 in St. Louis.", 1),
        ("It works. Does it? Yes!", 3),
        ("The price is 3.50 dollars. That is too much.", 2),
        ("The U.S. Army came. It left.", 2),
        ("no end mark at all", 1),
        ("J. S. Bach wrote it. He did.", 2),
        ("It costs 5. That is fine.", 2),
        ("He paused... Then he left.", 1),
        ("Is it so?! Yes. No", 3),
        ("Read this. - It is new.", 2),
    ],
)
def test_sentences_end_where_punkt_says(text: str, sentences: int) -> None:
    assert count(text) == sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("What a place !!", ["What a place !", "!"]),
        ("Wow!!! It works.", ["Wow!!!", "It works."]),
        ("Wait . . . what is it?", ["Wait .", ".", ".", "what is it?"]),
        ("See No. 5 for more. It helps.", ["See No.", "5 for more.", "It helps."]),
    ],
)
def test_what_the_package_mends_counts_as_nltk_has_it(text: str, sentences: list[str]) -> None:
    assert list(PUNKT.sentences(text)) == sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ('He said "Stop." She stopped.', ['He said "Stop."', "She stopped."]),
        ("(It rains.) We stay.", ["(It rains.)", "We stay."]),
        ("He said “Stop.” She stopped.", ["He said “Stop.”", "She stopped."]),
        ("Er rief: „Halt.“ Sie ging.", ["Er rief: „Halt.“", "Sie ging."]),
    ],
)
def test_closing_quotes_belong_to_the_sentence_before(text: str, sentences: list[str]) -> None:
    assert list(PUNKT.sentences(text)) == sentences


@pytest.mark.parametrize(
    "text",
    [
        'He said "no"\nThen he left.\nShe stayed.',
        'The name is "Acme Inc."\nIt is old.\nIt is ours.',
        "We met at 5 p.m.\nThen we ate.\nIt was good.",
    ],
)
def test_a_sentence_may_go_on_in_the_next_line_once_lines_are_deduplicated(text: str) -> None:
    # The code counts line by line when it cleans, and the whole text when it has deduplicated.
    assert isinstance(BY_LINE(Document("a", "c4", text)), Document)
    assert WHOLE(Document("a", "c4", text)) == Rejected("too_few_sentences", "2 < 3")


def test_sentences_of_all_lines_count_together() -> None:
    enough = Document("a", "c4", "One is here. Two is here.\nThree is here.")
    assert BY_LINE(enough) is enough
    few = Document("a", "c4", "Mr. One.\nMr. Two.")
    assert BY_LINE(few) == Rejected("too_few_sentences", "2 < 3")


LINES = st.lists(st.text('ab.!? A1"”', min_size=1).filter(str.strip), min_size=1, max_size=5)


@given(LINES)
def test_looking_no_further_than_needed_decides_as_counting_all_would(lines: list[str]) -> None:
    text = "\n".join(map(str.strip, lines))
    by_line = isinstance(BY_LINE(Document("a", "c4", text)), Document)
    assert by_line == (sum(map(count, text.split("\n"))) >= 3)
    assert isinstance(WHOLE(Document("a", "c4", text)), Document) == (count(text) >= 3)


@given(LINES)
def test_sentences_are_the_text_without_the_blanks_between(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = "".join(PUNKT.sentences(text))
    assert "".join(found.split()) == "".join(text.split())


def test_an_opened_stage_can_be_pickled() -> None:
    copy = pickle.loads(pickle.dumps(WHOLE))
    copy.open()
    assert (copy.name, copy.settings, copy.line_by_line) == ("sentences", THREE, False)
