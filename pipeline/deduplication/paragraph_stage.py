"""Keys of paragraphs as a stage, while a crawl is extracted.

A row is a line's number in the unit's shard, over all its documents. Blank lines and repeats within
a document go here, as CCNet drops them whatever other documents hold.
What is compared is every line (CCNet), or paragraphs of some length only.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from dedup.paragraph_hashes import compared_paragraphs, hash_document, unique_paragraphs
from filters.document import Document, Rejected
from filters.line_kinds import keep_kinds, line_kinds
from pipeline.passes.batch import Batch
from pipeline.passes.stages import Batching, apply_function

PARAGRAPHS = "paragraphs"


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
