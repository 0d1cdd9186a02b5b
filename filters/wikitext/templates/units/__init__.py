"""Units of measurement for `{{convert}}`, from units.toml."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

_PREFIXES = {
    "n": ("nano", 1e-9),
    "μ": ("micro", 1e-6),
    "u": ("micro", 1e-6),
    "m": ("milli", 1e-3),
    "c": ("centi", 1e-2),
    "d": ("deci", 1e-1),
    "h": ("hecto", 1e2),
    "k": ("kilo", 1e3),
    "M": ("mega", 1e6),
    "G": ("giga", 1e9),
}
_POWER_CODE = re.compile(r"e(3|6|9|12)([A-Za-z].*)")
# `Moilbbl`: million barrels.
_ENGINEERING = {"k": 3, "M": 6, "G": 9, "T": 12}
_POWER_NAMES = {3: "thousand", 6: "million", 9: "billion", 12: "trillion"}
_SQUARES = str.maketrans({"2": "²", "3": "³"})


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit.

    Attributes:
        quantity: what it measures; only units of one quantity are converted into each other.
        scale: size in the quantity's SI unit; offset: reading at its zero, for temperatures.
        to: codes of what it is converted to where a call names none; `to_below_3` for values
            below 3.
        is_finer: whether whole numbers are converted into it with more digits than usual.
        thousands: power of ten that is written out before the unit, 0 if none is.
        is_always_symbol: whether the name is never written out.
        is_attached: whether the symbol follows the number without a space.
    """

    quantity: str
    symbol: str
    symbol_plural: str
    name: str
    plural: str
    us: str
    scale: float
    to: str = ""
    offset: float | None = None
    thousands: int = 0
    is_always_symbol: bool = False
    is_attached: bool = False
    to_below_3: str = ""
    is_finer: bool = False

    def named(self, *, is_plural: bool, american: bool) -> str:
        """Its name in the sentence."""
        if american and self.us:
            return self.us + ("s" if is_plural else "")
        name = self.plural if is_plural else self.name
        return name.replace("metre", "meter").replace("litre", "liter") if american else name


def find_unit(code: str) -> Unit | None:
    """The unit of a code of `{{convert}}`, None where it is not known."""
    units, aliases = _tables()
    if found := units.get(aliases.get(code, code)):
        return found
    power = _POWER_CODE.fullmatch(code)
    if power and (base := find_unit(power[2])) and not base.thousands and base.offset is None:
        return _scaled(base, int(power[1]))
    base = units.get(code[1:])
    return _scaled(base, _ENGINEERING[code[0]]) if base and code[:1] in _ENGINEERING else None


def _scaled(base: Unit, exponent: int) -> Unit:
    to = " ".join(f"e{exponent}{code}" for code in base.to.split())
    return replace(base, scale=base.scale * 10**exponent, to=to, thousands=exponent)


def power_name(exponent: int) -> str:
    """3: thousand, 6: million, 9: billion, 12: trillion."""
    return _POWER_NAMES[exponent]


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[str, Unit], dict[str, str]]:
    written = (files(__name__) / "units.toml").read_text(encoding="utf-8")
    tables: dict[str, dict[str, Any]] = tomllib.loads(written)
    aliases: dict[str, str] = dict(tables.pop("aliases"))
    units: dict[str, Unit] = {}
    for quantity, entries in tables.items():
        for code, entry in entries.items():
            prefixed = entry.pop("prefixes", {})
            base = units[code] = _unit(quantity, entry)
            for long, to in prefixed.items():
                prefix, factor = _PREFIXES[long[0]]
                units[long] = replace(
                    base,
                    symbol=long.replace("um", "μm"),
                    symbol_plural=long.replace("um", "μm"),
                    name=prefix + base.name,
                    plural=prefix + base.plural,
                    scale=base.scale * factor,
                    to=to,
                    to_below_3="",
                    is_finer=False,
                )
    return units, aliases


def _unit(quantity: str, entry: dict[str, Any]) -> Unit:
    symbol = entry.pop("symbol").translate(_SQUARES)
    name = entry.pop("name")
    return Unit(
        quantity,
        symbol,
        entry.pop("symbol_plural", symbol),
        name,
        entry.pop("plural", f"{name}s"),
        entry.pop("us", ""),
        **entry,
    )
