"""Rows of BigQuery's tables whose values are anything: each costs itself, none ends the run."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pipeline.accounting import read_json
from pipeline.units import Unit

from pipeline.github.contents import ReadContents
from pipeline.github.meeting import to_bytes
from pipeline.github.tables import TablePass
from pipeline.readers.records import BadRecord

LIMIT = 10_000


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
    table = TablePass("files", str(tmp_path / "out"), "f", LIMIT)
    table.make(unit)
    assert pq.read_table(table.path(unit)).column("path").to_pylist() == ["m.py", "o.py"]
    stats = read_json(str(tmp_path / "out" / "stats" / "part-u.json"))
    assert stats["damaged"] == ({"malformed_row": 1} if mode != "1e400" else {"not_json": 1})
    assert stats["lost_bytes"] == {}


@pytest.mark.parametrize("name", ["repo_name", "path", "id"])
def test_names_that_are_no_text(name: str, tmp_path: Path) -> None:
    values = {"repo_name": '"a/b"', "path": '"m.py"', "id": '"aa11"', "mode": "33188"}
    values[name] = nested(1000)
    path = tmp_path / "files-0.jsonl"
    path.write_text("{" + ", ".join(f'"{key}": {value}' for key, value in values.items()) + "}")
    table = TablePass("files", str(tmp_path / "out"), "f", LIMIT)
    table.make(Unit("u", str(path), path.name, path.stat().st_size))
    stats = read_json(str(tmp_path / "out" / "stats" / "part-u.json"))
    assert (stats["outputs"]["keys"]["rows"], stats["damaged"]) == (0, {"malformed_row": 1})


def test_a_table_that_is_an_error_page(tmp_path: Path) -> None:
    path = tmp_path / "files-0.jsonl"
    path.write_text("<html>\n<body>\nGone\n</body>\n</html>\n")
    table = TablePass("files", str(tmp_path / "out"), "f", LIMIT)
    table.make(Unit("u", str(path), path.name, path.stat().st_size))
    stats = read_json(str(tmp_path / "out" / "stats" / "part-u.json"))
    assert stats["damaged"] == {"not_json": 1}
    assert stats["lost_bytes"] == {"not_json": path.stat().st_size}


def test_contents_whose_values_are_anything(tmp_path: Path) -> None:
    """Deeper than Python prints a list, in columns that are only told about."""
    deep = nested(1000)
    lines = [
        f'{{"id": {deep}, "size": 1, "content": "x", "binary": false}}',
        f'{{"id": "aa", "size": {deep}, "content": null, "binary": false}}',
        f'{{"id": "aa", "size": {deep}, "content": "x", "binary": true}}',
        '{"id": "aa", "size": "12", "content": "x", "binary": true}',
    ]
    data = "\n".join(lines).encode()
    chosen = pa.table(
        {
            "row": [1, 2, 3],
            "repository": ["a/b"] * 3,
            "path": ["m.py"] * 3,
            "licence": ["MIT"] * 3,
            "reason": [""] * 3,
            "licensed": [1] * 3,
        }
    )
    (tmp_path / "chosen").mkdir()
    (tmp_path / "chosen" / "part-u.0.arrow").write_bytes(to_bytes(chosen))
    unit = Unit("u", "c.jsonl", "c.jsonl", len(data))
    found = list(ReadContents(str(tmp_path), 1, LIMIT)(io.BytesIO(data), unit))
    assert [(one.reason, one.detail) for one in found if isinstance(one, BadRecord)] == [
        ("malformed_row", "id: list"),
        ("no_content", "? bytes"),
        ("binary", "? bytes"),
        ("binary", "12 bytes"),
    ]
