"""WET reading: CCNet's view of a conversion record."""

from __future__ import annotations

import gzip
import io

from hypothesis import given
from hypothesis import strategies as st

from filters.document import Document
from pipeline.readers.records import BadRecord, Record, SkippedRecord
from pipeline.readers.wet import read_wet, split_lines


def record(body: str, *, kind: str = "conversion", extra: str = "") -> bytes:
    block = body.encode()
    return (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: http://a.example/\r\n"
        f"WARC-Date: 2024-05-18T01:58:10Z\r\nWARC-Record-ID: <urn:uuid:1>\r\n{extra}"
        f"WARC-Block-Digest: sha1:D\r\nContent-Length: {len(block)}\r\n\r\n"
    ).encode() + (block + b"\r\n\r\n")


def read(data: bytes, *, title_in_text: bool = False) -> list[Record]:
    return list(
        read_wet(io.BytesIO(data), title_in_text=title_in_text, maximum_record_bytes=20_000_000)
    )


def test_first_line_is_the_title():
    (document,) = read(record(" Title \n  first\t\n\nsecond \n"))
    assert isinstance(document, Document)
    assert document.text == "first\n\nsecond"
    assert document.id == "urn:uuid:1"
    assert document.metadata == {
        "url": "http://a.example/",
        "title": "Title",
        "timestamp": "2024-05-18T01:58:10Z",
        "digest": "sha1:D",
        "content_length": 26,
        "line_count": 3,
    }


def test_title_in_text_as_c4_has_it():
    (document,) = read(record("Title\nfirst\n"), title_in_text=True)
    assert isinstance(document, Document)
    assert document.text == "Title\nfirst"
    assert document.metadata["title"] == "Title"


def test_headers_are_found_by_name():
    # Since 2020 there is one header more, and not at the end.
    languages = "WARC-Identified-Content-Language: spa,eng\r\n"
    (document,) = read(gzip.compress(record("T\nx\n", extra=languages)))
    assert isinstance(document, Document)
    assert document.metadata["declared_languages"] == "spa,eng"
    assert document.metadata["digest"] == "sha1:D"


def test_other_records():
    kinds = ["warcinfo", "metadata", "request", "response", "invented"]
    records = read(b"".join(record("x", kind=kind) for kind in kinds))
    assert records[:3] == [SkippedRecord(kind) for kind in kinds[:3]]
    bad = [item.reason for item in records[3:] if isinstance(item, BadRecord)]
    assert bad == ["response", "unknown_record_type"]


def test_lines_as_ccnet_reads_them():
    # The line breaks that close a record count as lines of it.
    assert split_lines(b"T\na\nb\n") == ("T", ["a", "b"])
    assert split_lines(b"T\na\nb") == ("T", ["a", "b", ""])
    assert split_lines(b"T\na\n\n") == ("T", ["a", ""])
    assert split_lines(b"T") == ("T", [""])
    assert split_lines(b"") == ("", [])
    assert split_lines(b"T\r\na\rb\r\n") == ("T", ["a", "b"])
    assert split_lines("T\n\u00a0x\u3000\n".encode()) == ("T", ["x"])
    assert split_lines(b"T\n\xff\n") == ("T", ["\ufffd"])


def test_damage_costs_one_record():
    damaged = bytearray(gzip.compress(record("T\nlost\n" * 50)))
    damaged[len(damaged) // 2] ^= 0xFF
    whole = gzip.compress(record("T\nkept\n"))
    before, bad, after = read(whole + bytes(damaged) + whole)
    assert isinstance(before, Document)
    assert isinstance(after, Document)
    assert isinstance(bad, BadRecord)
    assert bad.reason == "corrupt_gzip"


@given(st.text(alphabet="ab \t\n\r\u00a0é", max_size=60))
def test_text_has_stripped_lines_only(body):
    (document,) = read(record(body))
    assert isinstance(document, Document)
    assert all(line == line.strip() for line in document.text.split("\n"))
    assert document.metadata["title"] == document.metadata["title"].strip()
