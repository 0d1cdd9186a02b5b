"""Whole numbers in English words."""

from __future__ import annotations

_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
_TENS = ("", "", *("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"))
_LARGEST = 999_999


def spelled(number: str, *, capital: bool = False) -> str | None:
    """A whole number of at most six digits in words, None for another one."""
    if not number.isdecimal() or int(number) > _LARGEST:
        return None
    words = _words(int(number))
    return words[:1].upper() + words[1:] if capital else words


def _words(number: int) -> str:
    if number < 20:
        return _SMALL[number]
    if number < 100:
        rest = number % 10
        return _TENS[number // 10] + (f"-{_SMALL[rest]}" if rest else "")
    size, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    rest = number % size
    joint = " and " if rest and rest < 100 else " "
    return f"{_words(number // size)} {name}" + (joint + _words(rest) if rest else "")
