"""Books from files, archives and JSON Lines; archives that must not hurt."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from typing import BinaryIO, cast

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.books.html_edition import DIVIDER
from filters.document import Document
from pipeline.readers.archive_members import ArchiveSettings
from pipeline.readers.books import read_books, refusals
from pipeline.readers.records import BadRecord, Record, SkippedRecord
from pipeline.readers.tar_members import is_safe
from pipeline.store.base import FileInfo

SETTINGS = ArchiveSettings(
    maximum_member_bytes=100_000, maximum_growth=20, maximum_directory_bytes=10_000
)
TEXT = b"The mill stood by the weir.\n" * 40


def read(*parts: tuple[str, bytes]) -> list[Record]:
    stream = io.BufferedReader(cast(io.RawIOBase, io.BytesIO(b"".join(data for _, data in parts))))
    files = [FileInfo(name, name, len(data)) for name, data in parts]
    return list(read_books(cast(BinaryIO, stream), files, SETTINGS))


def summary(records: list[Record]) -> list[str]:
    """Ids of documents, and reasons of the rest."""
    return [
        record.id if isinstance(record, Document) else f"-{record.reason}" for record in records
    ]


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return packed.getvalue()


def tarred(members: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.type, info.linkname = len(content), kind, "x"
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def zstd(data: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(data))


BOOKS = {"a/1.txt": TEXT, "a/2.TXT": TEXT[:100], "b/cover.jpg": b"x", "README.txt": b"x"}
PACKAGES: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "books.zip": zipped,
    "books.tar": tarred,
    "books.tar.gz": lambda members: gzip.compress(tarred(members)),
    "books.tgz": lambda members: gzip.compress(tarred(members)),
    "books.tar.bz2": lambda members: bz2.compress(tarred(members)),
    "books.tar.zst": lambda members: zstd(tarred(members)),
}


@pytest.mark.parametrize("name", PACKAGES)
def test_every_package_gives_the_same_books(name: str) -> None:
    records = read((name, PACKAGES[name](BOOKS)))
    assert summary(records) == [
        f"{name}/a/1.txt",
        f"{name}/a/2.TXT",
        "-not_txt",
        "-not_named_like_a_book",
    ]
    first = records[0]
    assert isinstance(first, Document)
    assert (first.raw, first.metadata) == (TEXT, {"path": first.id, "form": "text"})


def test_files_of_a_group_follow_one_another() -> None:
    records = read(
        ("1.txt", TEXT),
        ("2.txt", b""),
        ("3.zip", zipped(BOOKS)),
        ("4.txt", b"x" * 100_001),
        ("5.zip", b""),
        ("6.txt", TEXT[:60]),
    )
    assert summary(records) == [
        "1.txt",
        "-empty_file",
        "3.zip/a/1.txt",
        "3.zip/a/2.TXT",
        "-not_txt",
        "-not_named_like_a_book",
        "-too_large",
        "-empty_file",
        "6.txt",
    ]
    assert isinstance(records[-1], Document)
    assert records[-1].raw == TEXT[:60]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("1.txt.utf-8", TEXT),
        ("1.txt.utf8", TEXT),
        ("1.TXT.gz", gzip.compress(TEXT)),
        ("1.txt.utf-8.gz", gzip.compress(TEXT)),
        ("1.txt.zst", zstd(TEXT)),
        ("1-h.htm.bz2", bz2.compress(TEXT)),
        ("1-h.html.utf8", TEXT),
    ],
)
def test_names_that_texts_have(name: str, data: bytes) -> None:
    (document,) = read((name, data))
    assert isinstance(document, Document)
    assert (document.id, document.raw) == (name, TEXT)
    assert document.metadata["form"] == ("html" if "htm" in name else "text")


def test_packed_texts_that_are_damaged_or_too_large() -> None:
    whole = gzip.compress(TEXT, mtime=0)
    assert summary(read(("1.txt.gz", whole[:-9]))) == ["-truncated_gzip"]
    assert summary(read(("1.txt.gz", b"nonsense"))) == ["-malformed_gzip"]
    assert summary(read(("1.txt.gz", gzip.compress(b" " * 100_001)))) == ["-too_large"]


def test_a_zip_of_tars_is_read_as_a_stream() -> None:
    inner = {"cache/epub/1/pg1.txt": TEXT, "cache/epub/2/pg2.txt": TEXT, "../3.txt": TEXT}
    packed = zipped({"txt-files.tar": tarred(inner), "4.txt": TEXT, "5.tar.gz": b"nonsense"})
    assert summary(read(("all.zip", packed))) == [
        "all.zip/txt-files.tar/cache/epub/1/pg1.txt",
        "all.zip/txt-files.tar/cache/epub/2/pg2.txt",
        "-unsafe_name",
        "all.zip/4.txt",
        "-malformed_gzip",
    ]
    # Larger than a member may be, and never held at once.
    many = {f"{number}.txt": bytes([65 + number % 26]) * 90_000 for number in range(90)}
    packed = zipped({"txt-files.tar": tarred(many)}, zipfile.ZIP_STORED)
    tracemalloc.start()
    stream = io.BytesIO(packed)
    found = sum(1 for _ in read_books(stream, [FileInfo("a.zip", "a.zip", len(packed))], SETTINGS))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == 90
    assert peak < 5_000_000 < len(packed)


PACKAGE = """<package xmlns="http://www.idpf.org/2007/opf"><metadata
 xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The Mill</dc:title>
<dc:creator>Ada Weir</dc:creator><dc:creator>Bo Weir</dc:creator><dc:language>en-GB</dc:language>
<dc:rights>Public domain in the USA.</dc:rights></metadata><manifest>
<item id="two" href="two%20b.xhtml" media-type="application/xhtml+xml"/>
<item id="one" href="one.xhtml" media-type="application/xhtml+xml"/>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="cover" href="cover.png" media-type="image/png"/></manifest>
<spine><itemref idref="nav"/><itemref idref="one"/><itemref idref="two"/></spine></package>"""
BOOK_FILES = {
    "META-INF/container.xml": b"<container xmlns='urn:oasis:names:tc:opendocument:xmlns:container'>"
    b"<rootfiles><rootfile full-path='OPS/package.opf'/></rootfiles></container>",
    "OPS/package.opf": PACKAGE.encode(),
    "OPS/one.xhtml": b"<html><body><p>One.</p></body></html>",
    "OPS/two b.xhtml": b"<html><body><p>Two.</p></body></html>",
    "OPS/nav.xhtml": b"<html><body><p>Contents.</p></body></html>",
}


def test_an_epub_is_its_files_in_the_order_of_reading() -> None:
    (document,) = read(("mill.epub", zipped(BOOK_FILES)))
    assert isinstance(document, Document)
    assert document.raw.split(DIVIDER) == [
        BOOK_FILES["OPS/one.xhtml"],
        BOOK_FILES["OPS/two b.xhtml"],
    ]
    assert document.metadata == {
        "path": "mill.epub",
        "form": "epub",
        "title": "The Mill",
        "author": "Ada Weir, Bo Weir",
        "language": "en",
        "licence": "Public domain in the USA.",
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"OPS/one.xhtml": None}, "malformed_epub"),
        ({"META-INF/container.xml": None}, "malformed_epub"),
        ({"META-INF/container.xml": b"<container/>"}, "malformed_epub"),
        ({"OPS/package.opf": b"<package"}, "malformed_epub"),
        ({"OPS/package.opf": PACKAGE.replace("itemref", "x").encode()}, "malformed_epub"),
        ({"OPS/one.xhtml": b" " * 100_001}, "member_too_large"),
    ],
)
def test_damaged_epubs(changes: dict[str, bytes | None], reason: str) -> None:
    files = {name: content for name, content in {**BOOK_FILES, **changes}.items() if content}
    assert summary(read(("mill.epub", zipped(files)))) == [f"-{reason}"]
    assert summary(read(("mill.epub", b"nonsense"))) == ["-malformed_epub"]


def test_a_book_in_several_forms_is_read_once() -> None:
    paths = [
        *("1/11/11.txt", "1/11/11-0.txt", "1/11/11-8.zip", "1/11/11-h/11-h.htm", "1/11/11-h.zip"),
        *("1/11/old/alice30.txt", "cache/epub/12/pg12.txt.utf8", "cache/epub/12/pg12-images.epub"),
        *("mills/weir.txt", "mills/weir.zip", "mills/weir.pdf", "mills/carts.zip"),
        *("mills/wheel.epub", "mills/wheel.txt.gz", "mills/README.txt", "13.txt", "13-0.txt"),
    ]
    assert refusals(paths) == {
        "1/11/11.txt": "same_book_as_html",
        "1/11/11-0.txt": "same_book_as_html",
        "1/11/11-8.zip": "same_book_as_html",
        "1/11/11-h.zip": "same_book_as_html",
        "cache/epub/12/pg12.txt.utf8": "same_book_as_epub",
        "mills/weir.zip": "same_book_as_txt",
        "mills/weir.pdf": "form_not_read",
        "mills/wheel.txt.gz": "same_book_as_epub",
        "mills/README.txt": "not_named_like_a_book",
    }


def test_json_lines_keep_what_they_say() -> None:
    lines = (
        b'{"text": "A mill.", "title": "Mills", "author": "A. Weir", "language": "English",'
        b' "id": 7, "license": "CC0"}\n\n{"title": "no text"}\nnonsense\n["a"]\n{"text": "Two."}\n'
    )
    records = read(("all.jsonl.gz", gzip.compress(lines)))
    assert summary(records) == [
        "all.jsonl.gz#1",
        "-no_text",
        "-not_json",
        "-not_object",
        "all.jsonl.gz#6",
    ]
    assert isinstance(records[0], Document)
    assert records[0].text == "A mill."
    assert records[0].metadata == {
        "title": "Mills",
        "author": "A. Weir",
        "language": "en",
        "licence": "CC0",
        "given_id": "7",
        "path": "all.jsonl.gz#1",
        "form": "text",
    }
    assert summary(read(("all.jsonl.zst", zstd(lines)))) == [
        name.replace(".gz", ".zst") for name in summary(records)
    ]


def test_a_long_line_costs_itself_only() -> None:
    long = b'{"text": "' + b"x" * 200_000 + b'"}\n'
    assert summary(read(("a.jsonl", long + b'{"text": "b"}'))) == ["-line_too_long", "a.jsonl#2"]


@pytest.mark.parametrize(
    "name",
    ["../../x.txt", "/etc/x.txt", "a/../../x.txt", "C:/x.txt", "..\\x.txt", "a\\..\\x.txt"],
)
def test_names_that_lead_out_of_the_archive(name: str) -> None:
    assert not is_safe(name)
    tar = read(("books.tar", tarred({name: TEXT, "ok.txt": TEXT})))
    assert summary(tar) == ["-unsafe_name", "books.tar/ok.txt"]
    assert summary(read(("books.zip", zipped({name: TEXT})))) == ["-unsafe_name"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (tarfile.SYMTYPE, "symlink"),
        (tarfile.LNKTYPE, "hard_link"),
        (tarfile.FIFOTYPE, "not_a_file"),
    ],
)
def test_links_and_devices_are_no_books(kind: bytes, reason: str) -> None:
    assert summary(read(("a.tar", tarred({"x.txt": b""}, kind)))) == [f"-{reason}"]


def encrypted() -> bytes:
    data = bytearray(zipped({"x.txt": TEXT}))
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.find(mark) + offset] |= 1
    return bytes(data)


def wrong_checksum() -> bytes:
    data = bytearray(zipped({"x.txt": TEXT, "y.txt": TEXT}, zipfile.ZIP_STORED))
    data[data.find(TEXT[:9]) + 5] ^= 1
    return bytes(data)


def unknown_compression() -> bytes:
    data = bytearray(zipped({"x.txt": TEXT}))
    for mark, offset in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        data[data.find(mark) + offset] = 77
    return bytes(data)


def lying_size() -> bytes:
    """A zip member of 300 kB that says it has 100 bytes."""
    data = bytearray(zipped({"x.txt": b"word " * 60_000}))
    place = data.find(b"PK\1\2") + 24
    data[place : place + 4] = struct.pack("<I", 100)
    return bytes(data)


def long_header() -> bytes:
    """A tar whose extended header claims two gigabytes."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 2 << 30
    return info.tobuf(tarfile.USTAR_FORMAT) + b"\0" * 1024


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.zip", b"PK\3\4 nonsense", ["-malformed_zip"]),
        ("a.zip", zipped(BOOKS)[:-30], ["-malformed_zip"]),
        ("a.zip", encrypted(), ["-encrypted"]),
        ("a.zip", wrong_checksum(), ["-malformed_member", "a.zip/y.txt"]),
        ("a.zip", unknown_compression(), ["-malformed_member"]),
        ("a.zip", lying_size(), ["-malformed_member"]),
        ("a.zip", zipped({"x.txt": b" " * 100_001}), ["-member_too_large"]),
        ("a.zip", zipped({f"{n:050}.txt": b"" for n in range(200)}), ["-directory_too_large"]),
        ("a.tar", b"nonsense" * 200, ["-malformed_tar"]),
        ("a.tar", tarred({"x.txt": TEXT})[:900], ["-truncated_tar"]),
        ("a.tar", tarred({"x.txt": b" " * 100_001, "y.txt": TEXT}),
         ["-member_too_large", "a.tar/y.txt"]),
        ("a.tar", long_header(), ["-malformed_tar"]),
        ("a.tar.gz", gzip.compress(tarred({"x.txt": TEXT}), mtime=0)[:-60], ["-truncated_gzip"]),
        ("a.tar.zst", b"nonsense" * 200, ["-malformed_zstd"]),
    ],
)  # fmt: skip
def test_damage_has_a_reason(name: str, data: bytes, expected: list[str]) -> None:
    found = summary(read((name, data)))
    if expected == ["-truncated_gzip"]:
        found = [one for one in found if one != "a.tar.gz/x.txt"]
    assert found == expected


@pytest.mark.parametrize("name", ["bomb.zip", "bomb.tar.gz"])
def test_bombs_are_left_where_they_are_noticed(name: str) -> None:
    members = {f"{n}.txt": b" " * 90_000 for n in range(1, 60)}
    tracemalloc.start()
    records = read((name, PACKAGES[name.replace("bomb", "books")](members)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert summary(records)[-1] == "-archive_too_large"
    assert len(records) < 59
    assert peak < 12_000_000


@given(st.sampled_from(["a.zip", "a.tar", "a.tar.gz"]), st.data())
def test_any_damage_ends_in_records(name: str, data: st.DataObject) -> None:
    whole = bytearray(PACKAGES[name.replace("a.", "books.")](BOOKS))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(1, len(whole)))
    for record in read((name, bytes(whole[:cut]))):
        assert isinstance(record, (Document, BadRecord, SkippedRecord))


def test_a_zip_that_is_a_deflate_stream_only() -> None:
    assert summary(read(("a.zip", zlib.compress(TEXT)))) == ["-malformed_zip"]
