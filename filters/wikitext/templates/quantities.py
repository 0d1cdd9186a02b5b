"""Quantities of `{{convert}}`: what a call gives, and what it is in other units.

Converted numbers are rounded to about the precision of the one given, but to two digits at least
(Help:Convert, English Wikipedia), unless the call says how.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from filters.wikitext.templates.units import Unit, find_unit
from filters.wikitext.templates.wiki import Wiki, plain_number, superscript

# Units in which a smaller one follows: how many of it are in the larger.
_PARTS = {
    ("ft", "in"): 12,
    ("yd", "ft"): 3,
    ("mi", "yd"): 1760,
    ("mi", "ft"): 5280,
    ("lb", "oz"): 16,
    ("st", "lb"): 14,
    ("LT", "cwt"): 20,
}
FRACTION = re.compile(r"(?:(\d+)\+)?(\d+)/(\d+)")
_MANTISSA = re.compile(r"-?(\d*)(\.?)(\d*)(?:e([-+]?\d+))?")


@dataclass(slots=True)
class Given:
    """The quantity of a call: numbers with what stands between them, unit, smaller part."""

    numbers: list[str]
    between: list[str]
    unit: Unit
    code: str
    part: tuple[str, Unit, int] | None  # number, unit, how many make one of the larger


@dataclass(slots=True)
class Style:
    """How a call is to be shown."""

    given_named: bool
    made_named: bool
    adjective: bool
    has_or: bool
    always_named: bool
    american: bool
    suffix: str
    decimals: int | None
    digits: int | None
    step: float | None


@dataclass(slots=True)
class Side:
    """One side of a conversion: texts of its numbers, and its unit."""

    numbers: list[str]
    unit: Unit
    value: float
    parts: list[tuple[str, Unit, float]]


def read_number(written: str) -> str | None:
    """A number as Python reads it; a fraction stays one."""
    if FRACTION.fullmatch(written.replace("⁄", "/")):
        return written.replace("⁄", "/")
    return plain_number(written)


def value_of(number: str) -> float:
    match = FRACTION.fullmatch(number)
    if match is None:
        return float(number)
    return int(match[1] or 0) + int(match[2]) / int(match[3]) if int(match[3]) else math.nan


def parts_ratio(large: Unit, small: Unit) -> int | None:
    for (one, other), count in _PARTS.items():
        if find_unit(one) is large and find_unit(other) is small:
            return count
    return None


def _in_unit(number: str, given: Given, unit: Unit) -> float:
    value = value_of(number)
    if given.part is not None:
        value += value_of(given.part[0]) / given.part[2]
    if given.unit.offset is not None and unit.offset is not None:
        return (value - given.unit.offset) * given.unit.scale / unit.scale + unit.offset
    return value * given.unit.scale / unit.scale


def converted(given: Given, unit: Unit, style: Style, wiki: Wiki) -> Side | None:
    values = [_in_unit(number, given, unit) for number in given.numbers]
    if not all(map(math.isfinite, values)):
        return None
    pairs = zip(given.numbers, values, strict=True)
    decimals = [_decimals(number, value, given, unit, style) for number, value in pairs]
    if style.digits is None:  # both ends of a range are rounded alike
        decimals = [max(decimals)] * len(decimals)
    texts = []
    for value, places in zip(values, decimals, strict=True):
        text = _rounded(value, places, style)
        shown = _scientific(text, places, wiki) or wiki.grouped(text)
        if shown is None:
            return None
        texts.append(shown)
    return Side(texts, unit, values[-1], [])


def divided(given: Given, unit: Unit, small: Unit, style: Style, wiki: Wiki) -> Side | None:
    """A number in two units: whole ones of the larger, the rest in the smaller."""
    ratio = parts_ratio(unit, small)
    total = _in_unit(given.numbers[0], given, small)
    if ratio is None or total < 0 or len(given.numbers) > 1 or style.step or style.digits:
        return None
    decimals = max(style.decimals or 0, 0)
    large, rest = divmod(float(_rounded(total, decimals, style)), ratio)
    rest_text = wiki.grouped(f"{rest:.{decimals}f}")
    large_text = wiki.grouped(str(int(large)))
    if rest_text is None or large_text is None:
        return None
    if not large:
        return converted(given, small, style, wiki)
    return Side([large_text], unit, large, [(rest_text, small, rest)])


def _decimals(number: str, value: float, given: Given, unit: Unit, style: Style) -> int:
    """How many decimals the converted number gets; negative: zeros before the point."""
    if style.digits is not None:
        return style.digits - 1 - magnitude(value) if value else 0
    if style.decimals is not None:
        return style.decimals
    if value == 0:
        return 0
    precision, adjust = _precision(number, given), 0.0
    source = abs(value_of(number) + (value_of(given.part[0]) / given.part[2] if given.part else 0))
    if given.unit.offset is not None:
        kelvin = abs((source - given.unit.offset) * given.unit.scale) or 1e-9
        if number.startswith("-"):
            kelvin = abs((-source - given.unit.offset) * given.unit.scale) or 1e-9
        minimum = 2 - magnitude(kelvin)
    else:
        if not source:
            return 0
        if unit.is_finer and source.is_integer():
            adjust = -math.log10(given.unit.scale)
        elif given.part is not None and given.unit.quantity == "length":
            adjust = math.log10(unit.scale) + 2
        else:
            adjust = math.log10(source / abs(value))
        adjust += math.log10(2)
        minimum = 1 - magnitude(value)
    return max(math.floor(precision + adjust), minimum)


def magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value)) + 1e-14)


def _precision(number: str, given: Given) -> float:
    """Decimals of the number given; minus its zeros at the end where it is whole."""
    if given.part is not None:
        number = given.part[0]
    fraction = FRACTION.fullmatch(number)
    if fraction:
        return max(math.log10(int(fraction[3]) or 1), 1)
    match = _MANTISSA.fullmatch(number)
    assert match is not None  # it is a number
    if match[2]:
        digits = len(match[3])
    elif given.part is not None:
        digits = 0
    else:
        digits = -(len(match[1]) - len(match[1].rstrip("0")))
    return digits - int(match[4] or 0)


def _rounded(value: float, decimals: int, style: Style) -> str:
    if style.step is not None:
        value = math.floor(value / style.step + 0.5) * style.step
        return f"{value:g}" if style.step < 1 else f"{value:.0f}"
    if decimals < 0:
        return f"{value / 10.0**-decimals:.0f}" + "0" * -decimals
    factor = 10.0**decimals
    whole = math.floor(abs(value) * factor + 0.5) / factor
    sign = "-" if value < 0 and whole else ""
    return f"{sign}{whole:.{decimals}f}"


def _scientific(text: str, decimals: int, wiki: Wiki) -> str:
    """Very large and very small numbers as a power of ten, "" for others."""
    value = float(text)
    if value == 0 or 1e-4 <= abs(value) < 1e9:
        return ""
    exponent = magnitude(value)
    mantissa = f"{value / 10.0**exponent:.{max(decimals + exponent, 0)}f}"
    power = superscript(str(exponent).replace("-", "−"))
    return f"{wiki.grouped(mantissa)}×10{power}"
