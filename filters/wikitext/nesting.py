"""Match opening and closing marks of wikitext that nest: templates, links, tables.

A stack over the marks alone, as in MediaWiki's preprocessor: linear in their number whatever the
depth, and a mark without partner never takes text with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

# MediaWiki refuses to expand templates deeper than this; so do we, which bounds copying.
MAXIMUM_DEPTH = 40

# Two patterns that begin with a literal are scanned many times faster than their alternation.
_OPENING_BRACES = re.compile(r"\{\{+")
_CLOSING_BRACES = re.compile(r"\}\}+")

# What stands in a pair's place: a text, or what makes one of its inner text.
Show: TypeAlias = "str | Callable[[str], str]"
Keep: TypeAlias = "Callable[[Pair], Show]"


class Pair(NamedTuple):
    """An opening mark and its closing one, as offsets; `braces` is 3 for a `{{{parameter}}}`."""

    start: int
    inner_start: int
    inner_end: int
    end: int
    braces: int = 2


def match_braces(text: str) -> list[Pair]:
    """Pair runs of braces as MediaWiki does (innermost first, three before two), by start."""
    pairs: list[Pair] = []
    stack: list[tuple[int, int]] = []  # where the braces not yet used of a run begin, how many
    runs = [run.span() for run in _OPENING_BRACES.finditer(text)]
    runs += [run.span() for run in _CLOSING_BRACES.finditer(text)]
    runs.sort()
    for run_start, end in runs:
        position = run_start
        if text[position] == "{":
            stack.append((position, end - position))
            continue
        while stack and end - position >= 2:
            start, count = stack.pop()
            taken = min(3, count, end - position)
            inner = start + count
            pairs.append(Pair(inner - taken, inner, position, position + taken, taken))
            position += taken
            if count - taken >= 2:
                stack.append((start, count - taken))
    pairs.sort()
    return pairs


def match_marks(
    text: str, opening: re.Pattern[str], closing: re.Pattern[str], border: re.Pattern[str] | None
) -> list[Pair]:
    """Pair marks, by start.

    Args:
        text: what to search.
        opening: matches an opening mark; begins with a literal, so that scanning is fast.
        closing: matches a closing mark.
        border: matches what no pair crosses.
    """
    marks = [(*match.span(), 1) for match in opening.finditer(text)]
    if not marks:
        return []
    marks += [(*match.span(), -1) for match in closing.finditer(text)]
    if border is not None:
        marks += [(*match.span(), 0) for match in border.finditer(text)]
    marks.sort()
    pairs: list[Pair] = []
    stack: list[tuple[int, int]] = []
    for start, end, step in marks:
        if step > 0:
            stack.append((start, end))
        elif step == 0:
            stack.clear()
        elif stack:
            pairs.append(Pair(*stack.pop(), start, end))
    pairs.sort()
    return pairs


def render(text: str, pairs: list[Pair], keep: Keep) -> str:
    """Replace every outermost pair of `text` by what it shows.

    Args:
        text: what the pairs are offsets into.
        pairs: properly nested, by start.
        keep: for a pair, the text that stands in its place, whatever is in it, or a function from
            its inner text (in which the nested pairs are already replaced) to that text.
    """
    return _Rendering(text, pairs, keep).between(0, len(text)) if pairs else text


class _Rendering:
    """One pass over the pairs of a text; `_next` is the first pair not yet dealt with."""

    def __init__(self, text: str, pairs: list[Pair], keep: Keep) -> None:
        self._text = text
        self._pairs = pairs
        self._keep = keep
        self._next = 0
        self._depth = 0

    def between(self, start: int, end: int) -> str:
        """Render the text from `start` to `end`, in which the next pairs lie."""
        text, pairs, count = self._text, self._pairs, len(self._pairs)
        pieces: list[str] = []
        while self._next < count and pairs[self._next].start < end:
            pair = pairs[self._next]
            self._next += 1
            pieces.append(text[start : pair.start])
            start = pair.end
            show = self._keep(pair) if self._depth < MAXIMUM_DEPTH else ""
            if isinstance(show, str):
                pieces.append(show)
                while self._next < count and pairs[self._next].start < start:
                    self._next += 1
            else:
                self._depth += 1
                pieces.append(show(self.between(pair.inner_start, pair.inner_end)))
                self._depth -= 1
        pieces.append(text[start:end])
        return "".join(pieces)
