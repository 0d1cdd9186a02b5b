"""Wikimedia Enterprise's HTML dumps: a page a line, and what is wrong costs that line alone."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import Any

import pytest

from filters.document import Document
from pipeline.readers.enterprise import read_enterprise
from pipeline.readers.records import BadRecord, Record

NAME = "frwiki-NS0-20240901-ENTERPRISE-HTML.json.tar.gz"
PAGE: dict[str, Any] = {
    "name": "Café",
    "identifier": 7,
    "date_modified": "2024-04-18T21:14:32Z",
    "version": {"identifier": 99},
    "url": "https://fr.wikipedia.org/wiki/Caf%C3%A9",
    "namespace": {"identifier": 0},
    "main_entity": {"identifier": "Q1"},
    "license": [{"identifier": "CC-BY-SA-4.0"}],
    "article_body": {"html": "<p>é</p>", "wikitext": "é"},
}


def archive(*lines: bytes) -> bytes:
    data = b"".join(line + b"\n" for line in lines)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        info = tarfile.TarInfo("frwiki_namespace_0_0.ndjson")
        info.size = len(data)
        packed.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def read(data: bytes, maximum: int = 10_000) -> list[Record]:
    return list(read_enterprise(io.BytesIO(data), relative=NAME, maximum_record_bytes=maximum))


def test_what_a_page_becomes() -> None:
    [record] = read(archive(json.dumps(PAGE).encode()))
    assert record == Document(
        "frwiki/7",
        "wikipedia",
        "",
        {
            "title": "Café",
            "url": "https://fr.wikipedia.org/wiki/Caf%C3%A9",
            "timestamp": "2024-04-18T21:14:32Z",
            "language": "fr",
            "licence": "CC-BY-SA-4.0",
            "revision_id": "99",
            "namespace": 0,
            "redirect": False,
            "wikidata_id": "Q1",
        },
        raw="<p>é</p>".encode(),
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"name": ', "malformed_json"),
        (b'["a"]', "malformed_record"),
        (b'{"name": "x", "identifier": "7"}', "malformed_record"),
        (b'{"name": "x", "identifier": 7, "article_body": {}}', "no_text"),
        (b'{"name": "' + b"x" * 20_000 + b'"}', "page_too_large"),
        (b'{"name": "x", "identifier": 7, "article_body": "no object"}', "no_text"),
    ],
)
def test_a_bad_line_costs_itself_alone(line: bytes, reason: str) -> None:
    bad, good = read(archive(line, json.dumps(PAGE).encode()))
    assert isinstance(bad, BadRecord)
    assert bad.reason == reason
    assert isinstance(good, Document)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (archive(json.dumps(PAGE).encode())[:-40], "truncated_gzip"),
        (b"no archive at all" * 100, "malformed_gzip"),
        (gzip.compress(b"no archive at all" * 100), "malformed_tar"),
    ],
)
def test_a_damaged_archive_says_so(data: bytes, reason: str) -> None:
    last = read(data)[-1]
    assert isinstance(last, BadRecord)
    assert (last.reason, last.lost is not None) == (reason, True)
