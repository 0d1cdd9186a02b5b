"""The shuffle of deduplication: key blocks in, one decision file per unit out.

Only keys are shuffled, as binary blobs: each block is split by the top bits of its keys into
partitions, a partition's blocks meet in one reducer, and the rows to remove go back to their unit.
Locally the key space is processed in slices of a few partitions, so that memory stays flat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import apache_beam as beam
import numpy as np
from numpy.typing import NDArray

from dedup.key_blocks import KeyBlock
from pipeline import files
from pipeline.accounting import read_json, write_json
from pipeline.dataset import Dataset
from pipeline.runner import Engine, quiet_beam, run_to_end
from pipeline.units import Unit

PARTITIONS_PER_SLICE = 4
BYTES_PER_KEY = 12

Decide: TypeAlias = Callable[[Sequence[KeyBlock]], list[NDArray[np.uint32]]]


@dataclass(frozen=True)
class Scope:
    """What is compared with what: units of the same label, in order of preference."""

    label: str
    units: tuple[str, ...]


@dataclass(frozen=True)
class Deduplication:
    """One kind of key over one dataset.

    Attributes:
        dataset: folder with `keys/<kind>/`.
        kind: of key block.
        scopes: disjoint; every unit is in exactly one.
        decide: from the blocks of a partition, in order, to the rows to remove from each.
        decisions: folder of the decision files.
        partition_bytes: bound on the keys of one partition.
    """

    dataset: str
    kind: str
    scopes: tuple[Scope, ...]
    decide: Decide
    decisions: str
    partition_bytes: int


class Decisions:
    """The decision files of a deduplication: for each unit and slice, rows to remove.

    There is one for every unit, also where nothing goes: a missing file is an error.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def marker(self) -> str:
        return files.join(self.folder, "done.json")

    def part(self, unit: str, slice_number: int) -> str:
        return files.join(self.folder, f"part-{unit}.{slice_number}.rows")

    def rows(self, unit: str) -> NDArray[np.uint32]:
        """Rows to remove from a unit, ascending."""
        slices = int(read_json(self.marker())["slices"])
        found = [files.read_bytes(self.part(unit, number)) for number in range(slices)]
        return np.sort(np.concatenate([np.frombuffer(data, dtype="<u4") for data in found]))

    def is_done(self, fingerprint: str) -> bool:
        return (
            files.exists(self.marker()) and read_json(self.marker())["fingerprint"] == fingerprint
        )


def group_scopes(units: Iterable[Unit], scope: str, group_size: int) -> tuple[Scope, ...]:
    """Scopes over units: `all`, `snapshot` (the unit's group), or `group` of consecutive units.

    Units must come in order of preference, which does not depend on how they were listed.
    """
    labels: dict[str, list[str]] = {}
    for index, unit in enumerate(units):
        if scope == "all":
            label = "all"
        elif scope == "snapshot":
            label = unit.group
        else:
            label = str(index // group_size)
        labels.setdefault(label, []).append(unit.name)
    return tuple(Scope(label, tuple(names)) for label, names in labels.items())


def run_deduplication(work: Deduplication, fingerprint: str, engine: Engine) -> None:
    """Write the decision files, unless they are there under this fingerprint."""
    decisions = Decisions(work.decisions)
    if decisions.is_done(fingerprint):
        return
    files.delete([decisions.marker()])
    files.delete([file.path for file in files.list_files(work.decisions)])
    sizes = [_key_bytes(work, scope) for scope in work.scopes]
    bits = _partition_bits(max(sizes, default=0), work.partition_bytes)
    slices = 1
    if engine.is_local:
        # Many small scopes fill a slice as one large scope does.
        budget = PARTITIONS_PER_SLICE * work.partition_bytes
        bits = max(bits, _partition_bits(sum(sizes), budget))
        slices = max(1, min(1 << bits, -(-sum(sizes) // budget)))
    single = Engine(engine.runner, 1, engine.options)
    for number in range(slices):
        first, last = number * (1 << bits) // slices, (number + 1) * (1 << bits) // slices
        with quiet_beam(single):
            pipeline = single.pipeline()
            expand(pipeline, work, range(first, last), bits, number)
            run_to_end(pipeline)
    write_json(decisions.marker(), {"fingerprint": fingerprint, "slices": slices})


def _key_bytes(work: Deduplication, scope: Scope) -> int:
    dataset = Dataset(work.dataset)
    total = 0
    for unit in scope.units:
        stats = read_json(dataset.stats_path(unit))
        total += stats["outputs"][f"keys/{work.kind}"]["rows"] * BYTES_PER_KEY
    return total


def _partition_bits(size: int, partition_bytes: int) -> int:
    return max(0, (-(-size // partition_bytes) - 1).bit_length())


def expand(
    root: beam.Pipeline, work: Deduplication, partitions: range, bits: int, slice_number: int
) -> beam.PCollection:
    """The transforms of one slice of the key space; yields the name of every unit."""
    dataset = Dataset(work.dataset)
    inputs = [
        (scope_index, unit_index, dataset.part(f"keys/{work.kind}", unit, "keys"))
        for scope_index, scope in enumerate(work.scopes)
        for unit_index, unit in enumerate(scope.units)
    ]
    blocks = root | "key blocks" >> beam.Create(inputs) | "spread" >> beam.Reshuffle()
    every_unit = blocks | "every unit" >> beam.Map(lambda item: ((item[0], item[1]), b""))
    removed = (
        blocks
        | "partition" >> beam.FlatMap(partial(_split, partitions=partitions, bits=bits))
        | "meet" >> beam.GroupByKey()
        | "decide" >> beam.FlatMap(partial(_decide, decide=work.decide))
    )
    return (
        (every_unit, removed)
        | "both" >> beam.Flatten()
        | "return" >> beam.GroupByKey()
        | "write" >> beam.Map(partial(_write, work=work, slice_number=slice_number))
    )


_Located: TypeAlias = tuple[tuple[int, int], tuple[int, bytes]]


def _split(item: tuple[int, int, str], partitions: range, bits: int) -> Iterator[_Located]:
    scope_index, unit_index, path = item
    block = KeyBlock.from_bytes(files.read_bytes(path))
    for partition in partitions:
        part = block.partition(partition, bits)
        if len(part):
            yield (scope_index, partition), (unit_index, part.to_bytes())


def _decide(
    item: tuple[tuple[int, int], Iterable[tuple[int, bytes]]], decide: Decide
) -> Iterator[tuple[tuple[int, int], bytes]]:
    (scope_index, _), located = item
    ordered = sorted(located, key=lambda pair: pair[0])
    removed = decide([KeyBlock.from_bytes(data) for _, data in ordered])
    for (unit_index, _), rows in zip(ordered, removed, strict=True):
        if len(rows):
            yield (scope_index, unit_index), rows.astype("<u4").tobytes()


def _write(
    item: tuple[tuple[int, int], Iterable[bytes]], work: Deduplication, slice_number: int
) -> str:
    (scope_index, unit_index), parts = item
    unit = work.scopes[scope_index].units[unit_index]
    rows = np.sort(np.concatenate([np.frombuffer(part, dtype="<u4") for part in parts]))
    with files.atomic_write(Decisions(work.decisions).part(unit, slice_number)) as file:
        file.write(rows.astype("<u4").tobytes())
    return unit
