"""Match opening and closing marks of wikitext that nest: templates, links, tables.

A stack over the marks alone, as in MediaWiki's preprocessor: linear in their number whatever the
depth, and a mark without partner never takes text with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

# MediaWiki refuses to expand templates deeper than this; so do we, which bounds copying.
MAXIMUM_DEPTH = 40

_BRACES = re.compile(r"\{{2,}|\}{2,}")


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
    for run in _BRACES.finditer(text):
        position, end = run.span()
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


def match_marks(text: str, marks: re.Pattern[str]) -> list[Pair]:
    """Pair marks, by start.

    Args:
        text: what to search.
        marks: group 1 matches an opening mark, group 2 a closing one; a match of neither is a
            border that no pair crosses.
    """
    pairs: list[Pair] = []
    stack: list[tuple[int, int]] = []
    for mark in marks.finditer(text):
        if mark.lastindex == 1:
            stack.append(mark.span(1))
        elif mark.lastindex is None:
            stack.clear()
        elif stack:
            start, inner_start = stack.pop()
            pairs.append(Pair(start, inner_start, mark.start(2), mark.end(2)))
    pairs.sort()
    return pairs


def render(
    text: str,
    pairs: list[Pair],
    keep: Callable[[Pair], Callable[[str], str] | None],
    removed: str,
) -> str:
    """Replace every outermost pair of `text` by what it shows.

    Args:
        text: what the pairs are offsets into.
        pairs: properly nested, by start.
        keep: for a pair, None to remove it with all in it, or a function from its inner text (in
            which the nested pairs are already replaced) to what stands in its place.
        removed: what stands in the place of a removed pair.
    """
    if not pairs:
        return text
    return _render(text, 0, len(text), pairs, 0, keep, removed, 0)[0]


def _render(
    text: str,
    start: int,
    end: int,
    pairs: list[Pair],
    index: int,
    keep: Callable[[Pair], Callable[[str], str] | None],
    removed: str,
    depth: int,
) -> tuple[str, int]:
    pieces: list[str] = []
    count = len(pairs)
    while index < count and pairs[index].start < end:
        pair = pairs[index]
        index += 1
        pieces.append(text[start : pair.start])
        start = pair.end
        show = keep(pair) if depth < MAXIMUM_DEPTH else None
        if show is None:
            pieces.append(removed)
            while index < count and pairs[index].start < start:
                index += 1
        elif index < count and pairs[index].start < pair.inner_end:
            inner, index = _render(
                text, pair.inner_start, pair.inner_end, pairs, index, keep, removed, depth + 1
            )
            pieces.append(show(inner))
        else:
            pieces.append(show(text[pair.inner_start : pair.inner_end]))
    pieces.append(text[start:end])
    return "".join(pieces), index
