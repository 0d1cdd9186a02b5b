"""The last stage of a pass over documents: writes a unit's documents, rejects and keys, commits it.

Files are written while batches arrive; nothing of them is visible before the last batch of the unit
has been seen (`pipeline.store.commit`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dedup.key_blocks import KeyBlock
from dedup.paragraph_hashes import BLANK_KEY
from filters.document import Document
from pipeline.errors import RunFailed
from pipeline.passes.batch import Batch
from pipeline.passes.shards import (
    REJECTED_SCHEMA,
    Columns,
    ShardWriter,
    document_schema,
    rejected_row,
)
from pipeline.passes.writable import writable_rows
from pipeline.store import files
from pipeline.store.accounting import Funnel
from pipeline.store.attempts import marks
from pipeline.store.commit import Attempt, Place
from pipeline.store.records import UnitRecord
from pipeline.store.units import Unit

WRITE = "write"


@dataclass(frozen=True)
class WriterSettings:
    """What a pass writes of its units.

    Attributes:
        columns: typed columns of the source.
        key_kinds: kinds of key blocks that the pass makes.
        rows_per_group: documents per Parquet row group.
        tally: what is counted of a document that is kept, for the report of the whole dataset.
    """

    columns: Columns
    key_kinds: tuple[str, ...]
    rows_per_group: int
    tally: Callable[[Document], Iterable[str]] | None = None


class UnitWriter:
    """Writes one unit; plain Python, so that tests and benchmarks can use it without Beam."""

    def __init__(self, unit: Unit, place: Place, settings: WriterSettings) -> None:
        self.unit = unit
        self.next_index = 0
        self._settings = settings
        self._attempt = Attempt(place, unit)
        self._funnel = Funnel()
        self._schema = document_schema(settings.columns)
        self._documents = self._shard("documents", self._schema)
        self._rejected = self._shard("rejected", REJECTED_SCHEMA)
        self._tally: Counter[str] = Counter()
        self._keys: dict[str, list[NDArray[np.uint64]]] = {kind: [] for kind in settings.key_kinds}

    def _shard(self, kind: str, schema: pa.Schema) -> ShardWriter:
        file = self._attempt.create(kind, "parquet")
        return ShardWriter(file, schema, self._settings.rows_per_group)

    def add(self, batch: Batch) -> None:
        """Write one batch; batches must come in order."""
        if batch.index != self.next_index:
            raise RunFailed(
                f"unit {self.unit.name}: batch {batch.index} came where {self.next_index} was "
                "expected; this runner does not keep the batches of a unit together and in order"
            )
        self.next_index += 1
        stage = next(reversed(batch.counts or self._funnel.stages))
        for row in writable_rows(batch, self._schema, stage):
            self._documents.add(row)
        for rejected in batch.rejected:
            self._rejected.add(rejected_row(rejected))
        for kind, keys in self._keys.items():
            keys.extend(batch.keys.get(kind, []))
        if self._settings.tally is not None:
            for document in batch.documents:
                self._tally.update(self._settings.tally(document))
        batch.add_to(self._funnel)

    def commit(self, last: Batch, fingerprint: str) -> UnitRecord:
        """Publish every file and commit the unit."""
        self._funnel.check(f"unit {self.unit.name}")
        rows = {}
        for kind, shard in (("documents", self._documents), ("rejected", self._rejected)):
            shard.close()
            rows[kind] = shard.rows
        for kind, keys in self._keys.items():
            block = _in_order(keys)
            self._attempt.write(f"keys/{kind}", "keys", block.to_bytes())
            rows[f"keys/{kind}"] = block.entries("key")
        seconds = {name: stage.count.seconds for name, stage in self._funnel.stages.items()}
        assert last.input is not None
        key, funnel = self.unit.key(fingerprint), self._funnel.to_json()
        extra = dict(sorted(self._tally.items()))
        return self._attempt.commit(key, last.input, funnel, rows, seconds=seconds, extra=extra)

    def discard(self) -> None:
        """Give the unit up; nothing of it becomes visible."""
        self._documents.discard()
        self._rejected.discard()
        self._attempt.discard()


def _in_order(keys: list[NDArray[np.uint64]]) -> KeyBlock:
    """A block of keys; rows are their ordinals in the unit, a blank key is counted and left out."""
    joined = np.concatenate([np.empty(0, np.uint64), *keys])
    rows = np.flatnonzero(joined != BLANK_KEY)
    return KeyBlock.of(joined[rows], rows.astype(np.uint32))


class WriteUnits(beam.DoFn):
    """Batches -> files; yields the record of each unit committed."""

    def __init__(self, place: Place, fingerprint: str, settings: WriterSettings) -> None:
        self._place = place
        self._fingerprint = fingerprint
        self._settings = settings
        self._writer: UnitWriter | None = None

    def start_bundle(self) -> None:
        self._discard()

    def teardown(self) -> None:
        self._discard()

    def _discard(self) -> None:
        """Give up what a failed bundle left open."""
        if self._writer is not None:
            self._writer.discard()
            self._writer = None

    def process(self, batch: Batch) -> Iterator[UnitRecord]:
        if self._writer is None:
            self._writer = UnitWriter(batch.unit, self._place, self._settings)
        if self._writer.unit != batch.unit:
            raise RunFailed(
                f"a batch of unit {batch.unit.name} came before unit {self._writer.unit.name} "
                "ended; this runner mixes the batches of units"
            )
        self._writer.add(batch)
        if batch.is_last:
            record = self._writer.commit(batch, self._fingerprint)
            self._writer = None
            files.delete(marks(self._place, self._fingerprint, batch.unit))
            yield record

    def finish_bundle(self) -> None:
        if self._writer is not None:
            name = self._writer.unit.name
            self._discard()
            raise RunFailed(f"unit {name} was split over bundles; this runner cannot be used")
