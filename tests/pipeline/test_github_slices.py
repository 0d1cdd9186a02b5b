"""A large Parquet table cut at its row groups: the same rows, under the same numbers."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from dataset_files import every_step, leftovers, paths, rows
from github_data import CODE, content_row, write_parquet, write_tables
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.main import main
from pipeline.readers.tables import DamagedRows, Row, read_rows, split_parquet
from pipeline.store.accounting import read_json
from pipeline.store.base import FileInfo
from pipeline.store.units import Unit, open_unit, part_of, unit_of

COLUMNS = ("id", "content", "nothing")
LIMIT = 10_000
ROWS = [content_row(f"{CODE}# {number}\n") for number in range(40)]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("slices") / "contents-000000000000.parquet"
    write_parquet(path, "contents", ROWS, row_group_size=4)
    return path


def whole(path: Path) -> Unit:
    return unit_of(FileInfo(str(path), path.name, path.stat().st_size))


def read_part(path: Path, part: tuple[int, int]) -> list[Row]:
    unit = part_of(whole(path), part)
    return list(read_rows(io.BufferedReader(open_unit(unit)), unit, COLUMNS, LIMIT))


@given(target=st.integers(1, 5000))
def test_slices_cover_the_file_and_its_rows(table: Path, target: int) -> None:
    parts = split_parquet(whole(table), target)
    assert parts[0][0] == 0
    assert [sum(part) for part in parts] == [
        *(start for start, _ in parts[1:]),
        table.stat().st_size,
    ]
    assert all(length >= target for _, length in parts[:-1])
    found = [row for part in parts for row in read_part(table, part)]
    expected = [
        (number, {"id": row["id"], "content": row["content"], "nothing": None})
        for number, row in enumerate(ROWS)
    ]
    assert found == expected


def test_as_many_slices_as_row_groups_at_most(table: Path) -> None:
    size = table.stat().st_size
    assert len(split_parquet(whole(table), 1)) == 10
    assert split_parquet(whole(table), size) == [(0, size)]


def test_a_damaged_footer_leaves_the_file_whole(table: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "a.parquet"
    damaged.write_bytes(table.read_bytes()[:-5])
    size = damaged.stat().st_size
    assert split_parquet(whole(damaged), 1) == [(0, size)]


def test_a_damaged_group_costs_itself(table: Path, tmp_path: Path) -> None:
    data = bytearray(table.read_bytes())
    group = pq.read_metadata(table).row_group(5).column(2)
    start = group.dictionary_page_offset or group.data_page_offset
    data[start : start + 40] = b"\xff" * 40
    damaged = tmp_path / "a.parquet"
    damaged.write_bytes(data)
    parts = split_parquet(whole(damaged), 1)
    found = [row for part in parts for row in read_part(damaged, part)]
    lost = [row for row in found if isinstance(row, DamagedRows)]
    assert [(row.reason, 20 <= row.row < 24) for row in lost] == [("malformed_parquet", True)]
    kept = {row[0] for row in found if not isinstance(row, DamagedRows)}
    assert set(range(20)) | set(range(24, 40)) <= kept


def test_slices_and_workers_give_the_same_documents(tmp_path: Path) -> None:
    source = write_tables(tmp_path / "in", "parquet", parts=1)
    outputs = []
    for number, workers, slices in ((0, 1, 10**9), (1, 1, 1), (2, 2, 1)):
        output = tmp_path / f"out{number}"
        arguments = ["run", "github", "--input", str(source), "--output", str(output)]
        arguments += ["--set", f"github.input.slice_bytes={slices}", "--workers", str(workers)]
        assert main(arguments) == 0
        outputs.append(output)
    found = [
        [
            sorted(rows(output, kind), key=lambda row: row["id"])
            for kind in ("documents", "rejected")
        ]
        for output in outputs
    ]
    assert found[0] == found[1]
    assert [len(paths(output)) for output in outputs] == [1, 3, 3]
    assert [leftovers(output) for output in outputs] == [[], [], []]
    assert every_step(outputs[1]) == every_step(outputs[2])
    manifests = [read_json(str(output / "manifest.json"))["documents"] for output in outputs]
    assert manifests == [3, 3, 3]
