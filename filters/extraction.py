"""HTML pages to their text: every block that an extractor chooses, written as a browser shows it.

The page is read once into blocks (`filters.web.blocks`). trafilatura (Barbaresi 2021) and
Resiliparse (Bevendorff et al. 2018) give their opinions on each, which are weighed with what else
is known of it and of the kind of page (`filters.web.selection`, docs/warc.md).
"""

from __future__ import annotations

import logging
import re
import sys
from dataclasses import dataclass
from html import unescape

from filters.document import Document, Rejected, Settings, setting
from filters.line_kinds import SIGNAL
from filters.web.blocks import BlockReader
from filters.web.metadata import page_metadata
from filters.web.page_types import page_type
from filters.web.parsing import MAXIMUM_DEPTH, is_too_deep, keep_seen, parse
from filters.web.selection import choose_blocks
from filters.web.writing import Markup, write

_TITLE = re.compile(r"<title\b[^<>]{0,500}>([^<]{1,2000})", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class HtmlExtractorSettings(Settings):
    """What is extracted, and how it is written.

    Attributes:
        maximum_characters: longest page.
        maximum_tags: most tags, start and end, of a page.
        markup: `plain` text, or `markdown` with headings, lists, tables, code and quotations.
    """

    maximum_characters: int = setting(
        5_000_000, "ours: bounds the memory of a parse; no article is as long"
    )
    maximum_tags: int = setting(100_000, "ours: bounds the time of a parse")
    markup: Markup = setting("plain", "ours: CCNet's pages are plain lines")


class HtmlExtractor:
    """Set `text` to the main text of the HTML in it, and what the page says of itself as metadata.

    One line per paragraph, heading, list item (`- `, `1. `) or table row (`cell | cell`), lines of
    code and verse as they stand; formulas are LaTeX between dollars.
    Metadata: `title`, and what `filters.web.metadata` finds; none that is there is replaced.
    Signals: `page_type` (`filters.web.page_types`), `line_kinds` (`filters.line_kinds`).
    Reasons: `too_large`, `too_deep`, `too_many_tags`, `no_text`.
    """

    name = "extract"

    def __init__(self, settings: HtmlExtractorSettings | None = None) -> None:
        self.settings = settings or HtmlExtractorSettings()

    def open(self) -> None:
        """Silence trafilatura, which logs an error for every page it finds nothing in."""
        # A level of nested lists takes seven calls for two elements.
        sys.setrecursionlimit(max(sys.getrecursionlimit(), 10 * MAXIMUM_DEPTH))
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
        if is_too_deep(tree):
            return Rejected("too_deep", f"elements nested {MAXIMUM_DEPTH} deep or deeper")
        url = document.metadata.get("url", "")
        kind, metadata = page_type(tree, url), page_metadata(tree, url)
        keep_seen(tree, html)
        blocks = BlockReader(markdown=self.settings.markup == "markdown").read(tree)
        chosen = choose_blocks(tree, blocks, kind)
        document.signals["page_type"] = kind
        text, kinds = write([blocks[number] for number in chosen], self.settings.markup)
        if not text:
            return Rejected("no_text", f"none between {tags} tags")
        document.signals[SIGNAL] = kinds
        title = _TITLE.search(html)
        if title:
            document.metadata.setdefault("title", " ".join(unescape(title[1]).split()))
        for name, value in metadata.items():
            document.metadata.setdefault(name, value)
        document.text = text
        return document
