"""Which lines are joined: prose however it was wrapped, and neither verse nor lists; hyphens."""

from __future__ import annotations

import random
import textwrap

import pytest

from filters.books import BookLayout
from filters.books.hyphens import english_words
from filters.document import Document

SENTENCES = (
    "The carrier came up the hill with nine sacks of meal, a broken clock and a letter for the "
    "schoolmaster, which nobody had paid for. He put them down before the door and waited, as he "
    "always did, until somebody asked him what the weather was like on the other side of the pass."
)
VERSE = (
    "The evening comes in at the seaward door,\nThe wheel gives a turn and is still;\n"
    "There is dust of the hemp on the ropewalk floor\nAnd a light on the opposite hill."
)


def laid_out(*paragraphs: str) -> list[str]:
    result = BookLayout()(Document("a", "books", "\n\n".join(paragraphs)))
    assert isinstance(result, Document), result
    return result.text.split("\n\n")


def ragged(seed: int) -> str:
    """The sentences with lines of any length from 34 to 62 characters, as typed by hand."""
    draw = random.Random(seed)
    lines, line, limit = [], "", draw.randint(34, 62)
    for word in SENTENCES.split():
        if line and len(line) + 1 + len(word) > limit:
            lines.append(line)
            line, limit = "", draw.randint(34, 62)
        line = f"{line} {word}".strip()
    return "\n".join([*lines, line])


def by_clauses(start: int) -> tuple[str, str]:
    """A paragraph, and its lines broken where a clause ends whenever that is near."""
    words = f"{SENTENCES} {SENTENCES}".split()[start:]
    lines, line = [], ""
    for word in words:
        if line and (len(line) + 1 + len(word) > 76 or (line[-1] in ",." and len(line) > 44)):
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return " ".join(words), "\n".join([*lines, line])


def wrapped(width: int = 70, indent: str = "") -> str:
    return textwrap.fill(
        SENTENCES, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


def test_a_ragged_book_is_joined() -> None:
    assert laid_out(*(ragged(seed) for seed in range(20))) == [SENTENCES] * 20


def test_two_typists_of_one_book() -> None:
    parts = [wrapped(72)] * 20 + [ragged(seed) for seed in range(4)] + [wrapped(55)] * 8
    assert laid_out(*parts) == [SENTENCES] * 32


def test_lines_that_end_with_clauses() -> None:
    pairs = [by_clauses(start) for start in range(0, 40, 2)]
    assert laid_out(*(lines for _, lines in pairs)) == [words for words, _ in pairs]


def test_a_quotation_that_is_set_in_is_joined_and_stays_set_in() -> None:
    found = laid_out(wrapped(), wrapped(60, "    "), wrapped())
    assert found == [SENTENCES, f"    {SENTENCES}", SENTENCES]


def test_paragraphs_without_empty_lines_between_them() -> None:
    indented = f"   {wrapped(68)}"
    assert laid_out("\n".join([indented] * 6)) == ["\n".join([f"   {SENTENCES}"] * 6)]


def test_a_heading_over_its_paragraph_and_a_last_short_line() -> None:
    text = f"CHAPTER ONE\n{wrapped(60)}\nHe went.\nThen {wrapped()[4:]}"
    joined = f"CHAPTER ONE\n{SENTENCES}\nHe went.\nThen {SENTENCES[4:]}"
    assert laid_out(text, wrapped(), wrapped())[0] == joined


@pytest.mark.parametrize(
    "lines",
    [
        VERSE,
        VERSE.replace("\n", "\n   "),
        VERSE.upper(),
        # Blank verse, whose sentences end inside the lines.
        "Of sacks of meal the carrier brought to him\nUp the steep hill that rises from the weir\n"
        "And put them down, and waited. No one came\nTo ask him of the weather or the pass\n"
        "Until the clock that had been mended struck",
        "Mill Street\nWeirham\n3rd May, 1871",
        "ACT I\nSCENE: A mill.\nTIME: Evening.",
        "Of the mill        3\nOf the weir        17\nOf the sacks      204",
        "apple, 3, 45\nbarley, 17\ncarts of meal, 9\ndams, see weirs, 20",
        "+------+------+\n| mill | weir |\n+------+------+",
        "rota molae sonat,\naqua cadit alta,\nvenit viator,\nsaccos portat,\nstat ante portam.",
    ],
)
def test_lines_that_are_the_author_s_stay(lines: str) -> None:
    assert lines in laid_out(*[wrapped()] * 6, lines, *[wrapped()] * 6)
    assert lines in laid_out(*(ragged(seed) for seed in range(9)), lines, ragged(10))


def test_chinese_is_joined_without_a_space_or_left() -> None:
    sentence = "道可道，非常道。名可名，非常名。無名天地之始；有名萬物之母。故常無欲，以觀其妙。"
    assert laid_out("\n".join(["第一章", sentence, sentence])) == [
        f"第一章\n{sentence}\n{sentence}"
    ]
    text = sentence * 6
    lines = "\n".join(text[place : place + 33] for place in range(0, len(text), 33))
    assert laid_out(lines, lines) == [text, text]
    verse = "春眠不覺曉，\n處處聞啼鳥。\n夜來風雨聲，\n花落知多少。"
    assert laid_out(lines, verse, lines) == [text, verse, text]


@pytest.mark.parametrize(
    ("cut", "whole"),
    [
        ("scru-\ntinise", "scrutinise"),  # in the list alone
        ("com-\nplained", "complained"),
        ("sheep-\nbells", "sheep-bells"),  # both are words
        ("Verfas-\nsung", "Verfassung"),  # in no list; neither half is a word
        ("Mac-\nPherson", "Mac-Pherson"),
        ("to-\nday", "to-day"),  # the book has it so elsewhere
        ("mill-\nwheel", "millwheel"),  # the book has it so elsewhere
        ("weir\u00ad\nham", "weirham"),
        ("weir\u00ac\nham", "weirham"),
        ("late--\nvery", "late--very"),
        ("late\n--very", "late--very"),
        ("late --\nvery", "late -- very"),
        ("1914-\n18", "1914-18"),
    ],
)
def test_hyphens_at_line_ends(cut: str, whole: str) -> None:
    before = "The director of the company, a man of some years, had gone out and seen"
    text = f"{before} the {cut} of the place and all that was there to be seen of it that day."
    others = ["He said to-day that the millwheel had never turned before, or so it seemed."] * 3
    assert f"seen the {whole} of the place" in "\n".join(laid_out(text, *[wrapped()] * 5, *others))


def test_the_list_of_words_is_the_one_the_code_was_made_for() -> None:
    words = english_words()
    assert {"colour", "color", "scrutinise", "complained"} <= words
    assert not {"scru", "tinise", "Paris"} & words
