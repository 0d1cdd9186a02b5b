"""Marks of scanning go; numbers that are the book's stay."""

from __future__ import annotations

import time

import pytest

from filters.books import ScanCleaner
from filters.document import Document

PAGE = (
    "The carrier came up the hill with nine sacks of meal,\na broken clock and a letter for the\n"
    "schoolmaster, which nobody had paid for, and put"
)
REST = "them down before the door, and waited there."


def cleaned(text: str) -> Document:
    result = ScanCleaner()(Document("a", "books", text))
    assert isinstance(result, Document), result
    return result


@pytest.mark.parametrize(
    "mark",
    [
        "{n}",
        "[{n}]",
        "\u2014 {n} \u2014",
        "{n} THE MILL",
        "THE MILL. {n}",
        "The Mill on the Weir   {n}",
    ],
)
def test_page_numbers_and_running_heads_go_and_sentences_go_on(mark: str) -> None:
    pages = [f"{PAGE}\n\n{mark.format(n=number)}\n\n{REST}\n\n" for number in range(7, 40)]
    found = cleaned("".join(pages))
    assert found.text.strip() == "\n\n".join([f"{PAGE}\n{REST}"] * 33)
    assert found.signals["page_marks"] == 33


@pytest.mark.parametrize(
    "lines",
    [
        [f"{number}\n\nWhen I do count the clock that tells the time." for number in range(1, 60)],
        [f"CHAPTER {number}\n\nThe carrier came." for number in range(1, 60)],
        [f"THE MILL AND THE WEIR   {number}" for number in range(1, 60)],
        ["ROPER.\n\nyes, and so it is" for _ in range(60)],
        ["1914\n\nand so on" for _ in range(60)],
    ],
    ids=["sonnets", "chapters", "contents", "speakers", "years"],
)
def test_numbers_of_the_book_stay(lines: list[str]) -> None:
    text = "\n\n".join(lines)
    assert cleaned(text).text == text
    assert cleaned(text).signals["page_marks"] == 0


def test_notices_of_libraries_go() -> None:
    front = (
        "Google\n\nThis is a digital copy of a book that was preserved for generations on library "
        "shelves before it was carefully scanned by Google.\n\nUsage guidelines\n\n"
        + "Google is proud to partner with libraries. " * 9
        + "\n\nat http://books.google.com/\n\n"
    )
    mark = "\n\nDigitized by the Internet Archive\nin 2007 with funding from\nMicrosoft\n\n"
    found = cleaned(f"{front}THE MILL\n\n{PAGE}\n\nDigitized by Google\n\n{REST}{mark}").text
    assert "oogle" not in found
    assert "Digitized" not in found
    assert found.strip().startswith("THE MILL")
    words = "He was digitized by Google and said so, in a sentence of his own."
    assert cleaned(words).text == words


@pytest.mark.parametrize(
    "text", ["\n\n1" * 300_000, "\n \n" + " " * 900_000 + "x", "a 1\n\n" * 300_000]
)
def test_hostile_texts_take_linear_time(text: str) -> None:
    started = time.process_time()
    ScanCleaner()(Document("a", "books", text))
    assert time.process_time() - started < 5  # 1 s measured
