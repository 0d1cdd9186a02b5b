"""Text of documents as a terminal may show it: what moves, hides or turns things is spelled out.

A crawled page may hold terminal control sequences (ECMA-48) and marks that turn the direction of
writing (Unicode, UAX #9). Shown as they are they could rewrite the screen, or what a person reads.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

# Controls, C1 among them; soft hyphens; marks of direction, separators of lines and paragraphs,
# what has no width (but joiners, which Persian, Hindi and emoji are written with); lone surrogates;
# tags. A line break and a tab are looked at apart.
_HIDDEN = (
    "\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\xad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e"
    "\\u2060-\\u206f\\ud800-\\udfff\\ufeff\\ufff9-\\ufffb\\U000e0000-\\U000e007f"
)
_IN_TEXT = re.compile(f"[{_HIDDEN}]")
_IN_LINE = re.compile(f"[{_HIDDEN}\\t\\n]")


def visible(text: str) -> str:
    """A text of several lines, safe to print; hidden characters as `\\x1b` or `\\u202e`."""
    return _IN_TEXT.sub(_spelled, text)


def visible_line(text: str) -> str:
    """The same for what stands in one line: line breaks and tabs are spelled out too."""
    return _IN_LINE.sub(_spelled, text)


def _spelled(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def json_line(value: Any) -> str:
    """A value as JSON in one line, safe to print: hidden characters are escaped as JSON has it."""
    return _IN_LINE.sub(_json_escape, orjson.dumps(value).decode())


def _json_escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
