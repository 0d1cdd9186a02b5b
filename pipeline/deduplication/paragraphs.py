"""Deduplication of lines and paragraphs as stages: keys while extracting, removal afterwards.

A row is a line's number in the unit's shard, over all its documents. A crawl's blank lines and
repeats within a document go while extracting, as CCNet drops them whatever other documents hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dedup.paragraph_hashes import hash_document, unique_paragraphs
from filters.document import Document, Rejected
from pipeline.batch import Batch
from pipeline.deduplication.decisions import DECISIONS, read_array, read_rows
from pipeline.stages import Batching, apply_function

PARAGRAPHS = "paragraphs"
REPEATS = "repeats"


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


class LineRemoval:
    """Removes the lines that deduplication decided on.

    Args:
        name: of the stage.
        minimum_characters: a document that lost lines and is shorter than this goes.
    """

    def __init__(self, name: str, minimum_characters: int) -> None:
        self.name = name
        self._minimum_characters = minimum_characters
        self._line = 0
        self._row = 0
        self._batch_rows: Iterator[int] = iter(())
        self._removed: NDArray[np.uint32] = np.empty(0, np.uint32)

    def open(self) -> None:
        """Decisions are loaded unit by unit."""

    def apply(self, batch: Batch, batching: Batching) -> None:
        """Apply the unit's decisions; batches of a unit come in order."""
        if batch.index == 0:
            self._line = self._row = 0
            self._removed = read_rows(batch.unit.made(DECISIONS))["row"]
            # Lines that repeat one of their own document, where they are not gone yet.
            for path in batch.unit.made(REPEATS):
                self._removed = np.union1d(self._removed, read_array(path))
        self._batch_rows = iter(batch.rows)
        apply_function(self.name, self._remove, batch, batching)

    def _remove(self, document: Document) -> Document | Rejected:
        lines = document.text.split("\n")
        row = next(self._batch_rows)
        # A row between that is no document counts as one empty line.
        first = self._line + row - self._row
        last = first + len(lines)
        self._line, self._row = last, row + 1
        start, end = np.searchsorted(self._removed, [first, last])
        removed = set((self._removed[start:end] - first).tolist())
        if removed:
            document.text = _without(lines, removed)
            if not document.text:
                return Rejected("all_duplicate", f"all {len(removed)} lines occur elsewhere")
        document.signals["lines"] = document.text.count("\n") + 1
        document.signals["characters"] = len(document.text)
        if removed and len(document.text) < self._minimum_characters:
            return Rejected(
                "too_short_without_duplicates",
                f"{len(document.text)} < {self._minimum_characters} characters",
            )
        return document


def _without(lines: list[str], removed: set[int]) -> str:
    """The other lines; a blank line does not outlive the paragraph before it."""
    kept: list[str] = []
    for number, line in enumerate(lines):
        if number not in removed and (line.strip() or (kept and kept[-1].strip())):
            kept.append(line)
    if kept and not kept[-1].strip():
        kept.pop()
    return "\n".join(kept)
