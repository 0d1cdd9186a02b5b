"""Cutting what matches an evaluation item out of a text, at borders of words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from dedup.contamination import Matches
from dedup.shingles import lower

_WORD = re.compile(r"\w+")
# Between two letters these belong to a word as people write it.
_CONNECTORS = frozenset("'\u2019-\u2010\u2011")
_INVISIBLE = frozenset("\u00ad\u200c\u200d\u2060")


def word_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each word, in characters."""
    return [match.span() for match in _WORD.finditer(lower(text))]


def matched_spans(text: str, matches: Matches) -> list[tuple[int, int]]:
    """Start and end, in characters, of what to cut: ascending, apart, at borders of words.

    Matches that overlap or touch make one span. Spans are widened to whole words as written, with
    accents, apostrophes and hyphens, so that cutting joins no two words and splits none.
    """
    words = word_spans(text)
    runs: list[list[int]] = []
    for start, length in sorted(
        zip(matches.starts.tolist(), matches.lengths.tolist(), strict=True)
    ):
        if runs and start <= runs[-1][1]:
            runs[-1][1] = max(runs[-1][1], start + length)
        else:
            runs.append([start, start + length])
    spans: list[tuple[int, int]] = []
    for first, last in runs:
        start, end = _widened(text, words[first][0], words[last - 1][1])
        if spans and start <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((start, end))
    return spans


def remove_spans(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text without the spans."""
    starts = [0, *(end for _, end in spans)]
    ends = [*(start for start, _ in spans), len(text)]
    return "".join([text[start:end] for start, end in zip(starts, ends, strict=True)])


def _widened(text: str, start: int, end: int) -> tuple[int, int]:
    while start > 0 and _in_word(text, start - 1):
        start -= 1
    while end < len(text) and _in_word(text, end):
        end += 1
    return start, end


def _in_word(text: str, place: int) -> bool:
    if text[place] in _CONNECTORS:
        inside = 0 < place < len(text) - 1
        return inside and _is_letter(text[place - 1]) and _is_letter(text[place + 1])
    return _is_letter(text[place])


def _is_letter(character: str) -> bool:
    return (
        character.isalnum()
        or character == "_"
        or character in _INVISIBLE
        or unicodedata.category(character).startswith("M")
    )
