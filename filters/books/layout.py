"""The layout of a plain text book: emphasis, marks of pictures and pages, wrapped lines.

Volunteers wrap prose at some 70 characters, write _italics_ and =bold=, and mark where pictures and
pages were. Verse, plays' and tables' lines stay as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from filters.document import Document, Rejected, StageSettings, setting

_ITALICS = re.compile(r"(?<!\w)_(?!_)((?:(?!\n[ \t]*\n)[^_]){1,2000}?)(?<![\s_])_(?!\w)")
_BOLD = re.compile(r"(?<![\w=])=(?=[^\W_])([^=\n]{1,200}?)(?<=[\w.,;:!?'\u2019)])=(?![\w=])")
_PICTURE = re.compile(
    r"\[[ \t]{0,20}(?:Illustrations?|Illustrazione|Ilustraci[o\u00f3]n|Abbildung|Illustratie)"
    r"[ \t]{0,20}\d{0,4}[ \t]{0,20}(?:[:.]([^\[\]]{0,2000}))?\]",
    re.IGNORECASE,
)
_PAGE = re.compile(r"[ \t]?\[(?:Pg\.?|Page|p\.)[ \t]{0,9}[\divxlc]{1,7}\]", re.IGNORECASE)
_PARAGRAPH = re.compile(r"^[^\n]+(?:\n[^\n]+)+", re.MULTILINE)
_RULE = re.compile(r"^[\W_]+$")
_WORD = re.compile(r"[^\W\d_]+")
_HYPHEN = re.compile(r"([^\W\d_]+)-\n([^\W\d_]+)")
# Bounds the search around a hyphen; the longest words have fewer letters.
_WORD_REACH = 40


@dataclass(frozen=True, kw_only=True)
class LayoutSettings(StageSettings):
    """[books.layout]

    Attributes:
        strip_emphasis: whether underscores around italics and equals signs around bold go.
        strip_pictures: whether `[Illustration]` goes; the text of a caption stays.
        unwrap: whether the wrapped lines of a paragraph of prose are joined.
        minimum_wrapped_share: of a paragraph's line breaks that a word wrap would have made, too
            (0 to 1); a paragraph with fewer is verse, a table or a list.
        wrap_tolerance: how many characters short of the text's width a volunteer may break a line.
        minimum_width: of a text that was wrapped, in characters.
        verse_width: where lines are shorter, capitals at their beginnings say verse.
        maximum_capital_share: of lines that begin with a capital (0 to 1); above it is verse.
    """

    strip_emphasis: bool = setting(True, "ours: the marks are the transcriber's, not the author's")
    strip_pictures: bool = setting(True, "ours: there is no picture in a text")
    unwrap: bool = setting(True, "ours: a model of books needs no line breaks at 70 characters")
    minimum_wrapped_share: float = setting(0.85, "measured: docs/books.md")
    wrap_tolerance: int = setting(4, "ours: not tuned; lines wrapped by hand are a word short")
    minimum_width: int = setting(40, "ours: not tuned; nobody wraps prose at less, poets do")
    verse_width: int = setting(60, "ours: not tuned; prose is wrapped at about 70")
    maximum_capital_share: float = setting(0.8, "ours: not tuned; verse has a few run-on lines")


class BookLayout:
    """Plain text without the marks of its layout. Reason: `empty`."""

    name = "layout"

    def __init__(self, settings: LayoutSettings | None = None) -> None:
        self.settings = settings or LayoutSettings()

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        settings = self.settings
        text = document.text
        if settings.strip_pictures:
            text = _PAGE.sub("", _PICTURE.sub(lambda found: (found[1] or "").strip(), text))
        if settings.strip_emphasis:
            text = _BOLD.sub(r"\1", _ITALICS.sub(r"\1", text))
        text = "\n".join(line.rstrip() for line in text.split("\n"))
        if settings.unwrap:
            text = unwrap(text, settings)
        document.text = re.sub(r"\n{3,}", "\n\n", text).strip("\n")
        return document if document.text.strip() else Rejected("empty", "nothing but marks")


def unwrap(text: str, settings: LayoutSettings) -> str:
    """The text with the lines of its prose paragraphs joined.

    A paragraph is prose if its lines begin at the margin (the first may be indented) and at least
    `minimum_wrapped_share` of its line breaks are where a word wrap at the text's own width breaks
    lines.
    """
    width = line_width(text)
    if width < settings.minimum_width:
        return text
    words = _hyphenated_words(text)
    return _PARAGRAPH.sub(lambda found: _joined(found[0], width, settings, words), text)


def line_width(text: str) -> int:
    """At how many characters the text is wrapped: the width that 95 % of its longer lines keep.

    Measured on lines that another one follows; 0 for a text without any.
    """
    lengths = sorted(
        len(line)
        for paragraph in _PARAGRAPH.findall(text)
        for line in paragraph.split("\n")[:-1]
        if line[0] not in " \t"
    )
    # Not the longest: a table or a line that nobody wrapped would set the width for all.
    return lengths[len(lengths) * 95 // 100] if lengths else 0


def _joined(paragraph: str, width: int, settings: LayoutSettings, words: set[str]) -> str:
    lines = paragraph.split("\n")
    if not _is_prose(lines, width, settings):
        return paragraph
    joined = [lines[0]]
    for before, line in pairwise(lines):
        if before.endswith(("--", "\u2014")):
            joined.append(line)
        elif hyphen := _HYPHEN.search(f"{before.rsplit(' ', 1)[-1]}\n{line.split(' ', 1)[0]}"):
            if (hyphen[1] + hyphen[2]).lower() in words:
                joined[-1] = joined[-1][:-1]
            joined.append(line)
        else:
            joined.append(f" {line}")
    return "".join(joined)


def _is_prose(lines: list[str], width: int, settings: LayoutSettings) -> bool:
    """Whether a paragraph's lines were broken by wrapping."""
    rest = lines[1:]
    if any(line[0] in " \t" for line in rest) or any(_RULE.match(line) for line in lines):
        return False
    if len(rest) > 2 or width < settings.verse_width:
        capitals = sum(line.lstrip("\"'(\u2018\u201c_")[:1].isupper() for line in rest)
        if capitals > settings.maximum_capital_share * len(rest):
            return False
    full = width - settings.wrap_tolerance
    wrapped = sum(
        len(line) + 1 + len(after.split(" ", 1)[0]) > full for line, after in pairwise(lines)
    )
    return wrapped >= settings.minimum_wrapped_share * len(rest)


def _hyphenated_words(text: str) -> set[str]:
    """Words that are hyphenated at the end of a line and stand elsewhere without the hyphen."""
    wanted = set()
    position = text.find("-\n")
    while position >= 0:
        if found := _HYPHEN.search(text, max(0, position - _WORD_REACH), position + _WORD_REACH):
            wanted.add((found[1] + found[2]).lower())
        position = text.find("-\n", position + 1)
    if not wanted:
        return wanted
    return {word for found in _WORD.finditer(text) if (word := found[0].lower()) in wanted}
