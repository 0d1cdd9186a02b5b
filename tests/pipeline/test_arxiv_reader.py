"""arXiv's bulk tars: every member becomes a document or a row that says why not."""

from __future__ import annotations

import io
import tarfile

import pytest

from filters.document import Document
from pipeline.readers.arxiv_bulk import read_arxiv
from pipeline.readers.records import BadRecord, Record


def bulk(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            if name.endswith("/"):
                member.type = tarfile.DIRTYPE
            if name.endswith("@"):
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def read(data: bytes, name: str = "arXiv_src_2001_001.tar", maximum: int = 1000) -> list[Record]:
    return list(read_arxiv(io.BytesIO(data), name, maximum))


@pytest.mark.parametrize(
    ("name", "identifier", "month"),
    [
        ("1406/1406.2692.gz", "1406.2692", "2014-06"),
        ("2004/2004.14974.gz", "2004.14974", "2020-04"),
        ("0704/0704.0001.gz", "0704.0001", "2007-04"),
        ("0001/astro-ph0001001.gz", "astro-ph/0001001", "2000-01"),
        ("9912/hep-th9912001.gz", "hep-th/9912001", "1999-12"),
        ("0512/math0512345.gz", "math/0512345", "2005-12"),
        ("1805/1805.90004.pdf", "1805.90004", "2018-05"),
        ("2001.00001v2.gz", "2001.00001", "2020-01"),
    ],
)
def test_names(name: str, identifier: str, month: str) -> None:
    (record,) = read(bulk({name: b"content"}))
    assert isinstance(record, Document)
    assert (record.id, record.raw) == (identifier, b"content")
    assert record.metadata["timestamp"] == month
    assert record.metadata["url"] == f"https://arxiv.org/abs/{identifier}"


def test_folders_links_and_others() -> None:
    data = bulk(
        {"2001/": b"", "2001/link@": b"", "2001/notes.txt": b"x", "2001/2001.00001.gz": b""}
    )
    link, other, paper = read(data)
    assert isinstance(link, BadRecord)
    assert link.reason == "symlink"
    assert isinstance(other, BadRecord)
    assert other.reason == "not_a_submission"
    assert isinstance(paper, Document)


def test_large_member_is_not_read_and_the_next_is() -> None:
    first, second = read(bulk({"2001/2001.00001.gz": b"x" * 5000, "2001/2001.00002.gz": b"y"}))
    assert isinstance(first, BadRecord)
    assert (first.id, first.reason) == ("2001.00001", "member_too_large")
    assert isinstance(second, Document)
    assert second.raw == b"y"


def test_a_submission_as_a_file_of_its_own() -> None:
    (record,) = read(b"content", "some/2001.00001.gz")
    assert isinstance(record, Document)
    assert (record.id, record.raw) == ("2001.00001", b"content")
    (record,) = read(b"x" * 1001, "2001.00001.gz")
    assert isinstance(record, BadRecord)
    assert record.reason == "member_too_large"


@pytest.mark.parametrize("cut", [100, 512, 700, 1100])
def test_truncated(cut: int) -> None:
    members = {"2001/2001.00001.gz": b"x" * 600, "2001/2001.00002.gz": b"y" * 600}
    records = read(bulk(members)[:cut])
    assert isinstance(records[-1], BadRecord)
    assert records[-1].reason in ("truncated_tar", "malformed_tar")
    assert all(isinstance(record, Document) for record in records[:-1])


def test_cut_between_members() -> None:
    members = {"2001/2001.00001.gz": b"x" * 512, "2001/2001.00002.gz": b"y"}
    first, rest = read(bulk(members)[:1024])
    assert isinstance(first, Document)
    assert isinstance(rest, BadRecord)
    assert rest.reason == "truncated_tar"


@pytest.mark.parametrize("data", [b"not a tar" * 200, b"\x1f\x8b" + b"\0" * 2000, b"\xff" * 3000])
def test_no_tar(data: bytes) -> None:
    (record,) = read(data)
    assert isinstance(record, BadRecord)
    assert record.reason == "malformed_tar"


def test_damage_in_the_middle_keeps_what_is_before() -> None:
    data = bytearray(bulk({"2001/2001.00001.gz": b"x", "2001/2001.00002.gz": b"y"}))
    data[1024:1500] = b"\xff" * 476
    first, rest = read(bytes(data))
    assert isinstance(first, Document)
    assert isinstance(rest, BadRecord)
    assert rest.reason == "malformed_tar"


def test_header_that_claims_gigabytes() -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 5 << 30
    (record,) = read(header.tobuf(tarfile.GNU_FORMAT) + b"\0" * 5000)
    assert isinstance(record, BadRecord)
    assert record.reason == "malformed_tar"
