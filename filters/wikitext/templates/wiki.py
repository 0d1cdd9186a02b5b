"""What differs from wiki to wiki beside the templates: digits, months, names of languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_NUMBER = re.compile(r"([-−–+]?)(\d[\d,]*|)(?:\.(\d+))?(?:[eE]([-+]?\d{1,3}))?")
_SCRIPTS = str.maketrans("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")


@dataclass(frozen=True)
class Wiki:
    """Conventions of one language's Wikipedia.

    Attributes:
        group: what separates thousands; decimal: what stands before decimals.
        minimum_grouping: numbers with fewer digits before their last three are not grouped.
        months: names from January on, as they stand in dates.
        languages: how the wiki's templates name a language, by code.
    """

    language: str
    group: str = ","
    decimal: str = "."
    minimum_grouping: int = 1
    months: tuple[str, ...] = ()
    languages: Mapping[str, str] = field(default_factory=dict)

    def grouped(self, number: str) -> str | None:
        """A number of the form `-1234.50` in this wiki's form; None if it is none."""
        match = _NUMBER.fullmatch(number)
        if match is None or match[4] or not (match[2] or match[3]):
            return None
        digits = match[2].replace(",", "")
        if len(digits) >= 3 + self.minimum_grouping:
            digits = f"{int(digits):,}".replace(",", self.group)
        sign = "−" if match[1] in ("-", "−", "–") and match[1] else match[1]
        return sign + (digits or "0") + (self.decimal + match[3] if match[3] else "")

    def month(self, written: str) -> str | None:
        """A month by its number or its name."""
        if written.isdecimal():
            number = int(written)
            return self.months[number - 1] if 1 <= number <= len(self.months) else None
        return written if written.lower() in {month.lower() for month in self.months} else None


def superscript(text: str) -> str:
    """Digits and signs, raised: what is there in Unicode; the rest with a caret."""
    return text.translate(_SCRIPTS) if re.fullmatch(r"[-+−=()n\d]+", text) else f"^{text}"


def plain_number(written: str) -> str | None:
    """A number as templates take it (`1,234.5`, `−3`), as Python reads it; None if it is none."""
    match = _NUMBER.fullmatch(written.replace(" ", "").replace("&minus;", "-"))
    if match is None or not (match[2] or match[3]):
        return None
    sign = "-" if match[1] in ("-", "−", "–") and match[1] else ""
    exponent = f"e{match[4]}" if match[4] else ""
    return (
        sign + (match[2].replace(",", "") or "0") + ("." + match[3] if match[3] else "") + exponent
    )
