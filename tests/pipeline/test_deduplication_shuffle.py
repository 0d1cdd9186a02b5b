"""The shuffle of deduplication: the same decisions however the key space is cut."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipeline.accounting import read_json, write_json
from pipeline.dataset import Dataset
from pipeline.runner import Engine
from pipeline.units import Unit

from dedup.components import MEMBER_ROW
from dedup.decisions import CANDIDATE, REMOVED, Summary, candidate_pairs, cluster_rows, removed_rows
from dedup.key_blocks import KeyBlock
from pipeline.deduplication import shuffle
from pipeline.deduplication.decisions import Decisions
from pipeline.deduplication.shuffle import Comparison, KeyUnit, compare
from pipeline.sources.commoncrawl import scope_numbers

# The local engine under its full name: it is treated as any other engine then.
OTHER_ENGINE = Engine("apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner")
KIND = "k"


@dataclass(frozen=True)
class Made:
    """A unit with keys: its keys in order of row and, it may be, their ranks."""

    unit: KeyUnit
    keys: tuple[int, ...]
    ranks: tuple[int, ...] | None = None

    def store(self) -> None:
        keys = np.array(self.keys, np.uint64)
        ranks = None if self.ranks is None else np.array(self.ranks, np.uint32)
        block = KeyBlock.of(keys, np.arange(len(keys), dtype=np.uint32), ranks)
        path = Path(self.unit.keys_path(KIND))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(block.to_bytes())
        stats = {"outputs": {f"keys/{KIND}": {"rows": len(keys)}}}
        write_json(Dataset(self.unit.dataset).stats_path(self.unit.name), stats)


def make_units(
    folder: Path, scopes: Sequence[int], sources: Sequence[int], *, ranked: bool
) -> list[Made]:
    """Units of one or several sources with many equal keys, one of them everywhere; one empty."""
    generator = random.Random(7)
    pool = [generator.randrange(2**64) for _ in range(250)] + [0, 2**64 - 1, 2**63]
    made = []
    for number, (scope, source) in enumerate(zip(scopes, sources, strict=True)):
        keys = [] if number == 1 else [pool[0], *generator.choices(pool, k=180)]
        ranks = [generator.randrange(3) for _ in keys] if ranked and number % 2 == 0 else None
        # Units of different sources have the same names.
        dataset, label = str(folder / f"d{source}"), f"s{source}" if max(sources) else ""
        name = f"u{list(sources[:number]).count(source)}"
        unit = KeyUnit(dataset, name, scope, source, label)
        made.append(Made(unit, tuple(keys), None if ranks is None else tuple(ranks)))
    return made


def groups_of(made: Sequence[Made]) -> list[list[int]]:
    """Positions of the members of each group of each scope, the preferred first."""
    members: dict[tuple[int, int], list[tuple[int, int, int, int]]] = {}
    for number, one in enumerate(made):
        ranks = one.ranks or (0,) * len(one.keys)
        for row, (key, rank) in enumerate(zip(one.keys, ranks, strict=True)):
            found = members.setdefault((one.unit.scope, key), [])
            found.append((one.unit.source, rank, number, row))
    return [
        [number << 32 | row for _, _, number, row in sorted(found)]
        for found in members.values()
        if len(found) > 1
    ]


def summary_of(made: Sequence[Made]) -> Summary:
    groups = groups_of(made)
    count = max(one.unit.source for one in made) + 1
    shared = [[0] * count for _ in range(count)]
    for group in groups:
        owners = [made[position >> 32].unit.source for position in group]
        for one in set(owners):
            for other in set(owners):
                if one != other or owners.count(one) > 1:
                    shared[one][other] += owners.count(one)
    most = sorted((-len(group), group[0]) for group in groups)[:100]
    keys, members = sum(len(one.keys) for one in made), sum(map(len, groups))
    return Summary(keys, len(groups), members, shared, [(-size, first) for size, first in most])


def expected(made: Sequence[Made], method: str) -> dict[str, list[tuple[int, ...]]]:
    records: dict[str, list[tuple[int, ...]]] = {one.unit.full_name: [] for one in made}
    for group in groups_of(made):
        for position in group:
            row = position & 0xFFFFFFFF
            if method == "clusters":
                record: tuple[int, ...] = (row, len(group), group[0])
            elif method == "candidates":
                record = (row, group[0])
            else:
                record = (row,)
            if method in ("clusters", "remove_all") or position != group[0]:
                records[made[position >> 32].unit.full_name].append(record)
    return {name: sorted(rows) for name, rows in records.items()}


DECIDE: dict[str, tuple[Any, Any]] = {
    "keep_first": (partial(removed_rows, policy="keep_first"), REMOVED),
    "remove_all": (partial(removed_rows, policy="remove_all"), REMOVED),
    "clusters": (cluster_rows, MEMBER_ROW),
    "candidates": (candidate_pairs, CANDIDATE),
}


def comparison(made: Sequence[Made], method: str, folder: Path, size: int) -> Comparison:
    decide, dtype = DECIDE[method]
    units = tuple(one.unit for one in made)
    return Comparison(units, KIND, decide, dtype, str(folder / "decisions"), size)


def assert_decided(work: Comparison, made: Sequence[Made], method: str) -> Decisions:
    decisions = Decisions(work.folder)
    found = {unit.full_name: decisions.read(unit.full_name) for unit in work.units}
    assert {name: rows.tolist() for name, rows in found.items()} == expected(made, method)
    assert {rows.dtype for rows in found.values()} == {work.dtype}
    assert decisions.summary() == summary_of(made)
    # A file for every unit and slice, and nothing else.
    names = {f"part-{name}.{i}.npy" for name in found for i in range(decisions.slices())}
    names |= {"done.json", *(f"summary.{i}.json" for i in range(decisions.slices()))}
    assert {path.name for path in Path(work.folder).iterdir()} == names
    return decisions


# The scope and the source of each of six units.
CASES = {
    "one scope": ((0,) * 6, (0,) * 6),
    "three sources": ((0,) * 6, (0, 0, 1, 1, 1, 2)),
    "scopes and sources": ((0, 1, 0, 1, 0, 1), (0, 0, 0, 1, 2, 2)),
}


def bytes_for(slices: int, made: Sequence[Made]) -> int:
    """Partition bytes that make so many slices of the key space."""
    size = sum(len(one.keys) for one in made) * shuffle.BYTES_PER_KEY
    return -(-size // (slices * shuffle.PARTITIONS_PER_SLICE))


@pytest.mark.parametrize(
    ("case", "method", "ranked"),
    [
        ("three sources", "clusters", True),
        ("scopes and sources", "remove_all", False),
        ("scopes and sources", "candidates", False),
    ],
)
def test_decisions_do_not_depend_on_partitions_or_slices(
    tmp_path: Path, case: str, method: str, ranked: bool
) -> None:
    made = make_units(tmp_path, *CASES[case], ranked=ranked)
    for one in made:
        one.store()
    for slices, size, engine in (
        (1, 10**9, Engine()),
        (3, bytes_for(3, made), Engine()),
        (1, 600, OTHER_ENGINE),  # sixteen partitions and more at once
    ):
        work = comparison(made, method, tmp_path, size)
        compare(work, f"{size}", engine)
        assert assert_decided(work, made, method).slices() == slices


@settings(max_examples=2)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=5),
    st.integers(1, 3),
)
def test_any_scopes_sources_and_slices(units: list[tuple[int, int]], slices: int) -> None:
    scopes = [scope for scope, _ in units]
    with tempfile.TemporaryDirectory() as name:
        made = make_units(Path(name), scopes, sorted(one for _, one in units), ranked=True)
        for one in made:
            one.store()
        work = comparison(made, "clusters", Path(name), bytes_for(slices, made))
        compare(work, "f", Engine())
        assert_decided(work, made, "clusters")


def test_decisions_do_not_depend_on_the_order_of_arrival(tmp_path: Path) -> None:
    """A shuffle hands the blocks of a partition over in any order."""
    made = make_units(tmp_path, *CASES["three sources"], ranked=True)
    work = comparison(made, "clusters", tmp_path, 10**9)
    for one in made:
        one.store()
    blocks = [
        block
        for number in range(len(made))
        for _, block in shuffle._split(number, work, range(1), 0)
    ]
    assert len(blocks) == 5  # what has no keys sends nothing
    wanted = list(shuffle._decide(((0, 0), blocks), work, 0))
    for seed in range(5):
        random.Random(seed).shuffle(blocks)
        assert list(shuffle._decide(((0, 0), iter(blocks)), work, 0)) == wanted


@pytest.mark.parametrize("sources", [(0,), (0, 0, 1)])
def test_units_without_a_key_get_their_files(tmp_path: Path, sources: tuple[int, ...]) -> None:
    units = [KeyUnit(str(tmp_path), f"u{i}", 0, source) for i, source in enumerate(sources)]
    made = [Made(unit, ()) for unit in units]
    for one in made:
        one.store()
    work = comparison(made, "keep_first", tmp_path, 1000)
    compare(work, "f", Engine())
    decisions = assert_decided(work, made, "keep_first")
    assert decisions.summary() == Summary.empty(max(sources) + 1)


@pytest.fixture
def decided(tmp_path: Path) -> tuple[Comparison, list[Made]]:
    made = make_units(tmp_path, *CASES["one scope"], ranked=False)
    for one in made:
        one.store()
    work = comparison(made, "keep_first", tmp_path, bytes_for(2, made))
    compare(work, "first", Engine())
    return work, made


def test_what_is_decided_is_not_decided_again(decided: tuple[Comparison, list[Made]]) -> None:
    work, made = decided
    decisions = assert_decided(work, made, "keep_first")
    assert decisions.is_done("first")
    assert not decisions.is_done("second")
    marker = read_json(decisions.marker)
    assert marker["fingerprint"] == "first"
    assert marker["slices"] == 2
    assert marker["summary"]["keys"] == sum(len(one.keys) for one in made)
    files = {path: path.stat().st_mtime_ns for path in Path(work.folder).iterdir()}
    compare(work, "first", Engine())
    assert {path: path.stat().st_mtime_ns for path in Path(work.folder).iterdir()} == files


def test_another_fingerprint_decides_anew(decided: tuple[Comparison, list[Made]]) -> None:
    """A unit has other keys now, and partitions are larger: no file of the old slices stays."""
    work, made = decided
    before = {one.unit.name: Decisions(work.folder).digest(one.unit.full_name) for one in made}
    changed = replace(made[5], keys=made[5].keys[:-40])
    changed.store()
    made = [*made[:5], changed]
    work = replace(work, partition_bytes=10**9)
    compare(work, "second", Engine())
    assert assert_decided(work, made, "keep_first").slices() == 1
    after = {one.unit.name: Decisions(work.folder).digest(one.unit.full_name) for one in made}
    # The last unit's keys decide on itself alone: the other units need not be written again.
    assert [name for name in before if before[name] != after[name]] == ["u5"]


def test_decisions_cut_short_are_made_again(decided: tuple[Comparison, list[Made]]) -> None:
    """The marker is written last; a run that ended before leaves none."""
    work, made = decided
    decisions = Decisions(work.folder)
    Path(decisions.part("u0", 1)).unlink()
    Path(decisions.marker).unlink()
    assert not decisions.is_done("first")
    compare(work, "first", Engine())
    assert_decided(work, made, "keep_first")


def test_a_missing_decision_file_is_an_error_and_clear_leaves_nothing(
    decided: tuple[Comparison, list[Made]],
) -> None:
    work, _ = decided
    decisions = Decisions(work.folder)
    path = Path(decisions.part("u0", 0))
    data = path.read_bytes()
    path.write_bytes(data[:-3])
    with pytest.raises(ValueError, match="read"):
        decisions.read("u0")
    path.unlink()
    with pytest.raises(OSError, match="part-u0"):
        decisions.read("u0")
    decisions.clear()
    assert not list(Path(work.folder).iterdir())


def test_scopes_follow_file_order_groups_and_snapshots() -> None:
    units = [Unit(f"n{i}", "", f"f{i}", 1, group="s1" if i < 3 else "s2") for i in range(5)]
    assert scope_numbers(units, "all", 2) == [0, 0, 0, 0, 0]
    assert scope_numbers(units, "snapshot", 2) == [0, 0, 0, 1, 1]
    assert scope_numbers(units, "group", 2) == [0, 0, 1, 1, 2]
