"""The layout of a plain text book: emphasis, marks of pictures and pages, wrapped lines.

Volunteers wrap prose at some 70 characters, write _italics_ and =bold=, and mark where pictures and
pages were. Verse, plays' and tables' lines stay as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from filters.books.html_edition import FORMS
from filters.books.hyphens import HYPHEN, Hyphens
from filters.books.unwrapping import (
    BLOCK,
    Odds,
    Run,
    Setting,
    UnwrapSettings,
    book_setting,
    is_cjk,
    is_end,
    judged,
    runs_of,
)
from filters.document import Document, Rejected, setting

_ITALICS = re.compile(r"_(?<!\w_)(?!_)((?:(?!\n[ \t]*\n)[^_]){1,2000}?)(?<![\s_])_(?!\w)")
_BOLD = re.compile(r"=(?<![\w=]=)(?=[^\W_])([^=\n]{1,200}?)(?<=[\w.,;:!?'\u2019)])=(?![\w=])")
_PICTURE = re.compile(
    r"\[[ \t]{0,20}(?:Illustrations?|Frontispiece|Illustrazione|Ilustraci[o\u00f3]n|Abbildung"
    r"|Illustratie)[ \t]{0,20}\d{0,4}[ \t]{0,20}(?:[:.]((?:[^\[\]]|\[[^\[\]]{0,200}\]){0,2000}))?\]"
    r"|\[(?:Decoration|Ornament|Tailpiece|Headpiece|Blank[ \t]Page)\]",
    re.IGNORECASE,
)
_PAGE = re.compile(
    r"[ \t]?(?:\[(?:Pg\.?|Page|p\.)[ \t]{0,9}[\divxlc]{1,7}\]"
    r"|\{(?:Pg|Page|p)\.?[ \t]{0,9}[\divxlc]{1,7}\})",
    re.IGNORECASE,
)
# Small capitals and other type, as some transcribers mark it; on one line, around whole words.
_TYPE = re.compile(
    r"([+~])(?<![\w+~].)(?=[^\W_])([^+~\n]{1,200}?)(?<=[\w.,;:!?'\u2019)])\1(?![\w+~])"
)
# A hyphen that is only at line ends: Unicode's, and the sign that OCR programs write for it.
_SOFT_HYPHENS = "\u00ad\u00ac"


@dataclass(frozen=True, kw_only=True)
class LayoutSettings(UnwrapSettings):
    """[books.layout]: also what tells wrapped prose from verse (`UnwrapSettings`).

    Attributes:
        strip_emphasis: whether underscores around italics and equals signs around bold go.
        strip_pictures: whether `[Illustration]` goes; the text of a caption stays.
        unwrap: whether the wrapped lines of a paragraph of prose are joined.
    """

    strip_emphasis: bool = setting(True, "ours: the marks are the transcriber's, not the author's")
    strip_pictures: bool = setting(True, "ours: there is no picture in a text")
    unwrap: bool = setting(True, "ours: a model of books needs no line breaks at 70 characters")


class BookLayout:
    """Plain text without the marks of its layout. Reason: `empty`.

    Sets `joined_lines`, the wrapped lines that were joined, and `line_breaks`, those left inside
    paragraphs: of two editions of a book the one with fewer is set better.
    """

    name = "layout"

    def __init__(self, settings: LayoutSettings | None = None) -> None:
        self.settings = settings or LayoutSettings()

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        settings = self.settings
        text = document.text
        if settings.strip_pictures and ("[" in text or "{" in text):
            text = _PAGE.sub("", _PICTURE.sub(lambda found: (found[1] or "").strip(), text))
        if settings.strip_emphasis:
            text = _BOLD.sub(r"\1", _ITALICS.sub(r"\1", text))
            text = _TYPE.sub(r"\2", text) if "+" in text or "~" in text else text
        text = "\n".join(line.rstrip() for line in text.split("\n"))
        # In markup a paragraph is a line, and every other line is the author's.
        breaks = text.count("\n")
        if settings.unwrap and document.metadata.get("form") not in FORMS:
            text = unwrap(text, settings)
        document.signals["joined_lines"] = breaks - text.count("\n")
        document.text = re.sub(r"\n{3,}", "\n\n", text).strip("\n")
        paragraphs = document.text.count("\n\n")
        document.signals["line_breaks"] = document.text.count("\n") - 2 * paragraphs
        return document if document.text.strip() else Rejected("empty", "nothing but marks")


def unwrap(text: str, settings: LayoutSettings) -> str:
    """The text with the lines of its prose joined, each run of lines judged by itself."""
    spans = [found.span() for found in BLOCK.finditer(text)]
    blocks = [runs_of(text[start:end]) for start, end in spans]
    book = book_setting(blocks, settings)
    odds = Odds(book, settings)
    is_prose = judged([odds.of(run) for runs in blocks for run in runs], settings)
    hyphens = Hyphens(text)
    kept, position = [], 0
    for (start, end), runs in zip(spans, blocks, strict=True):
        kept.append(text[position:start])
        position = start
        if runs:
            lines = [
                _joined(run, book, settings, hyphens) if next(is_prose) else "\n".join(run.lines)
                for run in runs
            ]
            kept.append("\n".join(lines))
            position = end
    kept.append(text[position:])
    return "".join(kept)


def _joined(run: Run, book: Setting, settings: LayoutSettings, hyphens: Hyphens) -> str:
    width = max(run.width, book.width if run.breaks < 3 else 0)
    joined = [run.lines[0]]
    for before, line in pairwise(run.lines):
        after = line.lstrip()
        if is_end(before, after, width, settings):
            joined.append(f"\n{line}")
            continue
        gap = _gap(before, after, hyphens)
        if gap is None:
            joined[-1] = joined[-1][:-1]
        joined.append(f"{gap or ''}{after}")
    return "".join(joined)


def _gap(before: str, after: str, hyphens: Hyphens) -> str | None:
    """What goes between two lines of prose; None if the hyphen at the first one's end goes."""
    last = before[-1]
    if last in _SOFT_HYPHENS:
        return None
    if last == "-" and not before.endswith(("--", " -")):
        found = HYPHEN.search(f"{before.rsplit(' ', 1)[-1]}\n{after.split(' ', 1)[0]}")
        return None if found and not hyphens.stays(found[1], found[2]) else ""
    is_dash = before.endswith(("--", "\u2014")) and before[-3:-2] != " " and before[-2:-1] != " "
    is_dash = is_dash or (after.startswith(("--", "\u2014")) and " " not in after[1:3])
    return "" if is_dash or is_cjk(last, after[0]) else " "
