"""Documents that no shard can hold: each is rejected alone, and the rejects can be written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dedup_data import COLUMNS
from hypothesis import given
from hypothesis import strategies as st

from filters.document import Document
from pipeline.passes.batch import Batch, RejectedDocument
from pipeline.passes.shards import (
    REJECTED_SCHEMA,
    Columns,
    ShardWriter,
    document_schema,
    read_rejected,
    rejected_row,
)
from pipeline.passes.stages import READ, Batching, read_unit
from pipeline.passes.writable import MAXIMUM_NESTING, writable_rows
from pipeline.recipe import RECIPES, load_recipe
from pipeline.sources.c4.source import COLUMNS as C4_COLUMNS
from pipeline.sources.c4.source import ReadC4
from pipeline.store import files
from pipeline.store.accounting import Funnel, StageCount
from pipeline.store.units import Unit

SCHEMA = document_schema(
    Columns(
        {**COLUMNS.metadata, "tags": pa.list_(pa.string())},
        {**COLUMNS.signals, "lines": pa.int32(), "count": pa.int64()},
    )
)
SURROGATE = "half \ud83d"


def nested(levels: int, inner: Any = 1) -> Any:
    for _ in range(levels):
        inner = [inner]
    return inner


def batch_of(*documents: Document) -> Batch:
    batch = Batch(Unit("u", "in/u", "u", 1), 0, documents=list(documents))
    size = sum(len(one.text or "") for one in documents)
    count = len(documents)
    batch.counts = {name: StageCount(count, count, size, size) for name in (READ, "last")}
    batch.keys = {"lines": [np.array([number], np.uint64) for number in range(count)]}
    return batch


def good(number: int) -> Document:
    return Document(f"good{number}", "test", "Wool.", {"title": "T", "other": {"a": [1.5, None]}})


def write(path: Path, schema: pa.Schema, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    file = files.NewFile(str(path))
    writer = ShardWriter(file, schema, 100)
    for row in rows:
        writer.add(row)
    writer.close()
    file.publish()
    return pq.read_table(path).to_pylist()


BAD: dict[str, tuple[Mapping[str, Any], str, str]] = {
    "extra nested too deep": ({"metadata": {"x": nested(300)}}, "nesting", "extra"),
    "signal nested too deep": ({"signals": {"x": nested(300)}}, "nesting", "extra"),
    "nested deeper than Python goes": ({"metadata": {"x": nested(5000)}}, "nesting", "extra"),
    "a number of 65 bits": ({"metadata": {"x": {"y": 1 << 64}}}, "number", "extra"),
    "a negative one": ({"metadata": {"x": -(1 << 63) - 1}}, "number", "extra"),
    "a huge one for a column": ({"signals": {"count": 10**30}}, "number", "count"),
    "too large for its column": ({"signals": {"lines": 1 << 40}}, "value", "lines"),
    "half a character in the text": ({"text": SURROGATE}, "text", "text"),
    "in the id": ({"id": SURROGATE}, "text", "id"),
    "in a column": ({"metadata": {"title": SURROGATE}}, "text", "title"),
    "in a list": ({"metadata": {"tags": ["a", SURROGATE]}}, "text", "tags"),
    "in extra": ({"metadata": {"x": {"y": SURROGATE}}}, "text", "extra"),
    "as a key": ({"metadata": {"x": {SURROGATE: 1}}}, "text", "extra"),
    "a list for a text": ({"metadata": {"title": ["a"]}}, "value", "title"),
    "a text for a number": ({"signals": {"quality": "high"}}, "value", "quality"),
    "a list too deep for its column": ({"metadata": {"tags": [["a"]]}}, "value", "tags"),
    "bytes that are no text": ({"metadata": {"url": b"\xff"}}, "value", "url"),
    "no source": ({"source": None}, "value", "source"),
    "what JSON does not have": ({"metadata": {"x": {1, 2}}}, "value", "extra"),
}


@pytest.mark.parametrize("case", BAD)
def test_one_such_document_is_rejected_alone(case: str, tmp_path: Path) -> None:
    changed, kind, column = BAD[case]
    bad = Document(**{"id": "bad", "source": "test", "text": "Wool.", **changed})
    batch = batch_of(good(0), bad, good(2))
    rows = writable_rows(batch, SCHEMA, "last")
    assert [document.id for document in batch.documents] == ["good0", "good2"]
    assert [keys.tolist() for keys in batch.keys["lines"]] == [[0], [2]]
    (rejected,) = batch.rejected
    assert (rejected.stage, rejected.reason) == ("last", f"unwritable_{kind}")
    assert rejected.detail.startswith(f"{column}: ")
    funnel = Funnel()
    batch.add_to(funnel)
    funnel.check("here")
    assert [row["id"] for row in write(tmp_path / "a.parquet", SCHEMA, rows)] == ["good0", "good2"]
    (row,) = write(tmp_path / "b.parquet", REJECTED_SCHEMA, [rejected_row(rejected)])
    assert row["id"] == ("half \\ud83d" if column == "id" else "bad")
    assert next(iter(read_rejected(str(tmp_path / "b.parquet")))).reason == f"unwritable_{kind}"


def test_what_can_be_written_is_left(tmp_path: Path) -> None:
    # Two more are around it: `metadata`, and what holds both.
    deep = nested(MAXIMUM_NESTING - 2)
    largest = Document("a", "t", "x\0", {"x": deep, "y": [(1 << 64) - 1, -(1 << 63), 1e300]})
    batch = batch_of(largest, good(1), Document("c", "t", ""))
    rows = writable_rows(batch, SCHEMA, "last")
    assert not batch.rejected
    found = write(tmp_path / "a.parquet", SCHEMA, rows)
    assert [row["id"] for row in found] == ["a", "good1", "c"]
    assert json.loads(found[0]["extra"])["metadata"] == {"x": deep, "y": largest.metadata["y"]}
    deeper = batch_of(Document("a", "t", "x", {"x": [deep]}))
    assert writable_rows(deeper, SCHEMA, "last") == []
    assert deeper.rejected[0].reason == "unwritable_nesting"


def test_a_batch_that_counts_nothing_of_its_own() -> None:
    """As all but the first of a unit, where a pass has no stage."""
    batch = batch_of(good(0), Document("bad", "t", SURROGATE))
    batch.counts = {}
    batch.keys = {}
    assert len(writable_rows(batch, SCHEMA, "read")) == 1
    assert batch.counts["read"].documents_out == -1
    assert batch.rejected[0].stage == "read"


def test_an_empty_batch() -> None:
    assert writable_rows(batch_of(), SCHEMA, "last") == []


TEXT = st.text(st.characters(), max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
NAMES = ["title", "tags", "quality", "lines", "count", "url", "other"]
VALUES = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=3)
DOCUMENTS = st.builds(Document, TEXT, TEXT, TEXT, VALUES, VALUES)


@given(st.lists(DOCUMENTS, max_size=5))
def test_anything_is_written_or_rejected(documents: list[Document]) -> None:
    batch = batch_of(*documents)
    rows = writable_rows(batch, SCHEMA, "last")
    assert len(rows) == len(batch.documents) == len(documents) - len(batch.rejected)
    pa.Table.from_pylist(rows, schema=SCHEMA).validate(full=True)
    rejects = pa.Table.from_pylist([rejected_row(one) for one in batch.rejected], REJECTED_SCHEMA)
    rejects.validate(full=True)
    for signals in rejects["signals"].drop_null().to_pylist():
        assert isinstance(orjson.loads(signals), dict)


def test_rejects_with_signals_that_json_does_not_have(tmp_path: Path) -> None:
    signals = {"fine": 0.5, "deep": nested(300), "large": 1 << 70, SURROGATE: SURROGATE, "t": "x"}
    half, url = SURROGATE, f"http://{SURROGATE}"
    row = RejectedDocument(half, url, "s", "r", half, signals, 1, half)
    write(tmp_path / "a.parquet", REJECTED_SCHEMA, [rejected_row(row)])
    (found,) = read_rejected(str(tmp_path / "a.parquet"))
    assert found.id == found.detail == found.text == "half \\ud83d"
    assert found.url == "http://half \\ud83d"
    assert found.signals == {
        "fine": 0.5,
        "deep": "unwritable list",
        "large": "unwritable int",
        "half \\ud83d": "unwritable str",
        "t": "x",
    }


def test_text_that_is_fine_stays_as_it_is() -> None:
    row = rejected_row(RejectedDocument("a\ufffd", "b", "s", "r", "", {}, 1, "x\ufffd\0"))
    assert (row["id"], row["text"]) == ("a\ufffd", "x\ufffd\0")


def test_a_line_of_c4_that_is_nested_too_deep(tmp_path: Path) -> None:
    line = '{"url": "http://example.com/%s", "text": "One good page of text.", "links": %s}\n'
    deep, large = "[" * 300 + "]" * 300, "99999999999999999999"
    path = tmp_path / "deep.jsonl"
    path.write_text(line % ("a", "1") + line % ("b", deep) + line % ("c", large))
    unit = Unit("u", str(path), path.name, path.stat().st_size)
    settings = load_recipe(str(RECIPES / "llama1.toml")).c4
    (batch,) = read_unit(unit, ReadC4(settings), Batching(100, 10_000, 0.0))
    schema = document_schema(C4_COLUMNS)
    first, third = write(tmp_path / "a.parquet", schema, writable_rows(batch, schema, READ))
    assert [row["url"] for row in (first, third)] == [
        "http://example.com/a",
        "http://example.com/c",
    ]
    # RFC 8259, section 6: a number of more bits than a double has is read as the nearest one.
    assert json.loads(third["extra"]) == {"metadata": {"fields": {"links": 1e20}}}
    assert [(row.id, row.url, row.stage, row.reason) for row in batch.rejected] == [
        ("deep.jsonl#2", "http://example.com/b", "read", "unwritable_nesting")
    ]
    funnel = Funnel()
    batch.add_to(funnel)
    funnel.check("here")
    assert funnel.kept == 2
