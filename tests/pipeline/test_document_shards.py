"""Foreign Parquet as documents: text in every type, bytes that are no text, damage."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dedup_data import COLUMNS, deduplicate, document
from hypothesis import given
from hypothesis import strategies as st

from filters.document import Document
from pipeline.cli.main import main
from pipeline.errors import InputError
from pipeline.models.training_texts import languages_of, read_texts
from pipeline.passes.shards import ShardWriter, batches_of, document_row, document_schema
from pipeline.readers.document_shards import DocumentShard, columns_of, plain_type
from pipeline.readers.records import BadRecord
from pipeline.store import files

BROKEN = b"caf\xe9 \xff"


def stream_of(table: pa.Table, **options: Any) -> io.BytesIO:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **options)
    return io.BytesIO(buffer.getvalue())


def documents(table: pa.Table) -> list[Document | BadRecord]:
    return list(DocumentShard("in/part-7.parquet", stream_of(table)).documents())


def foreign(folder: Path, table: pa.Table) -> Path:
    (folder / "documents").mkdir(parents=True)
    pq.write_table(table, folder / "documents" / "part-0.parquet")
    return folder


def unchecked(values: Sequence[bytes | None]) -> pa.Array:
    """A column that says it is text, as other programs write it, whatever bytes it has."""
    return pa.array(values, pa.binary()).view(pa.string())


TYPES: dict[str, Callable[[list[str | None]], pa.Array]] = {
    "string": lambda values: pa.array(values, pa.string()),
    "large_string": lambda values: pa.array(values, pa.large_string()),
    "string_view": lambda values: pa.array(values, pa.string_view()),
    "dictionary": lambda values: pa.array(values, pa.string()).dictionary_encode(),
    "binary": lambda values: pa.array(values, pa.string()).cast(pa.binary()),
    "large_binary": lambda values: pa.array(values, pa.string()).cast(pa.large_binary()),
    "binary_view": lambda values: pa.array(values, pa.string()).cast(pa.binary_view()),
    "binary dictionary": lambda values: (
        pa.array(values, pa.string()).cast(pa.binary()).dictionary_encode()
    ),
}


@pytest.mark.parametrize("kind", TYPES)
def test_text_of_every_type(kind: str) -> None:
    make = TYPES[kind]
    table = pa.table(
        {
            "id": make(["a", "b", "c", None]),
            "text": make(["één", "", None, "of nobody"]),
            "url": make([None, "http://b", None, "http://d"]),
            "title": make(["A", None, "C", "D"]),
        }
    )
    first, second, third, fourth = documents(table)
    assert isinstance(first, Document)
    assert (first.id, first.text) == ("a", "één")
    # Bytes in a column that need not be text stay bytes.
    assert first.metadata == {"title": b"A" if "binary" in kind else "A"}
    assert second == Document("b", "", "", {"url": "http://b"})
    assert third == BadRecord("c", "", "no_text")
    assert fourth == BadRecord("part-7.parquet#3", "http://d", "no_id")


@pytest.mark.parametrize("kind", [pa.string(), pa.binary(), pa.large_string(), pa.binary_view()])
def test_bytes_that_are_no_text_cost_their_row(kind: pa.DataType) -> None:
    raw = pa.array([b"one", BROKEN, b"three", b"four"], pa.binary())
    text = raw.view(pa.string()) if kind == pa.string() else raw
    if kind == pa.large_string():
        text = raw.cast(pa.large_binary()).view(pa.large_string())
    elif kind == pa.binary_view():
        text = raw.cast(pa.binary_view())
    ids = unchecked([b"a", b"b", b"\xff", b"d"])
    first, second, third, fourth = documents(pa.table({"id": ids, "text": text}))
    assert (first, fourth) == (Document("a", "", "one"), Document("d", "", "four"))
    assert isinstance(second, BadRecord)
    assert isinstance(third, BadRecord)
    assert (second.id, second.reason) == ("b", "invalid_utf8")
    assert second.detail.startswith("text: 'utf-8' codec can't decode byte 0xe9 in position 3")
    assert (third.id, third.reason) == ("part-7.parquet#2", "invalid_utf8")
    assert third.detail.startswith("id: ")


def test_other_columns_that_are_no_text_cost_their_row_too() -> None:
    tags = pa.ListArray.from_arrays([0, 1, 2, 2], unchecked([b"fine", b"\xff"]))
    table = pa.table({"id": ["a", "b", "c"], "text": ["x", "y", "z"], "tags": tags})
    first, second, third = documents(table)
    assert first == Document("a", "", "x", {"tags": ["fine"]})
    assert isinstance(second, BadRecord)
    assert (second.reason, second.detail[:5]) == ("invalid_utf8", "tags:")
    assert third == Document("c", "", "z", {"tags": []})


@pytest.mark.parametrize(
    "extra", ["not json", "[1]", '{"metadata": 3}', '{"signals": [1]}', "{" * 2000]
)
def test_extra_that_is_not_ours(tmp_path: Path, extra: str) -> None:
    table = pa.table({"id": ["a", "b"], "text": ["x", "y"], "extra": [extra, "{}"]})
    first, second = documents(table)
    assert isinstance(first, BadRecord)
    assert (first.id, first.reason, first.detail) == ("a", "malformed_extra", extra[:200])
    assert second == Document("b", "", "y")
    path = foreign(tmp_path, table) / "documents" / "part-0.parquet"
    with pytest.raises(InputError, match=r"column 'extra' of .* rename the column"):
        columns_of(str(path))


def test_times_are_iso_8601() -> None:
    moment = datetime(2020, 1, 2, 3, 4, 5, 600_000)
    east = timezone(timedelta(hours=2))
    for values, kind, expected in (
        ([moment], pa.timestamp("ns"), "2020-01-02T03:04:05"),
        ([moment.replace(tzinfo=east)], pa.timestamp("us", "+02:00"), "2020-01-02T01:04:05Z"),
        ([moment.date()], pa.date32(), "2020-01-02"),
        ([2020], pa.int16(), "2020"),
    ):
        columns = {"id": [1], "text": ["x"], "timestamp": pa.array(values, kind)}
        assert documents(pa.table(columns)) == [Document("1", "", "x", {"timestamp": expected})]


def test_a_time_that_python_does_not_have() -> None:
    far = pa.array([0, 10**15], pa.timestamp("ms"))
    fine = pa.array([1, 1_999], pa.timestamp("ns"))
    columns = {"id": ["a", "b"], "text": ["x", "y"], "seen": far, "fine": fine}
    first, second = documents(pa.table(columns))
    assert isinstance(first, Document)
    assert first.metadata == {"seen": datetime(1970, 1, 1), "fine": datetime(1970, 1, 1)}
    assert isinstance(second, BadRecord)
    assert (second.id, second.reason) == ("part-7.parquet#1", "unreadable_value")


def test_rows_keep_their_numbers_over_batches_and_groups() -> None:
    count = 700
    text = unchecked([b"\xff" if number % 300 == 299 else b"x" for number in range(count)])
    table = pa.table({"id": [str(number) for number in range(count)], "text": text})
    shard = DocumentShard("a", stream_of(table, row_group_size=350))
    batches = list(shard.batches(["text"]))
    assert [batch.first for batch in batches] == [0, 256, 350, 606]
    bad = [batch.first + place for batch in batches for place in batch.reasons]
    assert bad == [299, 599]
    assert [batch.first for batch in shard.batches(["id"], groups=[1])] == [350, 606]
    found = documents(table)
    assert [n for n, one in enumerate(found) if isinstance(one, BadRecord)] == [299, 599]


def test_columns_that_are_not_there_are_null() -> None:
    shard = DocumentShard("a", stream_of(pa.table({"id": ["a"], "text": ["x"]})))
    (batch,) = shard.batches(["url", "text"])
    assert batch.rows.to_pylist() == [{"url": None, "text": "x"}]
    assert not batch.reasons


@given(st.lists(st.binary(max_size=6), max_size=8))
def test_any_bytes(values: list[bytes]) -> None:
    table = pa.table({"id": [str(n) for n in range(len(values))], "text": unchecked(values)})
    for value, found in zip(values, documents(table), strict=True):
        if isinstance(found, Document):
            assert found.text.encode() == value
        else:
            assert found.reason == "invalid_utf8"
            with pytest.raises(UnicodeDecodeError):
                value.decode()


def test_types_are_plain() -> None:
    nested = pa.struct([("a", pa.large_list(pa.dictionary(pa.int8(), pa.large_string())))])
    assert plain_type(nested) == pa.struct([("a", pa.list_(pa.string()))])
    assert plain_type(pa.uuid()) == pa.binary(16)
    # Python has no nanoseconds.
    assert plain_type(pa.timestamp("ns", "UTC")) == pa.timestamp("us", "UTC")
    assert plain_type(pa.float32()) == pa.float32()


def test_columns_are_those_that_a_writer_takes(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": ["a"],
            "text": ["x"],
            "language": TYPES["dictionary"](["en"]),
            "kind": TYPES["dictionary"](["k"]),
            "tags": pa.array([["t"]], pa.large_list(pa.string_view())),
            "score": pa.array([0.5], pa.float32()),
        }
    )
    path = foreign(tmp_path, table) / "documents" / "part-0.parquet"
    columns = columns_of(str(path))
    assert columns.metadata == {
        "kind": pa.string(),
        "tags": pa.list_(pa.string()),
        "score": pa.float32(),
    }
    schema = document_schema(columns)
    file = files.NewFile(str(tmp_path / "again.parquet"))
    writer = ShardWriter(file, schema, 10)
    (found,) = documents(table)
    assert isinstance(found, Document)
    writer.add(document_row(found, schema))
    writer.close()
    file.publish()
    with files.open_read(str(tmp_path / "again.parquet")) as handle:
        assert list(DocumentShard("a shard", handle).documents()) == [found]


def test_our_own_documents_come_back(tmp_path: Path) -> None:
    given = document("a", "text", 0.5, title="T", url="http://a", other="not a column")
    schema = document_schema(COLUMNS)
    file = files.NewFile(str(tmp_path / "a.parquet"))
    writer = ShardWriter(file, schema, 10)
    writer.add(document_row(given, schema))
    writer.close()
    file.publish()
    with files.open_read(str(tmp_path / "a.parquet")) as handle:
        assert list(DocumentShard("a shard", handle).documents()) == [given]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no Parquet file, or is damaged"),
        (b"x", "is no Parquet file, or is damaged"),
        (b"PAR1" * 100, "is no Parquet file, or is damaged"),
    ],
)
def test_what_is_no_parquet(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        DocumentShard("a", io.BytesIO(content))
    with pytest.raises(InputError, match=message):
        list(batches_of(io.BytesIO(content)))


def test_a_file_damaged_in_the_middle() -> None:
    table = pa.table({"id": ["a"] * 500, "text": ["xyz" * 50] * 500})
    data = bytearray(stream_of(table).getvalue())
    data[10:200] = b"\xff" * 190
    shard = DocumentShard("in/a.parquet", io.BytesIO(bytes(data)))
    with pytest.raises(InputError, match=r"in/a\.parquet is no Parquet file, or is damaged"):
        list(shard.documents())


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"id": ["a"]}), "has no column text"),
        (pa.table({"words": ["a"]}), "has no column id and no column text"),
        (pa.table({"id": ["a"], "text": [["x"]]}), r"column 'text' of in/part-7.* holds list"),
        (
            pa.Table.from_arrays([pa.array(["a"])] * 3, names=["id", "text", "text"]),
            "has two columns 'text'",
        ),
    ],
)
def test_what_is_no_document_shard(table: pa.Table, message: str) -> None:
    with pytest.raises(InputError, match=message):
        documents(table)


@pytest.mark.parametrize("method", ["exact", "minhash", "overlap", "lines"])
@pytest.mark.parametrize("kind", ["string", "large_string", "string_view", "dictionary"])
def test_deduplication_of_every_type(tmp_path: Path, kind: str, method: str) -> None:
    texts: list[str | None] = ["one two three four", "five six seven eight", "one two three four"]
    table = pa.table({"id": ["a", "b", "c"], "text": TYPES[kind](texts)})
    given = {"one": foreign(tmp_path / "in", table)}
    result = deduplicate(method, given, tmp_path / "out", "--foreign")
    assert result.texts("one") == {"a": texts[0], "b": texts[1]}


def test_models_are_trained_on_what_is_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": ["a", "b", "c", "d"],
            "text": unchecked([b"one", BROKEN, b"three", None]),
            "language": TYPES["binary"](["en", "en", "de", "en"]),
        }
    )
    folder = foreign(tmp_path / "in", table)
    with pytest.raises(InputError, match="if --foreign is given"):
        list(read_texts([str(folder)]))
    deduplicate("exact", {"one": folder}, tmp_path / "out", "--foreign")
    rejected = pq.read_table(tmp_path / "out" / "one" / "rejected").to_pylist()
    assert {row["id"]: row["reason"] for row in rejected} == {"b": "invalid_utf8", "d": "no_text"}
    ours = str(tmp_path / "out" / "one")
    assert list(read_texts([ours], ["en"])) == ["one"]
    assert languages_of([ours]) == ["de", "en"]


def test_a_stray_file_among_documents(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = foreign(tmp_path / "in", pa.table({"id": ["a"], "text": ["x"], "url": ["u"]}))
    deduplicate("exact", {"one": folder}, tmp_path / "out", "--foreign")
    ours = tmp_path / "out" / "one"
    # What no manifest names is no part of a dataset; where there is none, it is what was given.
    (ours / "documents" / "x.parquet").write_bytes(b"x")
    assert main(["shards", "head", str(ours)]) == 0
    (folder / "documents" / "x.parquet").write_bytes(b"x")
    again = ["dedup", "exact", "--foreign", "--input", f"two={folder}"]
    assert main([*again, "--output", str(tmp_path / "again")]) == 2
    assert "x.parquet is no Parquet file, or is damaged" in capsys.readouterr().err
