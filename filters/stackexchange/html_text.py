"""The HTML of a Stack Exchange post as readable text.

Posts are Markdown rendered to a short list of elements (https://stackoverflow.com/help/formatting),
so a scan over the tags is enough: one pass, linear in the post's length whatever it holds. Code
blocks are fenced, to the letter, and inline code stands between backticks; quotes get `> `,
list items `- ` or their number, table cells ` | `. Of a link its text stays, of an image its
alternative text, of other elements what is inside. Maths stays as it was written.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import TypeAlias

from filters.stackexchange.blocks import Blocks
from filters.stackexchange.inline import BREAK, script, ticks

Handler: TypeAlias = Callable[["_Reader", str], None]

# Values in quotes may hold `>`. None of these patterns reaches over a `<`, so all are linear.
_ATTRIBUTES = r"""[^<>"']*(?:"[^"<]*"[^<>"']*|'[^'<]*'[^<>"']*)*"""
# Frequent tags that change nothing; others of the kind have no handler.
_PLAIN_TAG = re.compile(rf"</?(?:em|strong|[abis]|kbd|span|strike|del)(?: {_ATTRIBUTES})?>")
# Inline code; what follows `<pre>` or `<pre class="...">` is a block.
_CODE = re.compile(r"""<code>(?<!<pre><code>)(?<!"><code>)([^<`]*[^<`\s][^<`]*)</code>""")
# A whole paragraph, item or code block with nothing but text in it; or else a tag.
_TOKEN = re.compile(
    r"<p>([^<]*)</p>|<li>([^<]*)</li>"
    rf"|<pre{_ATTRIBUTES}><code>([^<]*)</code></pre>"
    rf"|<(/?[a-zA-Z][a-zA-Z0-9]*)({_ATTRIBUTES})>"
)
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_START = re.compile(r"""\bstart\s*=\s*["']?(\d{1,9})""", re.IGNORECASE)
# What the editor fills in where an author says nothing.
_NO_ALT = frozenset(("", "enter image description here", "alt text", "image"))


def post_text(source: str) -> str:
    """Return the text of a post's HTML; empty if there is none."""
    if BREAK in source:
        source = source.replace(BREAK, "")
    if "!" in source and "<!--" in source:
        source = _without_comments(source)
    source = _PLAIN_TAG.sub("", source)
    if "<code>" in source and "&#96;" not in source:
        source = _CODE.sub(r"`\1`", source)
    reader = _Reader()
    reader.read(source)
    return reader.finish()


def _without_comments(source: str) -> str:
    """Without `<!-- ... -->`; one that is not closed runs to the end."""
    first, *parts = source.split("<!--")
    kept = [first]
    for part in parts:
        _, end, after = part.partition("-->")
        if not end:
            break
        kept.append(after)
    return "".join(kept)


def _decode(text: str) -> str:
    """Without HTML's entities."""
    if "&" not in text:
        return text
    # The frequent ones, faster than html.unescape and with the same result.
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    if text.count("&") == text.count("&amp;"):
        return text.replace("&amp;", "&")
    return html.unescape(text)


class _Reader:
    """Reads HTML into blocks of text.

    Attributes:
        blocks: what is finished.
        text: pieces of the block being read, still with entities.
    """

    def __init__(self) -> None:
        self.blocks = Blocks()
        self.text: list[str] = []
        self._code = -1  # where in `text` inline code began
        self._scripts: list[int] = []  # where superscripts and subscripts began
        self._in_pre = False
        self._cells = -1  # cells so far in this row, -1 outside tables
        self._in_tag = False  # a malformed tag still waits for its `>`

    def read(self, source: str) -> None:
        parts = iter(_TOKEN.split(source))
        self._between(next(parts))
        for paragraph, item, code, tag, attributes, after in zip(*[parts] * 6, strict=True):
            self._in_tag = False
            if tag is not None:
                handler = _HANDLERS.get(tag) or _HANDLERS.get(tag.lower())
                if handler is not None:
                    handler(self, attributes)
            elif self._in_pre or self._cells >= 0:
                self.text += (" ", paragraph or item or code or "", " ")
            elif paragraph is not None:
                if self.text:
                    self._flush()
                self.blocks.add_prose(_decode(paragraph))
            elif item is not None:
                if self.text:
                    self._flush()
                self.blocks.open_item()
                self.blocks.add_prose(_decode(item))
                self.blocks.close("li")
            else:
                self._flush()
                self.blocks.add_code(_decode(code))
            if after and (self.text or not after.isspace()):
                self._between(after)

    def _between(self, piece: str) -> None:
        """Text, perhaps with a `<` that begins no proper tag."""
        if "<" not in piece and not self._in_tag:
            self.text.append(piece)
            return
        first, *parts = piece.split("<")
        self.text.append(self._after_tag(first) if self._in_tag else first)
        for part in parts:
            if not self._in_tag and not (part[:1].isalpha() or part.startswith(("/", "!", "?"))):
                self.text.append("<" + part)
            else:
                self.text.append(self._after_tag(part))

    def _after_tag(self, part: str) -> str:
        _, end, text = part.partition(">")
        self._in_tag = not end
        return text

    def finish(self) -> str:
        if self._in_pre:
            self.end_pre("")
        self._flush()
        return self.blocks.text()

    def _flush(self) -> None:
        """What has been read is a paragraph."""
        if self.text:
            joined = "".join(self.text)
            self.text.clear()
            self._code = -1
            self._scripts.clear()
            if joined and not joined.isspace():
                self.blocks.add_prose(_decode(joined))

    def paragraph(self, _: str) -> None:
        if self._in_pre:
            return
        if self._cells >= 0:
            self.text.append(" ")
        else:
            self._flush()

    def line_break(self, _: str) -> None:
        self.text.append("\n" if self._in_pre else " " if self._cells >= 0 else BREAK)

    def rule(self, _: str) -> None:
        if not self._in_pre and self._cells < 0:
            self._flush()
            self.blocks.add_lines(["---"])

    def image(self, attributes: str) -> None:
        match = _ALT.search(attributes)
        alt = (match[1] or match[2] or "") if match else ""
        if alt.strip().lower() not in _NO_ALT:
            self.text.append(alt)

    def begin_code(self, _: str) -> None:
        if not self._in_pre and self._code < 0:
            self._code = len(self.text)

    def end_code(self, _: str) -> None:
        if self._code >= 0:
            self.text[self._code :] = [ticks("".join(self.text[self._code :]))]
            self._code = -1

    def begin_script(self, _: str) -> None:
        if not self._in_pre and self._code < 0:
            self._scripts.append(len(self.text))

    def end_superscript(self, _: str) -> None:
        self._end_script("^")

    def end_subscript(self, _: str) -> None:
        self._end_script("_")

    def _end_script(self, mark: str) -> None:
        if self._in_pre or self._code >= 0 or not self._scripts:
            return
        start = self._scripts.pop()
        # A piece is short or it is no exponent; joining long ones again and again is quadratic.
        if len(self.text) - start <= 4:
            before = self.text[start - 1] if start else ""
            pieces = self.text[start:]
            self.text[start:] = script(before, pieces, mark)

    def begin_pre(self, _: str) -> None:
        if not self._in_pre:
            self._flush()
            self._in_pre = True

    def end_pre(self, _: str) -> None:
        if self._in_pre:
            self._in_pre = False
            code = "".join(self.text)
            self.text.clear()
            self.blocks.add_code(_decode(code))

    def begin_quote(self, _: str) -> None:
        if not self._in_pre:
            self._flush()
            self.blocks.open("blockquote", "> ", "> ")

    def begin_bullets(self, _: str) -> None:
        if not self._in_pre:
            self._flush()
            self.blocks.open_list("ul", 0)

    def begin_numbers(self, attributes: str) -> None:
        if not self._in_pre:
            self._flush()
            match = _START.search(attributes)
            self.blocks.open_list("ol", int(match[1]) if match else 1)

    def begin_item(self, _: str) -> None:
        if not self._in_pre:
            self._flush()
            self.blocks.open_item()

    def begin_definition(self, _: str) -> None:
        if not self._in_pre:
            self._flush()
            self.blocks.tighten()

    def begin_row(self, _: str) -> None:
        if not self._in_pre:
            self._flush()
            if self._cells >= 0:
                self.blocks.tighten()
            self._cells = 0

    def begin_cell(self, _: str) -> None:
        if not self._in_pre and self._cells >= 0:
            if self._cells:
                self.text.append(" | ")
            self._cells += 1

    def end_table(self, _: str) -> None:
        if not self._in_pre:
            self._flush()
            self._cells = -1

    def close(self, tag: str) -> None:
        if not self._in_pre:
            self._flush()
            self.blocks.close(tag)


def _closes(tag: str) -> Handler:
    return lambda reader, _: reader.close(tag)


_PARAGRAPHS = ("p", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "figure", "figcaption")
_HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(_PARAGRAPHS, _Reader.paragraph),
    **{f"/{tag}": _Reader.paragraph for tag in (*_PARAGRAPHS, "dd")},
    **{f"/{tag}": _closes(tag) for tag in ("ul", "ol", "li", "blockquote")},
    "br": _Reader.line_break,
    "hr": _Reader.rule,
    "img": _Reader.image,
    "code": _Reader.begin_code,
    "/code": _Reader.end_code,
    "sup": _Reader.begin_script,
    "/sup": _Reader.end_superscript,
    "sub": _Reader.begin_script,
    "/sub": _Reader.end_subscript,
    "pre": _Reader.begin_pre,
    "/pre": _Reader.end_pre,
    "blockquote": _Reader.begin_quote,
    "ul": _Reader.begin_bullets,
    "ol": _Reader.begin_numbers,
    "li": _Reader.begin_item,
    "dd": _Reader.begin_definition,
    "tr": _Reader.begin_row,
    "td": _Reader.begin_cell,
    "th": _Reader.begin_cell,
    "table": _Reader.end_table,
    "/table": _Reader.end_table,
}
