"""Paragraph deduplication as two stages: keys while extracting, removal while finishing.

Blank lines and repeats within a document go while extracting (CCNet drops them whatever the other
documents hold), so a paragraph's row is its line number in the unit's extracted shard.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from dedup.paragraph_hashes import hash_document, unique_paragraphs
from filters.document import Document, Rejected
from pipeline.batch import Batch
from pipeline.deduplicate import Decisions
from pipeline.stages import Batching, apply_function

PARAGRAPHS = "paragraphs"


class ParagraphKeys:
    """Hashes every paragraph; drops blank ones and repeats within the document."""

    name = "paragraph_keys"

    def open(self) -> None:
        """Nothing to load."""

    def apply(self, batch: Batch, batching: Batching) -> None:
        """Attach one array of keys to each document kept."""
        keys = batch.keys.setdefault(PARAGRAPHS, [])
        apply_function(self.name, partial(_unique_paragraphs, keys), batch, batching)


def _unique_paragraphs(keys: list[NDArray[np.uint64]], document: Document) -> Document | Rejected:
    hashed = hash_document(document.text)
    unique = unique_paragraphs(hashed.lines, hashed.keys)
    if not len(unique):
        return Rejected("empty")
    document.signals["original_characters"] = len(document.text)
    document.signals["original_lines"] = len(hashed.lines)
    if len(unique) < len(hashed.lines):
        document.text = "\n".join([hashed.lines[index] for index in unique])
    keys.append(hashed.keys[unique])
    return document


class ParagraphRemoval:
    """Removes the paragraphs that deduplication decided on.

    Args:
        decisions: folder of the decision files.
        minimum_characters: a document that lost paragraphs and is shorter than this goes.
    """

    name = PARAGRAPHS

    def __init__(self, decisions: str, minimum_characters: int) -> None:
        self._decisions = decisions
        self._minimum_characters = minimum_characters
        self._row = 0
        self._removed: NDArray[np.uint32] = np.empty(0, np.uint32)

    def open(self) -> None:
        """Decisions are loaded unit by unit."""

    def apply(self, batch: Batch, batching: Batching) -> None:
        """Apply the unit's decisions; batches of a unit come in order."""
        if batch.index == 0:
            self._row = 0
            self._removed = Decisions(self._decisions).rows(batch.unit.name)
        apply_function(self.name, self._remove, batch, batching)

    def _remove(self, document: Document) -> Document | Rejected:
        lines = document.text.split("\n")
        first, last = self._row, self._row + len(lines)
        self._row = last
        start, end = np.searchsorted(self._removed, [first, last])
        removed = set((self._removed[start:end] - first).tolist())
        if len(removed) == len(lines):
            return Rejected("all_duplicate", f"all {len(lines)} paragraphs occur elsewhere")
        if removed:
            document.text = "\n".join(
                [line for index, line in enumerate(lines) if index not in removed]
            )
        document.signals["lines"] = len(lines) - len(removed)
        document.signals["characters"] = len(document.text)
        if removed and len(document.text) < self._minimum_characters:
            return Rejected(
                "too_short_without_duplicates",
                f"{len(document.text)} < {self._minimum_characters} characters",
            )
        return document
