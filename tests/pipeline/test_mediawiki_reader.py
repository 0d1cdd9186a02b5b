"""MediaWiki exports of every schema, and damaged ones."""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import tracemalloc
from collections.abc import Iterator
from typing import BinaryIO, cast

import pytest

from filters.document import Document
from pipeline.readers.dump_file import open_dump
from pipeline.readers.mediawiki import read_mediawiki, wiki_language, wiki_name
from pipeline.readers.records import BadRecord, Record

LIMIT = 100_000


def page(number: int, text: str = "text", extra: str = "<ns>0</ns>", title: str = "") -> str:
    return (
        f"  <page>\n    <title>{title or f'Page {number}'}</title>\n    {extra}\n"
        f"    <id>{number}</id>\n    <revision>\n      <id>{number}00</id>\n"
        f"      <timestamp>2020-01-02T03:04:05Z</timestamp>\n"
        f'      <text xml:space="preserve">{text}</text>\n    </revision>\n  </page>\n'
    )


def dump(
    *pages: str, version: str = "0.10", name: str = "<dbname>enwiki</dbname>", end: bool = True
) -> bytes:
    xmlns = f'xmlns="http://www.mediawiki.org/xml/export-{version}/"'
    namespaces = '<namespaces><namespace key="1">Talk</namespace></namespaces>'
    head = f'<mediawiki {xmlns} version="{version}" xml:lang="en">\n<siteinfo>{name}{namespaces}'
    return (head + "</siteinfo>\n" + "".join(pages) + ("</mediawiki>\n" * end)).encode()


def read(
    data: bytes, name: str = "x.xml", wiki: str = "enwiki", slice_start: int | None = None
) -> list[Record]:
    stream = open_dump(io.BytesIO(data), name)
    return list(
        read_mediawiki(stream, wiki=wiki, maximum_page_bytes=LIMIT, slice_start=slice_start)
    )


def outline(records: list[Record]) -> list[str]:
    """Ids of documents, reasons of the rest."""
    return [record.id if isinstance(record, Document) else record.reason for record in records]


def documents(records: list[Record]) -> list[Document]:
    return [record for record in records if isinstance(record, Document)]


def test_what_a_page_becomes() -> None:
    extra = '<ns>0</ns><redirect title="x" />'
    [record] = read(dump(page(7, "a &lt;b&gt; &amp;amp; é", extra, "AC/DC é? (x)")))
    assert record == Document(
        "enwiki/7",
        "wikipedia",
        "a <b> &amp; é",
        {
            "title": "AC/DC é? (x)",
            "url": "https://en.wikipedia.org/wiki/AC/DC_%C3%A9%3F_(x)",
            "timestamp": "2020-01-02T03:04:05Z",
            "language": "en",
            "revision_id": "700",
            "namespace": 0,
            "redirect": True,
            "licence": "CC-BY-SA-3.0",
        },
    )


@pytest.mark.parametrize("minor", range(3, 12))
def test_every_schema_version(minor: int) -> None:
    assert outline(read(dump(page(1), page(2), version=f"0.{minor}"))) == ["enwiki/1", "enwiki/2"]


def test_namespace_from_the_title_where_pages_name_none() -> None:
    pages = [page(1, extra="", title="Talk:X"), page(2, extra="", title="Dune: a book")]
    found = documents(read(dump(*pages, version="0.3")))
    assert [document.metadata["namespace"] for document in found] == [1, 0]


def test_the_file_name_wins_over_the_dump() -> None:
    [document] = documents(read(dump(page(1)), wiki="dewiki"))
    assert document.id == "dewiki/1"
    assert document.metadata["language"] == "de"
    assert document.metadata["url"] == "https://de.wikipedia.org/wiki/Page_1"
    assert document.metadata["declared_wiki"] == "enwiki"
    [old] = documents(read(dump(page(1), name=""), wiki="frwiki"))
    assert old.metadata["declared_wiki"] == "enwiki"


@pytest.mark.parametrize(
    ("name", "wiki", "language"),
    [
        ("enwiki-20220801-pages-articles1.xml-p1p41242.bz2", "enwiki", "en"),
        ("dumps/dewiki-latest-pages-articles.xml.bz2", "dewiki", "de"),
        ("zh_min_nanwiki-20200101.xml", "zh_min_nanwiki", "zh_min_nan"),
        ("simplewiki.xml", "simplewiki", "simple"),
        ("commonswiki-latest.xml", "commonswiki", None),
        ("wikidatawiki-latest.xml", "wikidatawiki", None),
        ("enwiktionary-latest.xml", None, None),
        ("dump.xml", None, None),
    ],
)
def test_names(name: str, wiki: str | None, language: str | None) -> None:
    assert wiki_name(name) == wiki
    assert wiki_language(name) == language


def test_a_comment_before_the_root_may_say_anything() -> None:
    assert outline(read(b"<!-- a <page> <mediawiki> -->\n" + dump(page(1)))) == ["enwiki/1"]


def test_a_page_twice_is_kept_twice() -> None:
    assert outline(read(dump(page(1), page(1)))) == ["enwiki/1", "enwiki/1"]


def test_the_last_revision_counts() -> None:
    older = "<revision><id>1</id><text>old</text></revision>"
    [document] = documents(read(dump(page(1, "new", f"<ns>0</ns>{older}"))))
    assert document.text == "new"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (dump(page(1), page(2))[:-100], ["enwiki/1", "truncated_xml"]),
        (dump(page(1), end=False), ["enwiki/1", "truncated_xml"]),
        (dump(page(1), page(2, "a < b"), page(3)), ["enwiki/1", "malformed_xml", "enwiki/3"]),
        (dump(page(1, "\x01"), page(2)), ["malformed_xml", "enwiki/2"]),
        (dump(page(1, "&entity;"), page(2)), ["malformed_xml", "enwiki/2"]),
        (dump(page(1).replace("</page>", ""), page(2)), ["malformed_xml", "enwiki/2"]),
        (dump(page(1).replace("<id>1</id>", ""), page(2)), ["malformed_xml", "enwiki/2"]),
        (dump(page(1, "<x>" * 3000 + "</x>" * 3000), page(2)), ["malformed_xml", "enwiki/2"]),
        (dump(page(1, "x" * LIMIT), page(2)), ["page_too_large", "enwiki/2"]),
        (dump(page(1, "x" * 3_000_000), page(2)), ["page_too_large", "enwiki/2"]),
        (dump(page(1).replace("text", "sha1"), page(2)), ["no_text", "enwiki/2"]),
        (b"", ["not_mediawiki"]),
        (b"<html>an error page</html>", ["not_mediawiki"]),
        (dump(), []),
    ],
)
def test_damage(data: bytes, expected: list[str]) -> None:
    assert outline(read(data)) == expected


def test_entities_are_not_expanded() -> None:
    doctype = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY f SYSTEM "file:///etc/hostname">]>\n'
    assert outline(read(doctype + dump(page(1, "&a;"), page(2, "&f;")))) == ["malformed_xml"] * 2


PAGES = dump(*(page(number, f"text {number} " * 50) for number in range(200)))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (PAGES, "x.xml"),
        (bz2.compress(PAGES), "x.xml.bz2"),
        (bz2.compress(PAGES[:9999]) + bz2.compress(PAGES[9999:]), "x.xml.bz2"),
        (gzip.compress(PAGES), "x.xml.gz"),
        (gzip.compress(PAGES[:9999]) + gzip.compress(PAGES[9999:]) + bytes(100), "x.xml.gz"),
        (PAGES, "plain-in-truth.xml.bz2"),
    ],
)
def test_compressions(data: bytes, name: str) -> None:
    assert outline(read(data, name)) == [f"enwiki/{number}" for number in range(200)]


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_a_dump_saved_as_utf_16_is_read(order: str) -> None:
    text = "\ufeff" + dump(*(page(number, "Љубав 𝕏 " * 99) for number in range(999))).decode()
    records = documents(read(bz2.compress(text.encode(order)), "x.xml.bz2"))
    assert len(records) == 999
    assert {record.text for record in records} == {"Љубав 𝕏 " * 99}


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (
            bz2.compress(PAGES[:70_000]) + bz2.compress(PAGES[70_000:])[:-20],
            "x.bz2",
            "truncated_bz2",
        ),
        (bz2.compress(PAGES) + b"junk", "x.bz2", "malformed_bz2"),
        (gzip.compress(PAGES)[:-300], "x.gz", "truncated_gzip"),
        (gzip.compress(PAGES) + b"junk", "x.gz", "malformed_gzip"),
        (b"junk", "x.bz2", "malformed_bz2"),
        (b"junk", "x.gz", "malformed_gzip"),
    ],
)
def test_damaged_compression_loses_only_the_rest(data: bytes, name: str, reason: str) -> None:
    *before, last = read(data, name)
    assert isinstance(last, BadRecord)
    assert last.reason == reason
    assert outline(before) == [f"enwiki/{number}" for number in range(len(before))]
    assert len(before) > 50 or data.startswith(b"junk")


def test_seven_zip() -> None:
    py7zr = pytest.importorskip("py7zr")
    target = io.BytesIO()
    with py7zr.SevenZipFile(target, "w") as archive:
        archive.writestr(PAGES, "enwiki.xml")
    assert len(documents(read(target.getvalue(), "x.7z"))) == 200
    assert outline(read(target.getvalue()[:-50], "x.7z")) == ["malformed_7z"]


class Endless(io.RawIOBase):
    """A stream over an iterator of pieces, as large as one likes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def read(self, size: int = -1) -> bytes:
        return next(self._pieces, b"")


@pytest.mark.parametrize("pages", [20, 200])
def test_memory_is_flat(pages: int) -> None:
    large = page(1, "x" * 1_000_000).encode()
    pieces = [dump(end=False), *itertools.repeat(large, pages), b"</mediawiki>"]
    stream = cast(BinaryIO, Endless(iter(pieces)))
    tracemalloc.start()
    records = read_mediawiki(stream, wiki="enwiki", maximum_page_bytes=LIMIT)
    reasons = [record.reason for record in records if isinstance(record, BadRecord)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reasons == ["page_too_large"] * pages
    assert peak < 12_000_000


def test_a_slice_may_have_no_page_and_names_where_it_stands() -> None:
    assert read(b"", slice_start=7) == []
    assert outline(read(page(1).encode(), slice_start=7)) == ["enwiki/1"]
    [bad] = read(page(1).replace("</id>", "", 1).encode(), slice_start=7)
    assert isinstance(bad, BadRecord)
    assert (bad.id, bad.reason) == ("enwiki@7+2", "malformed_xml")
