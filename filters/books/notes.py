"""Notes of those who made the file, out of the book: credits, transcriber's notes, notices."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from filters.books.gutenberg_settings import GutenbergSettings
from filters.books.note_marks import (
    BARE_NOTE_HEADING,
    BOOK_HEADING,
    BOX,
    BRACKETED_NOTE,
    CREDIT,
    CREDIT_WORDS,
    DOUBTFUL_HEADING,
    E_MAIL,
    EDITING,
    ELECTRONIC,
    FILE,
    HINTS,
    MADE_BY,
    NOTE_END,
    NOTE_HEADING,
    PERHAPS_EDITING,
    PROJECT,
)

# What a title page may say, too, goes only in front of it, which is before the third paragraph.
_OUTERMOST = 3
_MARK = re.compile(r"[\[\]{}]")
_PARAGRAPH = re.compile(r"[^\n]+(?:\n[^\n]+)*")
# Bounds time: each is followed until it closes.
_MOST_BRACKETS = 1000
_RULE = re.compile(r"^[\W_]+$")
# So many line ends, two empty lines, set parts of a text off from each other.
_WIDE_GAP = 3
# Bounds what a note without an end mark may take with it.
_MOST_OPENING_PARAGRAPHS = 12
_MOST_SECTION_PARAGRAPHS = 60
# Bounds time: headings are told by their first line or two.
_HEAD = 400
# "The Index of Names": a longer line is a sentence.
_HEADING_WORDS = 4
_WORDS = re.compile(r"[^\W\d_]+")
# Of the words behind "Produced by", those that are no names and nothing that credits say.
_OTHER_WORDS = 0.25
_EDITED = re.compile(f"{EDITING.pattern}|{PERHAPS_EDITING.pattern}", re.IGNORECASE)


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

    A bracket that is not closed within `maximum_characters`, and one around a heading alone, is
    left for the paragraphs' rules.
    """
    kept, position = [], 0
    for opening in islice(BRACKETED_NOTE.finditer(text), _MOST_BRACKETS):
        start = opening.start()
        if start < position:
            continue
        end = _closing(text, start, maximum_characters)
        if end and not BARE_NOTE_HEADING.match(text[start:end].strip()):
            kept.append(text[position:start])
            position = end
    return "".join([*kept, text[position:]])


def _closing(text: str, start: int, maximum_characters: int) -> int:
    """Offset after the bracket that closes the one at `start`; 0 if it is too far."""
    depth = 0
    for mark in _MARK.finditer(text, start, start + maximum_characters):
        depth += 1 if mark[0] in "[{" else -1
        if depth == 0:
            return mark.end()
    return 0


def drop_notices(text: str, settings: GutenbergSettings, *, everywhere: bool) -> Cleaned:
    """The text without paragraphs that are their producers' and not the author's.

    Args:
        text: of a book.
        settings: a paragraph longer than they allow is left, for the caller to refuse.
        everywhere: whether the text is the project's, so that no author names it; of other texts
            only the ends are searched.
    """
    return _Paragraphs(text, settings, everywhere).cleaned()


class _Paragraphs:
    """The paragraphs of a text, and which of them are notices."""

    def __init__(self, text: str, settings: GutenbergSettings, everywhere: bool) -> None:
        self.text = text
        self.settings = settings
        self.everywhere = everywhere
        spans = [match.span() for match in _PARAGRAPH.finditer(text)]
        self.spans = [(start, end) for start, end in spans if not text[start:end].isspace()]
        # Numbers of the paragraphs that head notes, end them, and begin a part of the book.
        self.notes: list[int] = []
        self.note_ends: list[int] = []
        self.parts: list[int] = []
        # Words of editing, and paragraphs with one of no author's, from one paragraph on: sums, as
        # a paragraph may be behind many headings.
        self.editing_from = 0
        self.editing: list[tuple[int, int]] = [(0, 0)]
        for number in range(len(self.spans)):
            self._sort(number)

    def cleaned(self) -> Cleaned:
        kept: list[str] = []
        count = number = 0
        while number < len(self.spans):
            paragraph = self._paragraph(number)
            after = self._after_note(number, paragraph)
            if after == number:
                after = self._after_opening(number, len(kept))
            is_named = len(
                paragraph
            ) <= self.settings.maximum_paragraph_characters and self._names_the_file(paragraph)
            is_notice = is_named and (self.everywhere or self._is_near(number))
            count += is_notice and bool(PROJECT.search(paragraph))
            if after > number or _is_boxed_note(paragraph):
                paragraph = ""
            elif is_notice or self._is_credit(number, paragraph, len(kept)):
                paragraph = (
                    _title_below(paragraph) if number < self.settings.edge_paragraphs else ""
                )
            if paragraph:
                kept.append(self._gap(number) + paragraph)
            number = max(after, number + 1)
        return Cleaned("".join(_without_rules(kept)).strip("\n"), count)

    def _sort(self, number: int) -> None:
        head = self._paragraph(number)[:_HEAD]
        if NOTE_HEADING.match(head):
            self.notes.append(number)
        elif NOTE_END.match(head):
            self.note_ends.append(number)
        elif self._is_set_off(number) and _is_book_heading(head):
            self.parts.append(number)

    def _paragraph(self, number: int) -> str:
        start, end = self.spans[number]
        return self.text[start:end]

    def _length(self, first: int, last: int) -> int:
        return self.spans[last][1] - self.spans[first][0]

    def _gap(self, number: int) -> str:
        return self.text[self.spans[number - 1][1] if number else 0 : self.spans[number][0]]

    def _is_near(self, number: int) -> bool:
        return (
            number < self.settings.edge_paragraphs
            or number >= len(self.spans) - self.settings.edge_paragraphs
        )

    def _names_the_file(self, paragraph: str) -> bool:
        lower = paragraph.lower()
        if not any(hint in lower for hint in HINTS):
            return False
        return bool(PROJECT.search(paragraph) or (self.everywhere and FILE.search(paragraph)))

    def _is_credit(self, number: int, paragraph: str, kept: int) -> bool:
        """Whether this says who made the file, `kept` paragraphs of the book being before it."""
        if len(paragraph) > self.settings.maximum_credit_characters:
            return False
        is_outermost = kept < _OUTERMOST or number >= len(self.spans) - _OUTERMOST
        if is_outermost and _names_makers(paragraph):
            return True
        is_near = self.everywhere and self._is_near(number)
        if not is_outermost and not is_near:
            return False
        return bool(CREDIT.search(paragraph)) or (is_near and bool(E_MAIL.search(paragraph)))

    def _after_note(self, number: int, paragraph: str) -> int:
        """The number of the paragraph behind the note that begins here; this one's if none does."""
        head = paragraph[:_HEAD]
        if len(paragraph) > self.settings.maximum_note_characters:
            return number
        if NOTE_HEADING.match(head):
            return self._closing_note(number) or self._note(number, head)
        if not DOUBTFUL_HEADING.match(head):
            return number
        end = self._closing_note(number, is_doubtful=True)
        if not end and number < self.settings.edge_paragraphs:
            end = self._note(number, head)
        if end and self._is_editing(number, end):
            return end
        return number

    def _after_opening(self, number: int, kept: int) -> int:
        """The number of the paragraph behind notes without a heading, in front of the book.

        They are about the file, and end at a gap or where a title stands.
        """
        is_bare = number > 0 and bool(BARE_NOTE_HEADING.match(self._paragraph(number - 1)))
        if not (self.everywhere or (number and not kept)) or kept > _OUTERMOST:
            return number
        if number >= self.settings.edge_paragraphs:
            return number
        end, last = number + 1, min(len(self.spans), number + _MOST_SECTION_PARAGRAPHS)
        while end < last and not self._is_set_off(end):
            end += 1
        section = [self._paragraph(one) for one in range(number, end)]
        is_long = self._length(number, end - 1) > self.settings.maximum_note_characters
        if is_long or end == len(self.spans) or not self._is_set_off(end):
            return number
        # Behind a title page an introduction of the producers' may stand, with its heading.
        first = int(bool(kept and len(section) > 1 and len(section[0].split()) <= _HEADING_WORDS))
        notes = [
            self._names_the_file(one) or _is_about_file(one, is_bare=is_bare)
            for one in section[first:]
        ]
        if not notes[0] or (first and not all(notes)):
            return number
        titles = (place for place, one in enumerate(section) if place >= first and _is_title(one))
        return number + next(titles, len(section))

    def _is_editing(self, first: int, end: int) -> bool:
        """Whether some paragraphs are about how the file was made."""
        if first >= self.editing_from + len(self.editing):
            self.editing_from, self.editing = first, [(0, 0)]
        for number in range(self.editing_from + len(self.editing) - 1, end):
            paragraph = self._paragraph(number)
            hits, sure = self.editing[-1]
            hits += len(PERHAPS_EDITING.findall(paragraph))
            self.editing.append((hits, sure + bool(EDITING.search(paragraph))))
        before, behind = (
            self.editing[first - self.editing_from],
            self.editing[end - self.editing_from],
        )
        hits, sure = behind[0] - before[0], behind[1] - before[1]
        return sure > 0 or (
            hits > 1 and hits * self.settings.editing_every > self._length(first, end - 1)
        )

    def _closing_note(self, number: int, *, is_doubtful: bool = False) -> int:
        """Where the notes that begin here in the last part of the text end: at a part of the book
        that is set off, or with the text. 0 if they are too long for notes.

        What only may be notes ends where notes begin that no author has.
        """
        start = self.spans[number][0]
        if number < self.settings.edge_paragraphs or start <= len(self.text) * (
            1 - self.settings.closing_share
        ):
            return 0
        end = _next(self.parts, number, len(self.spans))
        if is_doubtful:
            end = _next(self.notes, number, end)
        return end if self._length(number, end - 1) <= self.settings.maximum_note_characters else 0

    def _note(self, number: int, head: str) -> int:
        """Where a note ends: with its own end mark; at the gap behind it if its heading stands
        alone; else with the paragraphs that are set in or speak of editing.
        """
        mark = _next(self.note_ends, number, len(self.spans))
        if (
            mark < len(self.spans)
            and self._length(number, mark) <= self.settings.maximum_note_characters
        ):
            return mark + 1
        behind = self._while_note(number + 1, _is_edited)
        if BARE_NOTE_HEADING.match(head):
            sentences = self._while_note(behind, _is_sentence)
            if sentences < len(self.spans) and self._is_set_off(sentences):
                return sentences
        return behind

    def _while_note(self, number: int, goes_on: Callable[[str], bool]) -> int:
        """The first paragraph from here that is set off, a heading, or neither set in nor chosen;
        not more than a few paragraphs on.
        """
        last = min(len(self.spans), number + _MOST_OPENING_PARAGRAPHS)
        while number < last and not self._is_set_off(number):
            paragraph = self._paragraph(number)
            if paragraph.isupper() or _is_book_heading(paragraph):
                break
            if paragraph[0] not in " \t" and not goes_on(paragraph):
                break
            number += 1
        return number

    def _is_set_off(self, number: int) -> bool:
        return self._gap(number).count("\n") >= _WIDE_GAP


def _next(numbers: list[int], number: int, default: int) -> int:
    """The first of some ascending numbers above another; the default if it comes sooner."""
    place = bisect_right(numbers, number)
    return min(numbers[place], default) if place < len(numbers) else default


def _title_below(paragraph: str) -> str:
    """What follows a line of credits without an empty line, from a line in capitals on."""
    lines = paragraph.split("\n")
    below = (number for number, line in enumerate(lines) if number and line.isupper())
    return "\n".join(lines[next(below, len(lines)) :])


def _names_makers(paragraph: str) -> bool:
    """Whether a paragraph says "Produced by" and then names, and is no sentence."""
    found = MADE_BY.search(paragraph)
    if not found:
        return False
    words = _WORDS.findall(paragraph[found.end() :])
    others = [word for word in words if word[0].islower() and word not in CREDIT_WORDS]
    return len(others) <= _OTHER_WORDS * len(words)


def _is_about_file(paragraph: str, *, is_bare: bool) -> bool:
    """Whether a paragraph in front of a book is about its file.

    Args:
        paragraph: of the text.
        is_bare: whether a heading of notes stands right above it.
    """
    return bool(ELECTRONIC.search(paragraph)) or (is_bare and _is_edited(paragraph))


def _is_title(paragraph: str) -> bool:
    """Whether a paragraph is a title: in capitals, or a line of words that begin with capitals."""
    if paragraph.isupper():
        return True
    words = paragraph.split()
    capitals = sum(word[:1].isupper() for word in words)
    is_line = "\n" not in paragraph and words[0][:1].isalpha() and words[-1][-1].isalnum()
    return is_line and capitals * 2 > len(words)


def _is_edited(paragraph: str) -> bool:
    return bool(_EDITED.search(paragraph))


def _is_sentence(paragraph: str) -> bool:
    """Whether a paragraph is a sentence or more, and no title."""
    return not paragraph.isupper() and paragraph.rstrip("\"')]_").endswith(
        (".", ":", ";", "!", "?")
    )


def _is_book_heading(paragraph: str) -> bool:
    """Whether a part of the book begins here: "INDEX", "Chapter I". Lists of corrections say
    "Chapter I:".
    """
    line = paragraph.lstrip().split("\n", 1)[0]
    is_short = line.isupper() or len(line.split()) <= _HEADING_WORDS
    return is_short and not line.endswith(":") and bool(BOOK_HEADING.match(line[:_HEAD]))


def _is_boxed_note(paragraph: str) -> bool:
    return paragraph.lstrip().startswith(("|", "+")) and bool(
        BOX.match(paragraph) and _EDITED.search(paragraph)
    )


def _without_rules(paragraphs: list[str]) -> list[str]:
    """Without rows of asterisks and the like at either end, which set a note off."""
    ends = [not _RULE.match(paragraph.strip("\n")) for paragraph in paragraphs]
    if not any(ends):
        return []
    return paragraphs[ends.index(True) : len(ends) - ends[::-1].index(True)]
