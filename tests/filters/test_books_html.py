"""HTML and EPUB editions to text."""

from __future__ import annotations

import time

import pytest

from filters.books import BookLayout, HtmlEdition, HtmlEditionSettings
from filters.books.html_edition import DIVIDER, edition_text
from filters.document import Document, Rejected

PLAIN = HtmlEditionSettings()
MARKED = HtmlEditionSettings(mark_headings=True, mark_tables=True)


def text(body: str, settings: HtmlEditionSettings = PLAIN) -> str:
    return edition_text(f"<html><head><title>T</title></head><body>{body}</body></html>", settings)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<p>One\nline  of <i>it</i>.</p>\n<p>Two.</p>", "One line of it.\n\nTwo."),
        ("<h2>CHAPTER I</h2><p>One.</p>", "CHAPTER I\n\nOne."),
        ("<p>a</p><hr/><p>b</p>", "a\n\n\n\nb"),
        # Verse by line ends, by lines in elements, and with its indentation.
        ("<p class='poem'>One<br/>\nTwo</p>", "One\nTwo"),
        (
            "<div class='stanza'><span class='i0'>One<br/></span>"
            "<span class='i2'>Two<br/></span></div>"
            "<div class='stanza'><span class='i0'>Three<br/></span></div>",
            "One\n  Two\n\nThree",
        ),
        (
            "<div class='poetry'><div class='stanza'><div class='verse indent0'>One</div>"
            "<div class='verse indent4'>Two</div></div></div>",
            "One\n    Two",
        ),
        ("<pre>a\n  b\n\nc</pre><p>d  e</p>", "a\n  b\n\nc\n\nd e"),
        # What is marked as no text of the author's.
        ("<p>on<span class='pagenum'>[Pg 3]</span>e</p>", "one"),
        ("<div class='transnote'><p>Note.</p></div><p>One.</p>", "One."),
        ("<p>One.</p><p><a href='a.mid'>Listen</a></p><p>Two.</p>", "One.\n\nTwo."),
        ("<section epub:type='colophon'><p>x</p></section><p>One.</p>", "One."),
        ("<nav><p>Contents</p></nav><p>One.</p>", "One."),
        ("<p><img alt='O' src='o.png'/>nce</p><p><img alt='A mill'/>Two</p>", "Once\n\nTwo"),
        ("<p>one<sup>2</sup> and<!-- x --> two</p>", "one2 and two"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("<table><tr><td>a</td><td>1</td></tr><tr><td>b</td><td>2</td></tr></table>",
         "a   1\nb   2"),
        ("<p>caf&eacute; &amp; \u0153uvre</p>", "caf\u00e9 & \u0153uvre"),
    ],
)  # fmt: skip
def test_text(body: str, expected: str) -> None:
    assert text(body) == expected


def test_structure_by_option() -> None:
    table = "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>"
    body = f"<h1>THE MILL</h1><h2>CHAPTER I</h2><p>One.</p>{table}<p>Two.</p>"
    assert text(body, MARKED) == (
        "# THE MILL\n\n\n\n## CHAPTER I\n\nOne.\n\n| a | b |\n| 1 | 2 |\n\nTwo."
    )


def run(raw: bytes, form: str = "html") -> Document | Rejected:
    return HtmlEdition()(Document("a", "books", raw=raw, metadata={"form": form}))


def test_files_of_a_book_follow_one_another() -> None:
    one = "<html><body><p>Caf\u00e9.</p></body></html>".encode()
    latin = (
        b"<html><head><meta http-equiv='Content-Type' content='text/html; charset=iso-8859-1'/>"
        b"</head><body><p>Na\xefve.</p></body></html>"
    )
    result = run(DIVIDER.join([one, latin]), "epub")
    assert isinstance(result, Document)
    assert (result.text, result.raw) == ("Caf\u00e9.\n\n\n\nNa\u00efve.", b"")


def test_other_documents_pass() -> None:
    document = Document("a", "books", raw=b"<p>x</p>", metadata={"form": "text"})
    assert HtmlEdition()(document) is document
    assert document.raw == b"<p>x</p>"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [(b"<html><body></body></html>", "empty"), (b"", "malformed_html"), (b"<!-- -->", "")],
)
def test_reasons(raw: bytes, reason: str) -> None:
    result = run(raw)
    assert isinstance(result, Rejected)
    assert result.reason in (reason or "malformed_html", "empty")


def test_lines_of_markup_are_not_joined() -> None:
    verse = "the carrier came up the hill with nine sacks of\nmeal and a broken clock for the"
    document = Document("a", "books", f"{verse}\n\n{verse}", {"form": "html"})
    result = BookLayout()(document)
    assert isinstance(result, Document)
    assert result.text == f"{verse}\n\n{verse}"


@pytest.mark.parametrize("body", ["<div>" * 100_000, "<p>x" * 300_000, "<i>x</i>" * 300_000])
def test_hostile_markup_takes_linear_time(body: str) -> None:
    started = time.process_time()
    run(body.encode())
    assert time.process_time() - started < 10  # 2 s measured
