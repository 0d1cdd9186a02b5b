"""LLaMA's quality classifier: does a page look like those that Wikipedia cites?

LLaMA (arXiv 2302.13971, section 2.1, the last sentence on English CommonCrawl) trains a linear
model to tell pages used as references in Wikipedia from randomly sampled ones, and drops the pages
not classified as references. It names no threshold; 0.25 is that of RedPajama v1, which also
supplies the rest: fastText supervised, whole pages on one line.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filters.document import Document, Rejected, StageSettings, setting
from filters.models import load_fasttext, missing_model, predict
from filters.paths import Model

COMMAND = "roving models reference --documents CRAWL --citations WIKIPEDIA"


@dataclass(frozen=True, kw_only=True)
class ReferenceQualitySettings(StageSettings):
    """When a page counts as a reference.

    Attributes:
        threshold: pages with a lower probability go. RedPajama v1: 0.25.
        positive_label: the model's label for references, without its prefix.
    """

    threshold: float = setting(0.25, "code: RedPajama v1's; LLaMA's paper names none")
    positive_label: str = "reference"


class ReferenceQualityFilter:
    """Set the signal `reference_score`, P(reference); drop pages below the threshold.

    The model has two classes and was trained on whole pages: a single paragraph scores low.

    Reasons: `below_threshold`.
    """

    name = "reference_quality"

    def __init__(
        self,
        settings: ReferenceQualitySettings | None = None,
        model: str | Path = "models/reference/reference.bin",
    ) -> None:
        self.settings = settings or ReferenceQualitySettings()
        self.model = Model(model)
        self._model: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.settings, self.model)

    def open(self) -> None:
        """Load the model.

        Raises:
            MissingModel: absent, unreadable, or without the positive label among its two.
        """
        model = load_fasttext(self.model, COMMAND)
        labels = [label.removeprefix("__label__") for label in model.get_labels()]
        if len(labels) != 2 or self.settings.positive_label not in labels:
            wanted = f"two labels, one of them {self.settings.positive_label!r}"
            raise missing_model(self.model, COMMAND, f"has labels {labels}, not {wanted}")
        self._model = model

    def __call__(self, document: Document) -> Document | Rejected:
        label, probability = predict(self._model, document.text.replace("\n", " "))[0]
        probability = min(probability, 1.0)
        positive = label == self.settings.positive_label
        score = probability if positive else 1.0 - probability
        document.signals["reference_score"] = score
        if score < self.settings.threshold:
            return Rejected("below_threshold", f"score {score:.4g} < {self.settings.threshold}")
        return document
