"""Documents with the same text, or the same words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa

from dedup.exact import normalized_keys, raw_keys
from dedup.key_blocks import Combine
from dedup.preference import Preference
from filters.document import setting
from pipeline.deduplication.keys import (
    TextKeys,
    UnitKeys,
    joined,
    ranked,
    ranks,
    texts_of,
)
from pipeline.deduplication.methods import Method


@dataclass(frozen=True, kw_only=True)
class ExactSettings(Preference):
    """[deduplication.exact]: whole documents.

    Attributes:
        normalize: whether case, punctuation and white space do not count.
    """

    normalize: bool = setting(True, "ours: a copy with other white space teaches nothing new")


@dataclass(frozen=True)
class ExactKeys(TextKeys):
    """One key per document, of its text."""

    settings: ExactSettings
    kind = "exact"
    combine: ClassVar[Combine] = "key"

    def make(self, batches: Iterator[pa.RecordBatch]) -> UnitKeys:
        keys_of = normalized_keys if self.settings.normalize else raw_keys
        keys, preferred, has_text = [], [], []
        for batch in batches:
            keys.append(keys_of(texts_of(batch)))
            preferred.append(ranks(batch, self.settings))
            has_text.append(batch.column("text").is_valid().to_numpy(zero_copy_only=False))
        # A row without text is no document, and no copy of another one.
        rows = np.flatnonzero(joined(has_text, np.bool_)).astype(np.uint32)
        own, preferred_rows = joined(keys, np.uint64)[rows], joined(preferred, np.uint32)[rows]
        return UnitKeys(ranked(own, rows, preferred_rows, self.settings))


METHOD = Method("exact", ExactSettings, ExactKeys)
