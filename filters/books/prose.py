"""What is no prose at all: tables of numbers, genomes, track lists of audio books.

Project Gutenberg has a million digits of pi, chromosomes as pages of ACGT and texts that only list
sound files. LLaMA's paper has no such rule. Measured on letters, so that it holds for any script.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from filters.document import Document, Rejected, StageSettings, setting

# An alphabet of a genome has four letters, and N for what is unknown.
_FREQUENT = 5
_SOUND_FILE = re.compile(r"\.(?:mp3|ogg|m4b|m4a|spx|wav|midi?)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class ProseSettings(StageSettings):
    """[books.prose]

    Attributes:
        minimum_letter_share: of the characters that are no white space (0 to 1).
        maximum_frequent_share: of letters that are one of the five most frequent (0 to 1). English
            has 0.45; texts with more than 0.8 have an alphabet of five or six letters.
        maximum_sound_share: of lines that name a sound file (0 to 1).
    """

    minimum_letter_share: float = setting(
        0.6, "measured: real books have 0.89 or more (docs/books.md)"
    )
    maximum_frequent_share: float = setting(
        0.8, "measured: real books have 0.48 or less (docs/books.md)"
    )
    maximum_sound_share: float = setting(
        0.2, "ours: not tuned; a list of recordings names little else"
    )


class ProseFilter:
    """Drop what is no text to read; sets `letter_share`, `frequent_letter_share` and
    `accented_letters`, the letters beyond ASCII, which some editions of a book have lost.

    Reasons: `few_letters`, `few_distinct_letters`, `sound_files`.
    """

    name = "prose"

    def __init__(self, settings: ProseSettings | None = None) -> None:
        self.settings = settings or ProseSettings()

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        settings = self.settings
        counts = Counter(document.text)
        visible = sum(number for character, number in counts.items() if not character.isspace())
        letters: Counter[str] = Counter()
        marks = 0
        for character, number in counts.items():
            if character.isalpha():
                letters[character.lower()] += number
            elif not character.isascii() and not character.isspace() and not character.isnumeric():
                marks += number  # vowel signs of Indian scripts are no letters to Unicode
        share = (letters.total() + marks) / max(1, visible)
        frequent = sum(number for _, number in letters.most_common(_FREQUENT))
        frequent_share = frequent / max(1, letters.total())
        document.signals["accented_letters"] = sum(
            number for letter, number in letters.items() if not letter.isascii()
        )
        document.signals["letter_share"] = round(share, 4)
        document.signals["frequent_letter_share"] = round(frequent_share, 4)
        if share < settings.minimum_letter_share:
            return Rejected("few_letters", f"{share:.2f} < {settings.minimum_letter_share}")
        if frequent_share > settings.maximum_frequent_share:
            detail = f"{frequent_share:.2f} > {settings.maximum_frequent_share}"
            return Rejected("few_distinct_letters", detail)
        named = len(_SOUND_FILE.findall(document.text))
        lines = document.text.count("\n") + 1
        if named > settings.maximum_sound_share * lines:
            return Rejected("sound_files", f"{named} in {lines} lines")
        return document
