"""The few templates whose text is part of a sentence, and what they show.

A dump has no template definitions at hand where a page is cleaned, so every template is removed
except those below: without them sentences lose numbers, foreign words and units. All others show
boxes, navigation, footnotes or maintenance notes, or cannot be rendered from the page alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

Positional: TypeAlias = list[str]
Named: TypeAlias = dict[str, str]
Rule: TypeAlias = Callable[[Positional, Named], str]

_NUMBERED = re.compile(r"[1-9]\d?")
_PARAMETER_NAME = re.compile(r"\s*([^=<>\[\]{}\"'/.:]{1,40}?)\s*=")
_ROMAN_CENTURY = re.compile(r"[ivxl]{1,6}e siècle(?: av\. j\.-c\.)?")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_RANGE_WORDS = {
    "-": "–",
    "–": "–",
    "to": " to ",
    "to(-)": " to ",
    "and": " and ",
    "or": " or ",
    "by": " by ",
    "x": " × ",
    "×": " × ",
    "+/-": " ± ",
    "±": " ± ",
}
_UNITS = {
    **{f"{unit}2": f"{unit}²" for unit in ("mm", "cm", "m", "km")},
    **{f"{unit}3": f"{unit}³" for unit in ("mm", "cm", "m", "km")},
    "sqmi": "sq mi",
    "sqft": "sq ft",
    "cuft": "cu ft",
    "cumi": "cu mi",
    "C": "°C",
    "F": "°F",
}


def _first(positional: Positional, named: Named) -> str:
    return positional[0] if positional else named.get("text", "")


def _second(positional: Positional, named: Named) -> str:
    return positional[1] if len(positional) > 1 else named.get("text", named.get("texte", ""))


def _last(positional: Positional, named: Named) -> str:
    return positional[-1] if positional else ""


def _second_or_first(positional: Positional, named: Named) -> str:
    shown = [value for value in positional[:2] if value]
    return shown[-1] if shown else ""


def _joined(separator: str) -> Rule:
    return lambda positional, named: separator.join(value for value in positional if value)


def _constant(text: str) -> Rule:
    return lambda positional, named: text


def _wrapped(before: str, after: str) -> Rule:
    def rule(positional: Positional, named: Named) -> str:
        shown = _first(positional, named)
        return f"{before}{shown}{after}" if shown else ""

    return rule


def _items(positional: Positional, named: Named) -> str:
    return "\n".join(["", *(value for value in positional if value), ""])


def _convert(positional: Positional, named: Named) -> str:
    """`{{convert|5|to|8|mi|km}}`: the number or range as given, and its unit."""
    shown = positional[:1]
    rest = positional[1:]
    while len(rest) >= 2 and rest[0] in _RANGE_WORDS:
        shown += [_RANGE_WORDS[rest[0]], rest[1]]
        rest = rest[2:]
    unit = rest[0] if rest else ""
    return f"{''.join(shown)} {_UNITS.get(unit, unit)}".strip()


def _measure_italian(positional: Positional, named: Named) -> str:
    """`{{M|13|c|m}}`: number, prefix, unit."""
    return f"{''.join(positional[:1])} {''.join(positional[1:3])}".strip()


def _quantity(positional: Positional, named: Named) -> str:
    """`{{val|1.00794|0.00007|u=kg}}`, `{{unité|5|km}}`: the number, its unit if any."""
    unit = named.get("u", named.get("ul", ""))
    return f"{positional[0]} {unit}".strip() if positional else ""


def _as_of(positional: Positional, named: Named) -> str:
    date = [value for value in positional if value]
    if len(date) > 1 and date[1].isdigit() and 1 <= int(date[1]) <= 12:
        date[1] = _MONTHS[int(date[1]) - 1]
    alternative = named.get("alt", "")
    start = "as of" if named.get("lc") else "As of"
    if "since" in named:
        start = "since" if named.get("lc") else "Since"
    return alternative or f"{start} {' '.join(reversed(date))}"


def _fraction(positional: Positional, named: Named) -> str:
    if len(positional) == 3:
        return f"{positional[0]} {positional[1]}/{positional[2]}"
    return "/".join(positional) if len(positional) == 2 else "1/" + _first(positional, named)


def _nihongo(positional: Positional, named: Named) -> str:
    """`{{nihongo|English|kanji|romaji}}`: English (kanji, romaji)."""
    gloss = ", ".join(filter(None, (value.strip(" ,;") for value in positional[1:3])))
    english = _first(positional, named)
    if not english:
        return gloss
    return f"{english} ({gloss})" if gloss else english


def _ship(prefix: str) -> Rule:
    return lambda positional, named: f"{prefix} {_first(positional, named)}".strip()


def _names(names: str, rule: Rule) -> dict[str, Rule]:
    return {name.strip(): rule for name in names.split(",")}


_RULES: dict[str, Rule] = {
    # Formatting around text.
    **_names(
        "nowrap, nobr, nobreak, nowr, small, smaller, petit, big, larger, midsize, nobold, noitalic"
        ", normal, sc, smallcaps, pc, sup, sub, u, underline, strong, em, mono, code, kbd, key"
        ", keypress, tooltip, abbr, abréviation, abbrlink, vanchor, visible anchor, angbr, vr"
        ", mvar, math, var, varserif, nowrap begin, not a typo, proper name, wikt-lang, bo",
        _first,
    ),
    # Numbers.
    **_names(
        "formatnum, fmtn, nts, nombre, numero, szám, число, num, nowrap number, sort number",
        _first,
    ),
    **_names("val, ntsh val", _quantity),
    **_names("convert, cvt, conversie, конвертирање, convertir, converter, pretvori", _convert),
    **_names("unité, unite, tmp, temperature, nb, unidade", _joined(" ")),
    **_names("frac, sfrac, fraction", _fraction),
    **_names("e, exp", _wrapped("×10^", "")),
    **_names("as of, asof", _as_of),
    **_names("us$, usd", _wrapped("US$", "")),
    **_names("gbp, £, pound sterling", _wrapped("£", "")),
    **_names("euro, eur, €", _wrapped("€", "")),
    # Words in other languages and their sound.
    **_names(
        "lang, langue, lang2, язык, мова, transl, transliteration, translit, color, colour, couleur"
        ", font color",
        _second,
    ),
    **_names("ipa, api, msapi, affi, alfabet phonétique, phonétique, pronunciation", _first),
    **_names("lang-transl, rtl-lang, lang-rtl", _last),
    **_names("ipac-en, ipac", _joined("")),
    **_names("respell", _joined("-")),
    **_names("nihongo", _nihongo),
    # Links and quotations.
    **_names(
        "lien, ill, interlanguage link, link-interwiki, quote, blockquote, quotation, cquote, bq"
        ", citation bloc, début citation, zitat, citato, citazione necessaria, chiarire, citazione"
        ", cita, cytat, citaat, quote box text, flag, flagu, flagcountry, flaglink",
        _first,
    ),
    **_names("нп5, нп3, нп4, нп, не переведено, 仮リンク", _second_or_first),
    **_names('"', _wrapped("„", "“")),
    **_names("incise", _wrapped("– ", " –")),
    **_names("guil, «»", _wrapped("« ", " »")),
    **_names("uss", _ship("USS")),
    **_names("hms", _ship("HMS")),
    **_names("ss", _ship("SS")),
    # Dates.
    **_names("date, date-, dato, datum, start-date, end-date", _joined(" ")),
    **_names("séc, século", _wrapped("século ", "")),
    **_names("segle", _wrapped("segle ", "")),
    **_names("oldstyledate", _joined(" ")),
    # Formulas, lists, signs.
    **_names("chem, chem2, ce, fórmula química", _joined("")),
    **_names("hlist, flatlist", _joined(", ")),
    **_names("plainlist, plain list, ubl, ublist, unbulleted list, ulist", _items),
    **_names("mdash, mdashb, em dash, —", _constant("—")),
    **_names("ndash, en dash, –", _constant("–")),
    **_names("snd, spnd, spaced ndash, spaced en dash", _constant(" – ")),
    **_names("nbsp, spaces, space, clear space", _constant(" ")),
    **_names("'", _constant("'")),
    **_names("=", _constant("=")),
    **_names("·, dot, •, bullet, middot", _constant(" · ")),
    **_names("ier, 1er", _constant("Ier")),
    # Parser functions that only change case.
    **_names("lc, uc, lcfirst, ucfirst", _first),
}
# Names that mean something else on other wikis.
_LANGUAGE_RULES: dict[str, dict[str, Rule]] = {
    "fr": _names("s, s-, siècle, sp, sp-", _wrapped("", "e siècle")),
    "it": {**_names("m, misura", _measure_italian), **_names("ta", _first)},
}
_PREFIX_RULES: tuple[tuple[str, Rule], ...] = (
    ("lang-", _first),
    ("ipa-", _first),
    ("langue-", _first),
)


def template_rule(name: str, language: str) -> Rule | None:
    """Return what a template shows, or None where it is to be removed.

    Args:
        name: the template's name, or a parser function's up to its colon, in lower case.
        language: code of the wiki's language.
    """
    rule = _RULES.get(name) or _LANGUAGE_RULES.get(language, {}).get(name)
    if rule is not None:
        return rule
    for prefix, prefix_rule in _PREFIX_RULES:
        if name.startswith(prefix):
            return prefix_rule
    if _ROMAN_CENTURY.fullmatch(name):
        return _constant(name.split("e ", maxsplit=1)[0].upper() + "e siècle")
    return None


def split_parameters(inner: str) -> tuple[Positional, Named]:
    """Split `name|a|b|key=value` (templates and links in it already replaced)."""
    positional: dict[int, str] = {}
    named: Named = {}
    count = 0
    for part in inner.split("|")[1:]:
        key = _PARAMETER_NAME.match(part)
        if key is None:
            count += 1
            positional[count] = part.strip()
        elif _NUMBERED.fullmatch(key[1]):
            positional[int(key[1])] = part[key.end() :].strip()
        else:
            named[key[1].strip().lower()] = part[key.end() :].strip()
    last = max(positional, default=0)
    return [positional.get(number, "") for number in range(1, last + 1)], named
