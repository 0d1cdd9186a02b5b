"""`recipes/ccnet.toml` through the command line, against values worked out by hand."""

from __future__ import annotations

import gzip
from pathlib import Path

from dataset_files import rows

from pipeline.cli.main import main

CCNET = Path(__file__).resolve().parents[2] / "recipes" / "ccnet.toml"
TITLE = "a title"


def record(number: int, lines: list[str]) -> bytes:
    body = "\n".join([TITLE, *lines]).encode()
    header = (
        "WARC/1.0\r\nWARC-Type: conversion\r\n"
        f"WARC-Record-ID: <urn:uuid:{number}>\r\nWARC-Target-URI: http://a.example/{number}\r\n"
        "WARC-Date: 2024-01-01T00:00:00Z\r\nContent-Type: text/plain\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return gzip.compress(header.encode() + body + b"\r\n\r\n", mtime=0)


def run(tmp_path: Path, documents: list[list[str]], *options: str) -> dict[str, list[str]]:
    (tmp_path / "in").mkdir()
    content = b"".join(record(number, lines) for number, lines in enumerate(documents))
    (tmp_path / "in" / "a.warc.wet.gz").write_bytes(content)
    arguments = ["run", "commoncrawl", "--recipe", str(CCNET), "--input", str(tmp_path / "in")]
    arguments += ["--output", str(tmp_path / "out")]
    for option in ("commoncrawl.perplexity.enabled=false", *options):
        arguments += ["--set", option]
    assert main(arguments) == 0
    return {row["url"][-1]: row["text"].split("\n") for row in rows(tmp_path / "out")}


WITHOUT_LIMITS = ("commoncrawl.length.minimum_characters=0", "commoncrawl.language.enabled=false")


def test_every_copy_of_a_paragraph_goes_and_repeats_and_blank_lines(tmp_path: Path) -> None:
    documents = [["A", "A", "B", "", "C"], ["B", "", "D"], ["x", "x", "x"]]
    kept = run(tmp_path, documents, *WITHOUT_LIMITS)
    assert kept == {"0": ["A", "C"], "1": ["D"], "2": ["x"]}


def test_paragraphs_are_compared_in_cc_nets_form(tmp_path: Path) -> None:
    """Case, digits and 34 marks make no difference; accents and ASCII punctuation do."""
    documents = [
        ["Page 12 of 95", "Été", "end.", "only here"],
        ["page 70 OF 11", "Ete", "end", "“Only” there"],
        ["only there", "also here"],
    ]
    kept = run(tmp_path, documents, *WITHOUT_LIMITS)
    assert kept == {"0": ["Été", "end.", "only here"], "1": ["Ete", "end"], "2": ["also here"]}


def test_length_is_tested_before_and_not_after_deduplication(tmp_path: Path) -> None:
    shared = "This paragraph about wool and its many uses stands on two pages of the crawl. " * 5
    documents = [
        [shared, "The first page has one short line of its own."],
        [shared, "The second page has another short line of its own."],
        ["A page that is too short from the start."],
    ]
    kept = run(tmp_path, documents)
    assert kept == {
        "0": ["The first page has one short line of its own."],
        "1": ["The second page has another short line of its own."],
    }
    rejected = rows(tmp_path / "out", "rejected")
    assert [(row["url"][-1], row["reason"]) for row in rejected] == [("2", "too_short")]


def test_the_only_line_of_a_page_is_its_text_outside_ccnet_mode(tmp_path: Path) -> None:
    documents = [["the first line is the title"], []]
    (tmp_path / "ccnet").mkdir()
    assert run(tmp_path / "ccnet", documents, *WITHOUT_LIMITS) == {"0": [documents[0][0]]}
    (tmp_path / "standard").mkdir()
    kept = run(tmp_path / "standard", documents, "commoncrawl.mode=standard", *WITHOUT_LIMITS)
    assert kept == {"0": [documents[0][0]], "1": [TITLE]}
