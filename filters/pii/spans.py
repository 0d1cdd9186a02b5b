"""What the finders of one kind share: spans, and what may stand beside a span."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

# Start and end of what is to be replaced, in characters.
Span: TypeAlias = tuple[int, int]

# A run of digits and what may stand between the digits of one number, six characters or more. One
# character class, so that it takes linear time.
_RUN = re.compile(r"[0-9][0-9 ()./\-–‑\u00a0\u200b]{4,}[0-9]")

# Scripts from here on (CJK) write no space between a word and a number.
FIRST_UNSPACED = "\u2e80"

# How far back a token is followed to see whether it is a URL; bounds time on text without spaces.
URL_LOOK_BACK = 500


def digit_runs(text: str) -> list[Span]:
    """Where all numbers of interest but IPv6 addresses have (most of) their digits, in order."""
    return [match.span() for match in _RUN.finditer(text)]


def is_word(text: str, index: int) -> bool:
    """Whether a letter, a digit or an underscore stands at `index`: a span beside it is a part."""
    if not 0 <= index < len(text):
        return False
    character = text[index]
    return character == "_" or (character < FIRST_UNSPACED and character.isalnum())


def is_digit(text: str, index: int) -> bool:
    """Whether a digit stands at `index`."""
    return 0 <= index < len(text) and text[index].isdigit()


def continues_number(text: str, end: int) -> bool:
    """Whether a number goes on behind `end`: `.5`, `,5`, `:5`."""
    return end < len(text) and text[end] in ".,:" and is_digit(text, end + 1)


def in_url(text: str, start: int) -> bool:
    """Whether `start` lies in a URL behind its scheme (its host counts as inside)."""
    before = text[max(0, start - URL_LOOK_BACK) : start]
    token = before.rsplit(None, 1)[-1] if before and not before[-1].isspace() else ""
    return "://" in token or "www." in token


def replace(text: str, spans: Sequence[Span], placeholder: str) -> str:
    """The text with every span (in order, none overlapping another) replaced."""
    pieces: list[str] = []
    position = 0
    for start, end in spans:
        pieces += (text[position:start], placeholder)
        position = end
    pieces.append(text[position:])
    return "".join(pieces)
