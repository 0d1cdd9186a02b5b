"""Input that must not hurt: the run ends, the rest is kept, every record has a reason."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.accounting import Funnel, read_json
from pipeline.cli.main import main

PROSE = (
    "Wool is sheared once a year, in spring, when the weather turns warm enough for the flock. "
    "The fleece is sorted by hand, washed in several baths, dried slowly and carded into a web. "
    "Combing lays the fibres side by side, and the roving that comes off the comb is ready to spin."
)


def page(number: int, body: bytes | None = None) -> bytes:
    """A WARC record of a good page, or of the body given."""
    if body is None:
        # Digits are equal to deduplication, so pages are told apart by letters.
        name = "".join("abcdefghij"[int(digit)] for digit in str(number))
        paragraphs = "".join(f"<p>Flock {name}, part {part}. {PROSE}</p>" for part in "abcd")
        body = f"<html><title>Wool</title><body>{paragraphs}</body></html>".encode()
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body
    header = (
        "WARC/1.0\r\nWARC-Type: response\r\n"
        f"WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-{number:012}>\r\n"
        f"WARC-Target-URI: https://wool.example/{number}\r\nWARC-Date: 2024-01-01T00:00:00Z\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return header.encode() + block + b"\r\n\r\n"


def packed(*records: bytes) -> bytes:
    return b"".join(gzip.compress(record, 1, mtime=0) for record in records)


def run(folder: Path, output: Path) -> list[dict[str, Any]]:
    """Run without models; returns the rejects after checking that no record is missing."""
    arguments = ["run", "commoncrawl", "--input", str(folder), "--output", str(output)]
    for stage in ("perplexity", "reference_quality"):
        arguments += ["--set", f"commoncrawl.{stage}.enabled=false"]
    assert main([*arguments, "--set", "run.maximum_error_share=0.0"]) == 0
    manifest = read_json(str(output / "manifest.json"))
    funnel = Funnel.from_json(manifest["funnel"])
    funnel.check("manifest")
    rejected = pq.read_table(output / "rejected").to_pylist()
    assert funnel.records == manifest["documents"] + len(rejected)
    return rejected


def reasons(rejected: list[dict[str, Any]]) -> set[str]:
    return {row["reason"] for row in rejected}


GOOD = [page(number) for number in range(6)]


@pytest.mark.parametrize(
    ("name", "content", "expected", "at_least"),
    [
        ("cut.warc.gz", packed(*GOOD)[:-150], "truncated_gzip", 5),
        ("empty.warc.gz", b"", "empty_file", 0),
        (
            "big.warc.gz",
            packed(*GOOD, page(7, b"<p>" + b"wool " * 10_000_000)),
            "record_too_large",
            6,
        ),
        ("open.warc.gz", packed(*GOOD, page(7, b"<div>" * 10_000)), "too_deep", 6),
        ("void.warc.gz", packed(*GOOD, page(7, b"   ")), "empty", 6),
        ("zero.warc.gz", packed(*GOOD, page(7, b"\0\1\2\3" * 500)), "binary", 6),
        ("plain.warc", b"".join([*GOOD[:3], b"garbage\r\n\r\n" * 3, *GOOD[3:]]), None, 3),
        (
            "length.warc.gz",
            packed(
                *GOOD[:3], page(9).replace(b"Content-Length: ", b"Content-Length: 9"), *GOOD[3:]
            ),
            None,
            3,
        ),
        ("not-gzip.warc.gz", b"this is no gzip file at all", None, 0),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_files(
    tmp_path: Path, name: str, content: bytes, expected: str | None, at_least: int
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / name).write_bytes(content)
    (folder / "good.warc.gz").write_bytes(packed(*[page(100 + number) for number in range(3)]))
    rejected = run(folder, tmp_path / "out")
    assert rejected
    if expected is not None:
        assert expected in reasons(rejected)
    assert not [reason for reason in reasons(rejected) if reason.startswith("error:")]
    urls = pq.read_table(tmp_path / "out" / "documents").column("url").to_pylist()
    assert sum("/10" in url for url in urls) == 3, "the good file beside it is whole"
    extracted = pq.read_table(tmp_path / "out" / "extract" / "documents").num_rows
    assert extracted - 3 >= at_least
