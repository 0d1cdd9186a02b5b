"""Text of a page that is already rendered: Parsoid's HTML, as Wikimedia Enterprise gives it out.

Nothing is to be expanded: templates show what Wikipedia shows. Parsoid's own marks (`typeof`,
https://www.mediawiki.org/wiki/Specs/HTML) tell references, media, extensions and variants; boxes,
navigation and hidden parts go by their classes, which are each wiki's own (`boxes` in the tables of
templates). Lines come out as from wikitext: the same sections and headings are dropped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import unquote

from lxml import etree, html

from filters.scripts import script
from filters.wikitext.citations import urls_of_references
from filters.wikitext.names import SectionKind
from filters.wikitext.opaque import BLOCK_LINE, RESERVED
from filters.wikitext.tables import markdown
from filters.wikitext.templates.table import template_table
from filters.wikitext.tidy import plain_lines

_DROPPED_TAGS = frozenset(
    (
        *("audio", "base", "caption", "figure", "figcaption", "head", "img", "link", "map", "meta"),
        *("noscript", "script", "style", "svg", "table", "title", "video"),
    )
)
_BLOCK_TAGS = frozenset(
    (
        *("article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt"),
        *("footer", "header", "hr", "li", "main", "nav", "ol", "p", "section", "summary", "ul"),
    )
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
# Extensions whose output is no text of the page.
_NO_TEXT = re.compile(
    r"mw:(?:File|Image|Video|Audio)\b|mw:Extension/(?:ref|references|gallery|graph|timeline|score"
    r"|imagemap|maplink|mapframe|phonos|templatestyles|indicator|categorytree|section|hiero)\b"
)
_MATH = re.compile(r"mw:Extension/(?:math|chem|ce)\b")
_HIDDEN = re.compile(r"display\s{0,9}:\s{0,9}none", re.IGNORECASE)
_DISPLAY_STYLE = re.compile(r"\{\\displaystyle (.*)\}", re.DOTALL)
_RESERVED_BYTES = "\ue000".encode()[:2]
# Stands for a player of sound.
_SOUND = "ⓘ"
_CODE_LANGUAGE = re.compile(r"\bmw-highlight-lang-([\w+#-]+)")
_DATA_TABLES = frozenset(("wikitable", "infobox", "infobox_v2", "infobox_v3"))
_SPACES = re.compile(r"\s+")
# What a note that is gone leaves; French has a space before other marks.
_BEFORE_STOP = re.compile(r" +(?=[,.)](?!\.))")
_BEFORE_MARK = re.compile(r" +(?=[,.);:](?!\.))")
_LETTER = re.compile(r"\w")
_CATEGORY = re.compile(r"\./[^:]*:([^#]*)(?:#.*)?", re.DOTALL)


class RenderedPage:
    """What is read of a page's HTML.

    Attributes:
        lines: text with headings marked as in wikitext, other lines as they are.
        references: addresses of external links in its references.
        categories: names that the page itself gives, without their namespace.
        is_disambiguation: whether it only tells apart what has one name.
    """

    def __init__(self, language: str, structure: bool = False) -> None:
        self._before_stop = _BEFORE_STOP if language == "fr" else _BEFORE_MARK
        self._structure = structure
        self._lists: list[str] = []
        self._mark = ""
        self.lines: list[str] = []
        self.references: list[str] = []
        self.categories: dict[str, None] = {}
        self.is_disambiguation = False
        self._boxes = template_table(language).boxes
        self._pieces: list[str] = []

    def read(self, root: etree._Element) -> None:
        """Read a document's body."""
        for element in root.iter("link", "meta", "ol"):
            if element.tag == "link":
                name = _CATEGORY.fullmatch(element.get("href", ""))
                is_own = not element.get("about")  # from no template
                if name and is_own and element.get("rel") == "mw:PageProp/Category":
                    self.categories[unquote(name[1]).replace("_", " ")] = None
            elif element.tag == "meta":
                if element.get("property") == "mw:PageProp/disambiguation":
                    self.is_disambiguation = True
            elif "mw-references" in element.get("class", ""):
                self.references += [link.get("href", "") for link in element.iter("a")]
        self._read_element(root)
        self._end_line()

    def _read_element(self, element: etree._Element) -> None:
        """Read an element and all in it, without recursion: a page may nest as deep as it likes."""
        stack: list[Iterator[Any]] = [iter([element])]
        open_elements: list[etree._Element] = []
        while stack:
            child = next(stack[-1], None)
            if child is None:
                stack.pop()
                if open_elements:
                    self._close(open_elements.pop())
                continue
            if isinstance(child, str):
                self._pieces.append(child)
            elif isinstance(child.tag, str) and self._open(child):
                open_elements.append(child)
                stack.append(_content(child))
        while open_elements:
            self._close(open_elements.pop())

    def _open(self, element: etree._Element) -> bool:
        """Begin an element; False where nothing of it is to be read."""
        tag = element.tag
        kinds = element.get("typeof", "")
        if self._is_no_text(element, tag, kinds):
            if tag == "table" and self._structure:
                self._read_table(element)
            return False
        if tag == "pre":
            self._read_block(element)
            return False
        if tag in ("sup", "sub"):
            content = _SPACES.sub(" ", _text_of(element)).strip()
            self._pieces.append(_raised(element, content, "".join(self._pieces[-2:])))
            return False
        if shown := _formula(element, kinds) or _variant(element, kinds):
            self._pieces.append(shown)
            return False
        if tag == "br" or tag in _HEADINGS or tag in _BLOCK_TAGS:
            self._end_line()
        if tag in ("ul", "ol"):
            self._lists.append(tag)
        elif self._structure and tag == "li" and self._lists:
            mark = "1." if self._lists[-1] == "ol" else "-"
            self._mark = f"{'  ' * (len(self._lists) - 1)}{mark} "
        return True

    def _is_no_text(self, element: etree._Element, tag: str, kinds: str) -> bool:
        if tag in _DROPPED_TAGS or (kinds and _NO_TEXT.search(kinds)):
            return True
        style = element.get("style")
        if style and _HIDDEN.search(style):
            return True
        classes, identifier = element.get("class"), element.get("id")
        if classes and not self._boxes.isdisjoint(classes.split()):
            return True
        return f"#{identifier}" in self._boxes or element.get("role") == "navigation"

    def _close(self, element: etree._Element) -> None:
        tag = element.tag
        if tag in _HEADINGS:
            title = _SPACES.sub(" ", "".join(self._pieces)).strip()
            self._pieces.clear()
            if title:
                marks = "=" * _HEADINGS[tag]
                self.lines += ["", f"{marks} {title} {marks}", ""]
        elif tag in _BLOCK_TAGS:
            self._end_line()
            if tag in ("ul", "ol"):
                self._lists.pop()
            if not self._lists and tag in ("p", "blockquote", "ul", "ol", "dl", "div"):
                self.lines.append("")

    def _end_line(self) -> None:
        text = "".join(self._pieces).replace(_SOUND, " ")
        text = self._before_stop.sub("", _SPACES.sub(" ", text).strip())
        self._pieces.clear()
        if _LETTER.search(text):
            self.lines.append(f"{BLOCK_LINE}{self._mark}{text}")
            self._mark = ""

    def _read_block(self, element: etree._Element) -> None:
        self._end_line()
        text = _text_of(element).strip("\n")
        if self._structure:
            parent = element.getparent()
            language = _CODE_LANGUAGE.search("" if parent is None else parent.get("class", ""))
            text = f"```{language[1] if language else ''}\n{text}\n```"
        self.lines += ["", *(BLOCK_LINE + line for line in text.split("\n")), ""]

    def _read_table(self, table: etree._Element) -> None:
        """A table of data, or an infobox, as Markdown; layout and navigation are left out."""
        names = set(table.get("class", "").split())
        is_hidden = table.get("role") == "navigation" or "navbox" in names
        if is_hidden or names.isdisjoint(_DATA_TABLES) or table.find(".//table") is not None:
            return
        rows = []
        for row in table.iter("tr"):
            cells = [_cell_of(cell) for cell in row if cell.tag in ("td", "th")]
            if any(cells):
                rows.append(cells)
        self._end_line()
        self.lines += ["", *(BLOCK_LINE + line for line in markdown(rows)), ""]


def rendered_text(
    source: bytes,
    *,
    language: str,
    dropped_sections: Collection[SectionKind],
    structure: bool = False,
) -> tuple[str, RenderedPage]:
    """Return a page's plain text, and what else was read of it.

    Args:
        source: Parsoid HTML in UTF-8.
        language: code of the wiki's language.
        dropped_sections: kinds of apparatus sections to leave out.
        structure: whether headings, lists, tables and code are Markdown.
    """
    page = RenderedPage(language, structure)
    if _RESERVED_BYTES in source:
        source = RESERVED.sub("", source.decode("utf-8", "replace")).encode()
    root = _parse(source)
    if root is not None:
        body = root.find("body")
        page.read(root if body is None else body)
    return plain_lines("\n".join(page.lines), dropped_sections, structure).strip("\n"), page


def urls_of(page: RenderedPage) -> list[str]:
    """The distinct http and https addresses that a page's references link."""
    return urls_of_references(page.references)


def _parse(source: bytes) -> etree._Element | None:
    """The document; as XML where it is well-formed, as Parsoid writes it, which is much faster."""
    strict = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        remove_comments=True,
    )
    try:
        return etree.fromstring(source, strict)
    except etree.XMLSyntaxError:
        loose = etree.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True)
        return etree.fromstring(source, loose) if source.strip() else None


def _text_of(element: etree._Element) -> str:
    return "".join(map(str, element.itertext()))


def _cell_of(cell: etree._Element) -> str:
    """A cell's text, without notes and hidden parts."""
    page = RenderedPage("")
    page.read(cell)
    return " ".join(line.lstrip(BLOCK_LINE) for line in page.lines if line)


def _content(element: etree._Element) -> Iterator[Any]:
    if element.text:
        yield element.text
    for child in element:
        yield child
        if child.tail:
            yield child.tail


def _formula(element: etree._Element, kinds: str) -> str:
    """A formula's TeX between dollar signs, as from wikitext."""
    if not _MATH.search(kinds) and "mwe-math-element" not in element.get("class", ""):
        return ""
    for annotation in element.iter("{*}annotation", "annotation"):
        tex = _SPACES.sub(" ", annotation.text or "").strip()
        shown = _DISPLAY_STYLE.fullmatch(tex)
        return f"${(shown[1] if shown else tex).strip()}$"
    return ""


def _variant(element: etree._Element, kinds: str) -> str:
    """The first of the texts between which a reader's variant of the language chooses."""
    if "mw:LanguageVariant" not in kinds:
        return ""
    try:
        rule = json.loads(element.get("data-mw-variant", "{}"))
    except json.JSONDecodeError:
        return ""
    texts = rule.get("twoway") or rule.get("oneway") or [rule.get("disabled") or {}]
    shown = str(texts[0].get("t", ""))
    return _text_of(html.fragment_fromstring(shown, "span")) if shown else ""


def _raised(element: etree._Element, content: str, before: str) -> str:
    """As from wikitext: digits raised or lowered, letters marked where they belong to a formula."""
    is_plain = element.find("i") is None and not re.search(r"[\d)\]]\Z", before)
    if content.isalpha() and is_plain:
        return content
    return script(content, "^" if element.tag == "sup" else "_")
