"""Rows of BigQuery's tables whose values are anything: each costs itself, none ends the run."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.deduplication.decision_files import DECISIONS
from pipeline.readers.records import BadRecord
from pipeline.sources.github.contents import ReadContents
from pipeline.sources.github.meeting import to_bytes
from pipeline.sources.github.tables import TABLE_BYTES, TablePass
from pipeline.store.commit import Place
from pipeline.store.records import UnitRecord
from pipeline.store.units import Unit

LIMIT = 10_000


def table_of(folder: Path) -> TablePass:
    return TablePass("files", Place(str(folder / "out"), "tables", run="0" * 8), LIMIT)


def damaged(record: UnitRecord) -> dict[str, int]:
    return {name: number for name, number in record.extra.items() if name != TABLE_BYTES}


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    "mode",
    [
        *("99999999999999999999", '"99999999999999999999"', "-1", "65536", "1e400", "1e30", '"x"'),
        *("[33188]", '{"a": 1}', nested(1000)),
    ],
)
def test_modes_that_git_does_not_have(mode: str, tmp_path: Path) -> None:
    row = '{"repo_name": "a/b", "path": "%s", "id": "aa11", "mode": %s}\n'
    path = tmp_path / "files-0.jsonl"
    path.write_text(row % ("m.py", '"33188"') + row % ("n.py", mode) + row % ("o.py", "33188"))
    unit = Unit("u", str(path), path.name, path.stat().st_size)
    table = table_of(tmp_path)
    record = table.make(unit)
    keys = pq.read_table(table.place.full(record.of_kind("keys").name))
    assert keys.column("path").to_pylist() == ["m.py", "o.py"]
    assert damaged(record) == ({"malformed_row": 1} if mode != "1e400" else {"not_json": 1})
    assert record.input.lost == ""


@pytest.mark.parametrize("name", ["repo_name", "path", "id"])
def test_names_that_are_no_text(name: str, tmp_path: Path) -> None:
    values = {"repo_name": '"a/b"', "path": '"m.py"', "id": '"aa11"', "mode": "33188"}
    values[name] = nested(1000)
    path = tmp_path / "files-0.jsonl"
    path.write_text("{" + ", ".join(f'"{key}": {value}' for key, value in values.items()) + "}")
    record = table_of(tmp_path).make(Unit("u", str(path), path.name, path.stat().st_size))
    assert (record.of_kind("keys").rows, damaged(record)) == (0, {"malformed_row": 1})


def test_a_table_that_is_an_error_page(tmp_path: Path) -> None:
    path = tmp_path / "files-0.jsonl"
    path.write_text("<html>\n<body>\nGone\n</body>\n</html>\n")
    record = table_of(tmp_path).make(Unit("u", str(path), path.name, path.stat().st_size))
    assert damaged(record) == {"not_json": 1}
    assert (record.input.lost, record.input.lost_bytes) == ("not_json", path.stat().st_size)


def test_contents_whose_values_are_anything(tmp_path: Path) -> None:
    """Deeper than Python prints a list, in columns that are only told about."""
    deep = nested(1000)
    lines = [
        f'{{"id": {deep}, "size": 1, "content": "x", "binary": false}}',
        f'{{"id": "aa", "size": {deep}, "content": null, "binary": false}}',
        f'{{"id": "aa", "size": {deep}, "content": "x", "binary": true}}',
        '{"id": "aa", "size": "12", "content": "x", "binary": true}',
        '{"id": "aa", "size": "12", "content": "x\\ud83d", "binary": false}',
    ]
    data = "\n".join(lines).encode()
    chosen = pa.table(
        {
            "row": [1, 2, 3, 4],
            "repository": ["a/b"] * 4,
            "path": ["m.py"] * 4,
            "licence": ["MIT"] * 4,
            "reason": [""] * 4,
            "licensed": [1] * 4,
        }
    )
    decided = tmp_path / "chosen.arrow"
    decided.write_bytes(to_bytes(chosen))
    inputs = ((DECISIONS, str(decided)),)
    unit = Unit("u", "c.jsonl", "c.jsonl", len(data), inputs=inputs)
    found = list(ReadContents(LIMIT)(io.BytesIO(data), unit))
    assert [(one.reason, one.detail) for one in found if isinstance(one, BadRecord)] == [
        ("malformed_row", "id: list"),
        ("no_content", "? bytes"),
        ("binary", "? bytes"),
        ("binary", "12 bytes"),
        ("not_json", "no low surrogate in string: line 1 column 41 (char 40)"),
    ]
