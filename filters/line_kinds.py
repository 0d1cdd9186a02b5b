"""What the lines of a text are, one letter each, as far as its extractor knows.

The letters go with a document as the signal `line_kinds`: whoever drops a line drops its letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from filters.document import Document

SIGNAL = "line_kinds"
PARAGRAPH, HEADING, ITEM, ROW, CODE, VERSE = "phircv"
# A blank line that parts two blocks (Markdown).
BLANK = "-"

# Scripts without spaces between words: two ideographs or kana, or four letters, make about one.
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


def line_kinds(document: Document) -> str:
    """A letter for each line of the document's text; all paragraphs where nothing is known."""
    lines = document.text.count("\n") + 1
    kinds: str = document.signals.get(SIGNAL) or ""
    return kinds if len(kinds) == lines else PARAGRAPH * lines


def keep_kinds(document: Document, kept: Iterable[int]) -> None:
    """Leave the letters of the lines that stay, where there are any."""
    kinds = document.signals.get(SIGNAL)
    if kinds:
        document.signals[SIGNAL] = "".join([kinds[number] for number in kept])


def has_words(line: str, minimum: int) -> bool:
    """Whether a line has so many words, in scripts without spaces about so many."""
    if len(line) < minimum:
        return False
    words = len(line.split())
    if words < minimum and not line.isascii():
        words += len(_IDEOGRAPHS.findall(line)) // 2 + len(_UNSPACED.findall(line)) // 4
    return words >= minimum
