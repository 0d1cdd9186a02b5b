"""Extraction: the article's text, readable; and nothing that a page does may hurt."""

from __future__ import annotations

import pickle
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.document import Document, Filter, Rejected
from filters.extraction import HtmlExtractor, HtmlExtractorSettings
from filters.web.blocks import Block, BlockReader
from filters.web.features import NAMES, block_features
from filters.web.parsing import parse
from filters.web.selection import is_doubtful

SETTINGS = HtmlExtractorSettings(
    maximum_characters=3_000_000,
    maximum_tags=60_000,
)
PARAGRAPH = (
    "The old mill by the bridge was sold on Tuesday to a family from the next village, who want "
    "to grind flour there again. The stones were cut in 1790 and have not turned for sixty years. "
)


def article(body: str, title: str = "The mill") -> str:
    return (
        f"<html><head><title> {title}\n| Paper </title></head><body>"
        "<nav><ul><li><a href=/>Home</a><li><a href=/c>Contact</a></ul></nav>"
        f"<article><h1>The mill turns again</h1>{body}</article>"
        "<footer><p>Imprint and privacy policy</p></footer>"
        "<script>var tracker = 'some text in a script';</script></body></html>"
    )


def extract(html: str) -> Document | Rejected:
    extractor = HtmlExtractor(SETTINGS)
    extractor.open()
    return extractor(Document(id="1", source="test", text=html))


def extract_text(html: str) -> str:
    document = extract(html)
    assert isinstance(document, Document), document
    return document.text


def test_one_line_per_paragraph_heading_and_item():
    text = extract_text(
        article(
            f"<p>{PARAGRAPH}</p><h2>History</h2><p>Second, {PARAGRAPH}</p>"
            "<ul><li>Built in the year 1790</li><li>Closed in the year 1960</li></ul>"
            f"<p>Third, {PARAGRAPH}</p>"
        )
    )
    assert text.split("\n") == [
        "The mill turns again",
        PARAGRAPH.strip(),
        "History",
        f"Second, {PARAGRAPH.strip()}",
        "- Built in the year 1790",
        "- Closed in the year 1960",
        f"Third, {PARAGRAPH.strip()}",
    ]


def test_no_comments_menus_nor_scripts():
    comments = f"<div id='comments'><div class='comment'><p>Silly. {PARAGRAPH}</p></div></div>"
    text = extract_text(article(f"<p>{PARAGRAPH}</p>" * 4 + comments))
    for other in ("Silly", "Home", "Imprint", "tracker"):
        assert other not in text


def test_tables_are_rows_of_cells():
    rows = "<tr><th>Year</th><th>Owner</th></tr><tr><td>1790</td><td>Cook</td></tr>"
    text = extract_text(article(f"<p>{PARAGRAPH}</p><table>{rows}</table><p>{PARAGRAPH * 3}</p>"))
    assert "\nYear | Owner\n1790 | Cook\n" in text


def test_captions_leads_and_what_stands_below_are_known_by_their_names():
    words = "word " * 20
    tree = parse(
        f"<body><article><p class=lead>{words}</p><p>{words}</p><figure><figcaption>{words}"
        f"</figcaption></figure><p>{words}</p></article><div id=respond>Reply</div></body>"
    )
    blocks = BlockReader(markdown=False).read(tree)
    table = block_features(blocks, {1, 3}, {0, 1, 2, 3, 4}, "article")
    expected = {
        "named_caption": [0, 0, 1, 0, 0],
        "named_end": [0, 0, 0, 0, 1],
        "named_lead": [1, 0, 0, 0, 0],
        "before": [1, 0, 0, 0, 0],
        "after": [0, 0, 0, 0, 1],
    }
    assert {name: table[:, NAMES.index(name)].tolist() for name in expected} == expected


@pytest.mark.parametrize(
    ("fast", "doubtful"),
    [(set(), True), ({0}, True), ({0, 1}, True), ({0, 1, 2}, False)],
)
def test_full_mode_is_asked_below_half_of_the_other_text(fast, doubtful):
    blocks = [
        Block("paragraph", [characters * "a"], None, (None, False)) for characters in (20, 29, 1)
    ]
    other = [*blocks, Block("paragraph", [50 * "a"], None, (None, False))]
    assert is_doubtful(other, fast, range(4)) is doubtful


def test_title_comes_from_the_page_unless_known():
    document = extract(article(f"<p>{PARAGRAPH}</p>" * 3, title="Mill &amp; stones"))
    assert isinstance(document, Document)
    assert document.metadata["title"] == "Mill & stones | Paper"
    known = Document(id="1", source="test", text=article(PARAGRAPH), metadata={"title": "Known"})
    HtmlExtractor(SETTINGS)(known)
    assert known.metadata["title"] == "Known"


def test_what_fast_mode_misses_is_found():
    # trafilatura's fast mode takes the teaser, named as articles are, for the whole.
    teaser = f"<div class='entry-content'><p>{PARAGRAPH}</p><p>So {PARAGRAPH}</p></div>"
    paragraphs = "".join(f"<p>Part {n}. {PARAGRAPH}</p>" for n in range(30))
    html = f"<html><body>{teaser}<main><div>{paragraphs}</div></main></body></html>"
    text = extract_text(html)
    assert all(f"Part {n}." in text for n in range(30))


WORDS = "some words of text here. "


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("", "no_text"),
        ("   ", "no_text"),
        ("<!-- only a comment -->", "no_text"),
        ("<html><body><script>x</script></body></html>", "no_text"),
        ("<html><body>" + f"<p>{WORDS}</p>" * 2_000_000, "too_large"),
        ("<html><body>" + "<p>x" * 100_000, "too_many_tags"),
        ("<html><body>" + "<div>" * 10_000 + WORDS, "too_deep"),
        ("<html><body>" + f"<b>{WORDS}" * 10_000, "too_deep"),
        ("<div>" * 300 + WORDS + "</div>" * 300, "too_deep"),
    ],
)
def test_hostile_pages_are_rejected_at_once(html, reason):
    started = time.process_time()
    rejected = extract(html)
    assert isinstance(rejected, Rejected), rejected
    assert rejected.reason == reason
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "html",
    [
        "<html><body>" + f"<p>{WORDS}" * 10_000,
        "<html><body>" + f"<li>{WORDS}" * 10_000,
        "<html><body>" + "<" * 300_000 + WORDS * 50,
        "<html><body>" + "<!--" * 50_000 + WORDS,
        "<p " * 50_000,
        "<html><body><p>" + "&amp;" * 300_000,
        "<html><body><title>" + "x" * 1_000_000,
    ],
)
def test_hostile_pages_end_in_bounded_time(html):
    started = time.process_time()
    extract(html)
    assert time.process_time() - started < 8


def test_lists_and_tables_nested_as_deep_as_is_read():
    for start, end, count in (("<ul><li>", "</ul>", 118), ("<table><tr><td>", "</table>", 60)):
        html = f"<html><body>{start * count}{PARAGRAPH * 3}{end * count}</body></html>"
        assert PARAGRAPH.strip() in extract_text(html)


def test_characters_that_xml_has_not():
    text = extract_text(article(f"<p>a\x01\x08b\ufffe {PARAGRAPH}</p>" * 3))
    assert f"ab {PARAGRAPH.strip()}" in text


@given(st.text(alphabet="<>/pdivh1 a=\"'&;\x01\uffffx\n", max_size=120))
@settings(max_examples=60)
def test_any_markup(html):
    assert isinstance(extract(html), Document | Rejected)


def test_pickles_and_is_a_filter():
    assert isinstance(pickle.loads(pickle.dumps(HtmlExtractor(SETTINGS))), Filter)
