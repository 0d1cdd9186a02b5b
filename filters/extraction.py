"""HTML pages to the text of their article, with trafilatura (Barbaresi 2021).

trafilatura's fast mode runs first. Where it finds much less than Resiliparse's cheap rules do, it
missed the article, and the full mode (which consults two more extractors) runs as well: F1 on
labelled pages is higher than full mode's on all, at two thirds of its cost (docs/warc.md).
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from html import unescape
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from filters.document import Document, Rejected, Settings, setting
from filters.prescreen import main_content

# libxml2 cuts what is nested deeper than 256.
MAXIMUM_DEPTH = 250
_TITLE = re.compile(r"<title\b[^<>]{0,500}>([^<]{1,2000})", re.IGNORECASE)
_TABLE_ROW = re.compile(r"^\|(.*)\|[ \t]*\n?", re.MULTILINE)
_CELL_END = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r":?-{3,}:?")
_TOO_DEEP = etree.XPath(f"boolean({'/*' * MAXIMUM_DEPTH})")
# XML has no such characters, so lxml takes no text with them: C0 controls, U+FFFE, U+FFFF.
_CONTROLS = bytes(c for c in range(32) if c not in b"\t\n\r") + b"\x7f"
_NONCHARACTERS = ("\ufffe".encode(), "\uffff".encode())
# lxml.html chooses an element's class in Python, once per access; nothing here needs more than one.
_CLASSES = etree.ElementDefaultClassLookup(
    element=lxml_html.HtmlElement,
    comment=lxml_html.HtmlComment,
    pi=lxml_html.HtmlProcessingInstruction,
    entity=lxml_html.HtmlEntity,
)


@dataclass(frozen=True, kw_only=True)
class HtmlExtractorSettings(Settings):
    """What is extracted.

    Attributes:
        maximum_characters: longest page.
        maximum_tags: most tags, start and end, of a page.
        short_characters: text shorter than this is compared with the cheap rules' text; longer
            text must have more than one line.
        minimum_share: of the cheap rules' length; below it full mode runs.
    """

    maximum_characters: int = setting(
        5_000_000, "ours: bounds the memory of a parse; no article is as long"
    )
    maximum_tags: int = setting(100_000, "ours: bounds the time of a parse")
    short_characters: int = setting(
        2000, "measured: F1 .930 on 277 pages; no sweep was made (docs/warc.md)"
    )
    minimum_share: float = setting(
        0.3, "measured: full mode for 5 % of pages; no sweep was made (docs/warc.md)"
    )


class HtmlExtractor:
    """Set `text` to the main text of the HTML in it, and `metadata["title"]` where there is none.

    One line per paragraph, heading, list item (`- `) or table row (`cell | cell`); no comments.
    Signals: `extraction` (`fast` or `full`).
    Reasons: `too_large`, `too_deep`, `too_many_tags`, `no_text`.
    """

    name = "extract"

    def __init__(self, settings: HtmlExtractorSettings | None = None) -> None:
        self.settings = settings or HtmlExtractorSettings()

    def open(self) -> None:
        """Silence trafilatura, which logs an error for every page it finds nothing in."""
        logging.getLogger("trafilatura").setLevel(logging.CRITICAL + 1)

    def __call__(self, document: Document) -> Document | Rejected:
        html = document.text
        if len(html) > self.settings.maximum_characters:
            return Rejected("too_large", f"{len(html)} > {self.settings.maximum_characters}")
        tags = html.count("<")
        if tags > self.settings.maximum_tags:
            return Rejected("too_many_tags", f"{tags} > {self.settings.maximum_tags}")
        tree = parse(html)
        if tree is None:
            return Rejected("no_text", "no element")
        if _TOO_DEEP(tree):
            return Rejected("too_deep", f"elements nested {MAXIMUM_DEPTH} deep or deeper")
        text = extract_tree(tree, fast=True)
        document.signals["extraction"] = "fast"
        if self._is_doubtful(text, html):
            text = extract_tree(tree, fast=False) or text
            document.signals["extraction"] = "full"
        if not text:
            return Rejected("no_text", f"none between {tags} tags")
        title = _TITLE.search(html)
        if title:
            document.metadata.setdefault("title", " ".join(unescape(title[1]).split()))
        document.text = text
        return document

    def _is_doubtful(self, text: str, html: str) -> bool:
        """Whether fast mode found much less than the cheap rules, or one line without an end."""
        if len(text) >= self.settings.short_characters:
            return "\n" not in text
        return len(text) < self.settings.minimum_share * len(main_content(html))


def parse(html: str) -> Any:
    """The page's tree, or none where there is no element."""
    parser = lxml_html.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False
    )
    parser.set_element_class_lookup(_CLASSES)
    encoded = html.encode().translate(None, _CONTROLS)
    for character in _NONCHARACTERS:
        encoded = encoded.replace(character, b"")
    try:
        return lxml_html.document_fromstring(encoded, parser=parser)
    except etree.ParserError:
        return None


def extract_tree(tree: Any, *, fast: bool) -> str:
    """Main text of a page, empty if there is none; the tree stays as it is."""
    import trafilatura  # noqa: PLC0415  (a quarter of a second, which every recipe would cost)
    from trafilatura.settings import Extractor  # noqa: PLC0415

    options = Extractor(fast=fast, comments=False)
    text = tidy_tables(trafilatura.extract(tree, options=options) or "")
    return "\n".join(map(str.rstrip, text.split("\n")))


def tidy_tables(text: str) -> str:
    """Rows of Markdown tables as `cell | cell`, without rules, empty cells and empty rows.

    Many tables only lay a page out: a row with one cell becomes a paragraph.
    """
    return _TABLE_ROW.sub(_tidy_row, text).rstrip("\n")


def _tidy_row(row: re.Match[str]) -> str:
    cells = [cell.strip().replace("\\|", "|") for cell in _CELL_END.split(row[1])]
    filled = [cell for cell in cells if cell and not _RULE.fullmatch(cell)]
    return " | ".join(filled) + "\n" if filled else ""
