"""The shuffle of deduplication: the same decisions however the key space is cut."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.components import MEMBER_ROW
from dedup.decisions import CANDIDATE, REMOVED, Summary, candidate_pairs, cluster_rows, removed_rows
from dedup.key_blocks import KeyBlock
from pipeline.deduplication import shuffle
from pipeline.deduplication.decision_files import Decisions, digest, finished, joined
from pipeline.deduplication.key_units import KeyUnit, write_key_units
from pipeline.deduplication.shuffle import Comparison, compare
from pipeline.passes.engine import Engine
from pipeline.passes.run import Run, running
from pipeline.passes.shuffle import PARTITIONS_PER_SLICE
from pipeline.sources.commoncrawl.paragraphs import scope_numbers
from pipeline.store.files import write_bytes
from pipeline.store.units import Unit

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
        write_bytes(self.unit.files[f"keys/{KIND}"], block.to_bytes())


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
        label = f"s{source}" if max(sources) else ""
        name = f"u{list(sources[:number]).count(source)}"
        unit = key_unit(folder, name, scope, source, label)
        made.append(Made(unit, tuple(keys), None if ranks is None else tuple(ranks)))
    return made


def key_unit(folder: Path, name: str, scope: int, source: int, label: str = "") -> KeyUnit:
    path = str(folder / f"d{source}" / f"{name}.keys")
    return KeyUnit(name, scope, source, label, {f"keys/{KIND}": path})


def run_in(folder: Path, engine: Engine | None = None) -> AbstractContextManager[Run]:
    return running(engine or Engine(), str(folder))


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


def comparison(made: Sequence[Made], method: str, folder: Path, size: int, run: Run) -> Comparison:
    decide, dtype = DECIDE[method]
    units = write_key_units(run.path(str(folder), "u.parquet"), [one.unit for one in made])
    return Comparison(units, KIND, decide, dtype, run.place(str(folder), "decisions"), size)


def decide(work: Comparison, made: Sequence[Made], fingerprint: str, run: Run) -> Decisions:
    keys: dict[int, int] = {}
    for one in made:
        keys[one.unit.scope] = keys.get(one.unit.scope, 0) + len(one.keys)
    return compare(work, keys, fingerprint, run)


def assert_decided(
    work: Comparison, made: Sequence[Made], method: str, fingerprint: str, slices: int
) -> Decisions:
    """What is recorded under a fingerprint is what plain Python finds, in so many slices."""
    decisions = finished(work.place, fingerprint)
    assert decisions is not None
    found = {name: unit.read() for name, unit in decisions.units.items()}
    assert {name: rows.tolist() for name, rows in found.items()} == expected(made, method)
    assert {rows.dtype for rows in found.values()} == {work.dtype}
    assert decisions.summary == summary_of(made)
    # A file for every unit and slice, and none for two.
    for name, unit in decisions.units.items():
        assert [Path(path).name.rsplit(".", 2)[0] for path in unit.paths] == [name] * slices
    paths = [path for unit in decisions.units.values() for path in unit.paths]
    assert len(set(paths)) == len(paths)
    return decisions


def decision_files(work: Comparison) -> set[str]:
    """Paths of all files with decisions, and of those not even finished."""
    folder = Path(work.place.folder("decisions"))
    return {str(path) for path in folder.rglob("*") if path.is_file()}


def named(decisions: Decisions) -> set[str]:
    return {path for unit in decisions.units.values() for path in unit.paths}


def times(folder: Path) -> dict[Path, int]:
    """When each file was written, but for the traces of runs."""
    files = [path for path in folder.rglob("*") if path.is_file() and "runs" not in path.parts]
    return {path: path.stat().st_mtime_ns for path in files}


# The scope and the source of each of six units.
CASES = {
    "one scope": ((0,) * 6, (0,) * 6),
    "three sources": ((0,) * 6, (0, 0, 1, 1, 1, 2)),
    "scopes and sources": ((0, 1, 0, 1, 0, 1), (0, 0, 0, 1, 2, 2)),
}


def bytes_for(slices: int, made: Sequence[Made]) -> int:
    """Partition bytes that make so many slices of the key space."""
    size = sum(len(one.keys) for one in made) * shuffle.BYTES_PER_KEY
    return -(-size // (slices * PARTITIONS_PER_SLICE))


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
        with run_in(tmp_path, engine) as run:
            work = comparison(made, method, tmp_path, size, run)
            decide(work, made, f"{size}", run)
        assert_decided(work, made, method, f"{size}", slices)


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
        size = bytes_for(slices, made)
        with run_in(Path(name)) as run:
            work = comparison(made, "clusters", Path(name), size, run)
            decisions = decide(work, made, "f", run)
        assert_decided(work, made, "clusters", "f", len(decisions.tables))


def test_decisions_do_not_depend_on_the_order_of_arrival(tmp_path: Path) -> None:
    """A shuffle hands the blocks of a partition over in any order."""
    made = make_units(tmp_path, *CASES["three sources"], ranked=True)
    for one in made:
        one.store()
    with run_in(tmp_path) as run:
        work = comparison(made, "clusters", tmp_path, 10**9, run)
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
    units = [key_unit(tmp_path, f"u{i}", 0, source) for i, source in enumerate(sources)]
    made = [Made(unit, ()) for unit in units]
    for one in made:
        one.store()
    with run_in(tmp_path) as run:
        work = comparison(made, "keep_first", tmp_path, 1000, run)
        decide(work, made, "f", run)
    decisions = assert_decided(work, made, "keep_first", "f", 1)
    assert decisions.summary == Summary.empty(max(sources) + 1)


@pytest.fixture
def decided(tmp_path: Path) -> tuple[Comparison, list[Made]]:
    made = make_units(tmp_path, *CASES["one scope"], ranked=False)
    for one in made:
        one.store()
    with run_in(tmp_path) as run:
        work = comparison(made, "keep_first", tmp_path, bytes_for(2, made), run)
        decide(work, made, "first", run)
    return work, made


def test_what_is_decided_is_not_decided_again(
    tmp_path: Path, decided: tuple[Comparison, list[Made]]
) -> None:
    work, made = decided
    decisions = assert_decided(work, made, "keep_first", "first", 2)
    assert finished(work.place, "second") is None
    assert decisions.summary.keys == sum(len(one.keys) for one in made)
    before = times(tmp_path)
    with run_in(tmp_path) as run:
        again = decide(work, made, "first", run)
    assert named(again) == named(decisions)
    assert times(tmp_path) == before


def test_another_fingerprint_decides_anew(
    tmp_path: Path, decided: tuple[Comparison, list[Made]]
) -> None:
    """A unit has other keys now, and partitions are larger: no file of the old slices stays."""
    work, made = decided
    before = assert_decided(work, made, "keep_first", "first", 2)
    changed = replace(made[5], keys=made[5].keys[:-40])
    changed.store()
    made = [*made[:5], changed]
    work = replace(work, partition_bytes=10**9)
    with run_in(tmp_path) as run:
        run.kept.append(decide(work, made, "second", run))
        after = assert_decided(work, made, "keep_first", "second", 1)
        assert decision_files(work) == named(before) | named(after)
        run.clean(str(tmp_path))
    assert decision_files(work) == named(after)
    assert finished(work.place, "first") is None
    assert_decided(work, made, "keep_first", "second", 1)
    # The last unit's keys decide on itself alone: the other units need not be written again.
    changes = [
        name for name in before.units if before.units[name].digest != after.units[name].digest
    ]
    assert changes == ["u5"]


@given(
    st.lists(st.tuples(*[st.integers(0, 2**32 - 1)] * 3), min_size=1, max_size=30, unique=True),
    st.lists(st.integers(0, 3), min_size=30, max_size=30),
    st.permutations(range(4)),
)
def test_a_digest_is_of_what_is_decided(
    rows: list[tuple[int, int, int]], parts: list[int], order: list[int]
) -> None:
    """Not of the numbers that units happen to have, nor of the parts of the key space."""
    with tempfile.TemporaryDirectory() as folder:
        digests = []
        for numbers, cut in ((list(range(4)), [0] * len(rows)), (order, parts)):
            names = [f"u{numbers.index(number)}" for number in range(4)]
            units = write_key_units(f"{folder}/{len(digests)}", [KeyUnit(name) for name in names])
            decided = np.empty(len(rows), MEMBER_ROW)
            for place, (row, size, kept) in enumerate(rows):
                decided[place] = (row, size, numbers[row % 4] << 32 | kept)
            of = np.array(cut[: len(rows)])
            digests.append(joined([digest(decided[of == part], units) for part in range(4)]))
        assert digests[0] == digests[1]
        for field in MEMBER_ROW.names or ():
            other = decided.copy()
            other[field][0] ^= 1
            assert digest(other, units) != digests[1]
        # The same row of another unit.
        decided["representative"][0] ^= np.uint64(1 << 32)
        assert digest(decided, units) != digests[1]


@pytest.mark.parametrize("lost", ["record", "file", "both"])
def test_decisions_cut_short_are_made_again(
    tmp_path: Path, decided: tuple[Comparison, list[Made]], lost: str
) -> None:
    """The record is written last, and vouches for nothing that is gone."""
    work, made = decided
    (record,) = Path(work.place.folder("done")).iterdir()
    before = assert_decided(work, made, "keep_first", "first", 2)
    if lost in ("file", "both"):
        Path(before.units["u0"].paths[1]).unlink()
    if lost in ("record", "both"):
        record.unlink()
    assert finished(work.place, "first") is None
    with run_in(tmp_path) as run:
        made_again = decide(work, made, "first", run)
    after = assert_decided(work, made, "keep_first", "first", 2)
    assert named(after) == named(made_again)
    assert not named(after) & named(before)


def test_a_missing_decision_file_is_an_error_and_cleaning_leaves_nothing(
    tmp_path: Path, decided: tuple[Comparison, list[Made]]
) -> None:
    work, made = decided
    unit = assert_decided(work, made, "keep_first", "first", 2).units["u0"]
    path = Path(unit.paths[0])
    data = path.read_bytes()
    path.write_bytes(data[:-3])
    with pytest.raises(ValueError, match="read"):
        unit.read()
    path.unlink()
    with pytest.raises(OSError, match="u0"):
        unit.read()
    with run_in(tmp_path) as run:
        run.clean(str(tmp_path))
    assert [path for path in (tmp_path / "work").rglob("*") if path.is_file()] == []


def test_scopes_follow_groups_of_names_and_snapshots() -> None:
    units = [Unit(f"n{i}", "", f"f{i}", 1, group="s1" if i < 3 else "s2") for i in range(5)]
    assert scope_numbers(units, "all", 2) == [0, 0, 0, 0, 0]
    assert scope_numbers(units, "snapshot", 2) == [0, 0, 0, 1, 1]
    assert scope_numbers(units, "group", 1) == [0, 1, 2, 3, 4]


def test_a_group_ends_where_its_last_name_says_so() -> None:
    """One file less changes its own group, and the one that it ended."""
    units = [Unit(f"n{i}", "", f"f{i}", 1) for i in range(300)]

    def groups(of: Sequence[Unit]) -> set[tuple[str, ...]]:
        numbers = scope_numbers(of, "group", 10)
        assert numbers[0] == 0
        assert {after - before for before, after in pairwise(numbers)} == {0, 1}
        found: dict[int, list[str]] = {}
        for unit, number in zip(of, numbers, strict=True):
            found.setdefault(number, []).append(unit.name)
        return {tuple(names) for names in found.values()}

    every = groups(units)
    assert 20 <= len(every) <= 45
    for missing in range(0, 300, 7):
        fewer = groups(units[:missing] + units[missing + 1 :])
        changed = every - fewer
        assert 1 <= len(changed) <= 2
        assert any(f"n{missing}" in group for group in changed)
