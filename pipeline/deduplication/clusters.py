"""Clusters of near-duplicates: edge files in, one file per unit with the cluster of each row out.

Up to a stated number of edges one worker does it (`dedup.components.find_clusters`). Above it the
graph is contracted in rounds, as Kiveris et al. (SoCC 2014) do, until it is one star per component:
a large-star stage, then a small-star stage, until neither changes an edge. Then the stars' edges
are counted and every node goes back to its unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any, BinaryIO

import apache_beam as beam
import numpy as np

from dedup.components import (
    EDGE,
    MAXIMUM_PARTITIONS,
    MEMBER,
    UNIT_SHIFT,
    Structured,
    count_by,
    find_clusters,
    large_star,
    member_rows,
    partition_of,
    small_star,
    smallest_neighbours,
    split,
    star_edges,
    turned,
    unique_edges,
)
from pipeline.deduplication.cluster_stages import (
    BY_LARGER,
    CHANGED,
    COUNT,
    COUNTS,
    EDGES,
    MEMBERS,
    SMALLEST,
    Located,
    Pieces,
    Stages,
    Task,
    packed,
    paths,
    read_rows,
    total_size,
)
from pipeline.deduplication.decision_files import digest
from pipeline.deduplication.key_units import KeyUnits
from pipeline.deduplication.shuffle import write_rows
from pipeline.errors import RunFailed
from pipeline.passes.run import Run
from pipeline.passes.shuffle import Numbers
from pipeline.passes.tasks_file import TasksFile, write_tasks
from pipeline.store import files
from pipeline.store.commit import Place
from pipeline.store.records import UnitRecord
from pipeline.store.tables import TableFile

# Rounds grow with the logarithm of the number of nodes: fifty are more than any graph takes.
MAXIMUM_ROUNDS = 50


@dataclass(frozen=True)
class ClusterReport:
    """What was clustered; `rounds` is 0 where one worker did it."""

    edges: int
    rounds: int
    nodes: int
    clusters: int


@dataclass(frozen=True)
class Slice:
    """Some edges of an input file: `count` from the one numbered `first`."""

    path: str
    first: int
    count: int

    @property
    def size(self) -> int:
        return self.count * EDGE.itemsize


@dataclass(frozen=True)
class InputTask:
    """Slices that are read together, and their size in bytes."""

    slices: tuple[Slice, ...]
    size: int

    @classmethod
    def of(cls, plain: dict[str, Any]) -> InputTask:
        """From plain data."""
        return cls(tuple(Slice(**one) for one in plain["slices"]), plain["size"])


def cluster_units(
    edge_files: Sequence[str],
    units: KeyUnits,
    place: Place,
    run: Run,
    *,
    maximum_edges: int,
    partition_bytes: int,
    maximum_rounds: int = MAXIMUM_ROUNDS,
) -> tuple[ClusterReport, tuple[TableFile, ...]]:
    """Write a file for every unit: the clusters of its rows.

    A file is an array of MEMBER_ROW, ascending by row; rows without an edge are not in it.

    Args:
        edge_files: `.npy` files of EDGE.
        units: whose numbers are in the nodes.
        place: for the files.
        run: that this is part of.
        maximum_edges: up to so many, one worker takes all, in 100 bytes of memory each.
        partition_bytes: bound on the edges that a task takes; above `maximum_edges`, memory is a
            few times that, and CPU 5 to 15 times what it is for one worker.
        maximum_rounds: before the run fails.

    Returns:
        What was clustered, and the tables of the units' files.

    Raises:
        ValueError: a file holds something else, or an edge a unit that there is not.
        RunFailed: too many rounds.
    """
    counts = [_count_edges(path) for path in edge_files]
    rounds = 0
    if sum(counts) <= maximum_edges:
        whole = _slices(edge_files, counts, max(1, *counts) if counts else 1)
        items: list[Any] = [InputTask(tuple(whole), total_size(whole))]
        write: Any = partial(_cluster_all, units=units, place=place)
    else:
        partitions = -(-sum(counts) * EDGE.itemsize // partition_bytes)
        stages = Stages(place, run, min(partitions, MAXIMUM_PARTITIONS), partition_bytes)
        slices = _slices(edge_files, counts, max(1, partition_bytes // EDGE.itemsize))
        rounds, stars = _contract(stages, slices, len(units), maximum_rounds)
        items = list(_members(stages, stars, len(units)))
        write = partial(_write_range, units=units, place=place)
    tasks = write_tasks(run.path(place.root, f"{place.step}.ranges.parquet"), items)
    expansion = partial(expand_writing, tasks=tasks, write=write)
    result = run.run_records("clusters", place, len(units), expansion)
    summary = result.summary
    report = ClusterReport(
        sum(counts), rounds, summary.extra.get("nodes", 0), summary.extra.get("clusters", 0)
    )
    return report, tuple(summary.tables)


def _contract(
    stages: Stages, slices: Sequence[Slice], units: int, maximum_rounds: int
) -> tuple[int, Pieces]:
    """Rounds until the graph is one star per component; returns how many, and the stars."""
    partitions = stages.partitions
    inputs = [
        InputTask(tuple(share), total_size(share))
        for share in packed(slices, stages.partition_bytes)
    ]
    state = stages.run(inputs, InputTask.of, partial(_forest, units=units, partitions=partitions))
    for number in range(1, maximum_rounds + 1):
        tasks = stages.tasks(state[EDGES], state[SMALLEST])
        between = stages.run(tasks, Task.of, partial(_large, partitions=partitions))
        stages.delete(state)
        # A partition's only task has all its edges, and so all that the context says.
        tasks = stages.tasks(between[EDGES], between[SMALLEST], for_single=False)
        state = stages.run(tasks, Task.of, partial(_small, partitions=partitions))
        stages.delete(between)
        if CHANGED not in between and CHANGED not in state:
            return number, state
    raise RunFailed(f"clusters: not done after {maximum_rounds} rounds")


@dataclass(frozen=True)
class UnitRange:
    """Units numbered from `first` up to `end`, and the files with their members."""

    first: int
    end: int
    rows: Sequence[str]


def _members(stages: Stages, stars: Pieces, units: int) -> Iterator[UnitRange]:
    """Count the stars' edges and bring every node back to its unit."""
    counting = [
        Task(paths(found), (), total_size(found)) for _, found in sorted(stars[SMALLEST].items())
    ]
    counts = stages.run(counting, Task.of, partial(_count, partitions=stages.partitions))
    per_range = -(-units // stages.partitions)
    measuring = stages.tasks(stars[EDGES], counts[COUNTS])
    members = stages.run(measuring, Task.of, partial(_measure, per_range=per_range))[MEMBERS]
    for number, first in enumerate(range(0, units, per_range)):
        end = min(first + per_range, units)
        yield UnitRange(first, end, paths(members.get(number, ())))


def _slices(paths: Sequence[str], counts: Sequence[int], most: int) -> list[Slice]:
    return [
        Slice(path, first, min(most, count - first))
        for path, count in zip(paths, counts, strict=True)
        for first in range(0, count, most)
    ]


def _count_edges(path: str) -> int:
    with files.open_read(path) as handle:
        return _read_header(handle, path)


def _read_header(handle: BinaryIO, path: str) -> int:
    """How many edges there are; leaves the handle at the first."""
    version = np.lib.format.read_magic(handle)
    shape, _, dtype = np.lib.format.read_array_header_1_0(handle)
    if version != (1, 0) or dtype != EDGE or len(shape) != 1:
        raise ValueError(f"{path} holds no edges but {dtype} of shape {shape}")
    return int(shape[0])


def _read_slices(slices: Sequence[Slice], units: int) -> Structured:
    edges = np.empty(sum(piece.count for piece in slices), EDGE)
    start = 0
    for piece in slices:
        part = edges[start : start + piece.count]
        with files.open_read(piece.path) as handle:
            _read_header(handle, piece.path)
            handle.seek(handle.tell() + piece.first * EDGE.itemsize)
            part[:] = np.frombuffer(handle.read(piece.size), EDGE)
        for end in ("one", "other"):
            if len(part) and int(part[end].max()) >> 32 >= units:
                raise ValueError(f"{piece.path} has an edge of a unit beyond the {units} named")
        start += piece.count
    return edges


def _forest(task: InputTask, units: int, partitions: int) -> Iterator[Located]:
    """Contract what is read to a star per component, which spares rounds."""
    edges = star_edges(_read_slices(task.slices, units))
    yield from _route_to_smaller(edges, partitions)


def _large(task: Task, partitions: int) -> Iterator[Located]:
    edges, changed = large_star(read_rows([*task.context, *task.rows], EDGE))
    if changed:
        yield CHANGED, 0, edges[:1]
    yield from _route_to_larger(edges, partitions)


def _small(task: Task, partitions: int) -> Iterator[Located]:
    edges, changed = small_star(read_rows([*task.context, *task.rows], EDGE))
    if changed:
        yield CHANGED, 0, edges[:1]
    yield from _route_to_smaller(edges, partitions)


def _route_to_larger(edges: Structured, partitions: int) -> Iterator[Located]:
    """For a small-star stage: edges go where their larger node is, their `one` here and there."""
    yield from _located(BY_LARGER, unique_edges(edges), partitions)


def _route_to_smaller(edges: Structured, partitions: int) -> Iterator[Located]:
    """For a large-star stage: edges go where their smaller node is, which becomes their `one`."""
    edges = unique_edges(edges)
    yield from _located(EDGES, turned(edges), partitions)
    yield from _located(SMALLEST, smallest_neighbours(edges), partitions)


def _located(kind: str, edges: Structured, partitions: int) -> Iterator[Located]:
    for partition, rows in split(edges, partition_of(edges["one"], partitions)):
        yield kind, partition, rows


def _count(task: Task, partitions: int) -> Iterator[Located]:
    """Of the nodes of a partition, each once: how many have each representative?"""
    nodes = smallest_neighbours(read_rows(task.rows, EDGE))
    is_ray = nodes["one"] != nodes["other"]
    representatives, sizes = count_by(nodes["other"], is_ray.astype(np.uint64))
    counts = np.empty(len(sizes), COUNT)
    counts["representative"], counts["size"] = representatives, sizes
    for partition, rows in split(counts, partition_of(representatives, partitions)):
        yield COUNTS, partition, rows


def _measure(task: Task, per_range: int) -> Iterator[Located]:
    """Give every node the size of its cluster, and send it to its unit."""
    parts = read_rows(task.context, COUNT)
    representatives, rays = count_by(parts["representative"], parts["size"])
    edges = read_rows(task.rows, EDGE)
    centres = np.unique(edges["one"])
    members = np.empty(len(edges) + len(centres), MEMBER)
    members["node"] = np.concatenate((edges["other"], centres))
    members["representative"] = np.concatenate((edges["one"], centres))
    places = np.searchsorted(representatives, members["representative"])
    members["size"] = rays[places] + np.uint64(1)
    ranges = (members["node"] >> UNIT_SHIFT) // np.uint64(per_range)
    for number, rows in split(members, ranges.astype(np.uint16)):
        yield MEMBERS, number, rows


def expand_writing(
    root: beam.Pipeline, tasks: TasksFile, write: Callable[[Any], Iterator[UnitRecord]]
) -> beam.PCollection:
    """The transforms that write the units' files; yields their records."""
    return root | Numbers(0, tasks.tasks) | "write" >> beam.FlatMap(partial(_write, tasks, write))


def _write(
    tasks: TasksFile, write: Callable[[Any], Iterator[UnitRecord]], number: int
) -> Iterator[UnitRecord]:
    yield from write(tasks[number])


def _cluster_all(plain: dict[str, Any], units: KeyUnits, place: Place) -> Iterator[UnitRecord]:
    members = find_clusters(_read_slices(InputTask.of(plain).slices, len(units)))
    yield from _write_files(members, 0, len(units), units, place)


def _write_range(plain: dict[str, Any], units: KeyUnits, place: Place) -> Iterator[UnitRecord]:
    item = UnitRange(**plain)
    members = read_rows(item.rows, MEMBER)
    _, first = np.unique(members["node"], return_index=True)
    yield from _write_files(members.take(first), item.first, item.end, units, place)


def _write_files(
    members: Structured, first: int, end: int, units: KeyUnits, place: Place
) -> Iterator[UnitRecord]:
    """Write the files of units numbered from `first` up to `end`."""
    numbers = np.arange(first, end + 1, dtype=np.uint64)
    bounds = np.searchsorted(members["node"], numbers << UNIT_SHIFT).tolist()
    for number, (start, stop) in zip(range(first, end), pairwise(bounds), strict=True):
        own = members[start:stop]
        rows = member_rows(own)
        record = write_rows(place, units[number].full_name, rows, digest(rows, units))
        clusters = int(np.count_nonzero(own["node"] == own["representative"]))
        yield replace(record, extra={"nodes": len(own), "clusters": clusters})
