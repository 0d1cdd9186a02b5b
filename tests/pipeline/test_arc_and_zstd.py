"""Crawls that are not WARC in gzip: ARC files, Zstandard with and without a dictionary."""

from __future__ import annotations

import gzip
import io
import struct

import pytest
import zstandard

from filters.document import Document
from pipeline.readers.arc import read_arc
from pipeline.readers.inflated import Inflated
from pipeline.readers.records import BadRecord, Record, SkippedRecord
from pipeline.readers.warc import read_warc

PAGE = b"<html><body><p>Some text of a page.</p></body></html>"
HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE
LIMIT = 1 << 20


def warc_record(number: int) -> bytes:
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Date: 2020-08-08T17:27:41Z\r\n"
        f"WARC-Record-ID: <urn:uuid:{number}>\r\nWARC-Target-URI: http://a.example/{number}\r\n"
        f"Content-Length: {len(HTTP)}\r\n\r\n"
    )
    return head.encode() + HTTP + b"\r\n\r\n"


def arc_record(number: int, body: bytes = HTTP, *, url: str = "", length: int = -1) -> bytes:
    url = url or f"http://a.example/{number}"
    size = len(body) if length < 0 else length
    return f"{url} 1.2.3.4 20050102030405 text/html {size}\n".encode() + body + b"\n"


VERSION = arc_record(0, b"1 0 InternetArchive\nURL IP-address\n", url="filedesc://x.arc")


def read(data: bytes) -> list[Record]:
    return list(read_warc(io.BytesIO(data), maximum_record_bytes=LIMIT))


def read_arcs(data: bytes) -> list[Record]:
    return list(read_arc(io.BytesIO(data), maximum_record_bytes=LIMIT))


def ids(records: list[Record]) -> list[str]:
    return [record.metadata["url"] for record in records if isinstance(record, Document)]


def test_zstandard_one_frame_a_record_and_all_in_one():
    frame = zstandard.ZstdCompressor().compress
    records = [warc_record(number) for number in (1, 2, 3)]
    for data in (b"".join(map(frame, records)), frame(b"".join(records))):
        found = read(data)
        assert ids(found) == [f"http://a.example/{number}" for number in (1, 2, 3)]
        assert all(isinstance(record, Document) and record.raw == PAGE for record in found)


@pytest.mark.parametrize("packed", [False, True])
def test_zstandard_with_a_dictionary_in_front(packed: bool):
    samples = [warc_record(number)[:300] for number in range(2000)]
    dictionary = zstandard.train_dictionary(1000, samples)
    content = dictionary.as_bytes()
    content = zstandard.ZstdCompressor().compress(content) if packed else content
    frame = zstandard.ZstdCompressor(dict_data=dictionary).compress
    front = b"\x5d\x2a\x4d\x18" + struct.pack("<I", len(content)) + content
    assert len(ids(read(front + frame(warc_record(1)) + frame(warc_record(2))))) == 2


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_damage_in_zstandard_is_named_and_hides_nothing_before_it(damage: str):
    frame = zstandard.ZstdCompressor(write_checksum=True).compress
    first, second = frame(warc_record(1)), frame(warc_record(2))
    broken = second[:-9] if damage == "cut" else second[:60] + b"\xff\xff\xff" + second[63:]
    found = read(first + broken)
    assert ids(found)[:1] == ["http://a.example/1"]
    reasons = [record.reason for record in found if isinstance(record, BadRecord)]
    assert ("truncated_zstd" if damage == "cut" else "corrupt_zstd") in reasons


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_arc(pack):
    found = read_arcs(pack(VERSION) + pack(arc_record(1)) + pack(arc_record(2)))
    assert found[0] == SkippedRecord("filedesc")
    assert ids(found) == ["http://a.example/1", "http://a.example/2"]
    page = found[1]
    assert isinstance(page, Document)
    assert page.raw == PAGE
    assert page.metadata["timestamp"] == "2005-01-02T03:04:05Z"
    assert page.metadata["http_status"] == 200
    assert len({record.id for record in found[1:]}) == 2  # type: ignore[union-attr]


def test_arc_of_version_2():
    line = f"http://a.example/9 1.2.3.4 20050102030405 text/html 200 ABC - 12 x.arc {len(HTTP)}\n"
    assert ids(read_arcs(VERSION + line.encode() + HTTP + b"\n")) == ["http://a.example/9"]


def test_arc_damage_is_named():
    lost = read_arcs(VERSION + arc_record(1) + b"no header here\n" + arc_record(2))
    assert [record.reason for record in lost if isinstance(record, BadRecord)] == ["bad_arc_header"]
    assert ids(lost) == ["http://a.example/1", "http://a.example/2"]
    cut = read_arcs((VERSION + arc_record(1))[:-30])
    assert isinstance(cut[-1], BadRecord)
    assert cut[-1].reason == "truncated_record"
    packed = read_arcs(gzip.compress(VERSION) + gzip.compress(arc_record(1))[:-12])
    assert [r.reason for r in packed if isinstance(r, BadRecord)][-1] == "truncated_gzip"
    large = arc_record(1, HTTP + b"x" * LIMIT) + arc_record(2)
    found = read_arcs(VERSION + large)
    assert [r.reason for r in found if isinstance(r, BadRecord)] == ["record_too_large"]
    assert ids(found) == ["http://a.example/2"]


def test_a_bomb_is_inflated_in_pieces():
    bomb = Inflated(io.BytesIO(zstandard.ZstdCompressor().compress(b"\0" * (1 << 28))))
    assert len(bomb.read(1000)) == 1000
    assert bomb.read(1) == b"\0"
