"""Decontamination: documents that hold text of evaluation items are dropped, flagged or cut.

N-gram overlap as in GPT-3 (Brown et al. 2020, arXiv 2005.14165, appendix C; 13 words), against an
index that `pipeline.decontamination.index` builds. After Brown et al. a cut takes 200 characters to
either side of a match along; here it takes the words that match and nothing else.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from dedup.contamination import Contamination, Matches
from dedup.contamination_spans import matched_spans, remove_spans
from filters.document import Document, Rejected
from filters.paths import Model
from pipeline.decontamination.index import EvaluationIndex
from pipeline.decontamination.settings import DecontaminationSettings
from pipeline.passes.batch import Batch
from pipeline.passes.stages import Batching, apply_function
from pipeline.store.accounting import StageCount

SIGNALS = {
    "contamination": "list<string>",
    "contaminated_items": "int64",
    "contaminated_ngrams": "int64",
    "decontaminated_characters": "int64",
}


class Decontamination:
    """The stage.

    Args:
        settings: section of the recipe.
        index: folder of the index of evaluation items.
    """

    name = "decontamination"
    signals = SIGNALS

    def __init__(
        self, settings: DecontaminationSettings | None = None, index: str = "models/evaluation"
    ) -> None:
        self.settings = settings or DecontaminationSettings()
        self._folder = Model(index)
        self._index: EvaluationIndex | None = None

    def open(self) -> None:
        """Map the index into memory."""
        self._index = EvaluationIndex(Path(self._folder))

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_index": None}  # a memory map would pickle as its content

    def apply(self, batch: Batch, batching: Batching) -> None:
        """Match the whole batch, then decide document by document."""
        assert self._index is not None
        started = time.process_time()
        skips = batch.unit.skips_of(self.name)
        found = self._index.ngrams.find(
            [
                "" if row in skips else document.text
                for row, document in zip(batch.rows, batch.documents, strict=True)
            ]
        )
        matches = {
            id(document): found.get(position) for position, document in enumerate(batch.documents)
        }
        seconds = time.process_time() - started
        apply_function(self.name, partial(self._decide, self._index, matches), batch, batching)
        batch.counts.setdefault(self.name, StageCount()).seconds += seconds

    def _decide(
        self, index: EvaluationIndex, found: dict[int, Matches | None], document: Document
    ) -> Document | Rejected:
        matches = found[id(document)]
        signals = document.signals
        signals["contaminated_ngrams"] = matches.distinct if matches else 0
        contamination = self._judge(index, matches)
        if contamination is None:
            return document
        items = contamination.items
        listed = items[: self.settings.maximum_listed].tolist()
        signals["contamination"] = [index.label(item) for item in listed]
        signals["contaminated_items"] = len(items)
        if self.settings.action == "cut":
            return self._cut(index, document, contamination)
        if self.settings.action == "drop":
            return Rejected("contaminated", _detail(document))
        return document

    def _judge(self, index: EvaluationIndex, matches: Matches | None) -> Contamination | None:
        if matches is None:
            return None
        return index.ngrams.judge(matches, self.settings.minimum_matches)

    def _cut(
        self, index: EvaluationIndex, document: Document, first: Contamination
    ) -> Document | Rejected:
        """Cut until nothing matches: what was apart may match once it stands together."""
        text, cut = document.text, 0
        remaining: Contamination | None = first
        while remaining is not None:
            spans = matched_spans(text, remaining.matches)
            cut += len(spans)
            if cut > self.settings.maximum_spans:
                return Rejected(
                    "too_many_contaminated_spans",
                    f"more than {self.settings.maximum_spans}; {_detail(document)}",
                )
            text = remove_spans(text, spans)
            remaining = self._judge(index, index.ngrams.find([text]).get(0))
        if len(text) < self.settings.minimum_characters:
            return Rejected(
                "too_short_without_contamination",
                f"{len(text)} < {self.settings.minimum_characters} characters; {_detail(document)}",
            )
        document.signals["decontaminated_characters"] = len(document.text) - len(text)
        document.text = text
        return document


def _detail(document: Document) -> str:
    signals = document.signals
    return (
        f"{signals['contamination'][0]}, {signals['contaminated_ngrams']} n-grams of "
        f"{signals['contaminated_items']} items"
    )
