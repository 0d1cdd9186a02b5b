"""The shuffle of deduplication: key blocks in, one decision file per unit out.

Only keys are shuffled, as binary blobs: each block is split by the top bits of its keys into
partitions, a partition's blocks meet in one reducer, and what it decides goes back to each unit.
Locally the key space is processed in slices of a few partitions, so that memory stays flat; a
slice reads only its own range of every block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, TypeAlias

import apache_beam as beam
import numpy as np
import orjson

from dedup.decisions import Decided, Summary, summarize
from dedup.groups import Groups, find_groups
from dedup.key_blocks import KeyBlock, read_range
from pipeline import files
from pipeline.accounting import read_json, write_json
from pipeline.dataset import Dataset
from pipeline.deduplication.decisions import Decisions, read_summary, write_array
from pipeline.runner import Engine, quiet_beam, run_to_end

PARTITIONS_PER_SLICE = 8
BYTES_PER_KEY = 16  # with its rank
# Takes the place of a unit number for what belongs to no unit.
SUMMARY = -1


@dataclass(frozen=True, slots=True)
class KeyUnit:
    """A unit whose keys are compared.

    Attributes:
        dataset: folder with `keys/<kind>/`.
        name: of the unit.
        scope: units of the same number are compared with each other.
        source: order of preference; a smaller one keeps its copy.
        label: of the dataset, where there are several.
    """

    dataset: str
    name: str
    scope: int = 0
    source: int = 0
    label: str = ""

    @property
    def full_name(self) -> str:
        """Unique among all datasets, and safe as a file name."""
        return f"{self.label}.{self.name}" if self.label else self.name

    def keys_path(self, kind: str) -> str:
        return Dataset(self.dataset).part(f"keys/{kind}", self.name, "keys")


Decide: TypeAlias = Callable[[Groups], Iterable[Decided]]


@dataclass(frozen=True)
class Comparison:
    """One kind of key over the units of one or several datasets.

    Attributes:
        units: in order of source, and of preference within a source.
        kind: of key block.
        decide: what follows from equal keys.
        dtype: of one decision; it has a field `row`.
        folder: of the decision files.
        partition_bytes: bound on the keys of one partition.
    """

    units: tuple[KeyUnit, ...]
    kind: str
    decide: Decide
    dtype: np.dtype[Any]
    folder: str
    partition_bytes: int

    @property
    def sources(self) -> int:
        return max((unit.source for unit in self.units), default=0) + 1


def compare(work: Comparison, fingerprint: str, engine: Engine) -> Decisions:
    """Write the decision files, unless they are there under this fingerprint."""
    decisions = Decisions(work.folder)
    if decisions.is_done(fingerprint):
        return decisions
    decisions.clear()
    bits, slices = _cuts(work, engine)
    single = Engine(engine.runner, 1, engine.options)
    summary = Summary.empty(work.sources)
    for number in range(slices):
        first, last = number * (1 << bits) // slices, (number + 1) * (1 << bits) // slices
        with quiet_beam(single):
            pipeline = single.pipeline()
            expand(pipeline, work, range(first, last), bits, number)
            run_to_end(pipeline)
        summary.add(read_summary(read_json(_summary_path(work.folder, number))))
    decisions.finish(fingerprint, slices, summary)
    return decisions


def _cuts(work: Comparison, engine: Engine) -> tuple[int, int]:
    """Bits of a key that name its partition, and slices of the key space."""
    scopes: dict[int, int] = {}
    for unit in work.units:
        stats = read_json(Dataset(unit.dataset).stats_path(unit.name))
        size = stats["outputs"][f"keys/{work.kind}"]["rows"] * BYTES_PER_KEY
        scopes[unit.scope] = scopes.get(unit.scope, 0) + size
    bits = _partition_bits(max(scopes.values(), default=0), work.partition_bytes)
    if not engine.is_local:
        return bits, 1
    # Many small scopes fill a slice as one large scope does.
    total, budget = sum(scopes.values()), PARTITIONS_PER_SLICE * work.partition_bytes
    bits = max(bits, _partition_bits(total, budget))
    return bits, max(1, min(1 << bits, -(-total // budget)))


def _partition_bits(size: int, partition_bytes: int) -> int:
    return max(0, (-(-size // partition_bytes) - 1).bit_length())


def _summary_path(folder: str, slice_number: int) -> str:
    return files.join(folder, f"summary.{slice_number}.json")


def expand(
    root: beam.Pipeline, work: Comparison, partitions: range, bits: int, slice_number: int
) -> beam.PCollection:
    """The transforms of one slice of the key space; yields a unit number for each file written."""
    blocks = root | "units" >> beam.Create(range(len(work.units))) | beam.Reshuffle()
    # Every unit gets a file, and so does the summary.
    every = root | "every file" >> beam.Create(
        [(number, b"") for number in range(SUMMARY, len(work.units))]
    )
    split = partial(_split, work=work, partitions=partitions, bits=bits)
    decide = partial(_decide, work=work, bits=bits)
    decided = (
        blocks
        | "partition" >> beam.FlatMap(split).with_output_types(_Located)
        | "meet" >> beam.GroupByKey()
        | "decide" >> beam.FlatMap(decide).with_output_types(_ForUnit)
    )
    return (
        (every, decided)
        | "both" >> beam.Flatten()
        | "return" >> beam.GroupByKey()
        | "write" >> beam.Map(partial(_write, work=work, slice_number=slice_number))
    )


_Located: TypeAlias = tuple[tuple[int, int], tuple[int, bytes]]
_ForUnit: TypeAlias = tuple[int, bytes]


def _split(number: int, work: Comparison, partitions: range, bits: int) -> Iterator[_Located]:
    unit = work.units[number]
    with files.open_read(unit.keys_path(work.kind)) as file:
        block = read_range(file, partitions, bits)
    for partition in partitions:
        part = block.partition(partition, bits)
        if len(part):
            yield (unit.scope, partition), (number, part.to_bytes(fenced=False))


def _decide(
    item: tuple[tuple[int, int], Iterable[tuple[int, bytes]]], work: Comparison, bits: int
) -> Iterator[_ForUnit]:
    located = sorted(item[1], key=lambda pair: pair[0])
    numbers = [number for number, _ in located]
    sources = [work.units[number].source for number in numbers]
    groups = find_groups([KeyBlock.from_bytes(data) for _, data in located], numbers, sources, bits)
    for number, decided in work.decide(groups):
        yield number, decided.tobytes()
    summary = summarize(groups, [unit.source for unit in work.units])
    yield SUMMARY, orjson.dumps(summary)


def _write(item: tuple[int, Iterable[bytes]], work: Comparison, slice_number: int) -> int:
    number, parts = item
    parts = [part for part in parts if part]
    if number == SUMMARY:
        summary = Summary.empty(work.sources)
        for part in parts:
            summary.add(read_summary(orjson.loads(part)))
        write_json(_summary_path(work.folder, slice_number), asdict(summary))
        return number
    decided = np.frombuffer(b"".join(parts), work.dtype)
    decided = decided[np.argsort(decided["row"], kind="stable")]
    write_array(Decisions(work.folder).part(work.units[number].full_name, slice_number), decided)
    return number
