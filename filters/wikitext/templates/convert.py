"""`{{convert}}` of the English Wikipedia: a quantity and what it is in other units.

After the template's documentation (Template:Convert/doc, Help:Convert): ranges, units with parts
(feet and inches), several outputs, `abbr`, `adj`, `disp`, `order`, `sigfig`, `round`, `sp`,
`spell`; what else a call asks for is not understood.
"""

from __future__ import annotations

import re

from filters.wikitext.templates.call import Call
from filters.wikitext.templates.quantities import (
    FRACTION,
    Given,
    Side,
    Style,
    converted,
    divided,
    parts_ratio,
    read_number,
    value_of,
)
from filters.wikitext.templates.spelling import spelled
from filters.wikitext.templates.units import Unit, find_unit, power_name
from filters.wikitext.templates.wiki import Wiki, superscript

# What stands between two numbers: with names, with symbols, and on the converted side.
_RANGES = {
    "-": ("–", "–", "–"),
    "–": ("–", "–", "–"),
    "to": (" to ", " to ", " to "),
    "to(-)": (" to ", " to ", "–"),
    "and": (" and ", " and ", " and "),
    "and(-)": (" and ", " and ", "–"),
    "or": (" or ", " or ", " or "),
    "by": (" by ", " by ", " by "),
    "+/-": (" ± ", " ± ", " ± "),
    "±": (" ± ", " ± ", " ± "),
    "+": (" + ", " + ", " + "),
    "x": (" by ", " × ", " × "),
    "×": (" by ", " × ", " × "),
    "xx": (" × ", " × ", " × "),
    "*": ("×", "×", "×"),
}
_COMPOSED = {"ftin": ("ft", "in"), "stlb": ("st", "lb"), "lboz": ("lb", "oz")}
_ABBREVIATIONS = ("on", "off", "out", "in", "none")
_ADJECTIVES = ("", "on", "mid", "off", "1")
_STEPS = ("", "5", "10", "25", "50", "0.5")
# Parameters that change no text.
_NO_TEXT = ("lk", "sortable", "warnings", "test")
_RANGE = re.compile(r"([\d.,]+)([-–])([\d.,]+)")
_ONE = re.compile(r"−?1(?:\.0+)?|one|One")


def convert(wiki: Wiki, call: Call, *, abbr: str = "") -> str | None:
    """The text of a call, None where something in it is not understood."""
    for name in _NO_TEXT:
        call.get(name)
    values = _split_range(call.positional())
    while values and not values[-1]:
        values.pop()
    given, rest = _given(values)
    if given is None:
        return None
    style = _style(call, abbr, given, rest)
    if style is None or len(rest) > 1:
        return None
    codes = (rest[0] if rest and rest[0] else _default(given)).replace("+", " ").split()
    outputs = _outputs(given, codes, style, wiki)
    return _arranged(wiki, call, given, outputs, style) if outputs else None


def convert_symbols(wiki: Wiki, call: Call) -> str | None:
    """The same on other wikis, as far as it has no words: their names of units are not known."""
    if call.get("spell", "adj", "sp") or any(word.isalpha() for word in _between(call)):
        return None
    given, _ = _given(_split_range(call.positional()))
    is_bare = given is not None and given.unit.is_always_symbol
    if not is_bare and call.get("abbr") != "on":
        return None
    return convert(wiki, call)


def _between(call: Call) -> list[str]:
    return [value for value in call.positional() if value in _RANGES and value != "x"]


def _default(given: Given) -> str:
    is_small = 0 < value_of(given.numbers[-1]) < 3
    return (is_small and given.unit.to_below_3) or given.unit.to


def _split_range(values: list[str]) -> list[str]:
    """`12-26` in one parameter is a range, too."""
    match = _RANGE.fullmatch(values[0]) if values else None
    return [match[1], match[2], match[3], *values[1:]] if match else values


def _given(values: list[str]) -> tuple[Given | None, list[str]]:
    """Read numbers, range words and units from the front; what is left is output and rounding."""
    numbers, between, index = [], [], 0
    while index < len(values):
        number = read_number(values[index])
        if number is None:
            return None, []
        numbers.append(number)
        if index + 2 < len(values) and values[index + 1] in _RANGES:
            between.append(values[index + 1])
            index += 2
            continue
        break
    if index + 1 >= len(values):
        return None, []
    code = values[index + 1]
    unit = find_unit(code)
    if unit is None:
        return None, []
    index += 2
    part = None
    if index + 1 < len(values) and (small := find_unit(values[index + 1])) is not None:
        number = read_number(values[index])
        ratio = parts_ratio(unit, small)
        if number is None or ratio is None or len(numbers) > 1:
            return None, []
        part = (number, small, ratio)
        index += 2
    return Given(numbers, between, unit, code, part), values[index:]


def _style(call: Call, usual_abbr: str, given: Given, rest: list[str]) -> Style | None:
    """How a call is to be shown; takes what belongs to it off the parameters that are left."""
    asked = call.get("abbr")
    abbr = asked if asked and (asked != "out" or not usual_abbr) else usual_abbr or "out"
    adjective = call.get("adj") or ("on" if call.get("sing") == "on" else "")
    digits, step = call.get("sigfig"), call.get("round")
    is_known = abbr in _ABBREVIATIONS and adjective in _ADJECTIVES and step in _STEPS
    middle = rest.pop() if adjective == "mid" and len(rest) > 1 else ""
    if not is_known or (adjective == "mid" and not middle) or (digits and not digits.isdecimal()):
        return None
    decimals: int | None = None
    if rest and re.fullmatch(r"[-−]?\d", rest[-1]):
        decimals = int(rest.pop().replace("−", "-"))
    is_out = abbr in ("off", "none", "in")
    return Style(
        given_named=abbr in ("off", "out", "none")
        and (not given.unit.is_always_symbol or abbr != "out"),
        made_named=is_out or (abbr == "out" and call.get("disp") == "or"),
        always_named=is_out,
        has_or=call.get("disp") == "or",
        adjective=adjective in ("on", "mid"),
        american=call.get("sp") == "us",
        suffix=middle,
        decimals=decimals,
        digits=int(digits) if digits else None,
        step=float(step) if step else None,
    )


def _outputs(given: Given, codes: list[str], style: Style, wiki: Wiki) -> list[Side] | None:
    sides = []
    for code in codes:
        composed = _COMPOSED.get(code)
        if composed is None and code == "m" and given.unit.quantity != "length":
            return None
        unit = find_unit(composed[0] if composed else code)
        if unit is None or unit.quantity != given.unit.quantity:
            return None
        if composed:
            small = find_unit(composed[1])
            assert small is not None
            side = divided(given, unit, small, style, wiki)
        else:
            side = converted(given, unit, style, wiki)
        if side is None:
            return None
        sides.append(side)
    return sides


def _arranged(
    wiki: Wiki, call: Call, given: Given, outputs: list[Side], style: Style
) -> str | None:
    order, display = call.get("order"), call.get("disp")
    flipped = order == "flip" or display == "flip"
    if order not in ("", "flip"):
        return None
    source = _source(wiki, call, given)
    if source is None:
        return None
    first = outputs if flipped else [source]
    second = [source] if flipped else outputs
    left = _joined(first, given.between, style, is_first=True)
    right = _joined(second, given.between, style, is_first=False)
    if left is None or right is None:
        return None
    if display in ("", "b", "flip"):
        return f"{left} ({right})"
    shapes = {
        "or": f"{left} or {right}",
        "sqbr": f"{left} [{right}]",
        "comma": f"{left}, {right}",
        "slash": f"{left}/{right}",
        "br": f"{left}\n{right}",
        "semicolon": f"{left}; {right}",
        "out": right,
        "output only": right,
    }
    if display in ("number", "output number only", "num") and len(outputs) == 1:
        return "–".join(outputs[0].numbers) if not outputs[0].parts else None
    return shapes.get(display)


def _source(wiki: Wiki, call: Call, given: Given) -> Side | None:
    spell = call.get("spell")
    texts = [_shown(wiki, number) for number in given.numbers]
    if call.get("comma") == "off":
        texts = [text and text.replace(wiki.group, "") for text in texts]
    if spell:
        if spell.lower() not in ("in", "on") or given.part:
            return None
        texts = [spelled(number, capital=spell == "In") for number in given.numbers]
    if any(text is None for text in texts):
        return None
    parts = []
    if given.part is not None:
        shown = _shown(wiki, given.part[0])
        if shown is None:
            return None
        parts.append((shown, given.part[1], value_of(given.part[0])))
    return Side([text or "" for text in texts], given.unit, value_of(given.numbers[-1]), parts)


def _shown(wiki: Wiki, number: str) -> str | None:
    match = FRACTION.fullmatch(number)
    if match:
        return (f"{match[1]} " if match[1] else "") + f"{match[2]}⁄{match[3]}"
    mantissa, has_exponent, exponent = number.partition("e")
    shown = wiki.grouped(mantissa)
    if shown is None or not has_exponent:
        return shown
    return f"{shown}×10{superscript(str(int(exponent)).replace('-', '−'))}"


def _joined(sides: list[Side], between: list[str], style: Style, *, is_first: bool) -> str | None:
    named = style.given_named if is_first else style.made_named
    texts = []
    for side in sides:
        is_named = named and not (side.unit.is_always_symbol and not style.always_named)
        hyphened = style.adjective and is_named
        if style.adjective and not is_named and side.unit.symbol == side.unit.name:
            hyphened = True
        text = _ranged(side, between, is_named, is_first, hyphened)
        unit = _unit_text(side.unit, side.numbers[-1], is_named, hyphened, style)
        space = "-" if hyphened else " "
        if not is_named and (side.unit.is_attached or side.unit.thousands):
            space = ""
        shown = f"{text}{space}{unit}"
        if not is_named and between and all(word in ("x", "×") for word in between):
            shown = _each(side, between, unit, space)
        for number, small, _ in side.parts:
            name = _unit_text(small, number, is_named, hyphened, style)
            shown += f"{space}{number}{space}{name}"
        texts.append(shown + (style.suffix if is_first else ""))
    return (" or " if style.has_or else "; ").join(texts)


def _ranged(side: Side, between: list[str], is_named: bool, is_first: bool, hyphened: bool) -> str:
    text = side.numbers[0]
    for word, number in zip(between, side.numbers[1:], strict=False):
        named, symbol, converted = _RANGES[word]
        mark = converted if not is_first and converted == "–" else named if is_named else symbol
        if mark == "–" and number.startswith("−"):
            mark = " – "
        text += (mark.replace(" ", "-") if hyphened else mark) + number
    return text


def _each(side: Side, between: list[str], unit: str, space: str) -> str:
    """Dimensions, each with its unit: `16 ft × 33 ft`."""
    text = f"{side.numbers[0]}{space}{unit}"
    for word, number in zip(between, side.numbers[1:], strict=False):
        text += f"{_RANGES[word][2]}{number}{space}{unit}"
    return text


def _unit_text(unit: Unit, number: str, is_named: bool, hyphened: bool, style: Style) -> str:
    is_one = _ONE.fullmatch(number) is not None
    is_fraction = "⁄" in number and " " not in number
    is_plural = not (is_one or hyphened or is_fraction)
    if is_named:
        plural_name = not hyphened if unit.thousands else is_plural
        name = unit.named(is_plural=plural_name, american=style.american)
    else:
        name = unit.symbol_plural if is_plural else unit.symbol
    if unit.thousands:
        if not is_named:
            return f"×10{superscript(str(unit.thousands))} {name}"
        name = f"{power_name(unit.thousands)} {name}"
    return name.replace(" ", "-") if hyphened else name
