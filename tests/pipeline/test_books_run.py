"""The books source from end to end: the samples, resume, workers, and input that must not hurt."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from dataset_files import contents, leftovers, paths

from pipeline.cli.main import main
from pipeline.store.accounting import Funnel, read_json

BODY = "\n\n".join(
    f"Chapter {number}. The mill stood by the weir, and the carrier came to it with "
    f"{number} sacks, a broken clock and a letter for the schoolmaster."
    for number in range(40)
)


def run(folder: Path, output: Path, *options: str) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Documents, and the reason of each reject by its id; checks that no record is missing."""
    arguments = ["run", "books", "--input", str(folder), "--output", str(output)]
    for option in ("run.maximum_error_share=0.0", *options):
        arguments += [option] if option.startswith("--") else ["--set", option]
    assert main(arguments) == 0
    manifest = read_json(str(output / "manifest.json"))
    funnel = Funnel.from_json(manifest["funnel"])
    funnel.check("manifest")
    documents = pq.read_table(output / "documents").to_pylist()
    rejected = pq.read_table(output / "rejected").to_pylist()
    assert funnel.records == len(documents) + len(rejected)
    reasons = {row["id"]: f"{row['stage']}: {row['reason']}" for row in rejected}
    return documents, reasons


def test_the_samples(samples: Path, tmp_path: Path) -> None:
    documents, reasons = run(samples / "books", tmp_path / "out")
    assert {document["id"]: document["language"] for document in documents} == {
        "collection.jsonl.gz#1": "en",
        "gutenberg/90001": "en",
        "gutenberg/90003@90003-8": "de",
        "gutenberg/90004@90004-0": "fr",
        "gutenberg/90005@90005.zip/90005": "en",
    }
    assert reasons == {
        "collection.jsonl.gz#2": "overlap: duplicate",
        "collection.tar.gz/garden/bees.txt": "overlap: duplicate",
        "gutenberg/90001@old/sampl10": "overlap: duplicate",
        "gutenberg/90006": "gutenberg: copyrighted",
        "gutenberg/90007": "prose: few_letters",
        "gutenberg/90008": "prose: few_distinct_letters",
        "gutenberg/90009": "length: too_short",
        "no-end.txt": "gutenberg: boilerplate_end_not_found",
    }
    manifest = read_json(str(tmp_path / "out" / "manifest.json"))
    assert manifest["funnel"]["skipped"] == {"not_txt": 1}
    assert manifest["refused_inputs"] == [{"path": "readme.txt", "reason": "not_named_like_a_book"}]
    songs = next(one for one in documents if one["title"] == "Songs of the Ropewalk")
    assert "  Backward from morning to noon;\n" in songs["text"]
    assert "gutenberg" not in "".join(document["text"] for document in documents).lower()


def test_workers_and_a_second_run_change_nothing(samples: Path, tmp_path: Path) -> None:
    option = "books.input.group_files=4"
    run(samples / "books", tmp_path / "one", option)
    first, files = contents(tmp_path / "one"), paths(tmp_path / "one")
    manifest = read_json(str(tmp_path / "one" / "manifest.json"))
    assert 4 < len(files) < 12
    run(samples / "books", tmp_path / "two", option, "--workers=2")
    assert contents(tmp_path / "two") == first
    other = read_json(str(tmp_path / "two" / "manifest.json"))
    for name in ("content", "funnel", "fingerprint", "deduplication"):
        assert other[name] == manifest[name]
    run(samples / "books", tmp_path / "one", option)
    assert contents(tmp_path / "one") == first
    assert paths(tmp_path / "one") == files
    assert leftovers(tmp_path / "one") == leftovers(tmp_path / "two") == []


def test_groups_do_not_change_the_documents(samples: Path, tmp_path: Path) -> None:
    off = "books.deduplicate=[]"
    few, _ = run(samples / "books", tmp_path / "few", off, "books.input.group_files=1")
    many, _ = run(samples / "books", tmp_path / "many", off)

    def ordered(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return sorted(documents, key=lambda document: str(document["id"]))

    assert len(few) == 8
    assert ordered(few) == ordered(many)


def test_a_zip_beside_its_text_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "11.txt").write_text(BODY)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("11.txt", BODY)
    (folder / "11.zip").write_bytes(packed.getvalue())
    documents, reasons = run(folder, tmp_path / "out")
    assert [document["id"] for document in documents] == ["11.txt"]
    assert reasons == {}
    manifest = read_json(str(tmp_path / "out" / "manifest.json"))
    assert manifest["refused_inputs"] == [{"path": "11.zip", "reason": "same_book_as_txt"}]


def test_hostile_files_among_books(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../outside.txt", BODY)
        archive.writestr("bomb.txt", b" " * 60_000_000)
        archive.writestr("good.txt", BODY.replace("mill", "ferry"))
    bad = {
        "a.zip": packed.getvalue(),
        "binary.txt": bytes(range(256)) * 500,
        "empty.txt": b"",
        "half.tar.gz": b"\x1f\x8b\x08\0" + b"x" * 40,
        "huge.txt": b"x" * 50_000_001,
        "line.jsonl": b'{"text": ' + b"[" * 100_000,
        "picture.txt": b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 99,
        "spaces.txt": b" " * 100_000,
        "wide.txt": BODY.replace("mill", "forge").encode("utf-16"),
    }
    for name, data in bad.items():
        (folder / name).write_bytes(data)
    documents, reasons = run(folder, tmp_path / "out", "run.maximum_unit_loss=1")
    assert [document["id"] for document in documents] == ["a.zip/good.txt", "wide.txt"]
    assert reasons == {
        "a.zip#../../outside.txt": "read: unsafe_name",
        "a.zip#bomb.txt": "read: member_too_large",
        "binary.txt": "decode: binary",
        "empty.txt": "read: empty_file",
        "half.tar.gz#rest": "read: malformed_gzip",
        "huge.txt": "read: too_large",
        "line.jsonl#1": "read: not_json",
        "picture.txt": "decode: binary",
        "spaces.txt": "decode: empty",
    }
    assert not (tmp_path / "outside.txt").exists()
    # Of the others one record is bad, or the file is one.
    lost = read_json(str(tmp_path / "out" / "manifest.json"))["lost"]
    assert (lost["units"], lost["bytes"]) == (1, len(bad["half.tar.gz"]))
    assert [one["reason"] for one in lost["named"]] == ["malformed_gzip"]


def test_nothing_that_is_a_book(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "INDEX.txt").write_text("11.txt")
    arguments = ["run", "books", "--input", str(folder), "--output", str(tmp_path / "out")]
    assert main(arguments) == 2
    assert "is a book" in capsys.readouterr().err
