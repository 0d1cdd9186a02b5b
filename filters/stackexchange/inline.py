"""What stands inside a paragraph: white space, maths, inline code, exponents and indices."""

from __future__ import annotations

import html
import re

from filters import scripts

# Stands for <br> until a paragraph is done; control characters are gone from posts by then.
BREAK = "\0"

_BREAKS = re.compile(rf"\s*{BREAK}\s*")
# What MathJax takes for the borders of maths; an escaped character is none.
_MATH_MARK = re.compile(r"\\(?:begin|end)\{[a-zA-Z]{1,30}\*?\}|\\.|\$\$?", re.DOTALL)
_WHITE = "\n\t\r\xa0"


def ticks(code: str) -> str:
    """Inline code, still with entities, between backticks; as it is if there is nothing in it."""
    if not code.strip():
        return code
    literal = html.unescape(code) if "&" in code else code
    if "`" not in literal:
        return f"`{code}`"
    longest = max(len(run) for run in re.findall("`+", literal))
    mark = "`" * (longest + 1)
    return f"{mark} {code} {mark}"


def script(before: str, pieces: list[str], mark: str) -> list[str]:
    """A superscript (mark `^`) or subscript (`_`) that follows `before`, so that it can be read."""
    # Longer ones are small print and footnotes.
    content = "".join(pieces) if sum(map(len, pieces)) <= 16 else ""
    if not content or not before or before[-1].isspace():
        return pieces
    return [scripts.script(content, mark)]


def paragraph_lines(text: str) -> list[str]:
    """Lines of a paragraph: white space is one space, except in maths, where it stays.

    Args:
        text: without entities; `BREAK` for a line break.
    """
    text = text.strip(_WHITE + " " + BREAK)
    even = _one_space(text)
    if even != text and ("$" in text or "\\begin{" in text):
        even = _one_space_around_maths(text)
    elif BREAK not in even:
        return [even] if even else []
    lines = _BREAKS.sub("\n", even).split("\n")
    return [line.rstrip() for line in lines if line and not line.isspace()]


def _one_space(text: str) -> str:
    """One space for every run of white space."""
    if "\n" in text:
        text = text.replace("\n", " ")
    if "\xa0" in text or "\t" in text or "\r" in text:
        text = text.replace("\xa0", " ").replace("\t", " ").replace("\r", " ")
    while "  " in text:
        text = text.replace("  ", " ")
    return text


def _one_space_around_maths(text: str) -> str:
    """The same outside `$...$`, `$$...$$` and environments; the latter two keep their own lines."""
    pieces: list[str] = []
    outside = 0  # where the text that is not maths starts
    start, awaited, displayed = 0, "", False  # of the maths that is open; of that before
    for mark in _MATH_MARK.finditer(text):
        token = mark[0]
        if awaited and token == awaited:
            display = token != "$"
            pieces.append(_between_maths(text[outside:start], displayed, display))
            pieces.append(text[start : mark.end()])
            outside, awaited, displayed = mark.end(), "", display
        elif token in ("$", "$$") and awaited in ("", "$"):
            # `$5, and then $$x$$`: the first was no maths.
            start, awaited = mark.start(), token
        elif token.startswith(r"\begin{") and not awaited:
            start, awaited = mark.start(), rf"\end{token[6:]}"
    pieces.append(_between_maths(text[outside:], displayed, False))
    return "".join(pieces)


def _between_maths(text: str, after_display: bool, before_display: bool) -> str:
    """Text with single spaces; a line break next to displayed maths stays one."""
    even = _one_space(text)
    if after_display and "\n" in text[: len(text) - len(text.lstrip())]:
        even = "\n" + even.lstrip()
    if before_display and "\n" in text[len(text.rstrip()) :]:
        even = even.rstrip() + "\n"
    return even
