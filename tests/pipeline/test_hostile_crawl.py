"""Input that must not hurt: the run ends, the rest is kept, every record has a reason."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.cli.main import main
from pipeline.store.accounting import Funnel, read_json

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


def run(folder: Path, output: Path, *options: str) -> list[dict[str, Any]]:
    """Run without models; returns the rejects after checking that no record is missing."""
    arguments = ["run", "commoncrawl", "--input", str(folder), "--output", str(output)]
    off = [f"commoncrawl.{stage}.enabled=false" for stage in ("perplexity", "reference_quality")]
    for option in (*off, "run.maximum_error_share=0.0", *options):
        arguments += ["--set", option]
    assert main(arguments) == 0
    manifest = read_json(str(output / "manifest.json"))
    funnel = Funnel.from_json(manifest["funnel"])
    funnel.check("manifest")
    rejected = pq.read_table(output / "rejected").to_pylist()
    assert funnel.records == manifest["documents"] + len(rejected)
    return rejected


GOOD = [page(number) for number in range(6)]


LENGTHENED = page(9).replace(b"Content-Length: ", b"Content-Length: 9")


@pytest.mark.parametrize(
    ("name", "content", "whole", "reason"),
    [
        ("cut.warc.gz", packed(*GOOD)[:-150], 5, "read: truncated_gzip"),
        ("empty.warc.gz", b"", 0, "read: empty_file"),
        ("big.warc.gz", packed(*GOOD, page(7, b"wool " * 10**7)), 6, "read: record_too_large"),
        ("open.warc.gz", packed(*GOOD, page(7, b"<div>" * 10_000)), 6, "decode: too_deep"),
        ("void.warc.gz", packed(*GOOD, page(7, b"   ")), 6, "decode: empty"),
        ("zero.warc.gz", packed(*GOOD, page(7, b"\0\1\2\3" * 500)), 6, "decode: binary"),
        (
            "plain.warc",
            b"".join([*GOOD[:3], b"garbage\r\n\r\n" * 3, *GOOD[3:]]),
            6,
            "read: garbage",
        ),
        (
            "length.warc.gz",
            packed(*GOOD[:3], LENGTHENED, *GOOD[3:]),
            6,
            "read: wrong_content_length",
        ),
        ("not-gzip.warc.gz", b"this is no gzip file at all", 0, "read: garbage"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_files(tmp_path: Path, name: str, content: bytes, whole: int, reason: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / name).write_bytes(content)
    (folder / "good.warc.gz").write_bytes(packed(*[page(100 + number) for number in range(3)]))
    rejected = run(folder, tmp_path / "out")
    assert [f"{row['stage']}: {row['reason']}" for row in rejected] == [reason]
    kept = pq.read_table(tmp_path / "out" / "documents").num_rows
    assert kept == 3 + whole, "the good file beside it is whole, and so is the rest of the bad one"


CHARSETS = [
    (
        "windows-1251",
        "ru",
        "Шерсть стригут весной, потом её моют, сушат и чешут на длинные волокна.",
    ),
    ("euc-jp", "ja", "羊毛は春に刈り取られ、洗って乾かしてから、長い繊維に梳かれます。"),
    ("gb2312", "zh", "羊毛在春天剪下，经过清洗和晾干，然后梳成长长的纤维。"),
    (
        "iso-8859-1",
        "fr",
        "La laine est tondue au printemps, lavée, séchée et peignée très délicatement.",
    ),
]


@pytest.mark.parametrize(("encoding", "language", "sentence"), CHARSETS)
@pytest.mark.parametrize("declared", ["right", "utf-8", ""])
def test_charsets_end_to_end(
    tmp_path: Path, encoding: str, language: str, sentence: str, declared: str
) -> None:
    """Declared in <meta>, not declared, or declared as UTF-8 against the truth."""
    label = encoding if declared == "right" else declared
    meta = f'<meta charset="{label}">' if label else ""
    paragraphs = "".join(f"<p>{sentence * 3} {letter}</p>" for letter in "abcdefgh")
    html = f"<html><head>{meta}<title>x</title></head><body>{paragraphs}</body></html>"
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.warc.gz").write_bytes(packed(page(1, html.encode(encoding))))
    run(folder, tmp_path / "out", f'commoncrawl.language.keep=["{language}"]')
    [document] = pq.read_table(tmp_path / "out" / "documents").to_pylist()
    assert sentence in document["text"]
    assert document["language"] == language
