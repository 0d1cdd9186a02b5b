"""The pass that makes keys: a shard of documents in, a key block and its side arrays out.

    keys/<kind>/part-<unit>.keys          key block (`dedup.key_blocks`)
    keys/<kind>-<name>/part-<unit>.npy    side arrays: signatures, ranks...
    stats/part-<unit>.json                written last: the unit is committed

Texts are read in Arrow batches and nothing of them is written: no document is copied to be
compared.
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

from dedup.key_blocks import KeyBlock
from dedup.preference import Preference, length_ranks, score_ranks, time_ranks
from pipeline import files
from pipeline.accounting import Funnel, write_json
from pipeline.batch import StageCount
from pipeline.dataset import Dataset
from pipeline.deduplication.decisions import write_array
from pipeline.errors import InputError
from pipeline.shards import batches_of
from pipeline.units import Unit

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
    """

    @property
    def kind(self) -> str: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    def make(self, batches: Iterator[pa.RecordBatch]) -> UnitKeys:
        """Keys of a unit; rows count its documents (or lines) from 0."""


@dataclass(frozen=True)
class KeyPass:
    """Keys of every unit of a dataset."""

    maker: KeyMaker
    folder: str
    fingerprint: str
    label: str

    @property
    def name(self) -> str:
        return f"{self.maker.kind} keys of {self.label}"

    def through(self, units: beam.PCollection) -> beam.PCollection:
        return units | "keys" >> beam.Map(self.make)

    def make(self, unit: Unit) -> str:
        """Write the keys of one unit."""
        count = StageCount()
        keys = self.maker.make(_batches(unit, self.maker.columns, count))
        dataset, kind = Dataset(self.folder), self.maker.kind
        files.delete([dataset.stats_path(unit.name)])
        with files.atomic_write(dataset.part(f"keys/{kind}", unit.name, "keys")) as file:
            file.write(keys.block.to_bytes())
        outputs = {f"keys/{kind}": {"rows": len(keys.block), "bytes": file.size}}
        for name, array in keys.arrays.items():
            write_array(dataset.part(f"keys/{kind}-{name}", unit.name, "npy"), array)
            outputs[f"keys/{kind}-{name}"] = {"rows": len(array), "bytes": array.nbytes}
        funnel = Funnel()
        funnel.stage("keys").count.add(count)
        stats = {
            "unit": unit.name,
            "fingerprint": unit.fingerprint(self.fingerprint),
            "input": {"path": unit.relative, "listed_bytes": unit.size},
            "funnel": funnel.to_json(),
            "outputs": outputs,
        }
        write_json(dataset.stats_path(unit.name), stats)
        return unit.name


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
        for batch in batches_of(handle, list(columns)):
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
