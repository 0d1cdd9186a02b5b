"""The quality rules of MassiveText, by which Gopher's pages were chosen (arXiv 2112.11446, A.1.1).

A word is what stands between white space; a symbol counts wherever it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from filters.document import Document, Rejected, Settings, setting
from filters.optional.registry import OptionalFilter, register

_LETTER = re.compile(r"[^\W\d_]")
_ELLIPSIS = re.compile(r"\.\.\.|…")
_BULLETS = ("•", "‣", "◦", "▪", "●", "*", "-")
_ELLIPSES = ("...", "…")
STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")


@dataclass(frozen=True, kw_only=True)
class GopherQualitySettings(Settings):
    """[filters.gopher_quality]: bounds, inclusive.

    Attributes:
        minimum_words, maximum_words: of a document.
        minimum_word_length, maximum_word_length: mean over its words, in characters.
        maximum_symbol_ratio: hash signs, or ellipses, for each word.
        maximum_bullet_share: of lines that begin with a bullet.
        maximum_ellipsis_share: of lines that end with an ellipsis.
        minimum_lettered_share: of words with at least one letter.
        minimum_stop_words: so many different ones of `stop_words` must occur; 0 asks for none, as
            other languages than English need.
        stop_words: in lower case.
    """

    minimum_words: int = setting(50, "paper: Gopher")
    maximum_words: int = setting(100_000, "paper: Gopher")
    minimum_word_length: float = setting(3.0, "paper: Gopher")
    maximum_word_length: float = setting(10.0, "paper: Gopher")
    maximum_symbol_ratio: float = setting(0.1, "paper: Gopher")
    maximum_bullet_share: float = setting(0.9, "paper: Gopher")
    maximum_ellipsis_share: float = setting(0.3, "paper: Gopher")
    minimum_lettered_share: float = setting(0.8, "paper: Gopher")
    minimum_stop_words: int = setting(2, "paper: Gopher")
    stop_words: tuple[str, ...] = setting(STOP_WORDS, "paper: Gopher")


@register
class GopherQuality(OptionalFilter[GopherQualitySettings]):
    """Drop what the rules find to be no prose; the reason names the first that does."""

    name = "gopher_quality"
    settings_type = GopherQualitySettings
    signals: ClassVar = {
        "words": "int64",
        "mean_word_length": "double",
        "symbol_ratio": "double",
        "bullet_share": "double",
        "ellipsis_share": "double",
        "lettered_share": "double",
        "stop_words": "int32",
    }

    def __call__(self, document: Document) -> Document | Rejected:
        limits, found = self.settings, self.measure(document.text)
        document.signals.update(found)
        for reason, name, least, most in (
            ("too_few_words", "words", limits.minimum_words, None),
            ("too_many_words", "words", None, limits.maximum_words),
            ("short_words", "mean_word_length", limits.minimum_word_length, None),
            ("long_words", "mean_word_length", None, limits.maximum_word_length),
            ("symbols", "symbol_ratio", None, limits.maximum_symbol_ratio),
            ("bullets", "bullet_share", None, limits.maximum_bullet_share),
            ("ellipses", "ellipsis_share", None, limits.maximum_ellipsis_share),
            ("no_letters", "lettered_share", limits.minimum_lettered_share, None),
            ("no_stop_words", "stop_words", limits.minimum_stop_words, None),
        ):
            value = found[name]
            if least is not None and value < least:
                return Rejected(reason, f"{name} {value:.6g} < {least:g}")
            if most is not None and value > most:
                return Rejected(reason, f"{name} {value:.6g} > {most:g}")
        return document

    def measure(self, text: str) -> dict[str, int | float]:
        """The signals of a text; shares of an empty one are 0."""
        words, lines = text.split(), [line.strip() for line in text.splitlines() if line.strip()]
        of_words, of_lines = max(1, len(words)), max(1, len(lines))
        return {
            "words": len(words),
            "mean_word_length": sum(map(len, words)) / of_words,
            "symbol_ratio": max(text.count("#"), len(_ELLIPSIS.findall(text))) / of_words,
            "bullet_share": sum(line.startswith(_BULLETS) for line in lines) / of_lines,
            "ellipsis_share": sum(line.endswith(_ELLIPSES) for line in lines) / of_lines,
            "lettered_share": sum(_LETTER.search(word) is not None for word in words) / of_words,
            "stop_words": len({word.lower() for word in words} & {*self.settings.stop_words}),
        }
