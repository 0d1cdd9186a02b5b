"""C4 end to end: the published one unchanged, and the one made of a crawl in its code's order."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from dataset_files import every_step
from dataset_files import rows as rows_of

from pipeline.cli.main import main
from pipeline.store.accounting import read_json

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from sample_sources import read_entries  # noqa: E402

Page = tuple[str, str, Sequence[str]]


def wet(*pages: Page) -> bytes:
    """A WET of (url, date, lines)."""
    records = []
    for number, (url, date, lines) in enumerate(pages):
        block = "\n".join(lines).encode()
        head = (
            f"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: {url}\r\nWARC-Date: {date}\r\n"
            f"WARC-Record-ID: <urn:uuid:{number}>\r\nContent-Length: {len(block)}\r\n\r\n"
        )
        records.append(gzip.compress(head.encode() + block + b"\r\n\r\n"))
    return b"".join(records)


def run(source: Path, output: Path, *options: str) -> Path:
    arguments = ["run", "c4", "--input", str(source), "--output", str(output)]
    settings = [part for option in options for part in ("--set", option)]
    assert main([*arguments, "--keep-rejected-text", *settings]) == 0
    return output


def rows(output: Path, kind: str = "documents") -> list[dict[str, Any]]:
    return list(rows_of(output, kind))


def texts(output: Path) -> dict[str, str]:
    return {row["url"]: row["text"] for row in rows(output)}


def reasons(output: Path) -> dict[str, str]:
    return {row["url"]: f"{row['stage']}/{row['reason']}" for row in rows(output, "rejected")}


def funnel(output: Path) -> dict[str, dict[str, Any]]:
    manifest = read_json(str(output / "manifest.json"))
    return {stage["name"]: stage for stage in manifest["funnel"]["stages"]}


SENTENCES = [
    "The river rises in the hills above the town.",
    "It flows through the old town and under three bridges.",
    "A mill stood here until the great flood of that year.",
    "The miller and his sons built another one upstream.",
    "Today the mill is a museum that few people visit.",
    "The keeper tells long stories about the flood.",
    "On the other bank there is a row of poplars.",
    "Nobody remembers who planted them, or when.",
    "In autumn the leaves float down to the sea.",
]


@pytest.fixture(scope="module")
def made(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(samples / "c4", tmp_path_factory.mktemp("c4") / "made")


def test_each_sample_page_ends_as_its_source_says(made: Path, samples: Path) -> None:
    pages = read_entries(samples / "source" / "c4", "*.pages")
    expected = {page.need("url"): page.need("expect") for page in pages}
    found = dict.fromkeys(texts(made), "kept") | reasons(made)
    assert found == expected


def test_conservation(made: Path, samples: Path) -> None:
    assert len(rows(made)) + len(rows(made, "rejected")) == len(
        read_entries(samples / "source" / "c4", "*.pages")
    )
    previous = None
    for name, stage in funnel(made).items():
        assert stage["documents_in"] == stage["documents_out"] + sum(stage["reasons"].values())
        assert previous in (None, stage["documents_in"]), name
        previous = stage["documents_out"]


def test_every_heuristic_is_a_stage_with_its_own_count(made: Path) -> None:
    stages = funnel(made)
    assert list(stages) == [
        "read",
        "page",
        "url",
        "long_words",
        "citation_marks",
        "end_marks",
        "short_lines",
        "lorem_ipsum",
        "javascript",
        "curly_bracket",
        "policy",
        "sentences",
        "lines",
        "sentences_again",
        "language",
    ]
    lighthouse = next(row for row in rows(made) if "lighthouse" in row["url"])
    counts = {name: value for name, value in lighthouse.items() if name.startswith("dropped_")}
    assert counts == {
        "dropped_long_words": 0,
        "dropped_end_marks": 6,  # title, menu, what was [edit], Read more..., Photos, Share
        "dropped_short_lines": 0,
        "dropped_javascript": 1,
        "dropped_policy": 1,
    }
    assert lighthouse["citation_marks"] == 3
    assert lighthouse["language"] == "en"


def test_published_beside_a_crawl_is_refused(made: Path) -> None:
    refused = read_json(str(made / "manifest.json"))["refused_inputs"]
    assert refused == [
        {
            "path": "published/c4-train.00000-of-00001.json.gz",
            "reason": "published_beside_crawl",
        }
    ]


def test_two_workers_make_the_same_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(2):
        lines = SENTENCES[number : number + 5]
        pages = [(f"http://{number}.example/{n}", f"2020-01-0{n}T00:00:00Z", lines) for n in (1, 2)]
        (folder / f"{number}.warc.wet.gz").write_bytes(wet(*pages))
    outputs = []
    for workers in (1, 2):
        output = tmp_path / str(workers)
        arguments = ["run", "c4", "--input", str(folder), "--output", str(output)]
        assert main([*arguments, "--workers", str(workers)]) == 0
        outputs.append(every_step(output))
    assert outputs[0] == outputs[1]
    assert len([name for name in outputs[0] if name.endswith(".parquet")]) == 2 * 2 * 3


def test_published_stays_as_it_is(samples: Path, tmp_path: Path) -> None:
    folder = samples / "c4" / "published"
    output = run(folder, tmp_path / "out")
    source = samples / "source" / "c4" / "published.jsonl"
    lines = source.read_text(encoding="utf-8").splitlines()
    kept = [json.loads(lines[number]) for number in (0, 1, 2, 7)]
    found = rows(output)
    for name in ("text", "url", "timestamp"):
        assert [row[name] or "" for row in found] == [one.get(name, "") for one in kept]
    file = "c4-train.00000-of-00001.json.gz"
    assert [row["id"] for row in found] == [f"{file}#{number}" for number in (1, 2, 3, 8)]
    assert json.loads(found[3]["extra"])["metadata"]["fields"] == {"number": 7}
    bad = [(row["id"], row["reason"]) for row in rows(output, "rejected")]
    assert bad == [
        (f"{file}#4", "no_text"),
        (f"{file}#5", "no_text"),
        (f"{file}#6", "not_object"),
        (f"{file}#7", "not_json"),
    ]


def test_fields_that_are_not_c4s_stay_with_the_document(tmp_path: Path) -> None:
    line: dict[str, Any] = {
        "text": "A page of somebody's own making.\r\n  Its blanks\u00a0stay.\n",
        "url": None,
        "timestamp": 1556193600,
        "meta": {"source": "c4", "scores": [1, 0.5, None]},
        "empty": [],
    }
    (tmp_path / "c4.jsonl").write_text(json.dumps(line), encoding="utf-8")
    (found,) = rows(run(tmp_path / "c4.jsonl", tmp_path / "out"))
    assert found["text"] == line["text"]
    assert found["url"] == ""
    fields = {name: value for name, value in line.items() if name != "text"}
    assert json.loads(found["extra"])["metadata"]["fields"] == fields


def test_published_can_be_cleaned(samples: Path, tmp_path: Path) -> None:
    folder = samples / "c4" / "published"
    output = run(folder, tmp_path / "out", "c4.published=clean")
    assert texts(output) == {}
    stages = [row["reason"] for row in rows(output, "rejected") if row["stage"] != "read"]
    assert sorted(stages) == ["no_end_marks", "no_url", "too_few_sentences", "too_few_sentences"]
    both = run(samples / "c4", tmp_path / "both", "c4.published=clean", "c4.page.needs=[]")
    assert "refused_inputs" in read_json(str(both / "manifest.json"))
    assert funnel(both)["read"]["documents_in"] == 28


def test_newest_page_of_a_url_is_kept_before_it_is_cleaned(tmp_path: Path) -> None:
    (tmp_path / "a.warc.wet").write_bytes(
        gzip.decompress(
            wet(
                ("https://www.a.example/x?utm_source=y", "2020-01-01T00:00:00Z", SENTENCES[:3]),
                ("http://a.example/x/", "2020-01-02T00:00:00Z", ["No sentence"]),
                ("http://b.example/", "2020-01-03T00:00:00Z", SENTENCES[3:6]),
                ("http://b.example", "2020-01-02T00:00:00Z", SENTENCES[6:9]),
            )
        )
    )
    output = run(tmp_path / "a.warc.wet", tmp_path / "out")
    assert reasons(output) == {
        "https://www.a.example/x?utm_source=y": "url/duplicate",
        "http://a.example/x/": "end_marks/no_end_marks",
        "http://b.example": "url/duplicate",
    }
    assert texts(output) == {"http://b.example/": "\n".join(SENTENCES[3:6])}


def test_each_line_stays_on_one_page_and_once(tmp_path: Path) -> None:
    again = [SENTENCES[0].upper(), *SENTENCES[2:6], SENTENCES[5], f" {SENTENCES[4]} "]
    (tmp_path / "a.warc.wet.gz").write_bytes(
        wet(
            ("http://a.example", "2020-01-01T00:00:00Z", SENTENCES[:3]),
            ("http://b.example", "2020-01-01T00:00:00Z", again),
            ("http://c.example", "2020-01-01T00:00:00Z", SENTENCES[4:7]),
        )
    )
    output = run(tmp_path / "a.warc.wet.gz", tmp_path / "out")
    assert texts(output) == {
        "http://a.example": "\n".join(SENTENCES[:3]),
        "http://b.example": "\n".join(SENTENCES[3:6]),
    }
    assert reasons(output) == {"http://c.example": "sentences_again/too_few_sentences"}


def test_a_page_dropped_before_line_deduplication_owns_no_line(tmp_path: Path) -> None:
    shared = SENTENCES[:3]
    (tmp_path / "a.warc.wet.gz").write_bytes(
        wet(
            ("http://a.example", "2020-01-01T00:00:00Z", [*shared, "This is { a bracket here."]),
            ("http://b.example", "2020-01-01T00:00:00Z", shared),
        )
    )
    output = run(tmp_path / "a.warc.wet.gz", tmp_path / "out")
    assert list(texts(output)) == ["http://b.example"]


def test_deduplications_can_be_switched_off(tmp_path: Path) -> None:
    (tmp_path / "a.warc.wet.gz").write_bytes(
        wet(
            ("http://a.example", "2020-01-01T00:00:00Z", SENTENCES[:3]),
            ("http://a.example", "2020-01-02T00:00:00Z", SENTENCES[:4]),
        )
    )
    for off, kept in ((("url",), 1), (("url", "lines"), 2)):
        options = [f"c4.{name}.enabled=false" for name in off]
        output = run(tmp_path / "a.warc.wet.gz", tmp_path / "-".join(off), *options)
        stages = list(funnel(output))
        assert not set(off) & set(stages)
        assert stages[-2:] == ["sentences_again", "language"]
        assert len(rows(output)) == kept, off


def test_bad_words_are_looked_for_with_a_list(tmp_path: Path) -> None:
    bad = [*SENTENCES[3:6], "What a blasted mess, said the miller."]
    (tmp_path / "a.warc.wet.gz").write_bytes(
        wet(
            ("http://a.example", "2020-01-01T00:00:00Z", SENTENCES[:3]),
            ("http://b.example", "2020-01-01T00:00:00Z", bad),
        )
    )
    (tmp_path / "en").write_text("blasted\n", encoding="utf-8")
    option = f'c4.bad_words.list="{tmp_path / "en"}"'
    any_version = 'c4.bad_words.sha256=""'
    output = run(tmp_path / "a.warc.wet.gz", tmp_path / "out", option, any_version)
    assert reasons(output) == {"http://b.example": "bad_words/bad_word"}
    allowed = run(
        tmp_path / "a.warc.wet.gz",
        tmp_path / "allowed",
        option,
        any_version,
        'c4.bad_words.allow=["blasted"]',
    )
    assert len(rows(allowed)) == 2


def test_a_list_of_bad_words_must_be_the_version_of_the_recipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = ("http://a.example", "2020-01-01T00:00:00Z", SENTENCES[:3])
    (tmp_path / "a.warc.wet.gz").write_bytes(wet(page))
    (tmp_path / "en").write_text("blasted\n", encoding="utf-8")
    arguments = ["run", "c4", "--input", str(tmp_path / "a.warc.wet.gz"), "--output"]
    option = f'c4.bad_words.list="{tmp_path / "en"}"'
    assert main([*arguments, str(tmp_path / "out"), "--set", option]) == 2
    assert "has SHA-256" in capsys.readouterr().err
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_a_wet_needs_no_model_and_what_is_missing_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = ("http://a.example", "2020-01-01T00:00:00Z", SENTENCES[:3])
    (tmp_path / "a.warc.wet.gz").write_bytes(wet(page))
    option = 'models.language_identifier="nowhere"'
    output = run(tmp_path / "a.warc.wet.gz", tmp_path / "out", option)
    assert len(rows(output)) == 1
    assert "there is no list of bad words (c4.bad_words.list)" in capsys.readouterr().err


def test_hostile_files_end_as_rejects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The run stops all the same, unless so much loss is allowed."""
    page = ("http://a.example", "2020-01-01T00:00:00Z", SENTENCES[:3])
    folder = tmp_path / "in"
    folder.mkdir()
    whole = wet(page)
    (folder / "cut.warc.wet.gz").write_bytes(whole + whole[:-30])
    (folder / "empty.warc.wet.gz").write_bytes(b"")
    (folder / "noise.warc.wet.gz").write_bytes(bytes(range(256)) * 40)
    marks = ["[ " * 50_000, "a" * 150_000 + ".", "x.x!x?" * 20_000 + " a b c d."]
    for number, line in enumerate(marks):
        hostile = (f"http://{number}.example", "2020-01-01T00:00:00Z", [line])
        (folder / f"hostile-{number}.warc.wet.gz").write_bytes(wet(hostile))
    output = tmp_path / "out"
    assert main(["run", "c4", "--input", str(folder), "--output", str(output)]) != 0
    assert "50.0 % of the units" in capsys.readouterr().err
    assert not (output / "manifest.json").exists()
    run(folder, output, "run.maximum_unit_loss=1")
    assert list(texts(output)) == ["http://a.example"]
    found = {row["reason"] for row in rows(output, "rejected")}
    assert {"truncated_gzip", "empty_file", "garbage", "no_end_marks", "only_long_words"} <= found
    assert not [reason for reason in found if reason.startswith("error:")]
