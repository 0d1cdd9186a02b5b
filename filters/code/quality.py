"""Line lengths and the shares of letters and digits (LLaMA, section 2.1; RedPajama v1's values).

LLaMA names line length and the proportion of alphanumeric characters; RedPajama adds characters
per token of GPT-NeoX's tokenizer. Nothing is downloaded here, so a token is a run of letters, a
digit (LLaMA's tokenizer splits numbers into digits), or another character that is no white space.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from filters.code.languages import LANGUAGES
from filters.document import Document, Rejected, StageSettings, setting

PROSE = tuple(name for name, language in LANGUAGES.items() if language.kind == "prose")
_INVISIBLE = re.compile(
    r"<(script|style)\b[^>]*>(?:[^<]|<(?!/\1))*|<!--(?:[^-]|-(?!->))*|<[^>]*>", re.IGNORECASE
)
_SPACE, _LETTER, _DIGIT, _OTHER = range(4)
# How many Unicode has.
_CODE_POINTS = 0x110000


@dataclass(frozen=True, kw_only=True)
class CodeQualitySettings(StageSettings):
    """[github.quality]: all bounds are inclusive.

    Attributes:
        long_line_languages: of these the longest line alone is bounded, by `long_line_maximum`:
            a paragraph of prose is one line.
        long_line_maximum: characters in their longest line.
        data_languages: of these only files of `data_minimum` to `data_maximum` characters stay.
        data_minimum, data_maximum: characters; 0: no bound.
        minimum_visible_share, minimum_visible: of an HTML page's characters those that a reader
            sees, and how many; 0: no bound.
        maximum_line: characters in the longest line.
        maximum_mean_line: characters by lines, line ends counted.
        minimum_alphanumeric_share: of all characters.
        minimum_letters_per_token: letters by tokens.
    """

    long_line_languages: tuple[str, ...] = setting(
        PROSE, "paper: StarCoder 2's, without the markup that RedPajama v1 bounds as code"
    )
    long_line_maximum: int = setting(100_000, "paper: StarCoder 2 (arXiv 2402.19173), section 2.3")
    data_languages: tuple[str, ...] = setting(("JSON", "YAML"), "paper: StarCoder 2's")
    data_minimum: int = setting(0, "paper: LLaMA has no data languages; StarCoder 2's is 50")
    data_maximum: int = setting(0, "paper: LLaMA has no data languages; StarCoder 2's is 5,000")
    minimum_visible_share: float = setting(0.0, "paper: LLaMA names none; StarCoder's is 0.2")
    minimum_visible: int = setting(0, "paper: LLaMA names none; StarCoder's is 100")
    maximum_line: int = setting(1000, "code: RedPajama v1's")
    maximum_mean_line: float = setting(100.0, "code: RedPajama v1's")
    minimum_alphanumeric_share: float = setting(0.25, "code: RedPajama v1's")
    minimum_letters_per_token: float = setting(
        0.6, "measured: what RedPajama v1's 1.5 is in our tokens (docs/github.md)"
    )


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is counted in a text; lengths in characters."""

    lines: int
    maximum_line: int
    mean_line: float
    alphanumeric_share: float
    letters_per_token: float


class CodeQualityFilter:
    """Drop files of long lines, and of few letters and digits."""

    name = "quality"

    def __init__(self, settings: CodeQualitySettings | None = None) -> None:
        self.settings = settings or CodeQualitySettings()

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        found, settings = count(document.text), self.settings
        document.signals.update(
            lines=found.lines,
            maximum_line=found.maximum_line,
            mean_line=round(found.mean_line, 3),
            alphanumeric_share=round(found.alphanumeric_share, 4),
            letters_per_token=round(found.letters_per_token, 4),
        )
        language = document.metadata.get("programming_language", "")
        wrong = self._lines(found, language) or self._content(document.text, language)
        if wrong is not None:
            return wrong
        if found.alphanumeric_share < settings.minimum_alphanumeric_share:
            detail = f"{found.alphanumeric_share:.3f} < {settings.minimum_alphanumeric_share}"
            return Rejected("few_alphanumerics", detail)
        if found.letters_per_token < settings.minimum_letters_per_token:
            detail = f"{found.letters_per_token:.2f} < {settings.minimum_letters_per_token}"
            return Rejected("few_letters_per_token", detail)
        return document

    def _lines(self, found: Statistics, language: str) -> Rejected | None:
        settings = self.settings
        is_long = language in settings.long_line_languages
        maximum = settings.long_line_maximum if is_long else settings.maximum_line
        if found.maximum_line > maximum:
            return Rejected("line_too_long", f"{found.maximum_line} > {maximum}")
        if found.mean_line > settings.maximum_mean_line and not is_long:
            detail = f"{found.mean_line:.1f} > {settings.maximum_mean_line}"
            return Rejected("mean_line_too_long", detail)
        return None

    def _content(self, text: str, language: str) -> Rejected | None:
        settings = self.settings
        if language in settings.data_languages:
            if len(text) < settings.data_minimum:
                return Rejected("too_little_data", f"{len(text)} < {settings.data_minimum}")
            if 0 < settings.data_maximum < len(text):
                return Rejected("too_much_data", f"{len(text)} > {settings.data_maximum}")
        if language == "HTML" and (settings.minimum_visible_share or settings.minimum_visible):
            visible = len("".join(_INVISIBLE.sub("", text).split()))
            share = visible / max(1, len(text))
            if share < settings.minimum_visible_share or visible < settings.minimum_visible:
                return Rejected("little_visible_text", f"{visible} of {len(text)} characters")
        return None


def count(text: str) -> Statistics:
    """Statistics of a text; a line end at its very end does not begin another line."""
    text = text.removesuffix("\n")
    points, kinds = _kinds(text)
    ends = np.flatnonzero(points == ord("\n"))
    lengths = np.diff(ends, prepend=-1, append=len(points)) - 1
    letters, digits = kinds == _LETTER, kinds == _DIGIT
    number = int(np.count_nonzero(letters))
    runs = int(np.count_nonzero(letters[1:] & ~letters[:-1])) + bool(len(letters) and letters[0])
    digit_count = int(np.count_nonzero(digits))
    tokens = runs + digit_count + int(np.count_nonzero(kinds == _OTHER))
    return Statistics(
        lines=len(lengths),
        maximum_line=int(lengths.max()),
        mean_line=len(points) / len(lengths),
        alphanumeric_share=(number + digit_count) / max(1, len(points)),
        letters_per_token=number / max(1, tokens),
    )


def _kinds(text: str) -> tuple[NDArray[np.integer], NDArray[np.uint8]]:
    """Code points of a text and the kind of each."""
    if text.isascii():
        encoded = text.encode()
        kinds = np.frombuffer(encoded.translate(_ascii_kinds()), np.uint8)
        return np.frombuffer(encoded, np.uint8), kinds
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    return points, _all_kinds().take(points)


@lru_cache(maxsize=1)
def _ascii_kinds() -> bytes:
    return bytes(_kind(chr(point)) for point in range(256))


@lru_cache(maxsize=1)
def _all_kinds() -> NDArray[np.uint8]:
    every = np.arange(_CODE_POINTS, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    kinds = np.full(_CODE_POINTS, _OTHER, np.uint8)
    for run in re.finditer(r"[^\W_]+|\s+", every):  # no other character has another kind
        kinds[run.start() : run.end()] = [_kind(character) for character in run[0]]
    return kinds


def _kind(character: str) -> int:
    if character.isspace():
        return _SPACE
    if character.isalpha():
        return _LETTER
    return _DIGIT if character.isalnum() else _OTHER
