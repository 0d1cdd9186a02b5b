"""HTML and EPUB editions of a book to its text: what is marked there need not be guessed.

Paragraphs are lines, verse keeps its lines and their indentation, headings stand by themselves;
page numbers and notes that are marked as their producers' go. A book in several files (EPUB) comes
as one payload, its files divided by a zero byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lxml import etree, html

from filters.document import Document, Rejected, Settings, setting
from filters.html import decode_html

# What divides the files of a book; no text and no markup has it.
DIVIDER = b"\0"
FORMS = frozenset({"html", "epub"})
_SKIPPED = frozenset(
    {"head", "script", "style", "nav", "noscript", "svg", "audio", "video", "object"}
)
_SKIPPED_CLASS = re.compile(
    r"(?:^|\s)(?:pagenum\w*|page-?no|page-?number|pgnum|line-?num\w*|trans?-?note\w*|tnotes?|trnote"
    r"|transcriber\S*|covernote|boxnote-tn|tn)(?:\s|$)",
    re.IGNORECASE,
)
_SKIPPED_TYPE = re.compile(
    r"(?:^|\s)(?:pagebreak|toc|landmarks|lo[it]|page-list|cover|imprint|colophon|copyright-page)"
    r"(?:\s|$)"
)
# Links to a page of music or a recording, whose text ("Listen") is no author's.
_MEDIA = re.compile(r"\.(?:midi?|mp3|ogg|ly|mxl|pdf)$", re.IGNORECASE)
_TYPE = "{http://www.idpf.org/2007/ops}type"
_HEADING = re.compile(r"h([1-6])")
_BLOCKS = frozenset(
    {"p", "div", "blockquote", "pre", "ul", "ol", "dl", "table", "section", "article", "figure"}
    | {"figcaption", "caption", "center", "address", "aside", "header", "footer", "body", "hr"}
)
_LINES = frozenset({"br", "li", "dt", "dd", "tr"})
_LINE_CLASS = re.compile(r"(?:^|\s)(?:verse|line|l|i\d+|v\d+)(?:\s|$)", re.IGNORECASE)
_INDENT_CLASS = re.compile(r"(?:^|\s)(?:i|indent-?)(\d{1,2})(?:\s|$)")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_TIGHT, _BLANK, _WIDE = 1, 2, 4


@dataclass(frozen=True, kw_only=True)
class HtmlEditionSettings(Settings):
    """[books.html]

    Attributes:
        maximum_bytes: of markup; more is refused.
        mark_headings: whether a heading gets as many `#` in front as its level says.
        mark_tables: whether the rows of tables are written with `|` between their cells.
    """

    maximum_bytes: int = setting(50_000_000, "ours: as of a text; the longest has some 30 MB")
    mark_headings: bool = setting(False, "ours: LLaMA's books are plain text")
    mark_tables: bool = setting(False, "ours: LLaMA's books are plain text")


class HtmlEdition:
    """Text of an edition whose metadata `form` is `html` or `epub`; other documents pass.

    Reasons: `too_large`, `malformed_html`, `empty`.
    """

    name = "html_edition"

    def __init__(self, settings: HtmlEditionSettings | None = None) -> None:
        self.settings = settings or HtmlEditionSettings()

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        if document.metadata.get("form") not in FORMS:
            return document
        raw = document.raw
        if len(raw) > self.settings.maximum_bytes:
            return Rejected("too_large", f"{len(raw)} bytes > {self.settings.maximum_bytes}")
        texts = []
        for part in raw.split(DIVIDER):
            markup, encoding, source = decode_html(part, "")
            document.signals["encoding"], document.signals["encoding_source"] = encoding, source
            try:
                texts.append(edition_text(markup, self.settings))
            except (etree.ParserError, ValueError) as problem:
                return Rejected("malformed_html", str(problem)[:200])
        document.text = "\n\n\n\n".join(text for text in texts if text)
        document.raw = b""
        return document if document.text else Rejected("empty", "markup without text")


def edition_text(markup: str, settings: HtmlEditionSettings) -> str:
    """The text of a book's markup, a line a paragraph.

    Raises:
        etree.ParserError: there is no element in it.
        ValueError: it holds characters that XML forbids.
    """
    # As bytes: an encoding that the markup declares must not count again.
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    root = html.document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    return _Writer(settings).written(root)


class _Writer:
    """Writes an element's text; breaks come before the next text that is written."""

    def __init__(self, settings: HtmlEditionSettings) -> None:
        self.settings = settings
        self.parts: list[str] = []
        self.breaks = 0
        self.prefix = ""
        self.preformatted = 0

    def written(self, root: Any) -> str:
        """All of the text below an element."""
        skipped = None
        for event, element in etree.iterwalk(root, events=("start", "end")):
            if skipped is not None:
                if event == "end" and element is skipped:
                    skipped = None
                    self._text(element.tail)
                continue
            if event == "end":
                self._end(element)
                if element is not root:
                    self._text(element.tail)
            elif _is_skipped(element):
                skipped = element
            else:
                self._start(element)
                self._text(element.text)
        lines = "".join(self.parts).split("\n")
        return "\n".join(line.rstrip() for line in lines).strip("\n")

    def _start(self, element: Any) -> None:
        tag = element.tag
        if heading := _HEADING.fullmatch(tag):
            self._break(_WIDE)
            self.prefix = "#" * int(heading[1]) + " " if self.settings.mark_headings else ""
        elif tag == "pre":
            self._break(_BLANK)
            self.preformatted += 1
        elif tag in ("td", "th"):
            self._cell(element)
        elif tag == "img":
            self._text(_initial(element))
        elif strength := _strength(element):
            self._break(strength)
        if indent := _INDENT_CLASS.search(element.get("class", "")):
            self.prefix = " " * min(20, int(indent[1]))

    def _end(self, element: Any) -> None:
        tag = element.tag
        if _HEADING.fullmatch(tag):
            self._break(_BLANK)
            self.prefix = ""
        elif tag == "pre":
            self.preformatted -= 1
            self._break(_BLANK)
        elif tag == "tr" and self.settings.mark_tables:
            self.parts.append(" |")
            self._break(_TIGHT)
        elif tag != "br" and (strength := _strength(element)):
            self._break(strength)

    def _cell(self, element: Any) -> None:
        if self.settings.mark_tables:
            self._text(" | " if element.getprevious() is not None else "| ")
        elif element.getprevious() is not None:
            self._text("   ", is_kept=True)

    def _break(self, strength: int) -> None:
        self.breaks = max(self.breaks, strength)

    def _text(self, text: str | None, *, is_kept: bool = False) -> None:
        if not text:
            return
        if not self.preformatted and not is_kept:
            text = _SPACE.sub(" ", text)
        if self.breaks or not self.parts:
            text = text if self.preformatted else text.lstrip(" ")
            if not text or text.isspace():
                return
            self.parts.append("\n" * self.breaks if self.parts else "")
            self.parts.append(self.prefix)
            self.breaks, self.prefix = 0, ""
        elif self.parts[-1].endswith(" ") and not self.preformatted and not is_kept:
            text = text.lstrip(" ")
        if text:
            self.parts.append(text)


def _is_skipped(element: Any) -> bool:
    if not isinstance(element.tag, str) or element.tag in _SKIPPED:
        return True
    if element.tag == "a" and _MEDIA.search(element.get("href", "")):
        return True
    names = element.get("class")
    if names and _SKIPPED_CLASS.search(names):
        return True
    kinds = element.get("epub:type") or element.get(_TYPE)
    return bool(kinds and _SKIPPED_TYPE.search(kinds))


def _strength(element: Any) -> int:
    """How many line ends an element has around it."""
    tag = element.tag
    if tag in _LINES:
        return _TIGHT
    if tag not in _BLOCKS:
        return 0
    if tag == "hr":
        return _WIDE
    is_line = tag in ("div", "p") and _LINE_CLASS.search(element.get("class", ""))
    return _TIGHT if is_line else _BLANK


def _initial(image: Any) -> str:
    """The letter that an image stands for at the beginning of a word."""
    alternative: str = image.get("alt", "")
    return alternative if len(alternative) == 1 and (image.tail or "")[:1].isalpha() else ""
