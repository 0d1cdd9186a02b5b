"""The blocks of a page in order: paragraphs, headings, list items, rows of tables, code, verse.

White space is what a browser makes of it: one space within a paragraph whatever the HTML source
wraps, all of it in `<pre>`. A block is one line of the text, except code and verse, which keep
their line breaks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from filters.stackexchange.inline import script, ticks
from filters.web.code_blocks import code_language, code_lines
from filters.web.tables import is_data_table, table_rows

Kind = Literal["paragraph", "heading", "item", "row", "code", "verse"]

# A line of verse has fewer words; lines that `<br>` ends and that have more are paragraphs.
VERSE_WORDS = 20
_BREAK = "\0"
_BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog",
    "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "frameset",
    "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "html", "legend", "li",
    "main", "menu", "nav", "ol", "optgroup", "p", "pre", "search", "section", "summary",
    "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
))  # fmt: skip
_DROPPED = frozenset((
    "applet", "area", "audio", "canvas", "datalist", "embed", "frame", "head", "iframe", "img",
    "input", "map", "math", "meta", "object", "option", "param", "progress", "meter", "script",
    "select", "source", "style", "svg", "template", "textarea", "track", "video", "title",
    "link", "base",
))  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_CODE = frozenset(("code", "kbd", "samp", "tt"))
# Lines of dots, stars and bars are ornament.
_WORD = re.compile(r"\w")
_SOFT = str.maketrans("", "", "\u00ad\u200b\ufeff\u2060")


@dataclass(slots=True)
class Block:
    """One block.

    Attributes:
        kind: what it is.
        lines: its text; one line unless it is code or verse.
        level: of a heading (1 to 6); how deep an item is nested (from 0).
        mark: of an item: `- `, `3. `, `: ` of a definition, blanks for what follows in the item.
        quoted: how many block quotations are around it.
        language: of code, where the page says.
        group: number of the table, for its rows; 0 for other blocks.
        element: whose content it is.
        place: where its text begins: an element, and whether in the text behind it.
        linked: share of its characters that are in links (0 to 1).
    """

    kind: Kind
    lines: list[str]
    element: Any
    place: tuple[Any, bool]
    level: int = 0
    mark: str = ""
    quoted: int = 0
    language: str = ""
    group: int = 0
    linked: float = 0.0


@dataclass(slots=True)
class _List:
    """A list around what is being read."""

    ordered: bool
    number: int
    mark: str = ""
    width: int = 0


@dataclass(slots=True)
class _Run:
    """Inline content that has been read and is no block yet."""

    parts: list[str] = field(default_factory=list)
    place: tuple[Any, bool] | None = None
    linked: int = 0


class BlockReader:
    """Reads the blocks of an element.

    Args:
        markdown: inline code between backticks.
    """

    def __init__(self, *, markdown: bool) -> None:
        self.blocks: list[Block] = []
        self._markdown = markdown
        self._run = _Run()
        self._lists: list[_List] = []
        self._heading = 0
        self._quoted = 0
        self._tables = 0

    def read(self, element: Any) -> list[Block]:
        """Blocks of the element, in order."""
        self._block(element, element.tag)
        return self.blocks

    def _content(self, element: Any) -> None:
        if element.text:
            self._text(element.text, element, behind=False)
        for child in element:
            tag = child.tag
            if tag in _BLOCKS:
                self._block(child, tag)
            elif tag not in _DROPPED:
                handler = _INLINE.get(tag)
                if handler is None:
                    self._content(child)
                else:
                    handler(self, child)
            if child.tail:
                self._text(child.tail, child, behind=True)

    def _text(self, text: str, element: Any, *, behind: bool) -> None:
        run = self._run
        if run.place is None:
            if text.isspace():
                return
            run.place = (element, behind)
        run.parts.append(text)

    def _block(self, element: Any, tag: str) -> None:
        self._flush(element.getparent())
        handler = _BLOCK.get(tag)
        if handler is None:
            self._content(element)
        else:
            handler(self, element)
        self._flush(element)

    def _flush(self, element: Any) -> None:
        run = self._run
        if run.place is None:
            run.parts.clear()
            return
        self._run = _Run()
        text = "".join(run.parts).translate(_SOFT)
        groups: list[list[str]] = [[]]
        for part in text.split(_BREAK) if _BREAK in text else (text,):
            line = " ".join(part.split())
            if _WORD.search(line):
                groups[-1].append(line)
            elif groups[-1] and not line:
                groups.append([])
        for lines in filter(None, groups):
            self._add(lines, element, run.place, min(run.linked / len(text), 1.0))

    def _add(self, lines: list[str], element: Any, place: tuple[Any, bool], linked: float) -> None:
        kind: Kind = "paragraph"
        if self._heading:
            kind, lines = "heading", [" ".join(lines)]
        elif self._lists:
            kind = "item"
        elif len(lines) > 1 and all(line.count(" ") < VERSE_WORDS for line in lines):
            kind = "verse"
        for text in [lines] if kind == "verse" else [[line] for line in lines]:
            block = Block(kind, text, element, place, self._heading, quoted=self._quoted)
            block.linked = linked
            if self._lists:
                self._mark(block)
            self.blocks.append(block)

    def _mark(self, block: Block) -> None:
        around = self._lists[-1]
        block.mark, around.mark = around.mark, " " * around.width
        if block.kind == "item":
            block.level = len(self._lists) - 1

    def _read_heading(self, element: Any) -> None:
        before, self._heading = self._heading, _HEADINGS[element.tag]
        self._content(element)
        self._flush(element)
        self._heading = before

    def _read_list(self, element: Any) -> None:
        start = element.get("start", "").strip()
        number = int(start) if re.fullmatch(r"-?\d{1,6}", start) else 1
        self._lists.append(_List(element.tag == "ol", number - 1))
        self._content(element)
        self._flush(element)
        self._lists.pop()

    def _read_item(self, element: Any) -> None:
        if not self._lists:
            self._lists.append(_List(False, 0))
            self._item_content(element, "- ")
            self._lists.pop()
            return
        around = self._lists[-1]
        value = element.get("value", "").strip()
        around.number = int(value) if re.fullmatch(r"\d{1,6}", value) else around.number + 1
        self._item_content(element, f"{around.number}. " if around.ordered else "- ")

    def _item_content(self, element: Any, mark: str) -> None:
        around = self._lists[-1]
        around.mark, around.width = mark, len(mark)
        self._content(element)
        self._flush(element)
        around.mark = ""

    def _read_definition(self, element: Any) -> None:
        if not self._lists:
            self._content(element)
            return
        self._item_content(element, ": " if element.tag == "dd" else "")

    def _read_quote(self, element: Any) -> None:
        self._quoted += 1
        self._content(element)
        self._flush(element)
        self._quoted -= 1

    def _read_code(self, element: Any) -> None:
        lines = code_lines(element)
        place = _first_text(element)
        if not lines or place is None:
            return
        block = Block("code", lines, element, place, quoted=self._quoted)
        block.language = code_language(element)
        if self._lists:
            self._mark(block)
        self.blocks.append(block)

    def _read_table(self, element: Any) -> None:
        if not is_data_table(element):
            self._content(element)
            return
        self._tables += 1
        group = self._tables
        for caption in element.iterchildren("caption"):
            self._content(caption)
            self._flush(caption)
        for row in table_rows(element):
            cells, place, linked = [], None, 0.0
            for cell in row:
                text, begin, inside = self._cell(cell)
                cells.append(text)
                place = place or begin
                linked += inside
            if place is not None:
                block = Block("row", cells, element, place, quoted=self._quoted, group=group)
                block.linked = linked / max(1, sum(map(len, cells)))
                block.level = int(all(cell is None or cell.tag == "th" for cell in row))
                self.blocks.append(block)

    def _cell(self, cell: Any) -> tuple[str, tuple[Any, bool] | None, float]:
        """Text of a cell on one line, where it begins, and how many characters are in links.

        Nothing for a cell that is spanned.
        """
        if cell is None:
            return "", None, 0.0
        inner = BlockReader(markdown=self._markdown)
        inner._content(cell)
        inner._flush(cell)
        parts, linked = [], 0.0
        for block in inner.blocks:
            linked += block.linked * len(block.lines[0])
            indent = "  " * block.level if block.kind == "item" else ""
            parts.append(indent + block.mark + " ".join(block.lines))
        place = inner.blocks[0].place if inner.blocks else None
        return " ".join(parts), place, linked

    def _read_break(self, element: Any) -> None:
        if self._run.place is not None:
            self._run.parts.append(_BREAK)

    def _read_link(self, element: Any) -> None:
        parts = self._run.parts
        previous = element.getprevious()
        if parts and previous is not None and previous.tag == "a" and not previous.tail:
            # Links side by side are apart on the screen.
            parts.append(" ")
        before = len(parts)
        self._content(element)
        self._run.linked += sum(map(len, self._run.parts[before:]))

    def _read_script(self, element: Any) -> None:
        before = "".join(self._run.parts[-4:])
        outer, self._run = self._run, _Run(place=self._run.place)
        self._content(element)
        inner, self._run = self._run, outer
        outer.place = outer.place or inner.place
        mark = "^" if element.tag == "sup" else "_"
        outer.parts += script(before, inner.parts, mark)

    def _read_inline_quote(self, element: Any) -> None:
        self._around(element, "“", "”")

    def _read_ruby(self, element: Any) -> None:
        previous = element.getprevious()
        has_brackets = previous is not None and previous.tag == "rp"
        self._around(element, *(("", "") if has_brackets else ("(", ")")))

    def _around(self, element: Any, opening: str, closing: str) -> None:
        if not "".join(element.itertext()).strip():
            return
        self._run.parts.append(opening)
        self._content(element)
        self._run.parts.append(closing)

    def _read_insertion(self, element: Any) -> None:
        previous = element.getprevious()
        if previous is not None and previous.tag in ("del", "s", "strike") and not previous.tail:
            self._run.parts.append(" ")
        self._content(element)

    def _read_inline_code(self, element: Any) -> None:
        if element.tag == "code" and element.find(".//br") is not None:
            self._flush(element.getparent())
            self._read_code(element)
            return
        if not self._markdown:
            self._content(element)
            return
        outer, self._run = self._run, _Run(place=self._run.place)
        self._content(element)
        inner, self._run = self._run, outer
        outer.place = outer.place or inner.place
        outer.parts.append(ticks(" ".join("".join(inner.parts).split())))

    def _read_button(self, element: Any) -> None:
        # Buttons are no text, but for the headings that open a section.
        if self._heading or element.getparent().tag in ("summary", "dt"):
            self._content(element)


def _first_text(element: Any) -> tuple[Any, bool] | None:
    for part in element.iter():
        if part.text and not part.text.isspace():
            return part, False
        if part is not element and part.tail and not part.tail.isspace():
            return part, True
    return None


_Handler = Callable[[BlockReader, Any], None]
_BLOCK: dict[str, _Handler] = {
    **dict.fromkeys(_HEADINGS, BlockReader._read_heading),
    **dict.fromkeys(("ol", "ul", "menu", "dir", "dl"), BlockReader._read_list),
    **dict.fromkeys(("dd", "dt"), BlockReader._read_definition),
    "li": BlockReader._read_item,
    "blockquote": BlockReader._read_quote,
    "pre": BlockReader._read_code,
    "table": BlockReader._read_table,
}
_INLINE: dict[str, _Handler] = {
    **dict.fromkeys(_CODE, BlockReader._read_inline_code),
    **dict.fromkeys(("sup", "sub"), BlockReader._read_script),
    "a": BlockReader._read_link,
    "br": BlockReader._read_break,
    "q": BlockReader._read_inline_quote,
    "rt": BlockReader._read_ruby,
    "ins": BlockReader._read_insertion,
    "button": BlockReader._read_button,
}
