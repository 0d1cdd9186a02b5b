"""The shuffle of deduplication: the same decisions however the key space is cut."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from dedup.key_blocks import KeyBlock
from dedup.paragraphs import duplicate_rows
from pipeline.accounting import write_json
from pipeline.dataset import Dataset
from pipeline.deduplicate import Decisions, Deduplication, Scope, group_scopes, run_deduplication
from pipeline.runner import Engine
from pipeline.units import Unit

NAMES = ("a", "b", "c", "d")


def make_keys(folder: Path) -> dict[str, list[int]]:
    """Blocks for four units with many equal keys, one of them everywhere."""
    generator = np.random.default_rng(7)
    pool = generator.integers(0, 2**64, size=300, dtype=np.uint64)
    keys = {name: [int(pool[0]), *generator.choice(pool, size=200).tolist()] for name in NAMES}
    dataset = Dataset(str(folder))
    for name, values in keys.items():
        builder = KeyBlock.builder()
        builder.extend([np.array(values, dtype=np.uint64)])
        path = Path(dataset.part("keys/k", name, "keys"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(builder.build().to_bytes())
        write_json(dataset.stats_path(name), {"outputs": {"keys/k": {"rows": len(values)}}})
    return keys


def expected(keys: dict[str, list[int]], scopes: tuple[Scope, ...]) -> dict[str, list[int]]:
    removed = {}
    for scope in scopes:
        seen: set[int] = set()
        for name in scope.units:
            removed[name] = [row for row, key in enumerate(keys[name]) if key in seen]
            first_seen: set[int] = set()
            for row, key in enumerate(keys[name]):
                if key in first_seen and row not in removed[name]:
                    removed[name].append(row)
                first_seen.add(key)
            removed[name].sort()
            seen |= set(keys[name])
    return removed


@pytest.mark.parametrize("partition_bytes", [500, 2000, 10**9])
@pytest.mark.parametrize(
    "scopes", [(Scope("all", NAMES),), (Scope("0", ("a", "b")), Scope("1", ("c", "d")))]
)
def test_decisions_do_not_depend_on_partitions_or_slices(
    tmp_path: Path, partition_bytes: int, scopes: tuple[Scope, ...]
) -> None:
    keys = make_keys(tmp_path)
    decide = partial(duplicate_rows, policy="keep_first")
    folder = str(tmp_path / "decisions")
    work = Deduplication(str(tmp_path), "k", scopes, decide, folder, partition_bytes)
    run_deduplication(work, "f", Engine())
    found = {name: Decisions(folder).rows(name).tolist() for name in NAMES}
    assert found == expected(keys, scopes)
    assert sum(map(len, found.values())) > 100


def test_scopes_follow_file_order_groups_and_snapshots() -> None:
    units = [Unit(f"n{i}", "", f"f{i}", 1, group="s1" if i < 3 else "s2") for i in range(5)]
    assert [s.units for s in group_scopes(units, "all", 2)] == [("n0", "n1", "n2", "n3", "n4")]
    assert [s.units for s in group_scopes(units, "snapshot", 2)] == [
        ("n0", "n1", "n2"),
        ("n3", "n4"),
    ]
    assert [s.units for s in group_scopes(units, "group", 2)] == [
        ("n0", "n1"),
        ("n2", "n3"),
        ("n4",),
    ]
