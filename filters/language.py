"""Language identification with fastText's lid.176 (arXiv 1612.03651), as CCNet uses it.

The cost of fastText is linear in the text, and a part of a document is enough for most: slices
spread over it are tried first, and only where their score leaves doubt is more of the document
read. Slices, because the first characters of a web page are its menu, and because a document in two
languages shows itself. `benchmarks/language_sample.py` compares the ways to choose the part.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filters.ccnet_text import Mode
from filters.document import Document, Rejected, StageSettings, setting
from filters.language_codes import check_languages
from filters.models import load_fasttext, predict
from filters.paths import Model

# Where `roving models fetch` puts it.
DEFAULT_MODEL = "models/lid.176.ftz"

# Characters per slice: some words, and short enough that 500 characters see 16 places.
SLICE = 32


@dataclass(frozen=True, kw_only=True)
class LanguageSettings(StageSettings):
    """Which languages stay, and how much of a document is looked at.

    Attributes:
        keep: fastText's language codes; empty keeps every language.
        minimum_score: documents with a lower score go. CCNet: 0.5.
        characters: how many characters to look at first, in slices spread over the document;
            0 looks at the whole document, as CCNet does.
        certain_score: a first look that scores lower is followed by a second.
        doubtful_characters: how many characters the second look sees; 0: the whole document.
    """

    keep: tuple[str, ...] = setting(("en",), "paper: LLaMA drops pages that are not English")
    minimum_score: float = setting(0.5, "code: CCNet's")
    characters: int = setting(
        500, "measured: decides as the whole text does (benchmarks/language_sample.py)"
    )
    certain_score: float = setting(
        0.9, "measured: 0.85 loses agreement (benchmarks/language_sample.py)"
    )
    doubtful_characters: int = setting(
        20_000, "measured: 2,000 are too short (benchmarks/language_sample.py)"
    )


def load_language_model(path: str | Path) -> Any:
    """The fastText model at `path`, loaded once per process.

    Raises:
        MissingModel: no such file, or fastText cannot read it.
    """
    return load_fasttext(path, f"roving models fetch --output {path}")


def language_labels(model: Any) -> list[str]:
    """The codes that a model knows."""
    return [label.removeprefix("__label__") for label in model.get_labels()]


def spread_sample(text: str, characters: int) -> str:
    """About `characters` of the text in equal slices at equal distances, joined by spaces.

    The first slice starts the text and the last ends it; a text that is not longer comes back
    whole, as it does for 0 characters.
    """
    if characters == 0 or len(text) <= characters:
        return text
    count = max(characters // SLICE, 2)
    distance = (len(text) - SLICE) / (count - 1)
    starts = [int(index * distance) for index in range(count)]
    return " ".join([text[start : start + SLICE] for start in starts])


def round_as_numpy(score: float) -> float:
    """Two decimals, as NumPy rounds: 0.495 becomes 0.5, where Python's `round` gives 0.49."""
    return round(score * 100) / 100


def identify(
    model: Any, text: str, settings: LanguageSettings, mode: Mode = "standard"
) -> tuple[str, float]:
    """The language of a text that is not blank, and fastText's score for it (0 to 1).

    `ccnet` looks at the whole document, deletes line breaks where `standard` puts spaces, and
    rounds the score to 2 decimals (0.495 then passes 0.5).
    """
    if mode == "ccnet":
        label, score = predict(model, text.replace("\n", ""))[0]
        return label, round_as_numpy(score)
    sample = spread_sample(text, settings.characters)
    label, score = predict(model, sample.replace("\n", " "))[0]
    if score < settings.certain_score and sample != text:
        sample = spread_sample(text, settings.doubtful_characters)
        label, score = predict(model, sample.replace("\n", " "))[0]
    return label, min(score, 1.0)


class LanguageFilter:
    """Set `metadata["language"]` and the signals `language`, `language_score`; keep some languages.

    Reasons: `empty` (only white space), `low_score`, `not_wanted`.
    """

    name = "language"

    def __init__(
        self,
        settings: LanguageSettings | None = None,
        model: str | Path = DEFAULT_MODEL,
        mode: Mode = "standard",
    ) -> None:
        self.settings = settings or LanguageSettings()
        self.model = Model(model)
        self.mode: Mode = mode
        self._model: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.settings, self.model, self.mode)

    def open(self) -> None:
        """Load the model.

        Raises:
            UnknownLanguage: a language is wanted that the model has no label for.
        """
        self._model = load_language_model(self.model)
        check_languages(self.settings.keep, language_labels(self._model), "language.keep")

    def __call__(self, document: Document) -> Document | Rejected:
        settings = self.settings
        if not document.text or document.text.isspace():
            return Rejected("empty", f"{len(document.text)} characters of white space")
        label, score = identify(self._model, document.text, settings, self.mode)
        document.metadata["language"] = label
        document.signals["language"] = label
        document.signals["language_score"] = score
        if score < settings.minimum_score:
            return Rejected("low_score", f"{label} {score:.4f} < {settings.minimum_score}")
        if settings.keep and label not in settings.keep:
            return Rejected("not_wanted", f"{label} {score:.4f}")
        return document
