"""The last stage of a pass: writes a unit's documents, rejects, keys and stats, and commits them.

Files are written under temporary names while batches arrive; when the last batch of the unit has
been seen, every file gets its name and the stats record, the commit marker, is written last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dedup.key_blocks import KeyBlock
from pipeline import files
from pipeline.accounting import Funnel, write_json
from pipeline.batch import Batch
from pipeline.dataset import Dataset
from pipeline.errors import RunFailed
from pipeline.shards import (
    REJECTED_SCHEMA,
    Columns,
    ShardWriter,
    document_row,
    document_schema,
    rejected_row,
)
from pipeline.units import Unit

WRITE = "write"


@dataclass(frozen=True)
class WriterSettings:
    """Where and how a pass writes its units.

    Attributes:
        folder: the dataset folder.
        fingerprint: of the pass: settings and model checksums.
        columns: typed columns of the source.
        key_kinds: kinds of key blocks that the pass makes.
        rows_per_group: documents per Parquet row group.
    """

    folder: str
    fingerprint: str
    columns: Columns
    key_kinds: tuple[str, ...]
    rows_per_group: int


class UnitWriter:
    """Writes one unit; plain Python, so that tests and benchmarks can use it without Beam."""

    def __init__(self, unit: Unit, settings: WriterSettings) -> None:
        self.unit = unit
        self.next_index = 0
        self._settings = settings
        self._dataset = Dataset(settings.folder)
        self._funnel = Funnel()
        self._schema = document_schema(settings.columns)
        self._documents = self._shard("documents", self._schema)
        self._rejected = self._shard("rejected", REJECTED_SCHEMA)
        self._keys: dict[str, list[NDArray[np.uint64]]] = {kind: [] for kind in settings.key_kinds}

    def _shard(self, kind: str, schema: pa.Schema) -> ShardWriter:
        path = self._dataset.part(kind, self.unit.name)
        return ShardWriter(path, schema, self._settings.rows_per_group)

    def add(self, batch: Batch) -> None:
        """Write one batch; batches must come in order."""
        if batch.index != self.next_index:
            raise RunFailed(
                f"unit {self.unit.name}: batch {batch.index} came where {self.next_index} was "
                "expected; this runner does not keep the batches of a unit together and in order"
            )
        self.next_index += 1
        for document in batch.documents:
            self._documents.add(document_row(document, self._schema))
        for rejected in batch.rejected:
            self._rejected.add(rejected_row(rejected))
        for kind, keys in self._keys.items():
            keys.extend(batch.keys.get(kind, []))
        self._funnel.add_batch(batch)

    def commit(self, last: Batch) -> dict[str, Any]:
        """Give every file its name, then write the stats; return them."""
        self._funnel.check(f"unit {self.unit.name}")
        for shard in (self._documents, self._rejected):
            shard.close()
        # Another recipe's stats must not vouch for files of which some are already ours.
        files.delete([self._dataset.stats_path(self.unit.name)])
        outputs = {}
        for kind, shard in (("documents", self._documents), ("rejected", self._rejected)):
            shard.commit()
            outputs[kind] = _output(shard.file, shard.rows)
        for kind, keys in self._keys.items():
            block = _in_order(keys)
            path = self._dataset.part(f"keys/{kind}", self.unit.name, "keys")
            with files.atomic_write(path) as file:
                file.write(block.to_bytes())
            outputs[f"keys/{kind}"] = _output(file, len(block))
        stats = {
            "unit": self.unit.name,
            "fingerprint": self.unit.fingerprint(self._settings.fingerprint),
            "input": {
                "path": self.unit.relative,
                "listed_bytes": self.unit.size,
                "bytes": last.input_size,
                "sha256": last.input_sha256,
            },
            "funnel": self._funnel.to_json(),
            "outputs": outputs,
        }
        seconds = {name: stage.count.seconds for name, stage in self._funnel.stages.items()}
        write_json(self._dataset.part("logs/timings", self.unit.name, "json"), seconds)
        write_json(self._dataset.stats_path(self.unit.name), stats)
        return stats

    def discard(self) -> None:
        """Give the unit up; nothing of it becomes visible."""
        self._documents.discard()
        self._rejected.discard()


def _in_order(keys: list[NDArray[np.uint64]]) -> KeyBlock:
    """A block of keys whose rows are their ordinals in the unit."""
    joined = np.concatenate([np.empty(0, np.uint64), *keys])
    return KeyBlock.of(joined, np.arange(len(joined), dtype=np.uint32))


def _output(file: files.AtomicFile, rows: int) -> dict[str, Any]:
    return {
        "bytes": file.size,
        "sha256": file.sha256(),
        "blocks": file.blocks(),
        "rows": rows,
    }


class WriteUnits(beam.DoFn):
    """Batches -> files; yields the name of each unit committed."""

    def __init__(self, settings: WriterSettings) -> None:
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

    def process(self, batch: Batch) -> Iterator[str]:
        if self._writer is None:
            self._writer = UnitWriter(batch.unit, self._settings)
        if self._writer.unit != batch.unit:
            raise RunFailed(
                f"a batch of unit {batch.unit.name} came before unit {self._writer.unit.name} "
                "ended; this runner mixes the batches of units"
            )
        self._writer.add(batch)
        if batch.is_last:
            self._writer.commit(batch)
            self._writer = None
            yield batch.unit.name

    def finish_bundle(self) -> None:
        if self._writer is not None:
            name = self._writer.unit.name
            self._discard()
            raise RunFailed(f"unit {name} was split over bundles; this runner cannot be used")
