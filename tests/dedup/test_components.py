"""Connected components: SciPy's, and the alternating star steps', are union-find's."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.components import (
    EDGE,
    MEMBER,
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

Pairs = list[tuple[int, int]]


def node(number: int) -> int:
    """Nodes of three units."""
    return (number % 3) << 32 | number // 3


def make_edges(pairs: Pairs, ranks: list[int]) -> Any:
    """Edges between numbered nodes; the rank of a node is that of its number, again and again."""
    rows = [
        (node(one), node(other), ranks[one % len(ranks)], ranks[other % len(ranks)])
        for one, other in pairs
    ]
    return np.array(rows, EDGE)


def union_find(edges: Any) -> list[tuple[int, int, int]]:
    """(node, representative, size), ascending, by the textbook."""
    parent: dict[int, int] = {}
    rank: dict[int, int] = {}

    def root(of: int) -> int:
        while parent[of] != of:
            parent[of] = parent[parent[of]]
            of = parent[of]
        return of

    for one, other, one_rank, other_rank in edges.tolist():
        parent.setdefault(one, one)
        parent.setdefault(other, other)
        rank[one], rank[other] = one_rank, other_rank
        smaller, larger = sorted((root(one), root(other)), key=lambda end: (rank[end], end))
        parent[larger] = smaller
    sizes = Counter(root(of) for of in parent)
    return [(of, root(of), sizes[root(of)]) for of in sorted(parent)]


def shapes() -> dict[str, Pairs]:
    generator = np.random.default_rng(5)
    shuffled = generator.permutation(2001).tolist()
    sparse = generator.integers(0, 1500, (1200, 2)).tolist()
    return {
        "none": [],
        "one loop": [(4, 4)],
        "path in order": [(i, i + 1) for i in range(2000)],
        "path out of order": list(pairwise(shuffled)),
        "cycle": [(i, (i + 1) % 500) for i in range(500)],
        "star": [(7, i) for i in range(3000)],
        "star seen from its rays": [(i, 1500) for i in range(3000)],
        "cliques": [
            (30 * c + i, 30 * c + j) for c in range(5) for i in range(20) for j in range(20)
        ],
        "many components": [(one, other) for one, other in sparse],
        "one giant": [(i, i // 2) for i in range(1, 4000)] + [(5000 + i, i) for i in range(900)],
        "two stars and a bridge": [(0, i) for i in range(1, 900)]
        + [(1000, 1000 + i) for i in range(1, 900)]
        + [(899, 1899)],
    }


RANKS = {"equal": [0], "one node best": [9] * 400 + [2], "mixed": [3, 1, 2**64 - 1, 1, 0, 7]}
graphs = st.tuples(
    st.lists(st.tuples(st.integers(0, 25), st.integers(0, 25)), max_size=40),
    st.lists(st.sampled_from([0, 1, 2, 2**63, 2**64 - 1]), min_size=1, max_size=26),
)


@given(graphs)
def test_find_clusters_is_union_find(graph: tuple[Pairs, list[int]]) -> None:
    edges = make_edges(*graph)
    members = find_clusters(edges)
    assert members.dtype == MEMBER
    assert members.tolist() == union_find(edges)


@pytest.mark.parametrize("ranks", RANKS.values(), ids=RANKS)
@pytest.mark.parametrize("shape", shapes())
def test_find_clusters_on_shapes(shape: str, ranks: list[int]) -> None:
    edges = make_edges(shapes()[shape], ranks)
    assert find_clusters(edges).tolist() == union_find(edges)


def test_the_better_rank_stands_for_the_cluster_then_the_smaller_node() -> None:
    edges = make_edges([(0, 1), (1, 2), (2, 3)], [5, 4, 3, 3])
    assert set(find_clusters(edges)["representative"].tolist()) == {min(node(2), node(3))}


def run_stars(
    edges: Any, partitions: int, shares: int = 1
) -> tuple[list[tuple[int, int, int]], int]:
    """Alternate the steps, each on the edges of a partition's nodes; returns clusters, rounds."""
    state = larger_first(edges)
    for number in range(1, 100):
        # A reducer of large-star has the edges of its nodes to smaller and to larger ones.
        both = np.concatenate((state, turned(state)))
        state, changed = one_stage(both, large_star, partitions, shares)
        state, changed_again = one_stage(state, small_star, partitions, shares)
        if not changed and not changed_again:
            nodes, sizes = count_by(state["other"], np.ones(len(state), np.uint64))
            of = dict(zip(nodes.tolist(), sizes.tolist(), strict=True))
            rows = state[["one", "other"]].tolist()
            return sorted((one, other, of[other]) for one, other in rows), number
    raise AssertionError("no end")


def one_stage(edges: Any, star: Any, partitions: int, shares: int) -> tuple[Any, int]:
    """Each partition's edges in shares, with the smallest neighbours of the whole beside each."""
    results = []
    for _, part in split(edges, partition_of(edges["one"], partitions)):
        beside = smallest_neighbours(part)
        for start in range(shares):
            results.append(star(np.concatenate((beside, part[start::shares]))))
    moved = np.concatenate([np.empty(0, EDGE), *(rows for rows, _ in results)])
    return unique_edges(moved), sum(changed for _, changed in results)


def larger_first(edges: Any) -> Any:
    rows = [
        (a, b, a_rank, b_rank) if (a_rank, a) > (b_rank, b) else (b, a, b_rank, a_rank)
        for a, b, a_rank, b_rank in edges.tolist()
    ]
    loops = [(row[i], row[i], row[i + 2], row[i + 2]) for row in edges.tolist() for i in (0, 1)]
    return np.array(rows + loops, EDGE)


@given(graphs, st.integers(1, 5), st.integers(1, 4))
def test_the_stars_end_in_union_find(
    graph: tuple[Pairs, list[int]], partitions: int, shares: int
) -> None:
    edges = make_edges(*graph)
    clusters, _ = run_stars(edges, partitions, shares)
    assert clusters == union_find(edges)


@pytest.mark.parametrize("ranks", RANKS.values(), ids=RANKS)
@pytest.mark.parametrize("shape", shapes())
def test_the_stars_end_soon_on_shapes(shape: str, ranks: list[int]) -> None:
    edges = make_edges(shapes()[shape], ranks)
    clusters, rounds = run_stars(edges, partitions=4)
    assert clusters == union_find(edges)
    assert rounds <= 14  # of a path of 2,000 nodes: its logarithm, and one to see the end


@given(graphs)
def test_a_forest_has_the_same_clusters_and_an_edge_less_than_nodes(
    graph: tuple[Pairs, list[int]],
) -> None:
    edges = make_edges(*graph)
    forest = star_edges(edges)
    assert find_clusters(forest).tolist() == union_find(edges)
    members = find_clusters(edges)
    rays = (members["node"] != members["representative"]) | (members["size"] == 1)
    assert len(forest) == rays.sum()


def test_large_star_links_larger_neighbours_only() -> None:
    # Node 10's neighbours are 5 (smaller), 20 and 30; 6's is 7, and 6 is the smallest there.
    rows = [(10, 5, 0, 0), (10, 20, 0, 0), (10, 30, 0, 0), (6, 7, 0, 0)]
    moved, changed = large_star(np.array(rows, EDGE))
    assert sorted(moved[["one", "other"]].tolist()) == [(7, 6), (20, 5), (30, 5)]
    assert changed == 2


def test_small_star_links_smaller_neighbours_and_the_node() -> None:
    rows = [(10, 5, 0, 0), (10, 8, 0, 0), (10, 3, 0, 0), (20, 4, 0, 0)]
    moved, changed = small_star(np.array(rows, EDGE))
    found = unique_edges(moved)[["one", "other"]].tolist()
    assert sorted(found) == [(5, 3), (8, 3), (10, 3), (20, 4)]
    assert changed == 2


@given(graphs)
def test_smallest_neighbours(graph: tuple[Pairs, list[int]]) -> None:
    edges = make_edges(*graph)
    expected: dict[int, tuple[int, int]] = {}
    for one, other, one_rank, other_rank in edges.tolist():
        best = expected.get(one, (one_rank, one))
        expected[one] = min(best, (other_rank, other))
    found = smallest_neighbours(edges)
    rows = found[["one", "other_rank", "other"]].tolist()
    assert rows == [(one, *expected[one]) for one in sorted(expected)]


@given(graphs)
def test_unique_edges(graph: tuple[Pairs, list[int]]) -> None:
    edges = make_edges(*graph)
    assert sorted(unique_edges(edges).tolist()) == sorted(set(edges.tolist()))


def test_edges_with_the_same_sorting_key_both_stay() -> None:
    # The key is one * A ^ other * B: for odd B there is another `other` to any `one` with it.
    one_factor, other_factor = 0x9E3779B97F4A7C55, 0xFF51AFD7ED558CCD
    key = (5 * one_factor ^ 6 * other_factor) % 2**64
    other = (key ^ 7 * one_factor % 2**64) * pow(other_factor, -1, 2**64) % 2**64
    rows = [(5, 6, 0, 0), (7, other, 0, 0)]
    assert sorted(unique_edges(np.array(rows, EDGE)).tolist()) == rows


@given(graphs, st.integers(1, 7))
def test_split_gives_every_row_once_and_a_node_to_one_partition(
    graph: tuple[Pairs, list[int]], partitions: int
) -> None:
    edges = make_edges(*graph)
    parts = list(split(edges, partition_of(edges["one"], partitions)))
    rows = [row for _, part in parts for row in part.tolist()]
    assert sorted(rows) == sorted(edges.tolist())
    owners = [{(row[0], number) for row in part.tolist()} for number, part in parts]
    assert len(set().union(*owners)) == len(set(edges["one"].tolist()))
    assert [number for number, _ in parts] == sorted({number for number, _ in parts})


def test_partitions_are_of_about_the_same_size() -> None:
    rows = np.arange(10_000, dtype=np.uint64)
    nodes = np.concatenate([rows, rows | np.uint64(5 << 32)])
    sizes = np.bincount(partition_of(nodes, 16), minlength=16)
    assert sizes.min() > 1100
    assert sizes.max() < 1400


def test_member_rows() -> None:
    members = np.array([(3 << 32 | 17, 1 << 32 | 4, 2)], MEMBER)
    assert member_rows(members)[["row", "size", "representative"]].tolist() == [
        (17, 2, 1 << 32 | 4)
    ]


@settings(max_examples=5)
@given(st.integers(0, 10_000))
def test_larger_random_graphs(seed: int) -> None:
    generator = np.random.default_rng(seed)
    pairs = generator.integers(0, 3000, (int(generator.integers(500, 4000)), 2)).tolist()
    edges = make_edges(pairs, generator.integers(0, 50, 97).tolist())
    expected = union_find(edges)
    assert find_clusters(edges).tolist() == expected
    assert run_stars(edges, 3)[0] == expected
