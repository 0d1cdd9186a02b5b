"""Title, author, language, number and date from the header of a Project Gutenberg file."""

from __future__ import annotations

import re
from typing import Any

_FIELD = re.compile(
    r"(?:^|gutenberg\.(?:org|net))[ \t]*(Title|Author|Language|Release Date):[ \t]*"
    r"([^\n]*(?:\n[ \t]{2,}\S[^\n]*)*)",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBER = re.compile(
    r"\[\s{0,3}e-?(?:text|book)\s{0,3}(?:#|No\.?|Number)?\s{0,3}(\d{1,6})\s{0,3}\]", re.IGNORECASE
)
# "The Project Gutenberg EBook of Emma, by Jane Austen", "Project Gutenberg's Emma, by Jane Austen"
_FIRST_LINE = re.compile(
    r"Project[ \t]+Gutenberg(?:(?:'s|\u2019s)|[ \t]+e-?(?:text|book),?(?:[ \t]+of)?)[ \t]+"
    r"([^\n]+(?:\n(?!\s*[*#\[])[^\n]+)?)",
    re.IGNORECASE,
)
_MONTHS = "january february march april may june july august september october november december"
_MONTH = {name: number for number, name in enumerate(_MONTHS.split(), 1)}
_DATE = re.compile(rf"\b({'|'.join(_MONTH)})\b\s*(\d{{1,2}})?,?\s*(\d{{4}})", re.IGNORECASE)
# Project Gutenberg's names of languages; ISO 639-1 codes.
LANGUAGES = {
    "afrikaans": "af",
    "arabic": "ar",
    "breton": "br",
    "bulgarian": "bg",
    "catalan": "ca",
    "chinese": "zh",
    "czech": "cs",
    "danish": "da",
    "dutch": "nl",
    "english": "en",
    "esperanto": "eo",
    "estonian": "et",
    "farsi": "fa",
    "finnish": "fi",
    "french": "fr",
    "frisian": "fy",
    "galician": "gl",
    "german": "de",
    "greek": "el",
    "hebrew": "he",
    "hungarian": "hu",
    "icelandic": "is",
    "interlingua": "ia",
    "irish": "ga",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "latin": "la",
    "lithuanian": "lt",
    "norwegian": "no",
    "occitan": "oc",
    "polish": "pl",
    "portuguese": "pt",
    "romanian": "ro",
    "russian": "ru",
    "sanskrit": "sa",
    "serbian": "sr",
    "slovenian": "sl",
    "spanish": "es",
    "swedish": "sv",
    "tagalog": "tl",
    "telugu": "te",
    "turkish": "tr",
    "ukrainian": "uk",
    "welsh": "cy",
    "yiddish": "yi",
    "maori": "mi",
    "gaelic, scottish": "gd",
    "slovak": "sk",
    "yoruba": "yo",
}


def header_metadata(header: str) -> dict[str, Any]:
    """What a header says, under `title`, `author`, `language`, `declared_language`, `book_number`,
    `release_date` (as exact as it is given: `1994-03`, `2008-06-25`) and `timestamp`.
    """
    found: dict[str, Any] = {}
    for name, value in _FIELD.findall(header):
        key = name.lower().replace(" ", "_")
        text = " ".join(value.split())
        if text and key not in found:
            found[key] = text
    beside_number = ""
    if number := _NUMBER.search(header):
        found["book_number"] = int(number[1])
        beside_number = header[header.rfind("\n", 0, number.start()) + 1 : number.start()]
    if "title" not in found:
        found.update(_from_first_line(header))
    if declared := found.pop("language", ""):
        found["declared_language"] = declared
        first = re.split(r",| and | with |/|;", declared.lower())[0].strip()
        if code := LANGUAGES.get(declared.lower()) or LANGUAGES.get(first):
            found["language"] = code
    if date := iso_date(found.pop("release_date", "") or beside_number):
        found["release_date"] = date
        if len(date) == 10:
            found["timestamp"] = date
    return found


def _from_first_line(header: str) -> dict[str, str]:
    found = _FIRST_LINE.search(header)
    if not found:
        return {}
    line = " ".join(found[1].split()).strip("*. ")
    title, _, author = line.partition(", by ")
    if not author:
        title, _, author = line.partition(" by ")
    title, author = title.strip("*., "), author.strip("*., ")
    return {key: value for key, value in (("title", title), ("author", author)) if value}


def iso_date(text: str) -> str:
    """The first date in an English text as `YYYY-MM-DD` or `YYYY-MM`; empty if there is none."""
    found = _DATE.search(text)
    if not found:
        return ""
    month, day, year = _MONTH[found[1].lower()], found[2], found[3]
    return f"{year}-{month:02}-{int(day):02}" if day and 0 < int(day) < 32 else f"{year}-{month:02}"
