"""Clusters through Beam: the same however the graph is cut into files, partitions and groups."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dedup.components import EDGE, MEMBER_ROW, find_clusters
from pipeline.deduplication.cluster_stages import Stages
from pipeline.deduplication.clusters import ClusterReport, cluster_units
from pipeline.deduplication.decision_files import Decisions
from pipeline.deduplication.key_units import KeyUnit, write_key_units
from pipeline.errors import RunFailed
from pipeline.passes.engine import Engine
from pipeline.passes.run import running
from pipeline.store.base import FileInfo
from pipeline.store.commit import Place

UNITS = ("a", "b", "c", "d", "e")


def make_edges(pairs: list[tuple[int, int]], ranks: list[int]) -> Any:
    """Edges between numbered nodes, of which every fifth is in the same unit but none in `e`."""
    return np.array(
        [
            (
                (one % 4) << 32 | one // 4,
                (other % 4) << 32 | other // 4,
                ranks[one % len(ranks)],
                ranks[other % len(ranks)],
            )
            for one, other in pairs
        ],
        EDGE,
    )


@dataclass(frozen=True)
class Clustered:
    """What was clustered in a folder, and the decisions that were written."""

    report: ClusterReport
    decisions: Decisions

    def rows(self) -> dict[str, Any]:
        return {name: unit.read() for name, unit in self.decisions.units.items()}


def cluster(edges: Any, cut: list[int], folder: Path, **settings: Any) -> Clustered:
    """Cluster edges from files cut at these places, and clean up."""
    found = []
    for number, part in enumerate(np.split(edges, sorted(cut))):
        found.append(str(folder / f"edges-{number}.npy"))
        np.save(found[-1], part)
    with running(settings.pop("engine", Engine()), str(folder)) as run:
        units = write_key_units(run.path(str(folder), "units"), [KeyUnit(name) for name in UNITS])
        place = run.place(str(folder), "clusters")
        report, tables = cluster_units(found, units, place, run, **settings)
        decisions = Decisions(place, tables, {})
        run.kept.append(decisions)
        run.clean(str(folder))
    return Clustered(report, decisions)


def files_of_steps(folder: Path) -> set[str]:
    """Paths below the folder of all files but the traces of runs."""
    found = (path for path in (folder / "work").rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in found if "runs" not in path.parts}


def assert_as_found_at_once(edges: Any, folder: Path, clustered: Clustered) -> None:
    expected: dict[str, list[tuple[int, int, int]]] = {unit: [] for unit in UNITS}
    members = find_clusters(edges).tolist()
    for node, representative, size in members:
        expected[UNITS[node >> 32]].append((node & 0xFFFFFFFF, size, representative))
    found, report = clustered.rows(), clustered.report
    assert {unit: rows.tolist() for unit, rows in found.items()} == expected
    assert {rows.dtype for rows in found.values()} == {MEMBER_ROW}
    assert report.edges == len(edges)
    assert report.nodes == len(members)
    assert report.clusters == len({representative for _, representative, _ in members})
    # A file for each unit; nothing is left of the rounds.
    assert [len(unit.paths) for unit in clustered.decisions.units.values()] == [1] * len(UNITS)
    assert files_of_steps(folder) == set(clustered.decisions.names())


def mixed_graph() -> Any:
    """Components of many shapes, edges repeated, turned and looped, in no order."""
    generator = np.random.default_rng(3)
    pairs = [(i, i + 4) for i in range(400)]  # four paths of 100
    pairs += [(3000, i) for i in range(3001, 3600)]
    pairs += [(i, 4500) for i in range(4000, 4900)]
    pairs += [(5000 + i, 5000 + j) for i in range(25) for j in range(25)]
    pairs += [(6000 + i, 6000 + j) for i, j in generator.integers(0, 900, (800, 2)).tolist()]
    pairs += [(other, one) for one, other in pairs[::3]]
    generator.shuffle(pairs)
    return make_edges([tuple(pair) for pair in pairs], [4, 1, 2**64 - 1, 1, 0, 6, 9])


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=50),
    st.lists(st.sampled_from([0, 1, 2**63, 2**64 - 1]), min_size=1, max_size=31),
    st.lists(st.integers(0, 50), max_size=5),
    st.integers(400, 2000),
)
# Every example is ten and more pipelines: to shrink one would take minutes.
@settings(max_examples=6, phases=[Phase.generate])
def test_any_graph_in_any_files_and_partitions(
    pairs: list[tuple[int, int]], ranks: list[int], cut: list[int], partition_bytes: int
) -> None:
    edges = make_edges(pairs, ranks)
    with tempfile.TemporaryDirectory() as folder:
        found = cluster(edges, cut, Path(folder), maximum_edges=0, partition_bytes=partition_bytes)
        assert_as_found_at_once(edges, Path(folder), found)
        assert bool(found.report.rounds) == bool(pairs)


@pytest.mark.parametrize("partition_bytes", [45_000, 10**9])
def test_a_graph_of_many_shapes(tmp_path: Path, partition_bytes: int) -> None:
    edges = mixed_graph()
    found = cluster(
        edges, [100, 100, 3000], tmp_path, maximum_edges=0, partition_bytes=partition_bytes
    )
    assert_as_found_at_once(edges, tmp_path, found)
    assert 1 <= found.report.rounds <= 9


def test_one_worker_up_to_the_stated_number_of_edges(tmp_path: Path) -> None:
    edges = mixed_graph()
    found = cluster(
        edges,
        [7],
        tmp_path,
        maximum_edges=len(edges),
        partition_bytes=10**6,
        engine=Engine(workers=2),
    )
    assert_as_found_at_once(edges, tmp_path, found)
    assert found.report.rounds == 0
    at_once = found.rows()
    in_rounds = cluster(edges, [7], tmp_path, maximum_edges=len(edges) - 1, partition_bytes=10**6)
    assert in_rounds.report.rounds > 0
    assert all(np.array_equal(at_once[unit], rows) for unit, rows in in_rounds.rows().items())


def test_a_long_path_cut_into_many_files(tmp_path: Path) -> None:
    order = np.random.default_rng(1).permutation(2001).tolist()
    edges = make_edges(list(pairwise(order)), [2, 1, 3])
    found = cluster(edges, [300, 900], tmp_path, maximum_edges=0, partition_bytes=33_000)
    assert_as_found_at_once(edges, tmp_path, found)
    assert 2 <= found.report.rounds <= 13


def test_groups_and_an_engine_that_takes_all_tasks_at_once(tmp_path: Path) -> None:
    edges = mixed_graph()
    engine = Engine("apache_beam.runners.portability.fn_api_runner.FnApiRunner")
    assert not engine.is_local
    found = cluster(edges, [2000], tmp_path, maximum_edges=0, partition_bytes=45_000, engine=engine)
    assert_as_found_at_once(edges, tmp_path, found)


def test_the_leftovers_of_a_killed_run_are_not_read_and_go(tmp_path: Path) -> None:
    step = tmp_path / "work" / "clusters"
    killed = {
        "edges/edges-0-0-1.0123456789abcd.rows": make_edges([(1, 2)], [0]).tobytes(),
        "changed/changed-0-7-2.0123456789abcd.rows": b"",
        "decisions/a.0123456789abcd.npy": b"?",
        "edges/.edges-0-1-1.0123456789abce.rows.0123456789ab.roving-part": b"?",
    }
    for name, data in killed.items():
        (step / name).parent.mkdir(parents=True, exist_ok=True)
        (step / name).write_bytes(data)
    edges = make_edges([(1, 3), (6, 7)], [0])
    found = cluster(edges, [], tmp_path, maximum_edges=0, partition_bytes=1000)
    assert_as_found_at_once(edges, tmp_path, found)


def test_too_many_rounds_fail_the_run(tmp_path: Path) -> None:
    edges = make_edges([(i, i + 1) for i in range(100)], [0])
    with pytest.raises(RunFailed, match="not done after 1 rounds"):
        cluster(edges, [], tmp_path, maximum_edges=0, partition_bytes=500, maximum_rounds=1)
    assert not list((tmp_path / "work" / "clusters").glob("decisions/*"))


@pytest.mark.parametrize("maximum_edges", [0, 10])
def test_an_edge_of_an_unknown_unit_is_an_error(tmp_path: Path, maximum_edges: int) -> None:
    edges = np.array([(5 << 32, 0, 0, 0)], EDGE)
    with pytest.raises(Exception, match="edge of a unit beyond the 5 named"):
        cluster(edges, [], tmp_path, maximum_edges=maximum_edges, partition_bytes=1000)


def test_a_file_of_something_else_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "edges.npy"
    np.save(path, np.arange(4))
    units = write_key_units(str(tmp_path / "units"), [KeyUnit(name) for name in UNITS])
    with running(Engine(), str(tmp_path)) as run:
        place = run.place(str(tmp_path), "clusters")
        with pytest.raises(ValueError, match="holds no edges but int64"):
            cluster_units([str(path)], units, place, run, maximum_edges=9, partition_bytes=9)


def test_a_hot_partition_makes_more_tasks_not_larger_ones(tmp_path: Path) -> None:
    found = [FileInfo(f"p{number}", f"p{number}", 60) for number in range(5)]
    context = [FileInfo("c", "c", 10)]
    with running(Engine(), str(tmp_path)) as run:
        stages = Stages(Place(str(tmp_path), "clusters"), run, 4, 130)
    tasks = stages.tasks({2: found, 3: found[:1]}, {2: context, 3: context}, for_single=False)
    assert [task.rows for task in tasks] == [("p0", "p1"), ("p2", "p3"), ("p4",), ("p0",)]
    assert [task.context for task in tasks] == [("c",), ("c",), ("c",), ()]
    assert [task.size for task in tasks] == [120, 120, 60, 60]
    assert stages.tasks({3: found[:1]}, {3: context})[0].context == ("c",)


def test_a_star_larger_than_a_partition(tmp_path: Path) -> None:
    """Its edges are all at one node, so several tasks share them; the size is still the whole."""
    edges = make_edges([(0, i) for i in range(1, 6000)], [0])
    found = cluster(edges, [], tmp_path, maximum_edges=0, partition_bytes=32_000)
    assert_as_found_at_once(edges, tmp_path, found)
    assert (found.report.nodes, found.report.clusters) == (6000, 1)


def test_tasks_that_share_a_node_agree_on_its_smallest_neighbour(tmp_path: Path) -> None:
    """Each task has one edge of the hub and changes nothing of its own: the context tells it."""
    edges = make_edges([(9, 1), (9, 2), (9, 3)], [0])
    edges["one_rank"] = 1
    found = cluster(edges, [], tmp_path, maximum_edges=0, partition_bytes=EDGE.itemsize)
    assert_as_found_at_once(edges, tmp_path, found)
    assert found.report.clusters == 1
