"""The element between stages: a few hundred documents of one unit, in order, with their rejects.

Batches make Beam's cost per document negligible and carry rejects and counts along, so that a
chain of stages needs no tagged outputs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filters.document import Document, Rejected
from pipeline.store.accounting import Funnel, StageCount
from pipeline.store.records import UnitInput
from pipeline.store.units import Unit


@dataclass(slots=True)
class RejectedDocument:
    """A row of the rejects: what was dropped, where and why.

    `text` is kept for a deterministic share of the rejects only; `characters` is always right.
    """

    id: str
    url: str
    stage: str
    reason: str
    detail: str
    signals: dict[str, Any]
    characters: int
    text: str | None = None


@dataclass(slots=True)
class Batch:
    """Documents of one unit.

    Attributes:
        unit: the work unit.
        index: 0, 1, 2... within the unit.
        is_last: the unit ends with this batch.
        documents: those still kept.
        rejected: those dropped so far, by any stage.
        counts: per stage, in stage order.
        skipped: records that carry no document by design, by reason.
        rows: of each document in `documents`, its number among the unit's records: its row, where
            it was read from a shard; decisions on documents, and skips, are by row.
        keys: per kind of key, one array for each document kept.
        input: what the unit was made of, on the last batch.
    """

    unit: Unit
    index: int
    is_last: bool = False
    documents: list[Document] = field(default_factory=list)
    rejected: list[RejectedDocument] = field(default_factory=list)
    counts: dict[str, StageCount] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    keys: dict[str, list[NDArray[np.uint64]]] = field(default_factory=dict)
    input: UnitInput | None = None

    def __post_init__(self) -> None:
        self.rows = self.rows or list(range(len(self.documents)))

    def add_to(self, funnel: Funnel) -> None:
        """Add what the stages did to it."""
        for name, count in self.counts.items():
            funnel.stage(name).count.add(count)
        for row in self.rejected:
            funnel.stage(row.stage).reasons[row.reason] += 1
        funnel.skipped.update(self.skipped)


def document_size(document: Document) -> int:
    """Characters of text, or bytes of payload where there is no text yet."""
    return len(document.text) or len(document.raw)


def reject(document: Document, stage: str, rejected: Rejected, keep_text: bool) -> RejectedDocument:
    """The row for a document that a stage drops."""
    return RejectedDocument(
        id=document.id,
        url=str(document.metadata.get("url") or ""),
        stage=stage,
        reason=rejected.reason,
        detail=rejected.detail,
        signals=document.signals,
        characters=document_size(document),
        text=document.text if keep_text else None,
    )
