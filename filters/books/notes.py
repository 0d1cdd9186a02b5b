"""Notes of those who made the file, out of the book: credits, transcriber's notes, notices."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from filters.books.marks import BOX, BRACKETED_NOTE, CREDIT, NOTE_HEADING, NOTE_WORDS, NOTICE

# Credits stand among the first or last paragraphs; notes at the end in the last part of the text.
_FIRST_PARAGRAPHS = 15
_LAST_PARAGRAPHS = 15
_LAST_SHARE = 0.25
_MARK = re.compile(r"[\[\]]")
_PARAGRAPH = re.compile(r"[^\n]+(?:\n[^\n]+)*")
_MOST_BRACKETS = 1000
_RULE = re.compile(r"^[\W_]+$")
# A note goes on over gaps with fewer line ends than this.
_WIDE_GAP = 3


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A book without notices.

    Attributes:
        text: of the book.
        count: how many paragraphs named the project.
    """

    text: str
    count: int


def drop_bracketed_notes(text: str, maximum_characters: int) -> str:
    """The text without notes of its producers that stand in brackets.

    A bracket that is not closed within `maximum_characters` is left for the paragraphs' rules.
    """
    kept, position = [], 0
    for opening in islice(BRACKETED_NOTE.finditer(text), _MOST_BRACKETS):
        if opening.start() < position:
            continue
        end = _closing(text, opening.start(), maximum_characters)
        if end:
            kept.append(text[position : opening.start()])
            position = end
    return "".join([*kept, text[position:]])


def _closing(text: str, start: int, maximum_characters: int) -> int:
    """Offset after the bracket that closes the one at `start`; 0 if it is too far."""
    depth = 0
    for mark in _MARK.finditer(text, start, start + maximum_characters):
        depth += 1 if mark[0] == "[" else -1
        if depth == 0:
            return mark.end()
    return 0


def drop_notices(text: str, maximum_characters: int) -> Cleaned:
    """The text without paragraphs that are their producers' and not the author's.

    Longer paragraphs than `maximum_characters` are left as they are, for the caller to refuse.
    """
    paragraphs = [(match.start(), match.end()) for match in _PARAGRAPH.finditer(text)]
    last = len(paragraphs)
    kept: list[str] = []
    count = position = 0
    in_note = False
    for number, (start, end) in enumerate(paragraphs):
        paragraph, gap = text[start:end], text[position:start]
        position = end
        if paragraph.isspace():
            continue
        # Notes go on with indented paragraphs until a wider gap or the margin.
        in_note = in_note and paragraph[0] in " \t" and gap.count("\n") < _WIDE_GAP
        is_near = number < _FIRST_PARAGRAPHS or number >= last - _LAST_PARAGRAPHS
        head = paragraph[:400]
        if in_note:
            continue
        if len(paragraph) <= maximum_characters:
            if NOTICE.search(paragraph):
                count += 1
                in_note = bool(NOTE_HEADING.match(head))
                continue
            if NOTE_HEADING.match(head) and (is_near or start > len(text) * (1 - _LAST_SHARE)):
                if _is_closing_note(start, number, len(text), maximum_characters):
                    break
                in_note = True
                continue
            if (is_near and CREDIT.match(head)) or _is_boxed_note(paragraph):
                continue
        kept.append(gap + paragraph)
    return Cleaned("".join(_without_rules(kept)).strip("\n"), count)


def _is_closing_note(start: int, number: int, length: int, maximum_characters: int) -> bool:
    """Whether what begins here is the notes at the end: all the rest of the text is."""
    return (
        number >= _FIRST_PARAGRAPHS
        and start > length * (1 - _LAST_SHARE)
        and length - start <= maximum_characters
    )


def _is_boxed_note(paragraph: str) -> bool:
    return paragraph.lstrip().startswith(("|", "+")) and bool(
        BOX.match(paragraph) and NOTE_WORDS.search(paragraph)
    )


def _without_rules(paragraphs: list[str]) -> list[str]:
    """Without rows of asterisks and the like at either end, which set a note off."""
    ends = [not _RULE.match(paragraph.strip("\n")) for paragraph in paragraphs]
    if not any(ends):
        return []
    return paragraphs[ends.index(True) : len(ends) - ends[::-1].index(True)]
