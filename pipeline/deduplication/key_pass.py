"""The pass that makes keys: a shard of documents in, a key block and its side arrays out.

Kinds of files: `keys/<kind>`, the key block (`dedup.key_blocks`), and `keys/<kind>-<name>`, its
side arrays: signatures, ranks... Texts are read in Arrow batches and nothing of them is written: no
document is copied to be compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol, cast

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dedup.key_blocks import Combine, KeyBlock
from dedup.preference import Preference, length_ranks, score_ranks, time_ranks
from pipeline.batch import StageCount
from pipeline.deduplication.decisions import array_bytes
from pipeline.errors import InputError
from pipeline.fingerprints import Fingerprinted
from pipeline.shards import batches_of
from pipeline.store import files
from pipeline.store.accounting import Funnel
from pipeline.store.commit import Attempt, Place
from pipeline.store.records import UnitInput, UnitRecord
from pipeline.store.units import Unit

# All others are scores.
_TEXT_COLUMNS = frozenset({"text", "url", "digest", "timestamp"})


@dataclass(frozen=True)
class UnitKeys:
    """What a key maker found in one unit.

    Attributes:
        block: the keys.
        arrays: what verification needs besides, by name.
    """

    block: KeyBlock
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)


class KeyMaker(Protocol):
    """Makes the keys of a unit from its documents.

    Attributes:
        kind: name of the keys.
        columns: of the shard that are read.
        combine: what equal keys of one unit need not be told apart when they are compared.
    """

    @property
    def kind(self) -> str: ...

    @property
    def combine(self) -> Combine: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    def make(self, batches: Iterator[pa.RecordBatch]) -> UnitKeys:
        """Keys of a unit; rows count its documents (or lines) from 0."""


@dataclass(frozen=True)
class KeyPass(Fingerprinted):
    """Keys of every unit of a dataset."""

    maker: KeyMaker
    place: Place
    label: str

    @property
    def name(self) -> str:
        return f"{self.maker.kind} keys of {self.label}"

    def decided_by(self) -> tuple[Any, ...]:
        return (self.maker,)

    def through(self, units: beam.PCollection) -> beam.PCollection:
        return units | "keys" >> beam.Map(self.make)

    def make(self, unit: Unit) -> UnitRecord:
        """Write the keys of one unit."""
        count = StageCount()
        keys = self.maker.make(_batches(unit, self.maker.columns, count))
        kind = f"keys/{self.maker.kind}"
        attempt = Attempt(self.place, unit)
        attempt.write(kind, "keys", keys.block.to_bytes())
        rows = {kind: keys.block.entries(self.maker.combine)}
        for name, array in keys.arrays.items():
            attempt.write(f"{kind}-{name}", "npy", array_bytes(array))
            rows[f"{kind}-{name}"] = len(array)
        funnel = Funnel()
        funnel.stage("keys").count.add(count)
        read = UnitInput(unit.relative, unit.identity, unit.size)
        return attempt.commit(unit.key(self.fingerprint), read, funnel.to_json(), rows)


def _schema(path: str, handle: BinaryIO) -> pa.Schema:
    try:
        return pq.read_schema(handle)
    except pa.ArrowInvalid as error:
        raise InputError(f"{path} is no Parquet file, or is damaged: {error}") from None


def check_columns(path: str, schema: pa.Schema, columns: Sequence[str]) -> None:
    """Fail if a shard does not have what keys are made from.

    Raises:
        InputError: a column is missing, or a score is not a number.
    """
    missing = set(columns) - set(schema.names)
    if missing:
        raise InputError(
            f"{path} has no column {' and no column '.join(sorted(missing))}, which this "
            "deduplication needs"
        )
    for name in set(columns) - _TEXT_COLUMNS:
        kind = schema.field(name).type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise InputError(f"column {name} of {path} holds {kind}, not numbers to choose by")


def _batches(unit: Unit, columns: Sequence[str], count: StageCount) -> Iterator[pa.RecordBatch]:
    """Batches of a shard; counts the documents."""
    with files.open_read(unit.path) as handle:
        check_columns(unit.path, _schema(unit.path, handle), columns)
        for batch in batches_of(handle, list(columns), unit.path):
            count.documents_in += len(batch)
            count.documents_out += len(batch)
            yield batch


def preference_columns(preference: Preference) -> tuple[str, ...]:
    """The columns that ranks are made from, besides the text."""
    if preference.keep == "newest":
        return ("timestamp",)
    return (preference.score,) if preference.keep == "best" else ()


def ranks(batch: pa.RecordBatch, preference: Preference) -> NDArray[np.uint32]:
    """Rank of each document of a batch; smaller is preferred."""
    if preference.keep == "longest":
        return length_ranks(pc.utf8_length(cast(pa.StringArray, batch.column("text"))).to_pylist())
    if preference.keep == "newest":
        # A foreign file may have its timestamps typed.
        return time_ranks(batch.column("timestamp").cast(pa.string()).to_pylist())
    if preference.keep == "best":
        return score_ranks(batch.column(preference.score).to_pylist())
    return np.zeros(len(batch), np.uint32)
