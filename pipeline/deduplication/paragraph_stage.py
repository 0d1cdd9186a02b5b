"""Keys of paragraphs as a stage, while a crawl is extracted.

A row is a line's number in the unit's shard, over all its documents. Blank lines and repeats within
a document go here, as CCNet drops them whatever other documents hold.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from dedup.paragraph_hashes import hash_document, unique_paragraphs
from filters.document import Document, Rejected
from pipeline.batch import Batch
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
