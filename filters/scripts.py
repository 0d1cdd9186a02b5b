"""Raised and lowered text in plain text: what stands in `<sup>` and `<sub>`."""

from __future__ import annotations

import re

_SUPERSCRIPTS = str.maketrans("0123456789+-−=()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾")
_SUBSCRIPTS = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")
_IN_UNICODE = re.compile(r"[+\-−]?[0-9]{1,8}|[0-9]{0,3}[+\-−]")
_FORMULA = re.compile(
    r"(?:(?:log|ln|lg|sin|cos) ?)?[^\W_]{1,3}(?:(?:[+\-−*/]|[\^_]\(?)[^\W_]{1,3}\)?){0,3}"
)
_ORDINALS = frozenset(
    (
        *("st", "nd", "rd", "th", "e", "er", "ers", "ème", "o", "os", "a", "as", "TM", "tm", "SM"),
        *("re", "res", "me", "mes", "lle", "lles", "nd", "nde", "gr", "r", "t", "te", "ro", "to"),
    )
)


def script(content: str, mark: str) -> str:
    """A superscript (mark `^`) or subscript (`_`) behind something, so that it can be read.

    Numbers become Unicode's raised or lowered digits, short formulas get the mark, everything else
    (small print, footnotes, ordinals) stays as it is.
    """
    if _IN_UNICODE.fullmatch(content):
        return content.translate(_SUPERSCRIPTS if mark == "^" else _SUBSCRIPTS)
    if content in _ORDINALS or not _FORMULA.fullmatch(content):
        return content
    return mark + (content if len(content) == 1 else f"({content})")
