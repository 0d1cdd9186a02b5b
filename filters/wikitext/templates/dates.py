"""Templates of dates, years and ages."""

from __future__ import annotations

import re

from filters.wikitext.templates.call import Call
from filters.wikitext.templates.wiki import Wiki

_YES = ("y", "yes", "1", "on", "true")
_DATE_FR = re.compile(r"(\d{1,2}|1er)?\s*([^\W\d_]+)\s*(\d{1,4}(?: av\. J\.-C\.)?)?(-)?")
_NUMBERS_FR = re.compile(r"(\d{1,2})[ /.-](\d{1,2})[ /.-](\d{4})")
_ROMAN = re.compile(r"[ivxlIVXL]+")


def birth_date(wiki: Wiki, call: Call, *, day_first: bool = False, start: int = 1) -> str | None:
    """`{{birth date|1450|3|4}}`: March 4, 1450; with `df=y`: 4 March 1450. No age is shown."""
    year, month, day = (call.get(start + step) for step in range(3))
    df, mf = call.get("df"), call.get("mf")
    is_day_first = df in _YES or (day_first and mf not in _YES)
    if not month and not year.isdecimal():
        return None
    return _english(wiki, year, month, day, is_day_first)


def _english(wiki: Wiki, year: str, month: str, day: str, is_day_first: bool) -> str | None:
    if not month:
        return year or None
    name = wiki.month(month)
    if name is None or (day and not (day.isdecimal() and 1 <= int(day) <= 31)):
        return None
    if year and not year.isdecimal():
        return None
    if not day:
        return f"{name} {year}".strip()
    number = str(int(day))
    if is_day_first:
        return f"{number} {name} {year}".strip()
    return f"{name} {number}, {year}" if year else f"{name} {number}"


def death_date_and_age(wiki: Wiki, call: Call) -> str | None:
    """`{{death date and age|1936|9|21|1866|11|11}}`: September 21, 1936 (aged 69)."""
    shown = birth_date(wiki, call)
    age = _age([call.get(number) for number in range(1, 7)])
    return f"{shown} (aged {age})" if shown and age is not None else None


def age_between(wiki: Wiki, call: Call) -> str | None:
    """`{{age|1866|11|11|1936|9|21}}`: years from the first date to the second."""
    values = [call.get(number) for number in range(1, 7)]
    age = _age(values[3:] + values[:3])
    return None if age is None else str(age)


def _age(values: list[str]) -> int | None:
    """Whole years from the second date of six values to the first."""
    if not all(value.isdecimal() for value in values):
        return None
    year, month, day, birth_year, birth_month, birth_day = map(int, values)
    return year - birth_year - ((month, day) < (birth_month, birth_day))


def as_of(wiki: Wiki, call: Call) -> str | None:
    """`{{as of|2012|February|lc=y}}`: as of February 2012."""
    for name in ("url", "post"):
        call.get(name)
    if alternative := call.get("alt"):
        _ = [call.get(number) for number in range(1, 4)]
        call.get("lc", "since", "df", "bare")
        return alternative
    year, month, day = (call.get(number) for number in range(1, 4))
    date = _english(wiki, year, month, day, call.get("df").lower() != "us")
    if date is None:
        return None
    start = "since" if call.get("since") else "as of"
    if call.get("bare"):
        return date
    if not call.get("lc"):
        start = start[0].upper() + start[1:]
    return f"{start} {date}{call.get('post')}"


def circa(wiki: Wiki, call: Call) -> str | None:
    """`{{circa|1450}}`: c. 1450; two dates are a range."""
    first, second = call.get(1), call.get(2)
    if not first:
        return "c."
    return f"c. {first} – c. {second}" if second else f"c. {first}"


def years(wiki: Wiki, call: Call, *, before: str) -> str | None:
    """`{{reign|1450|1470}}`: r. 1450–1470."""
    first, second = call.get(1), call.get(2)
    if not first and not second:
        return before.strip()
    mark = " – " if " " in first + second else "–"
    return before + (f"{first}{mark}{second}" if second else first)


def old_style(wiki: Wiki, call: Call) -> str | None:
    """`{{OldStyleDate|4 May|1643|24 April}}`: 4 May [O.S. 24 April] 1643."""
    new, year, old = (call.get(number) for number in range(1, 4))
    if not new or not old:
        return None
    return f"{new} [O.S. {old}] {year}".strip()


def date_french(wiki: Wiki, call: Call) -> str | None:
    """`{{date|29|9|2019|en politique}}`, `{{date|29 septembre 2019-}}`: 29 septembre 2019.

    The topic only chooses what is linked; a hyphen at the end hides the year.
    """
    call.get("âge")
    words = call.get(1)
    if words and words != "1er" and (not words.isdecimal() or not call.has("2")):
        if re.fullmatch(r"\d{3,4}", words):
            return words
        if numbers := _NUMBERS_FR.fullmatch(words):
            return _date_french(wiki, *numbers.groups())
        match = _DATE_FR.fullmatch(words)
        call.get(2)  # the topic
        if match is None or call.get(3):
            return None
        day, month, year, hidden = match.groups()
        return _date_french(wiki, day or "", month, "" if hidden else year or "")
    month, year = call.get(2), call.get(3)
    call.get(4)
    return _date_french(wiki, words, month, year)


def _date_french(wiki: Wiki, day: str, month: str, year: str) -> str | None:
    if not month:
        return year or None
    name = wiki.month(month)
    if name is None or (day and not re.fullmatch(r"\d{1,2}|1er", day)):
        return None
    if day.isdecimal():
        day = str(int(day))
    day = "1er" if day == "1" else day
    return " ".join(filter(None, (day, name, year)))


def century(
    wiki: Wiki,
    call: Call,
    *,
    ending: str = "e",
    word: str = " siècle",
    words: str = " siècles",
    after: str = "",
) -> str | None:
    """`{{s|XX}}`, `{{sp|XV|et|XVI}}`: XXe siècle, XVe et XVIe siècles."""
    numerals, shown, index = [], "", 1
    values = [value for value in call.positional() if value not in ("e", "er", "s")]
    for index, value in enumerate(values):
        if _ROMAN.fullmatch(value):
            numerals.append(value)
            shown += value.upper() + ("er" if value.upper() == "I" and ending == "e" else ending)
        elif index and value:
            shown += f" {value} " if value not in ("-", "–", "/") else value
    if not numerals or len(values) > 3:
        return None
    return shown + (words if len(numerals) > 1 else word) + after


def century_name(wiki: Wiki, call: Call) -> str | None:
    """`{{XIXe siècle}}`: the template's own name, its numeral in capitals."""
    match = re.fullmatch(r"([ivxl]+)(e|er)( siècle.*)", call.name, re.IGNORECASE)
    return match[1].upper() + match[2] + match[3] if match else None


def date_portuguese(wiki: Wiki, call: Call) -> str | None:
    """`{{dtlink|11|9|1866}}`: 11 de setembro de 1866; numbers or names, a part may be missing."""
    day, month, year = (call.get(number) for number in range(1, 4))
    name = wiki.month(month) if month else ""
    if name is None or (day and not day.isdecimal()) or (year and not year.isdecimal()):
        return None
    if not name:
        return year or None
    parts = [f"{int(day)}" if day and int(day) != 1 else "1º" if day else "", name, year]
    return " de ".join(filter(None, parts))


def date_de(wiki: Wiki, call: Call) -> str | None:
    """`{{fecha|11|9|1866}}`: 11 de septiembre de 1866."""
    day, month, year = (call.get(number) for number in range(1, 4))
    name = wiki.month(month) if month else None
    if name is None or not day.isdecimal() or not year.isdecimal():
        return None
    return f"{int(day)} de {name} de {year}"


def century_spanish(wiki: Wiki, call: Call) -> str | None:
    """`{{siglo|V|a|s}}`: siglo V a. C.; without the last parameter the numeral alone."""
    numeral, era, word = call.get(1), call.get(2), call.get(3)
    if not _ROMAN.fullmatch(numeral) or era not in ("", "a", "d") or word not in ("", "s", "S"):
        return None
    after = {"a": " a. C.", "d": " d. C."}.get(era, "")
    return {"s": "siglo ", "S": "Siglo "}.get(word, "") + numeral.upper() + after


def joined_date(
    wiki: Wiki, call: Call, *, order: str, joint: str = " ", dot: str = ""
) -> str | None:
    """A date given as numbers, its parts in the order `ymd` or `dmy`, in the wiki's words."""
    parts = {letter: call.get(number) for number, letter in enumerate(order, 1)}
    month = wiki.month(parts["m"]) if parts["m"] else ""
    if month is None or not parts["y"].isdecimal() or (parts["d"] and not parts["d"].isdecimal()):
        return None
    if parts["d"] and not month:
        return None
    day = str(int(parts["d"])) + dot if parts["d"] else ""
    return joint.join(filter(None, (day, month, parts["y"]))) if month else parts["y"]
