"""Templates of numbers and quantities.

Every rule takes the wiki and the call and returns the text, or None where it does not understand
the parameters.
"""

from __future__ import annotations

import re

from filters.wikitext.templates.call import Call
from filters.wikitext.templates.wiki import Wiki, plain_number, superscript

_LEADING_NUMBER = re.compile(r"([-−]?\d[\d  .,]*)(?:[  ]+(\D.*))?")
_UNIT_POWER = re.compile(r"(?<=[^\W\d_])([-−]?\d)(?![\d\w])")
_PLAIN_UNIT = re.compile(r"[\w°′″µμΩ%⋅·/ ().−²³⁰¹⁴-⁹⁻$€£]+")
_VAL_UNITS = {"degC": "°C", "degF": "°F", "C": "°C", "F": "°F", "ohm": "Ω", "deg": "°", "%": "%"}
_RANGES_FR = {"à": " à ", "et": " et ", "ou": " ou ", "±": " ± ", "×": " × ", "-": "–"}
# What needs brackets where a fraction's parts stand on one line.
_SUM = re.compile(r"\S\s*[-+−±]\s*\S")
_LAST_TWO_TEENS = (11, 12, 13)


def formatnum(wiki: Wiki, call: Call) -> str | None:
    """`{{formatnum:1234.5}}`: the number in the wiki's form."""
    number = call.get(1)
    return wiki.grouped(number) if number else ""


def quantity(wiki: Wiki, call: Call) -> str | None:
    """`{{unité|144.2|km|2}}`, `{{nombre|71|sièges}}`, `{{fmtn|3000|km}}`: number, unit, power."""
    number, sign = call.get(1), " "
    first = _LEADING_NUMBER.fullmatch(number)
    written = first[1] if first else number
    shown = _local(wiki, written)
    if shown is None:
        if any(character.isdigit() for character in number):
            return None
        shown = number  # in words
    for word, between in _RANGES_FR.items():
        if upper := call.get(word):
            end = _local(wiki, upper)
            if end is None:
                return None
            shown += between + end
    if first and first[2]:
        shown += sign + first[2]
    if exponent := call.get("e"):
        shown += "×10" + superscript(exponent.replace("-", "−"))
    unit = call.get(2)
    if power := call.get(3):
        if not re.fullmatch(r"[-−]?\d", power) or not unit:
            return None
        unit += superscript(power.replace("-", "−"))
    if not shown:
        return None
    return f"{shown}{sign}{unit}" if unit else shown


def _local(wiki: Wiki, written: str) -> str | None:
    number = written.strip().replace(" ", "").replace("\u00a0", "")
    if wiki.decimal == ",":
        number = number.replace(",", ".")
    return wiki.grouped(number)


def measure_italian(wiki: Wiki, call: Call) -> str | None:
    """`{{M|13|c|m}}`, `{{M|1234,5|ul=km}}`: number, prefix, unit."""
    number, unit = call.get(1), call.get(2) + call.get(3) or call.get("ul", "u")
    shown = _local(wiki, number) or (number if not re.search(r"\d", number) else None)
    return None if shown is None else f"{shown} {unit}".strip()


def val(wiki: Wiki, call: Call) -> str | None:
    """`{{val|1.23|0.05|e=6|u=km}}`: value, uncertainty, power of ten, unit.

    Digits are not grouped: on the page the gaps between them are margins.
    """
    commas = call.get("fmt") == "commas"
    shown = _val_number(wiki, call.get(1), commas)
    uncertainty = call.get(2)
    if shown is None or call.get(3):
        return None
    bracketed = re.fullmatch(r"\(\d+\)", uncertainty)
    if uncertainty and not bracketed:
        spread = _val_number(wiki, uncertainty, commas)
        if spread is None or uncertainty[0] in "+-−":
            return None
        shown += "±" + spread
    shown += uncertainty if bracketed else ""
    exponent = call.get("e")
    unit = call.get("u", "ul", "upl", "up")
    end = call.get("end")
    if uncertainty and not bracketed and (exponent or unit):
        shown = f"({shown})"
    if exponent:
        if not re.fullmatch(r"[-−+]?\d{1,4}", exponent):
            return None
        shown += "×10" + superscript(exponent.replace("-", "−").removeprefix("+"))
    if unit:
        unit_shown = _val_unit(unit)
        if unit_shown is None or call.get("upl", "up"):
            return None
        shown += unit_shown if unit in ("%", "deg") else f" {unit_shown}"
    return call.get("p") + shown + end + call.get("s")


def _val_number(wiki: Wiki, written: str, commas: bool) -> str | None:
    number = plain_number(written)
    if number is None or "e" in number:
        return None
    if commas:
        return wiki.grouped(number)
    return number.replace("-", "−").replace(".", wiki.decimal)


def _val_unit(unit: str) -> str | None:
    if unit in _VAL_UNITS:
        return _VAL_UNITS[unit]
    if not _PLAIN_UNIT.fullmatch(unit):
        return None
    shown = unit.replace(".", "⋅").replace("*", "⋅")
    return _UNIT_POWER.sub(lambda power: superscript(power[1].replace("-", "−")), shown)


def temperature_french(wiki: Wiki, call: Call) -> str | None:
    """`{{tmp|20|°C}}`: 20 °C."""
    number, unit = _local(wiki, call.get(1)), call.get(2)
    return f"{number} {unit}" if number and unit else None


def height_german(wiki: Wiki, call: Call) -> str | None:
    """`{{Höhe|1234|DE-NN}}`: 1234 m; above which level is said only where the page links it."""
    number, level = call.get(1), call.get(2)
    shown = number if re.fullmatch(r"\d{1,4}", number) else wiki.grouped(number)
    names = {"DE-NN": "ü. NN", "DE-NHN": "ü. NHN", "CH": "ü. M.", "AT": "ü. A.", "": ""}
    if shown is None or level not in names:
        return None
    return f"{shown} m {names[level] if call.get('link') else ''}".strip()


def fraction(wiki: Wiki, call: Call, *, slash: str = "⁄", plus: str = "+") -> str | None:
    """`{{frac|1|2}}`, `{{frac|3|1|2}}`, `{{frac|2}}`: fraction, with a whole number, one half."""
    parts = [part for part in call.positional() if part]
    if not 1 <= len(parts) <= 3:
        return None
    if len(parts) == 1:
        return f"1{slash}{parts[0]}"
    whole = parts[0] + plus if len(parts) == 3 else ""
    above, below = (f"({part})" if _SUM.search(part) else part for part in parts[-2:])
    return f"{whole}{above}{slash}{below}"


def power_of_ten(wiki: Wiki, call: Call, *, before: str = "×10") -> str | None:
    """`{{e|6}}`: ×10⁶."""
    exponent = call.get(1)
    return before + superscript(exponent.replace("-", "−")) if exponent else None


def ordinal(wiki: Wiki, call: Call) -> str | None:
    """`{{ordinal|3}}`: 3rd, in English."""
    number = call.get(1)
    if not number.isdecimal() or call.get("sup", "th", 2):
        return None
    value = int(number)
    ending = {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return number + ("th" if value % 100 in _LAST_TWO_TEENS else ending)


def raised(wiki: Wiki, call: Call) -> str | None:
    """`{{sup|6}}`: as the tag would show it."""
    content = call.get(1)
    return f"<sup>{content}</sup>" if content else None


def lowered(wiki: Wiki, call: Call) -> str | None:
    """`{{sub|2}}`: as the tag would show it."""
    content = call.get(1)
    return f"<sub>{content}</sub>" if content else None


def money(wiki: Wiki, call: Call, *, sign: str, after: bool = False) -> str | None:
    """`{{US$|1234}}`: the amount behind its sign, as written; before it, in the wiki's digits."""
    amount = call.get(1)
    if call.get(2):
        return None
    if not after:
        return f"{sign}{amount}"
    number = _local(wiki, amount)
    return f"{number} {sign}" if number else None
