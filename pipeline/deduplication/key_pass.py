"""The pass that makes keys: a shard of documents in, a key block and its side arrays out.

Kinds of files: `keys/<kind>`, the key block (`dedup.key_blocks`), and `keys/<kind>-<name>`, its
side arrays: signatures, ranks... Texts are read in Arrow batches and nothing of them is written: no
document is copied to be compared. Where methods follow each other, a later one sees what the
earlier ones leave, and `keys/<kind>-rows` says which row of the shard each of its documents is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.deduplication.decision_files import array_bytes
from pipeline.deduplication.keys import KeyMaker
from pipeline.deduplication.removal import ROWS, Numbered, Removal
from pipeline.errors import InputError
from pipeline.fingerprints import Fingerprinted
from pipeline.passes.shards import batches_of
from pipeline.store import files
from pipeline.store.accounting import Funnel, StageCount
from pipeline.store.commit import Attempt, Place
from pipeline.store.records import UnitInput, UnitRecord
from pipeline.store.units import Unit


@dataclass(frozen=True)
class KeyPass(Fingerprinted):
    """Keys of every unit of a dataset."""

    maker: KeyMaker
    place: Place
    label: str
    before: tuple[Removal, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.maker.kind} keys of {self.label}"

    def decided_by(self) -> tuple[Any, ...]:
        return self.maker, self.before

    def through(self, units: beam.PCollection) -> tuple[beam.PCollection, ...]:
        return (units | "keys" >> beam.Map(self.make),)

    def make(self, unit: Unit) -> UnitRecord:
        """Write the keys of one unit."""
        seen = SeenDocuments(unit, self.before)
        count, rows_of_shard = StageCount(), [np.empty(0, np.int64)]

        def counted() -> Iterator[pa.RecordBatch]:
            for batch, rows in seen.batches(self.maker.columns, self.maker.scores):
                count.documents_in += len(batch)
                count.documents_out += len(batch)
                rows_of_shard.append(rows)
                yield batch

        keys = self.maker.make(counted())
        kind = f"keys/{self.maker.kind}"
        attempt = Attempt(self.place, unit)
        attempt.write(kind, "keys", keys.block.to_bytes())
        rows = {kind: keys.block.entries(self.maker.combine)}
        arrays = dict(keys.arrays)
        if self.before:
            arrays[ROWS] = np.concatenate(rows_of_shard).astype(np.uint32)
        for name, array in arrays.items():
            attempt.write(f"{kind}-{name}", "npy", array_bytes(array))
            rows[f"{kind}-{name}"] = len(array)
        funnel = Funnel()
        funnel.stage("keys").count.add(count)
        read = UnitInput(unit.relative, unit.identity, unit.size)
        return attempt.commit(unit.key(self.fingerprint), read, funnel.to_json(), rows)


@dataclass(frozen=True)
class SeenDocuments:
    """The documents of a unit as a method sees them.

    Attributes:
        unit: with the decisions of earlier methods among its inputs.
        before: what these do, in order.
    """

    unit: Unit
    before: tuple[Removal, ...]

    def batches(self, columns: Sequence[str], scores: Sequence[str] = ()) -> Iterator[Numbered]:
        """Some columns of the documents that are left.

        Raises:
            InputError: a column is missing, or a score is not a number.
        """
        wanted = dict.fromkeys([*columns, *(one for work in self.before for one in work.columns)])
        with files.open_read(self.unit.path) as handle:
            schema = _schema(self.unit.path, handle)
            check_columns(self.unit.path, schema, list(wanted), scores, self.before)
            present = [name for name in wanted if name in schema.names]
            found = self._numbered(handle, present)
            for removal in self.before:
                found = removal.left(self.unit, found)
            yield from found

    def _numbered(self, handle: BinaryIO, columns: list[str]) -> Iterator[Numbered]:
        first = 0
        for batch in batches_of(handle, columns, self.unit.path):
            yield batch, np.arange(first, first + len(batch))
            first += len(batch)


def _schema(path: str, handle: BinaryIO) -> pa.Schema:
    try:
        return pq.read_schema(handle)
    except pa.ArrowInvalid as error:
        raise InputError(f"{path} is no Parquet file, or is damaged: {error}") from None


def check_columns(
    path: str,
    schema: pa.Schema,
    columns: Sequence[str],
    scores: Sequence[str],
    before: Sequence[Removal] = (),
) -> None:
    """Fail if a shard does not have what keys are made from.

    Args:
        path: of the shard.
        schema: of the shard.
        columns: that keys are made from.
        scores: those of them that must be numbers.
        before: earlier methods, which add columns.

    Raises:
        InputError: a column is missing, or a score is not a number.
    """
    added: dict[str, pa.DataType] = {}
    for removal in before:
        added |= removal.signals
    missing = set(columns) - set(schema.names) - added.keys()
    if missing:
        raise InputError(
            f"{path} has no column {' and no column '.join(sorted(missing))}, which this "
            "deduplication needs"
        )
    for name in scores:
        kind = added[name] if name in added else schema.field(name).type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise InputError(f"column {name} of {path} holds {kind}, not numbers to choose by")
