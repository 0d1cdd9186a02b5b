"""JSON Lines: every line accounted for, whatever is wrong with it or with the file."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import tracemalloc
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.jsonl import JsonLine, read_jsonl
from pipeline.readers.records import BadRecord

LIMIT = 1000
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def read(data: bytes, name: str = "a.jsonl", limit: int = LIMIT) -> list[JsonLine | BadRecord]:
    return list(read_jsonl(io.BytesIO(data), name=name, maximum_line_bytes=limit))


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


def outcomes(records: list[JsonLine | BadRecord]) -> list[str]:
    return [one.reason if isinstance(one, BadRecord) else "object" for one in records]


def test_ids_count_lines_from_one() -> None:
    first, second = read(b'{"text": "a"}\n\n{"text": "b", "n": 1}')
    assert first == JsonLine("a.jsonl#1", {"text": "a"})
    assert second == JsonLine("a.jsonl#3", {"text": "b", "n": 1})


def test_a_bad_line_costs_itself_only() -> None:
    lines = [b'{"text": "a"}', b"{", b"[1]", b'{"t": "\xff"}', b'{"t": "\\ud800"}', b'{"text": ""}']
    records = read(b"\n".join(lines))
    assert outcomes(records) == [
        "object",
        "not_json",
        "not_object",
        "not_json",
        "not_json",
        "object",
    ]


def test_text_of_a_field() -> None:
    (line,) = read(b'{"text": "a", "url": 1}')
    assert isinstance(line, JsonLine)
    assert (line.text("text"), line.text("url"), line.text("none")) == ("a", "", "")


def test_long_lines_are_passed_over() -> None:
    long = json.dumps({"text": "x" * 5000}).encode()
    exact = b'{"text": "' + b"y" * (LIMIT - 12) + b'"}'
    assert len(exact) == LIMIT
    records = read(b"\n".join([long, exact, long, b"{}"]))
    assert outcomes(records) == ["line_too_long", "object", "line_too_long", "object"]
    assert records[0] == BadRecord("a.jsonl#1", "", "line_too_long", "5013 bytes > 1000")


def test_byte_order_mark_and_windows_line_ends() -> None:
    assert outcomes(read(b'\xef\xbb\xbf{"text": "a"}\r\n{"text": "b"}\r\n\r\n')) == ["object"] * 2


def test_utf_16_is_read() -> None:
    assert outcomes(read('{"text": "ä"}\n'.encode("utf-16"))) == ["object"]


@pytest.mark.parametrize(
    ("compress", "name"),
    [(gzip.compress, "a.json.gz"), (bz2.compress, "a.jsonl.bz2"), (zstd, "a.jsonl.zst")],
)
class TestCompressed:
    LINES = b'{"text": "a"}\n' * 300

    def test_is_read_whatever_its_name_says(self, compress, name) -> None:
        for called in (name, "a.jsonl", "a.json.gz"):
            assert outcomes(read(compress(self.LINES), called)) == ["object"] * 300

    def test_several_members(self, compress, name) -> None:
        data = compress(self.LINES) + compress(self.LINES)
        assert outcomes(read(data, name)) == ["object"] * 600

    def test_truncated(self, compress, name) -> None:
        lines = b"".join(b'{"n": %d}\n' % (number * 7919 % 100_003) for number in range(50_000))
        data = compress(lines)
        counts = Counter(outcomes(read(data[: len(data) * 2 // 3], name)))
        (reason,) = set(counts) - {"object", "not_json"}
        assert reason.startswith("truncated_")
        assert counts[reason] == 1
        # bzip2 and Zstandard work in large blocks; what came before the cut is there.
        assert counts["object"] > 0 or compress is not gzip.compress

    def test_corrupt(self, compress, name) -> None:
        data = compress(self.LINES)
        broken = data[:10] + bytes(byte ^ 0xFF for byte in data[10:])
        reasons = set(outcomes(read(broken, name))) - {"object", "not_json"}
        assert len(reasons) == 1
        assert reasons.pop().startswith(("malformed_", "truncated_"))

    def test_a_bomb_is_never_held(self, compress, name) -> None:
        data = compress(b'{"text": "' + b"x" * 60_000_000 + b'"}\n{}\n')
        tracemalloc.start()
        records = read(data, name)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert outcomes(records) == ["line_too_long", "object"]
        assert peak < 20_000_000


def test_not_compressed_although_the_name_says_so() -> None:
    assert outcomes(read(b'{"text": "a"}\n', "a.json.gz")) == ["object"]
    assert outcomes(read(b"no json at all", "a.json.gz")) == ["malformed_gzip"]


def test_deep_nesting_is_no_recursion() -> None:
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    assert outcomes(read(deep + b"\n{}", limit=2_000_000)) == ["not_json", "object"]


@given(st.binary(max_size=300))
def test_never_raises(data: bytes) -> None:
    read(data)
    read(data, "a.json.gz")
    read(gzip.compress(data))
    read(b"\x28\xb5\x2f\xfd" + data)


@given(st.lists(st.dictionaries(TEXT, TEXT | st.integers(-(2**63), 2**63 - 1))))
def test_objects_come_back(objects: list[dict[str, object]]) -> None:
    data = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects).encode()
    found = [one.fields for one in read(data, limit=10**6) if isinstance(one, JsonLine)]
    assert found == objects
