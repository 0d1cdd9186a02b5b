"""Input that cannot be read any further: each reader says where it gave up and what is lost.

A row in the rejects is one record; a file cut to a tenth is not. `BadRecord.lost` tells the two
apart, once for each stretch that is lost.
"""

from __future__ import annotations

import bz2
import gzip
import io
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from github_data import avro_bytes, content_row
from test_hostile_crawl import GOOD, LENGTHENED, packed, page

from pipeline.readers.archive_members import ArchiveSettings
from pipeline.readers.arxiv_bulk import read_arxiv
from pipeline.readers.books import read_books
from pipeline.readers.bzip2_slices import open_slice
from pipeline.readers.dump_file import open_dump
from pipeline.readers.jsonl import read_jsonl
from pipeline.readers.mediawiki import read_mediawiki
from pipeline.readers.records import BadRecord, LostInput
from pipeline.readers.stackexchange import read_posts
from pipeline.readers.tables import DamagedRows, read_rows
from pipeline.readers.warc import read_warc
from pipeline.readers.wet import read_wet
from pipeline.sources.wikipedia.source import PAGE
from pipeline.store.base import FileInfo
from pipeline.store.units import Unit

ERROR_PAGE = b"<!DOCTYPE html>\n<html><body><h1>404 Not Found</h1>\n<p>Gone.</p></body></html>\n"
S3_ERROR = b'<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code></Error>\n'
LIMITS = ArchiveSettings(
    maximum_member_bytes=1 << 20, maximum_growth=100, maximum_directory_bytes=1 << 20
)
LINES = b"".join(b'{"text": "line %d"}\n' % number for number in range(200))
NOISE = random.Random(0).randbytes(3_000_000)
WIKI = (
    "<mediawiki>"
    + "".join(
        f"<page><title>T{n}</title><ns>0</ns><id>{n}</id><revision><text>x</text></revision></page>"
        for n in range(1, 40)
    )
    + "</mediawiki>"
).encode()
ROWS = "".join(f'<row Id="{n}" PostTypeId="1" Body="b" />' for n in range(1, 40))
POSTS = f"<posts>{ROWS}</posts>".encode()


def tar_of(*names: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 700
            archive.addfile(member, io.BytesIO(b"x" * 700))
    return buffer.getvalue()


def zip_of(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "x" * 700)
    return buffer.getvalue()


BOOKS = ("a.txt", "b.txt", "c.txt")
PAPERS = ("2001/2001.00001.gz", "2001/2001.00002.gz", "2001/2001.00003.gz")


def jsonl(data: bytes, name: str) -> list[object]:
    return list(read_jsonl(io.BytesIO(data), name=name, maximum_line_bytes=1000))


def warc(data: bytes, name: str) -> list[object]:
    return list(read_warc(io.BytesIO(data), maximum_record_bytes=1 << 20))


def wet(data: bytes, name: str) -> list[object]:
    stream = io.BytesIO(data)
    return list(read_wet(stream, title_in_text=False, maximum_record_bytes=1 << 20))


def wikipedia(data: bytes, name: str) -> list[object]:
    stream = open_dump(io.BytesIO(data), name)
    return list(read_mediawiki(stream, wiki="enwiki", maximum_page_bytes=1000))


def posts(data: bytes, name: str) -> list[object]:
    stream = open_dump(io.BytesIO(data), name)
    return list(read_posts(stream, site="s", maximum_row_bytes=1000, join_bytes=10_000))


def books(data: bytes, name: str) -> list[object]:
    return list(read_books(io.BytesIO(data), [FileInfo(name, name, len(data))], LIMITS))


def arxiv(data: bytes, name: str) -> list[object]:
    return list(read_arxiv(io.BytesIO(data), name, 1 << 20))


Read = Callable[[bytes, str], list[object]]


def lost_of(found: list[object], size: int) -> list[tuple[str, int, int]]:
    """Reason, bytes read before and bytes lost of each stretch."""
    return [
        (one.reason, one.lost.bytes_read, one.lost.bytes_of(size))
        for one in found
        if isinstance(one, BadRecord) and one.lost is not None
    ]


FIRST_FIVE = len(packed(*GOOD[:5]))
BROKEN_GZIP = gzip.compress(LINES)[:20] + b"\xff" * 40 + gzip.compress(LINES)[60:]
LATE_BZ2 = bz2.compress(NOISE) + b"BZh9garbage"

# Reader, name, bytes, reason, bytes read before, bytes lost (None: all of it).
CASES: dict[str, tuple[Read, str, bytes, str, int, int | None]] = {
    "crawl: an error page": (warc, "a.warc.gz", ERROR_PAGE, "garbage", 0, None),
    "crawl: a packed error page": (
        *(warc, "a.warc.gz", gzip.compress(ERROR_PAGE), "garbage"),
        *(0, None),
    ),
    "crawl: cut off": (
        *(warc, "a.warc.gz", packed(*GOOD)[:-150], "truncated_gzip"),
        *(FIRST_FIVE, None),
    ),
    "crawl: a plain file cut off": (
        *(warc, "a.warc", b"".join(GOOD)[:-150], "truncated_record"),
        *(len(b"".join(GOOD[:5])), None),
    ),
    "crawl: a damaged member": (
        warc,
        "a.warc.gz",
        packed(*GOOD[:2]) + packed(GOOD[2])[:60] + b"\xff" * 50 + packed(*GOOD[3:]),
        "corrupt_gzip",
        len(packed(*GOOD[:2])),
        110,
    ),
    "crawl: garbage between members": (
        *(warc, "a.warc.gz", packed(*GOOD[:2]) + b"nothing" + packed(*GOOD[2:]), "garbage"),
        *(len(packed(*GOOD[:2])), 7),
    ),
    "wet: an error page": (wet, "a.wet.gz", ERROR_PAGE, "garbage", 0, None),
    "lines: an error page": (jsonl, "a.jsonl", ERROR_PAGE, "not_json", 0, None),
    "lines: an error page named gzip": (jsonl, "a.json.gz", S3_ERROR, "not_json", 0, None),
    "lines: not gzip": (jsonl, "a.json.gz", b"no gzip at all", "malformed_gzip", 0, None),
    "lines: damaged": (jsonl, "a.json.gz", BROKEN_GZIP, "malformed_gzip", 0, None),
    "lines: cut off": (
        *(jsonl, "a.json.gz", gzip.compress(LINES)[:-20], "truncated_gzip"),
        *(len(gzip.compress(LINES)) - 20, 0),
    ),
    "lines: cut off, zstd": (
        *(jsonl, "a.jsonl.zst", bytes(pa.Codec("zstd").compress(LINES))[:-20], "truncated_zstd"),
        *(len(bytes(pa.Codec("zstd").compress(LINES))) - 20, 0),
    ),
    "wikipedia: an error page": (
        *(wikipedia, "enwiki.xml.bz2", ERROR_PAGE, "not_mediawiki"),
        *(0, None),
    ),
    "wikipedia: not bzip2": (
        *(wikipedia, "enwiki.xml.bz2", b"no bzip2 at all", "malformed_bz2"),
        *(0, None),
    ),
    "wikipedia: cut off": (
        *(wikipedia, "enwiki.xml.bz2", bz2.compress(WIKI)[:-20], "truncated_bz2"),
        *(len(bz2.compress(WIKI)) - 20, 0),
    ),
    "wikipedia: damage in a later chunk": (
        *(wikipedia, "enwiki.xml.bz2", LATE_BZ2, "malformed_bz2"),
        *(2 << 20, None),
    ),
    "wikipedia: text cut off": (wikipedia, "enwiki.xml", WIKI[:-100], "truncated_xml", 0, 0),
    "stackexchange: an error page": (posts, "Posts.xml", ERROR_PAGE, "not_posts", 0, None),
    "stackexchange: not gzip": (posts, "Posts.xml.gz", b"not gzip", "malformed_gzip", 0, None),
    "stackexchange: cut off": (posts, "Posts.xml", POSTS[:-20], "truncated_xml", 0, 0),
    "books: an error page as zip": (books, "a.zip", ERROR_PAGE, "malformed_zip", 0, None),
    "books: a zip cut off": (books, "a.zip", zip_of(*BOOKS)[:-100], "malformed_zip", 0, None),
    "books: an error page as tar": (books, "a.tar", ERROR_PAGE, "truncated_tar", 0, None),
    "books: a packed tar cut off": (
        *(books, "a.tar.gz", gzip.compress(tar_of(*BOOKS))[:-20], "truncated_gzip"),
        *(len(gzip.compress(tar_of(*BOOKS))) - 20, 0),
    ),
    "arxiv: an error page": (arxiv, "a_001.tar", ERROR_PAGE, "truncated_tar", 0, None),
    "arxiv: a longer error page": (arxiv, "a_001.tar", ERROR_PAGE * 50, "malformed_tar", 0, None),
    "arxiv: cut off in the third": (
        *(arxiv, "a_001.tar", tar_of(*PAPERS)[: 2 * 1536 + 800], "truncated_tar"),
        *(2 * 1536, 800),
    ),
    "arxiv: damaged at the third": (
        arxiv,
        "a_001.tar",
        tar_of(*PAPERS[:2])[: 2 * 1536] + b"\xff" * 512 + tar_of(*PAPERS[2:]),
        "malformed_tar",
        2 * 1536,
        None,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_reader_says_what_it_lost(case: str) -> None:
    read, name, data, reason, before, lost = CASES[case]
    expected = len(data) - before if lost is None else lost
    assert lost_of(read(data, name), len(data)) == [(reason, before, expected)]


@pytest.mark.parametrize(
    ("read", "name", "data"),
    [
        (warc, "a.warc.gz", packed(*GOOD)),
        (warc, "a.warc", b"".join(GOOD)),
        # A record that is damaged in itself, or too large, is a record.
        (warc, "a.warc.gz", packed(*GOOD, page(7, b"wool " * 10**6))),
        (
            warc,
            "a.warc.gz",
            packed(*GOOD, LENGTHENED),
        ),
        (jsonl, "a.jsonl", LINES + b"not json\n[]\n" + b"x" * 2000),
        (jsonl, "a.json.gz", gzip.compress(LINES)),
        (jsonl, "a.jsonl", b"not json\n" + LINES),
        (jsonl, "a.jsonl", b""),
        (wikipedia, "enwiki.xml", WIKI.replace(b"<title>T2</title>", b"<title>T2")),
        (wikipedia, "enwiki.xml.bz2", bz2.compress(WIKI)),
        (posts, "Posts.xml", POSTS.replace(b'<row Id="3"', b'<row Id=3"')),
        (books, "a.zip", zip_of(*BOOKS, "../../x.txt")),
        (books, "a.tar.gz", gzip.compress(tar_of(*BOOKS))),
        (arxiv, "a_001.tar", tar_of(*PAPERS, "no-paper.txt")),
    ],
)
def test_a_bad_record_is_no_lost_input(read: Read, name: str, data: bytes) -> None:
    assert lost_of(read(data, name), len(data)) == []


def test_what_was_read_before_is_kept() -> None:
    found = warc(packed(*GOOD)[:-150], "a.warc.gz")
    assert len(found) == 6
    found = arxiv(tar_of(*PAPERS)[: 2 * 1536 + 800], "a_001.tar")
    assert len(found) == 3


def test_a_lost_file_in_a_group_of_books_loses_itself_alone() -> None:
    sound, page_of_error = zip_of("a.txt"), ERROR_PAGE
    parts = [
        FileInfo("a.zip", "a.zip", len(sound)),
        FileInfo("b.zip", "b.zip", len(page_of_error)),
        FileInfo("c.zip", "c.zip", len(sound)),
    ]
    data = sound + page_of_error + sound
    found = list(read_books(io.BytesIO(data), parts, LIMITS))
    kept = [one.id for one in found if not isinstance(one, BadRecord)]
    assert kept == ["a.zip/a.txt", "c.zip/a.txt"]
    assert lost_of(list(found), len(data)) == [("malformed_zip", len(sound), len(page_of_error))]


def test_a_slice_of_a_dump() -> None:
    data = bytearray(bz2.compress(NOISE, 1))
    middle = len(data) // 2
    data[middle : middle + 50] = bytes(50)
    stream = open_slice(io.BytesIO(bytes(data)), len(data), PAGE, is_first=True)
    (found,) = read_mediawiki(stream, wiki="enwiki", maximum_page_bytes=1000, slice_start=0)
    assert isinstance(found, BadRecord)
    assert found.reason == "malformed_bz2"
    assert found.lost is not None
    # A block at level 1 is 100,000 bytes, and noise takes somewhat more.
    assert middle - 110_000 < found.lost.bytes_read <= middle


def tables(data: bytes, name: str) -> list[DamagedRows]:
    unit = Unit("a", name, name, len(data))
    found = read_rows(io.BytesIO(data), unit, ("id", "content"), 10_000)
    return [row for row in found if isinstance(row, DamagedRows)]


def test_tables(tmp_path: Path) -> None:
    rows = [content_row(f"content {number}\n" * 40) for number in range(40)]
    avro = avro_bytes("contents", rows, "null")
    whole = {
        "a.parquet": (ERROR_PAGE, "not_parquet"),
        "a.avro": (ERROR_PAGE, "not_avro"),
        "a.json": (ERROR_PAGE, "not_json"),
        "a.json.gz": (b"no gzip at all", "malformed_gzip"),
    }
    for name, (data, reason) in whole.items():
        (damaged,) = tables(data, name)
        assert (damaged.reason, damaged.lost) == (reason, LostInput()), name
    (damaged,) = tables(avro[:-700], "a.avro")
    assert damaged.reason == "truncated_avro"
    assert damaged.lost is not None
    assert 0 < len(avro) - 700 - damaged.lost.bytes_read < 2000
    assert damaged.lost.bytes_lost is None


def test_a_row_group_is_lost_in_proportion(tmp_path: Path) -> None:
    table = pa.table({"id": [str(n) for n in range(30)], "content": ["wool " * 50] * 30})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=10, compression="none")
    footer = pq.read_metadata(tmp_path / "a.parquet").row_group(1)
    start = footer.column(0).dictionary_page_offset
    size = sum(footer.column(place).total_compressed_size for place in range(2))
    data = bytearray((tmp_path / "a.parquet").read_bytes())
    data[start : start + size] = b"\xff" * size
    (damaged,) = tables(bytes(data), "a.parquet")
    assert (damaged.row, damaged.reason) == (10, "malformed_parquet")
    assert damaged.lost == LostInput(start, size)


def test_a_row_that_is_no_utf8_costs_itself(tmp_path: Path) -> None:
    content = pa.array([b"one", b"\xff", b"three"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"id": ["a", "b", "c"], "content": content}), tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    found = list(read_rows(io.BytesIO(data), Unit("a", "a", "a", len(data)), ("content",), 1000))
    assert [row[0] for row in found if not isinstance(row, DamagedRows)] == [0, 2]
    (damaged,) = (row for row in found if isinstance(row, DamagedRows))
    assert (damaged.row, damaged.reason, damaged.lost) == (1, "malformed_row", None)


def test_stretches() -> None:
    assert LostInput(30).bytes_of(100) == 70
    assert LostInput(30, 20).bytes_of(100) == 20
    assert LostInput(30, 200).bytes_of(100) == 70
    assert LostInput(130).bytes_of(100) == 0
    assert LostInput(30).within(1000, 100) == LostInput(1030, 70)
