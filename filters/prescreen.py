"""Whether a page is worth extracting: its language, found at a fraction of the cost of extraction.

Most pages of a crawl are not in a wanted language, and extraction of their text costs ten times
what a guess costs. Two looks, the second only where the first leaves doubt: the text that stands
directly in `<p>` tags (a regular expression), then the main content by Resiliparse's rules. Both
are identified by fastText on slices spread over them. Every page in doubt passes: the language
filter behind the extractor decides. The rule and its thresholds were found by measuring it against
full extraction of real pages (docs/warc.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

from resiliparse.extract.html2text import extract_plain_text

from filters.document import Document, Rejected, StageSettings, setting
from filters.language import (
    DEFAULT_MODEL,
    language_labels,
    load_language_model,
    spread_sample,
)
from filters.language_codes import check_languages
from filters.models import predict
from filters.paths import Model

# Shorter runs are labels, dates and buttons; English ones stand on pages of every language.
_PARAGRAPH = re.compile(r"<[pP](?:\s[^<>]{0,500})?>([^<]{40,})")
# The same in other elements, as articles without <p> have it.
_OTHER_TEXT = re.compile(r"<(?:div|td|span|section|article|br)\b[^<>]{0,500}>([^<]{100,})", re.I)
ALL_LABELS = -1


@dataclass(frozen=True, kw_only=True)
class PrescreenSettings(StageSettings):
    """When a page passes.

    Attributes:
        sample_characters: how much of a text is identified.
        paragraph_characters: least length of the text in paragraphs for the first look to decide.
        certain_characters: from this length on text in paragraphs is no mere notice; of less there
            must be as much as of long text elsewhere for the first look to reject.
        reject_probability: the first look rejects below it.
        accept_probability: the first look passes from it on.
        main_characters: main content shorter than this passes unseen.
        minimum_probability: the second look rejects below it.
    """

    sample_characters: int = setting(500, "measured: loses 1 of 192 English pages (docs/warc.md)")
    paragraph_characters: int = setting(
        300, "measured: 200, 300 and 500 decide alike (docs/warc.md)"
    )
    certain_characters: int = setting(
        1500, "ours: cookie notices are shorter, and on pages of every language (docs/warc.md)"
    )
    reject_probability: float = setting(
        0.01, "measured: loses 1 of 192 English pages (docs/warc.md)"
    )
    accept_probability: float = setting(
        0.5, "measured: passes 204 pages where 192 are English (docs/warc.md)"
    )
    main_characters: int = setting(50, "ours: of less nothing can be said, so extraction decides")
    minimum_probability: float = setting(
        0.1, "measured: loses 1 of 192 English pages (docs/warc.md)"
    )


class LanguagePrescreen:
    """Reject pages in other languages; set the signals `prescreen_look`, `prescreen_probability`.

    Looks: `paragraphs`, `main`, `too_little_text` (passed, without a probability).
    Reason: `other_language`.
    """

    name = "prescreen"

    def __init__(
        self,
        settings: PrescreenSettings | None = None,
        model: str | Path = DEFAULT_MODEL,
        languages: tuple[str, ...] = ("en",),
    ) -> None:
        """
        Args:
            settings: the recipe's section.
            model: fastText's language identifier.
            languages: its codes of the wanted languages; their probabilities are added up.
        """
        self.settings = settings or PrescreenSettings()
        self.model = Model(model)
        self.languages = languages
        self._model: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.settings, self.model, self.languages)

    def open(self) -> None:
        """Load the language model.

        Raises:
            UnknownLanguage: a language is wanted that the model has no label for.
        """
        self._model = load_language_model(self.model)
        check_languages(self.languages, language_labels(self._model), "language.keep")

    def __call__(self, document: Document) -> Document | Rejected:
        settings = self.settings
        paragraphs = " ".join(_PARAGRAPH.findall(document.text))
        if len(paragraphs) >= settings.paragraph_characters:
            labels = self._identify(paragraphs)
            wanted = self._wanted(labels)
            if wanted < settings.reject_probability and self._is_most(document.text, paragraphs):
                return self._reject(document, "paragraphs", labels, settings.reject_probability)
            if wanted >= settings.accept_probability:
                return self._note(document, "paragraphs", wanted)
        main = main_content(document.text)
        if len(main) < settings.main_characters:
            document.signals["prescreen_look"] = "too_little_text"
            return document
        labels = self._identify(main)
        wanted = self._wanted(labels)
        if wanted < settings.minimum_probability:
            return self._reject(document, "main", labels, settings.minimum_probability)
        return self._note(document, "main", wanted)

    def _is_most(self, html: str, paragraphs: str) -> bool:
        """Whether the text in `<p>` is much of the page's: a cookie notice stands there, too."""
        if len(paragraphs) >= self.settings.certain_characters:
            return True
        elsewhere = sum(map(len, _OTHER_TEXT.findall(html)))
        return len(paragraphs) >= elsewhere

    def _identify(self, text: str) -> list[tuple[str, float]]:
        sample = unescape(spread_sample(text, self.settings.sample_characters))
        return predict(self._model, " ".join(sample.split()), ALL_LABELS)

    def _wanted(self, labels: list[tuple[str, float]]) -> float:
        return sum(score for label, score in labels if label in self.languages)

    def _note(self, document: Document, look: str, wanted: float) -> Document:
        document.signals["prescreen_look"] = look
        document.signals["prescreen_probability"] = round(wanted, 4)
        return document

    def _reject(
        self, document: Document, look: str, labels: list[tuple[str, float]], threshold: float
    ) -> Rejected:
        wanted = self._wanted(labels)
        self._note(document, look, wanted)
        label, score = labels[0]
        detail = f"{look}: {wanted:.4f} < {threshold}; {label} {score:.4f}"
        return Rejected("other_language", detail)


def main_content(html: str) -> str:
    """Main content of a page as one paragraph, by Resiliparse's rules: about 1 ms for 100 kB."""
    text: str = extract_plain_text(
        html,
        preserve_formatting=False,
        main_content=True,
        list_bullets=False,
        alt_texts=False,
        comments=False,
    )
    return text
