"""Deduplication of lines and paragraphs as stages: keys while extracting, removal afterwards.

A row is a line's number in the unit's shard, over all its documents. A crawl's blank lines and
repeats within a document go while extracting, as CCNet drops them whatever other documents hold.
What is compared is every line (CCNet), or paragraphs of some length only.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from dedup.paragraph_hashes import compared_paragraphs, hash_document, unique_paragraphs
from filters.document import Document, Rejected
from filters.line_kinds import keep_kinds, line_kinds
from pipeline.batch import Batch
from pipeline.deduplication.decisions import DECISIONS, read_array, read_rows
from pipeline.stages import Batching, apply_function

PARAGRAPHS = "paragraphs"
REPEATS = "repeats"


class ParagraphKeys:
    """Hashes paragraphs; drops blank ones and repeats within the document.

    Args:
        minimum_words: of a paragraph that is compared; code, rows of tables, list items, verse and
            headings never are. None takes every line for a paragraph, as CCNet does.
    """

    name = "paragraph_keys"

    def __init__(self, minimum_words: int | None) -> None:
        self._minimum_words = minimum_words

    def open(self) -> None:
        """Nothing to load."""

    def apply(self, batch: Batch, batching: Batching) -> None:
        """Attach one array of keys to each document kept."""
        keys = batch.keys.setdefault(PARAGRAPHS, [])
        apply_function(self.name, partial(self._unique, keys), batch, batching)

    def _unique(self, keys: list[NDArray[np.uint64]], document: Document) -> Document | Rejected:
        hashed = hash_document(document.text)
        if self._minimum_words is None:
            unique = unique_paragraphs(hashed.lines, hashed.keys)
            own = hashed.keys[unique]
        else:
            kinds = line_kinds(document)
            unique, own = compared_paragraphs(hashed, kinds, self._minimum_words)
        if not len(unique):
            return Rejected("empty")
        document.signals["original_characters"] = len(document.text)
        document.signals["original_lines"] = len(hashed.lines)
        if len(unique) < len(hashed.lines):
            document.text = "\n".join([hashed.lines[index] for index in unique])
            keep_kinds(document, unique.tolist())
        keys.append(own)
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
        self._first: dict[int, int] = {}
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
        self._first = {}
        for row, document in zip(batch.rows, batch.documents, strict=True):
            # A row between that is no document counts as one empty line.
            first = self._line + row - self._row
            self._first[id(document)] = first
            self._line, self._row = first + document.text.count("\n") + 1, row + 1
        apply_function(self.name, self._remove, batch, batching)

    def _remove(self, document: Document) -> Document | Rejected:
        lines = document.text.split("\n")
        first = self._first[id(document)]
        last = first + len(lines)
        start, end = np.searchsorted(self._removed, [first, last])
        removed = set((self._removed[start:end] - first).tolist())
        if removed:
            kept = _without(lines, removed)
            document.text = "\n".join([lines[number] for number in kept])
            keep_kinds(document, kept)
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


def _without(lines: list[str], removed: set[int]) -> list[int]:
    """Numbers of the other lines; a blank line does not outlive the paragraph before it."""
    kept: list[int] = []
    is_behind = False
    for number, line in enumerate(lines):
        is_blank = not line.strip()
        if number in removed:
            is_behind = True
        elif not (is_blank and is_behind and (not kept or not lines[kept[-1]].strip())):
            kept.append(number)
            is_behind = is_behind and is_blank
    while kept and not lines[kept[-1]].strip():
        kept.pop()
    return kept
