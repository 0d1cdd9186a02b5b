"""Parsoid's HTML to text: the page as Wikipedia shows it, without boxes, notes and navigation."""

from __future__ import annotations

import pytest

from filters.document import Document, Rejected
from filters.wikitext import WikitextCleaner, WikitextSettings
from filters.wikitext.rendered import rendered_text, urls_of

DROPPED = ("references", "external_links", "see_also")


def text(body: str, language: str = "en") -> str:
    page = f"<!DOCTYPE html>\n<html><head><title>T</title></head><body>{body}</body></html>"
    return rendered_text(page.encode(), language=language, dropped_sections=DROPPED)[0]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<p>A <a href='./b'>link</a>,\n<i>new</i> line.</p>", "A link, new line."),
        (
            "<p>At <span typeof='mw:Transclusion' about='#mwt1'>6&#160;ft (1.8&#160;m)</span>.</p>",
            "At 6 ft (1.8 m).",
        ),
        (
            "<p>Said<sup typeof='mw:Extension/ref' class='mw-ref reference'>[1]</sup> so"
            "<sup class='noprint Inline-Template'>[citation needed]</sup>.</p>",
            "Said so.",
        ),
        ("<p>x<sup>2</sup>, H<sub>2</sub>O, <i>a</i><sup><i>n</i></sup></p>", "x², H₂O, a^n"),
        ("<p>the 5<sup>th</sup> and t<sup>h</sup></p>", "the 5th and th"),
        ("<p>a <span style='display: none'>hidden</span> b</p>", "a b"),
        ("<p>a</p><table class='infobox'><tr><td>box</td></tr></table><p>b</p>", "a\n\nb"),
        ("<div class='navbox'><p>x</p></div><div class='hatnote'>y</div><p>b</p>", "b"),
        ("<figure typeof='mw:File/Thumb'><figcaption>c</figcaption></figure><p>b</p>", "b"),
        ("<ul><li>one<ul><li>two</li></ul></li></ul><p>b</p>", "one\ntwo\n\nb"),
        (
            "<p>is <span class='mwe-math-element' typeof='mw:Extension/math'><math "
            "xmlns='http://www.w3.org/1998/Math/MathML'><semantics><mi>E</mi><annotation "
            "encoding='application/x-tex'>{\\displaystyle E=mc^{2}}</annotation></semantics>"
            "</math></span>.</p>",
            "is $E=mc^{2}$.",
        ),
        (
            "<p>a</p><div class='mw-highlight'><pre>if x:\n    [[ y ]]\n</pre></div><p>b</p>",
            "a\n\nif x:\n    [[ y ]]\n\nb",
        ),
        (
            "<p>это <span typeof='mw:LanguageVariant' data-mw-variant='{\"twoway\":"
            '[{"l":"sr-ec","t":"реч"},{"l":"sr-el","t":"reč"}]}\'></span></p>',
            "это реч",
        ),
        ("<p>[a] <sup class='reference'>[1]</sup>; b</p>", "[a]; b"),
        ("<p>a<br/>b</p>", "a\nb"),
        ("<p>M ([aŋ] <sup>ⓘ</sup>) is</p>", "M ([aŋ]) is"),
        ("<p>| no table = here</p><p>* no list</p>", "| no table = here\n\n* no list"),
        ("", ""),
    ],
)
def test_what_is_read(body: str, expected: str) -> None:
    assert text(body) == expected


def test_french_has_a_space_before_some_marks() -> None:
    assert text("<p>les enfants : trois ; deux .</p>", "fr") == "les enfants : trois ; deux."


def test_sections() -> None:
    body = (
        "<section><p>lead</p></section><section><h2 id='a'>Kept</h2><p>text</p>"
        "<section><h3>Empty</h3></section></section><section><h2>See also</h2>"
        "<ul><li>x</li></ul></section><section><h2>Last</h2><p>end</p></section>"
    )
    assert text(body) == "lead\n\nKept\n\ntext\n\nLast\n\nend"


def test_pages_that_are_not_well_formed_are_read_too() -> None:
    assert text("<p>a <b>bold<br>new &nbsp; line") == "a bold\nnew line"
    deep = "<div>" * 20_000 + "<p>x</p>"
    assert len(text(deep)) <= 1  # libxml2 reads so deep a page in part, and nothing breaks


def test_metadata_and_the_addresses_of_references() -> None:
    body = (
        "<p>a</p><ol class='mw-references references'><li><a rel='mw:ExtLink' "
        "href='https://web.archive.org/web/20200101000000/http://a.org/x'>t</a></li></ol>"
        "<link rel='mw:PageProp/Category' href='./Category:Towns_in_X#y'/>"
        "<link rel='mw:PageProp/Category' about='#mwt1' href='./Category:All_stubs'/>"
        "<meta property='mw:PageProp/disambiguation'/>"
    )
    source = f"<html><body>{body}</body></html>".encode()
    _, page = rendered_text(source, language="en", dropped_sections=())
    assert list(page.categories) == ["Towns in X"]
    assert page.is_disambiguation
    assert urls_of(page) == ["http://a.org/x"]


def test_the_cleaner_takes_html_as_raw() -> None:
    cleaner = WikitextCleaner(WikitextSettings(dropped_sections=DROPPED))
    kept = cleaner(
        Document("enwiki/1", "wikipedia", "", {"language": "en"}, raw=b"<html><p>x</p></html>")
    )
    assert isinstance(kept, Document)
    assert (kept.text, kept.raw, kept.signals["holes"]) == ("x", b"", 0)
    empty = cleaner(
        Document("enwiki/2", "wikipedia", "", {"language": "en"}, raw=b"<table></table>")
    )
    assert isinstance(empty, Rejected)
    assert empty.reason == "empty"


def test_structure_is_markdown() -> None:
    body = (
        "<table class='infobox'><tr><th>Born</th><td>1879<sup class='reference'>[1]</sup></td></tr>"
        "<tr><th>Died</th><td>1955</td></tr></table><p>lead</p><section><h2>A</h2>"
        "<ul><li>one<ol><li>two</li></ol></li><li>three</li></ul>"
        "<table class='wikitable'><tr><th>x</th><th>y</th></tr>"
        "<tr><td>1</td><td>2</td></tr></table>"
        "<table><tr><td>layout</td><td>z</td></tr><tr><td>layout</td><td>z</td></tr></table>"
        "<div class='mw-highlight mw-highlight-lang-c'><pre>int i;\n  j;</pre></div></section>"
    )
    source = f"<html><body>{body}</body></html>".encode()
    made, _ = rendered_text(source, language="en", dropped_sections=(), structure=True)
    assert made == (
        "| Born | 1879 |\n| --- | --- |\n| Died | 1955 |\n\nlead\n\n## A\n\n"
        "- one\n  1. two\n- three\n\n| x | y |\n| --- | --- |\n| 1 | 2 |\n\n"
        "```c\nint i;\n  j;\n```"
    )
