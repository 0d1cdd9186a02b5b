"""Removal of whole documents, and what duplicates leave behind: the cluster, in the signals."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dedup.decisions import Structured
from dedup.groups import ROW_BITS
from filters.document import Document, Rejected
from filters.paths import Location
from pipeline.batch import Batch
from pipeline.deduplication.decisions import DECISIONS, read_rows
from pipeline.deduplication.key_units import KeyUnits
from pipeline.stages import Batching, apply_function


class DocumentRemoval:
    """Drops the documents of which another one is kept.

    Each document that has duplicates gets two signals, kept or not: `<method>_cluster`, the same
    for all of them and naming the one that is kept (`<unit>:<row>`), and `<method>_cluster_size`.

    Args:
        method: name of the method of deduplication, and of the stage.
        units: that were compared.
        label: of this dataset among them.
    """

    def __init__(self, method: str, units: KeyUnits, label: str = "") -> None:
        self.name = method
        # Which units there are besides its own does not decide what becomes of a document.
        self._path = Location(units.path)
        self._prefix = f"{label}." if label else ""
        self._unit_number = 0
        self._batch_rows: Iterator[int] = iter(())
        self._next = 0
        self._rows: Structured = np.empty(0)

    @property
    def _units(self) -> KeyUnits:
        return KeyUnits(self._path, 0)

    def open(self) -> None:
        """Decisions are loaded unit by unit."""

    def apply(self, batch: Batch, batching: Batching) -> None:
        """Apply the unit's decisions; batches of a unit come in order."""
        if batch.index == 0:
            self._unit_number = self._units.number_of(self._prefix + batch.unit.name)
            self._rows = read_rows(batch.unit.made(DECISIONS))
            self._next = 0
        self._batch_rows = iter(batch.rows)
        apply_function(self.name, self._decide, batch, batching)

    def _decide(self, document: Document) -> Document | Rejected:
        row = next(self._batch_rows)
        for signal in (f"{self.name}_cluster", f"{self.name}_cluster_size"):
            document.signals.pop(signal, None)  # of an earlier deduplication
        decided = self._rows["row"]
        while self._next < len(decided) and decided[self._next] < row:
            self._next += 1
        if self._next == len(decided) or decided[self._next] != row:
            return document
        member = self._rows[self._next]
        self._next += 1
        representative, size = int(member["representative"]), int(member["size"])
        unit, kept_row = divmod(representative, 1 << int(ROW_BITS))
        cluster = f"{self._units[unit].full_name}:{kept_row}"
        document.signals[f"{self.name}_cluster"] = cluster
        document.signals[f"{self.name}_cluster_size"] = size
        if (unit, kept_row) == (self._unit_number, row):
            return document
        return Rejected("duplicate", f"of {cluster}, one of {size}")
