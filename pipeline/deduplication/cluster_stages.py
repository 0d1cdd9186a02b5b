"""Stages over a graph that is cut into partitions of its nodes, with files between the stages.

A stage takes tasks, each some files of one partition, and writes the files that the next one
takes. Nothing but packed rows crosses its shuffle, nothing but file names and sizes comes back.

Tasks come in groups of a partition's size, and every group writes files of its own. Locally the
groups run one after another, which keeps memory flat, at 8 to 16 times a partition's bytes as
measured: edges in both directions, in Beam's buffers and in NumPy's. An engine gets all at once.

A node with very many neighbours makes more tasks, not a larger one: what a task must know of a
whole partition is in files of a row per node, its context; of the edges it reads its share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, pairwise
from typing import Any, Protocol, TypeAlias, TypeVar

import apache_beam as beam
import numpy as np

from dedup.components import EDGE, MEMBER, Structured, smallest_neighbours, unique_edges
from pipeline.deduplication.shuffle import NO_FUNNEL
from pipeline.passes.run import Run
from pipeline.passes.shuffle import Numbers, meet
from pipeline.passes.tasks_file import TasksFile, write_tasks
from pipeline.store import files
from pipeline.store.base import FileInfo
from pipeline.store.commit import Attempt, Place
from pipeline.store.records import UnitInput, UnitRecord
from pipeline.store.units import Unit

COUNT = np.dtype([("representative", "<u8"), ("size", "<u8")])

# Kinds of files between stages: the edges; of each node the edge to its smallest neighbour;
# a sign that the stage changed an edge; sizes of parts of clusters; what the units' files say.
EDGES, SMALLEST, CHANGED, COUNTS, MEMBERS = "edges", "smallest", "changed", "counts", "members"
# Edges for which a file of the smallest neighbours is to be written too.
BY_LARGER = "by_larger"
_ROWS = {
    EDGES: EDGE,
    SMALLEST: EDGE,
    BY_LARGER: EDGE,
    CHANGED: EDGE,
    COUNTS: COUNT,
    MEMBERS: MEMBER,
}


class Sized(Protocol):
    """Something of a size in bytes."""

    @property
    def size(self) -> int: ...


SizedT = TypeVar("SizedT", bound=Sized)


@dataclass(frozen=True)
class Task:
    """Files of one partition.

    Attributes:
        rows: the task's share of the partition.
        context: what every task of the partition reads.
        size: bytes of its share.
    """

    rows: Sequence[str]
    context: Sequence[str]
    size: int

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Task:
        """From plain data."""
        return cls(**plain)


# Kind and partition of a file for the next stage, and rows of it.
Located: TypeAlias = tuple[str, int, Structured]
Step: TypeAlias = Callable[[Any], Iterator[Located]]
Read: TypeAlias = Callable[[Any], Sized]
# What a stage wrote, by kind and partition.
Partitioned: TypeAlias = Mapping[int, Sequence[FileInfo]]
Pieces: TypeAlias = Mapping[str, Partitioned]


def read_rows(paths: Sequence[str], dtype: np.dtype[Any]) -> Structured:
    """The rows of several files, one after another."""
    return np.frombuffer(b"".join([files.read_bytes(path) for path in paths]), dtype)


class Stages:
    """Runs stages, and knows the files of each by its records.

    Attributes:
        place: of the files.
        partitions: of the nodes.
        partition_bytes: bound on the rows of a task.
    """

    def __init__(self, place: Place, run: Run, partitions: int, partition_bytes: int) -> None:
        self.place = place
        self.partitions = partitions
        self.partition_bytes = partition_bytes
        self._run = run
        self._stage = 0

    def run(self, tasks: Sequence[Sized], read: Read, step: Step) -> Pieces:
        """Run one stage; returns what it wrote.

        Args:
            tasks: all of a kind.
            read: makes a task of plain data.
            step: what is done with each.
        """
        self._stage += 1
        grouped = list(packed(tasks, self.partition_bytes))
        items = [(number, task) for number, group in enumerate(grouped) for task in group]
        path = self._run.path(self.place.root, f"{self.place.step}.tasks.parquet")
        listed = write_tasks(path, items)
        ends = list(accumulate(map(len, grouped), initial=0))
        found: dict[str, dict[int, list[FileInfo]]] = {}
        for first, end in pairwise(ends if self._run.engine.is_local else [0, len(items)]):
            work = StageWork(listed, range(first, end), read, step, self.place, self._stage)
            result = self._run.run_records("clusters", self.place, end - first, work.expand)
            for record in result.records():
                for file in record.files:
                    partition = int(record.unit.split("-")[1])
                    path = self.place.full(file.name)
                    info = FileInfo(path, file.name, file.bytes)
                    found.setdefault(file.kind, {}).setdefault(partition, []).append(info)
        return found

    def tasks(self, rows: Partitioned, context: Partitioned, for_single: bool = True) -> list[Task]:
        """Tasks over all rows, each with all the context of its partition.

        Without `for_single`, a partition's only task has no context.
        """
        tasks = []
        for partition, found in sorted(rows.items()):
            shares = list(packed(found, self.partition_bytes))
            beside = context.get(partition, ()) if for_single or len(shares) > 1 else ()
            tasks += [Task(paths(share), paths(beside), total_size(share)) for share in shares]
        return tasks

    def delete(self, pieces: Pieces) -> None:
        """Delete what a stage wrote."""
        for kind in pieces.values():
            for found in kind.values():
                files.delete(list(paths(found)))


def packed(items: Sequence[SizedT], most: int) -> Iterator[list[SizedT]]:
    """Consecutive items in lists of at most so many bytes, or of one item."""
    share: list[SizedT] = []
    for item in items:
        if share and total_size(share) + item.size > most:
            yield share
            share = []
        share.append(item)
    if share:
        yield share


def total_size(items: Sequence[Sized]) -> int:
    """Bytes of all the items."""
    return sum(item.size for item in items)


def paths(found: Sequence[FileInfo]) -> tuple[str, ...]:
    """Their paths."""
    return tuple(file.path for file in found)


@dataclass(frozen=True)
class StageWork:
    """Some tasks of a stage.

    Attributes:
        tasks: pairs of a group's number and a task.
        numbers: of the tasks.
        read: makes a task of plain data.
        step: what is done with each.
        place: of what is written.
        stage: number of the stage.
    """

    tasks: TasksFile
    numbers: range
    read: Read
    step: Step
    place: Place
    stage: int

    def expand(self, root: beam.Pipeline) -> beam.PCollection:
        """The transforms; yields records."""
        numbers = root | Numbers(self.numbers.start, self.numbers.stop)
        met = meet(numbers, "step", self._take_step, tuple[tuple[str, int, int], bytes])
        write = partial(_write_piece, place=self.place, stage=self.stage)
        return met | "write" >> beam.Map(write)

    def _take_step(self, number: int) -> Iterator[tuple[tuple[str, int, int], bytes]]:
        group, plain = self.tasks[number]
        for kind, partition, rows in self.step(self.read(plain)):
            yield (kind, partition, group), rows.tobytes()


def _write_piece(
    item: tuple[tuple[str, int, int], Iterable[bytes]], place: Place, stage: int
) -> UnitRecord:
    (kind, partition, group), parts = item
    rows = np.frombuffer(b"".join(parts), _ROWS[kind])
    written = {kind: rows}
    if kind == BY_LARGER:
        rows = unique_edges(rows)
        written = {EDGES: rows, SMALLEST: smallest_neighbours(rows)}
    elif kind == EDGES:
        written = {EDGES: unique_edges(rows)}
    elif kind == SMALLEST:
        written = {SMALLEST: smallest_neighbours(rows)}
    name = f"{kind}-{partition}-{group}-{stage}"
    attempt = Attempt(place, Unit(name, "", name, 0))
    for file_kind, content in written.items():
        attempt.write(file_kind, "rows", content.tobytes())
    found = attempt.publish({file_kind: len(content) for file_kind, content in written.items()})
    return UnitRecord(name, "", "", UnitInput("", "", 0), found, NO_FUNNEL)
