"""Tokens back to text: words kept apart, lines without trailing space, no rows of blank lines."""

from __future__ import annotations

import re
from itertools import pairwise

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
# Columns of wide tables, padded in the editor.
_PADDING = re.compile(r"(?<=\S)[ \t]{40,}(?=\S)")
_BLANK_LINES = re.compile(r"\n{3,}")
_LITERAL = re.compile(r"\\(?:begin\{(?:[vBL]*[vV]erbatim|lstlisting|minted|alltt)|[vV]erb\W)")


def join_tokens(tokens: list[str]) -> str:
    """The text of tokens.

    A space is put where a control word would run into the letters of the next token, which only
    happens where a macro was expanded.
    """
    seams = [
        index
        for index, (token, following) in enumerate(pairwise(tokens), 1)
        if token[0] == "\\"
        and following[0] in _LETTERS
        and token[-1] in _LETTERS
        and token[1:].isalpha()
    ]
    if seams:
        pieces, start = [], 0
        for seam in seams:
            pieces += tokens[start:seam]
            pieces.append(" ")
            start = seam
        tokens = pieces + tokens[start:]
    literal = [
        index
        for index, token in enumerate(tokens)
        if token[0] == "\\" and len(token) > 6 and _LITERAL.match(token)
    ]
    texts: list[str] = []
    start = 0
    for index in literal:
        texts += (_tidy("".join(tokens[start:index])), tokens[index])
        start = index + 1
    texts.append(_tidy("".join(tokens[start:])))
    return "".join(texts).strip()


def take_out_marks(text: str, mark: str) -> tuple[str, list[int]]:
    """A text without the marks in it, and where in it they stood, in characters.

    Blank lines on both sides of a mark become one.
    """
    kept, *parts = text.split(mark)
    pieces, places, length = [kept], [], len(kept)
    for part in parts:
        before = len(pieces[-1]) - len(pieces[-1].rstrip("\n"))
        rest = part.lstrip("\n")
        newlines = 0 if length == 0 else max(0, min(2 - before, len(part) - len(rest)))
        places.append(length)
        pieces.append("\n" * newlines + rest)
        length += newlines + len(rest)
    return "".join(pieces).rstrip(), places


def _tidy(text: str) -> str:
    """Trailing white space, long padding and all but one of several blank lines go."""
    if " \n" in text or "\t\n" in text:
        *lines, last = text.split("\n")
        text = "\n".join([*(line.rstrip(" \t") for line in lines), last])
    if " " * 20 in text:
        text = _PADDING.sub(" ", text)
    return _BLANK_LINES.sub("\n\n", text)
