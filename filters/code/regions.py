"""Where the comments and the strings of a file are, in one pass over its text.

No parser: what opens first counts, up to what closes it. A quote that nothing closes in its line is
no string. Linear in the text, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

from filters.code.syntax import Syntax

What: TypeAlias = Literal["comment", "string"]

_ONE_LINE = {
    '"': re.compile(r'"(?:[^"\\\n]|\\.)*"', re.DOTALL),
    "'": re.compile(r"'(?:[^'\\\n]|\\.)*'", re.DOTALL),
    "char": re.compile(r"'(?:[^'\\\n]|\\[^\n']{1,10}|\\')'"),
}
# What must stand before a line comment, where its marker is also something else in code.
_AFTER_SPACE = frozenset({"#", "'", "*", "/", "!", "@", "|", "-#", ".. "})
_FIRST_COLUMN = frozenset({"C ", "c ", "*", "      *", ".. ", "# ", "="})
_WORDS = frozenset({"REM", "rem", "Rem", "@REM", "@rem", "dnl", "NB."})


@dataclass(frozen=True, slots=True)
class Region:
    """Characters `start` to `end` (exclusive) of a text, markers and quotes included."""

    what: What
    start: int
    end: int


def regions(text: str, syntax: Syntax) -> Iterator[Region]:
    """Comments and strings, in order; they never overlap."""
    openers = _openers(syntax)
    if openers is None:
        return
    closers = dict(syntax.block) | {quote: quote for quote in syntax.strings if len(quote) == 3}
    closers |= {quote: quote for quote in syntax.strings if quote in ("`", "''")}
    blocks = {opener for opener, _ in syntax.block}
    never: set[str] = set()
    at = 0
    while (match := openers.search(text, at)) is not None:
        opener, start = match[0], match.start()
        at = match.end()
        if opener in closers and opener not in never:
            end = text.find(closers[opener], at)
            if end < 0:
                never.add(opener)
                continue
            at = end + len(closers[opener])
            is_comment = opener in blocks and (opener[-1] not in "\"'" or _begins_line(text, start))
            yield Region("comment" if is_comment else "string", start, at)
        elif opener in syntax.line and _is_line_comment(text, start, opener):
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
            yield Region("comment", start, at)
        elif (string := _one_line(text, start, opener, syntax)) is not None:
            at = string
            yield Region("string", start, at)


def _one_line(text: str, start: int, opener: str, syntax: Syntax) -> int | None:
    name = "char" if opener == "'" and "char" in syntax.strings else opener
    if name not in syntax.strings or name not in _ONE_LINE:
        return None
    match = _ONE_LINE[name].match(text, start)
    return match.end() if match else None


def _is_line_comment(text: str, start: int, marker: str) -> bool:
    before = text[start - 1] if start else "\n"
    if marker in _FIRST_COLUMN:
        return before == "\n"
    if marker in _WORDS:
        after = text[start + len(marker) : start + len(marker) + 1]
        return not (before.isalnum() or before == "_") and not after.isalnum()
    return marker not in _AFTER_SPACE or before.isspace() or before in ";{}()["


def _begins_line(text: str, start: int) -> bool:
    return not text[text.rfind("\n", 0, start) + 1 : start].strip()


@lru_cache(maxsize=256)
def _openers(syntax: Syntax) -> re.Pattern[str] | None:
    strings = {"'" if quote == "char" else quote for quote in syntax.strings}
    found = {*syntax.line, *(opener for opener, _ in syntax.block), *strings}
    if not found:
        return None
    # Of two that begin alike the longer one.
    return re.compile("|".join(re.escape(one) for one in sorted(found, key=len, reverse=True)))
