"""WARC reading: every record accounted for, whatever happens to the file."""

from __future__ import annotations

import gzip
import io
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.document import Document
from pipeline.readers.records import BadRecord, Record, SkippedRecord
from pipeline.readers.warc import parse_date, read_warc

PAGE = b"<html><body><p>Some text of a page.</p></body></html>"
LIMIT = 1 << 20


def http(
    body: bytes = PAGE, *, status: str = "200 OK", content_type: str = "text/html", extra: str = ""
) -> bytes:
    head = f"HTTP/1.1 {status}\r\n"
    head += f"Content-Type: {content_type}\r\n" if content_type else ""
    return (head + extra + "\r\n").encode() + body


def record(
    number: int,
    block: bytes | None = None,
    *,
    kind: str = "response",
    length: int | str | None = None,
    version: str = "1.0",
    date: str = "2020-08-08T17:27:41Z",
    extra: str = "",
) -> bytes:
    block = http() if block is None else block
    declared = len(block) if length is None else length
    return (
        f"WARC/{version}\r\nWARC-Type: {kind}\r\nWARC-Date: {date}\r\n"
        f"WARC-Record-ID: <urn:uuid:{number}>\r\nWARC-Target-URI: http://a.example/{number}\r\n"
        f"{extra}Content-Length: {declared}\r\n\r\n"
    ).encode() + (block + b"\r\n\r\n")


def read(data: bytes, limit: int = LIMIT) -> list[Record]:
    return list(read_warc(io.BytesIO(data), maximum_record_bytes=limit))


def read_one(block: bytes, **options: str) -> Record:
    (only,) = read(record(1, block, **options))  # type: ignore[arg-type]
    return only


def ids(records: list[Record]) -> list[str]:
    return [item.id for item in records if isinstance(item, Document)]


def reasons(records: list[Record]) -> list[str]:
    return [item.reason for item in records if isinstance(item, BadRecord)]


def pack_plain(records: list[bytes]) -> bytes:
    return b"".join(records)


def pack_members(records: list[bytes]) -> bytes:
    return b"".join(gzip.compress(item) for item in records)


def pack_one_member(records: list[bytes]) -> bytes:
    return gzip.compress(b"".join(records))


PACKINGS = [pack_plain, pack_members, pack_one_member]


@pytest.mark.parametrize("pack", PACKINGS)
@pytest.mark.parametrize("version", ["0.18", "1.0", "1.1"])
def test_reads_every_packing_and_version(pack, version):
    records = read(pack([record(n, version=version) for n in range(5)]))
    assert ids(records) == [f"urn:uuid:{n}" for n in range(5)]
    assert all(isinstance(item, Document) and item.raw == PAGE for item in records)


def test_document_says_what_the_record_says():
    block = http(content_type='Text/HTML; Charset="EUC-JP"')
    digest = "WARC-Payload-Digest: sha1:ABC\r\n"
    document = read_one(block, extra=digest)
    assert isinstance(document, Document)
    assert (document.id, document.source, document.text) == ("urn:uuid:1", "commoncrawl", "")
    assert document.metadata == {
        "url": "http://a.example/1",
        "timestamp": "2020-08-08T17:27:41Z",
        "content_type": "text/html",
        "http_charset": "euc-jp",
        "http_status": 200,
        "digest": "sha1:ABC",
    }


def test_malformed_date_is_kept_as_declared():
    document = read_one(http(), date="2008-10-294T05:21:46-0700")
    assert isinstance(document, Document)
    assert document.metadata["timestamp"] == ""
    assert document.metadata["declared_date"] == "2008-10-294T05:21:46-0700"


@pytest.mark.parametrize(
    ("declared", "timestamp"),
    [
        ("2020-08-08T17:27:41Z", "2020-08-08T17:27:41Z"),
        ("2020-08-08T17:27:41.123456Z", "2020-08-08T17:27:41Z"),
        ("2020-08-08T17:27:41+02:00", "2020-08-08T15:27:41Z"),
        ("2020-13-08T17:27:41Z", ""),
        ("0001-01-01T00:00:00+23:00", ""),
        ("", ""),
    ],
)
def test_dates(declared, timestamp):
    assert parse_date(declared) == timestamp


@pytest.mark.parametrize(
    ("block", "options", "reason"),
    [
        (http(content_type="image/png"), {}, "not_html"),
        (http(b"plain", content_type=""), {}, "not_html"),
        (http(status="404 Not Found"), {}, "http_status"),
        (http(status="301 Moved"), {}, "http_status"),
        (b"not a response at all", {}, "not_http"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html", {}, "not_http"),
        (b"", {"kind": "revisit"}, "revisit"),
        (b"", {"kind": "resource"}, "resource"),
        (b"", {"kind": "conversion"}, "conversion"),
        (b"", {"kind": "continuation"}, "continuation"),
        (b"", {"kind": "invented"}, "unknown_record_type"),
    ],
)
def test_records_that_are_no_page(block, options, reason):
    bad = read_one(block, **options)
    assert isinstance(bad, BadRecord)
    assert (bad.reason, bad.id, bad.url) == (reason, "urn:uuid:1", "http://a.example/1")


@pytest.mark.parametrize("kind", ["request", "warcinfo", "metadata"])
def test_records_that_carry_no_page_by_design(kind):
    assert read_one(b"anything", kind=kind) == SkippedRecord(kind)


def test_html_without_content_type_is_recognised():
    assert isinstance(read_one(http(b"<!DOCTYPE html><p>x", content_type="")), Document)
    identified = "WARC-Identified-Payload-Type: text/html\r\n"
    assert isinstance(read_one(http(b"<p>x", content_type=""), extra=identified), Document)


def test_missing_id_gives_a_stable_one():
    data = record(1).replace(b"WARC-Record-ID: <urn:uuid:1>\r\n", b"")
    first, again = read(data)[0], read(data)[0]
    moved = read(record(2) + data)[1]
    assert isinstance(first, Document)
    assert isinstance(again, Document)
    assert isinstance(moved, Document)
    assert first.id == again.id != moved.id


def test_url_in_angle_brackets():
    data = record(1).replace(b"http://a.example/1", b"<http://a.example/1>")
    (document,) = read(data)
    assert isinstance(document, Document)
    assert document.metadata["url"] == "http://a.example/1"


def test_chunked_and_compressed_bodies():
    import brotli  # noqa: PLC0415 - comes with FastWARC

    squeezer = zlib.compressobj(wbits=-15)
    codings = {
        "gzip": gzip.compress(PAGE),
        "deflate": zlib.compress(PAGE),
        "Deflate": squeezer.compress(PAGE) + squeezer.flush(),
        "br": brotli.compress(PAGE),
        "identity": PAGE,
    }
    for coding, body in codings.items():
        chunks = b"".join(
            b"%x;x=1\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:]) if part
        )
        encoded = f"Content-Encoding: {coding}\r\n"
        chunked = encoded + "Transfer-Encoding: chunked\r\n"
        for block in (http(body, extra=encoded), http(chunks + b"0\r\n\r\n", extra=chunked)):
            document = read_one(block)
            assert isinstance(document, Document), coding
            assert document.raw == PAGE


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_body_decoded_already_stays(coding):
    headers = f"Content-Encoding: {coding}\r\nTransfer-Encoding: chunked\r\n"
    document = read_one(http(extra=headers))
    assert isinstance(document, Document)
    assert document.raw == PAGE


def test_broken_content_encoding():
    page = bytes(range(256)) * 40
    cut = gzip.compress(page)[:-300]
    block = http(cut, extra="Content-Encoding: gzip\r\n")
    bad = read_one(block)
    assert isinstance(bad, BadRecord)
    assert bad.reason == "bad_content_encoding"
    # The crawler cut it: what can be had is kept, and said.
    document = read_one(block, extra="WARC-Truncated: length\r\n")
    assert isinstance(document, Document)
    assert document.metadata["truncated"] == "length"
    assert page.startswith(document.raw)
    assert document.raw


def test_body_larger_than_allowed_once_decoded():
    block = http(gzip.compress(b"x" * 5000), extra="Content-Encoding: gzip\r\n")
    (bad,) = read(record(1, block), limit=1000)
    assert isinstance(bad, BadRecord)
    assert bad.reason == "record_too_large"


@pytest.mark.parametrize("pack", PACKINGS)
def test_record_too_large_is_passed_over(pack):
    records = read(pack([record(1), record(2, http(b"<html>" + b"y" * 900_000)), record(3)]), 5000)
    assert [type(item) for item in records] == [Document, BadRecord, Document]
    assert records[1] == BadRecord(
        "urn:uuid:2",
        "http://a.example/2",
        "record_too_large",
        records[1].detail,  # type: ignore[union-attr]
    )


class CountingStream(io.BytesIO):
    largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.largest = max(self.largest, len(data))
        return data


def test_file_is_read_in_pieces():
    stream = CountingStream(record(1, http(b"<html>" + b"z" * 5_000_000)))
    (bad,) = read_warc(stream, maximum_record_bytes=1000)
    assert isinstance(bad, BadRecord)
    assert bad.reason == "record_too_large"
    assert stream.largest <= 1 << 18


@pytest.mark.parametrize("pack", PACKINGS)
@pytest.mark.parametrize("error", [-30, -1, 9, 60, 700, 10**9, 10**12, "x", "-5", ""])
def test_wrong_content_length_costs_one_record(pack, error):
    length = len(http()) + error if isinstance(error, int) else error
    records = read(pack([record(1), record(2, length=length), record(3), record(4)]))
    assert ids(records) == ["urn:uuid:1", "urn:uuid:3", "urn:uuid:4"]
    assert reasons(records) == ["wrong_content_length"]
    assert records[1].id == "urn:uuid:2"  # type: ignore[union-attr]


@pytest.mark.parametrize("pack", PACKINGS)
def test_garbage_between_records(pack):
    records = [record(1), b"garbage \x00\xff" * 30, record(2)]
    if pack is pack_members:
        data = gzip.compress(records[0]) + records[1] + gzip.compress(records[2])
    else:
        data = pack(records)
    result = read(data)
    assert ids(result) == ["urn:uuid:1", "urn:uuid:2"]
    assert reasons(result) == ["garbage"]


def test_corrupt_member_costs_one_record():
    members = [gzip.compress(record(n, http(PAGE * 50))) for n in range(4)]
    for position in range(len(members[2])):
        damaged = bytearray(members[2])
        damaged[position] ^= 0xFF
        result = read(b"".join([*members[:2], bytes(damaged), members[3]]))
        # Time, flags and system in the gzip header matter to nobody.
        if len(ids(result)) < 4:
            assert ids(result) == ["urn:uuid:0", "urn:uuid:1", "urn:uuid:3"], position
            assert reasons(result) in (["corrupt_gzip"], ["garbage"]), position


def test_truncated_files():
    plain = [record(n) for n in range(3)]
    members = [gzip.compress(item) for item in plain]
    cut = read(b"".join(members)[: -len(members[2]) // 2])
    assert ids(cut) == ["urn:uuid:0", "urn:uuid:1"]
    assert reasons(cut) == ["truncated_gzip"]
    cut = read(b"".join(plain)[:-40])
    assert ids(cut) == ["urn:uuid:0", "urn:uuid:1"]
    assert reasons(cut) == ["truncated_record"]
    assert cut[2].id == "urn:uuid:2"  # type: ignore[union-attr]
    cut = read(b"".join(plain)[: -len(plain[2]) + 30])
    assert reasons(cut) == ["bad_warc_header"]


def test_one_member_cut_in_the_middle_keeps_what_is_before():
    records = [record(n, http(bytes([65 + n]) * 3000)) for n in range(30)]
    data = pack_one_member(records)
    result = read(data[: len(data) * 2 // 3])
    assert ids(result) == [f"urn:uuid:{n}" for n in range(len(ids(result)))]
    assert len(ids(result)) >= 15
    assert reasons(result) == ["truncated_gzip"]


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", gzip.compress(b"", mtime=0)])
def test_nothing(data):
    assert read(data) == []


@pytest.mark.parametrize("data", [b"nonsense " * 50, b"\x1f\x8b\x08 no gzip", b"WARC/1.0\r\n"])
def test_no_warc_at_all(data):
    result = read(data)
    assert len(result) == len(reasons(result)) == 1


@given(st.data())
@settings(max_examples=150)
def test_damage_never_raises_nor_reaches_back(data):
    pack = data.draw(st.sampled_from([pack_plain, pack_members]))
    records = [record(n, http(PAGE * 3)) for n in range(6)]
    whole = pack(records)
    at = data.draw(st.integers(0, len(whole) - 1))
    inserted = data.draw(st.binary(max_size=40))
    deleted = data.draw(st.integers(0, 300))
    result = read(whole[:at] + inserted + whole[at + deleted :])
    before = 0
    while before < 6 and len(pack(records[: before + 1])) <= at:
        before += 1
    assert ids(result)[:before] == [f"urn:uuid:{n}" for n in range(before)]


@given(st.binary(max_size=400))
@settings(max_examples=100)
def test_any_bytes_after_a_magic(noise):
    for start in (b"", b"WARC/1.0\r\n", b"\x1f\x8b\x08", record(1)):
        assert all(isinstance(item, Document | BadRecord) for item in read(start + noise))
