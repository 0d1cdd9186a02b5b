"""`roving` as a person calls it: errors that say what to do, datasets that can be looked into."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.cli.main import main

LLAMA = Path(__file__).resolve().parents[2] / "recipes" / "llama1.toml"

RUN_DUMPS = ("run", "wikipedia", "--input", "{dumps}", "--output", "{out}")
RUN_WETS = ("run", "commoncrawl", "--input", "{wets}", "--output", "{out}")

PAGE = """\
<page><title>{title}</title><ns>{ns}</ns><id>{id}</id>{redirect}<revision><id>{id}</id>
<timestamp>2024-01-01T00:00:00Z</timestamp><text xml:space="preserve">{text}</text></revision>
</page>
"""


def write_dump(folder: Path, name: str = "enwiki-test-pages-articles.xml") -> None:
    folder.mkdir(exist_ok=True)
    reference = "&lt;ref&gt;https://wool.example/a&lt;/ref&gt;"
    prose = f"'''Wool''' is a [[textile]] fibre.{reference} It is spun."
    redirect = '<redirect title="Wool" />'
    pages = [
        PAGE.format(title="Wool", ns=0, id=1, redirect="", text=prose),
        PAGE.format(title="Talk:Wool", ns=1, id=2, redirect="", text="A talk."),
        PAGE.format(title="Fleece", ns=0, id=3, redirect=redirect, text="#REDIRECT [[Wool]]"),
    ]
    xml = '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11">'
    (folder / name).write_text(f"{xml}\n{''.join(pages)}</mediawiki>\n")


def run_wikipedia(tmp_path: Path, *options: str) -> int:
    paths = ["--input", str(tmp_path / "in"), "--output", str(tmp_path / "out")]
    return main(["run", "wikipedia", *paths, *options])


def test_wikipedia_from_xml_to_parquet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_dump(tmp_path / "in")
    assert run_wikipedia(tmp_path) == 0
    table = pq.read_table(tmp_path / "out" / "documents")
    assert table.column("id").to_pylist() == ["enwiki/1"]
    assert table.column("text").to_pylist() == ["Wool is a textile fibre. It is spun."]
    assert table.column("cited_urls").to_pylist() == [["https://wool.example/a"]]
    rejected = pq.read_table(tmp_path / "out" / "rejected").to_pylist()
    assert [row["reason"] for row in rejected] == ["not_article", "redirect"]
    assert "1 of 3 documents kept" in capsys.readouterr().out


def test_asking_for_the_text_of_rejects_later_makes_them_again(tmp_path: Path) -> None:
    write_dump(tmp_path / "in")
    assert run_wikipedia(tmp_path) == 0
    assert run_wikipedia(tmp_path, "--keep-rejected-text") == 0
    rejected = pq.read_table(tmp_path / "out" / "rejected").to_pylist()
    assert [row["text"] for row in rejected] == ["A talk.", "#REDIRECT [[Wool]]"]


def test_a_dataset_can_be_looked_into(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_dump(tmp_path / "in")
    run_wikipedia(tmp_path)
    output = str(tmp_path / "out")
    capsys.readouterr()

    assert main(["shards", "ls", output]) == 0
    assert "enwiki-test-pages-articles" in capsys.readouterr().out
    assert main(["shards", "files", output]) == 0
    names = capsys.readouterr().out.split()
    assert [pq.read_table(name).num_rows for name in names] == [1]
    assert main(["shards", "head", output]) == 0
    assert "Wool is a textile fibre." in capsys.readouterr().out
    assert main(["shards", "head", "--reason", "redirect", "--json", output]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "enwiki/3"
    assert main(["shards", "show", output, "enwiki/2"]) == 0
    shown = capsys.readouterr().out
    assert "rejected" in shown
    assert "not_article" in shown
    assert main(["shards", "stats", "--json", output]) == 0
    assert json.loads(capsys.readouterr().out)["stages"][1]["reasons"] == {
        "not_article": 1,
        "redirect": 1,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "wikipedia", "--input", "{empty}", "--output", "{out}"], "looked for dumps named"),
        (["run", "wikipedia", "--input", "{texts}", "--output", "{out}"], "looked for dumps named"),
        (
            ["run", "commoncrawl", "--input", "{texts}", "--output", "{out}"],
            "*.warc, *.warc.wet or *.arc",
        ),
        (["run", "wikipedia", "--input", "{finnish}", "--output", "{out}"], "wanted language"),
        (
            [
                *RUN_DUMPS,
                "--recipe",
                "none.toml",
            ],
            "there is no recipe 'none.toml'",
        ),
        (
            [*RUN_DUMPS, "--frobnicate"],
            "engine options need --runner",
        ),
        (
            [*RUN_DUMPS, "--workers", "0"],
            "--workers must be at least 1",
        ),
        (
            [
                *RUN_DUMPS,
                "--set",
                "wikipedia.x=1",
            ],
            "unknown key 'wikipedia.x'",
        ),
        (
            [*RUN_WETS, "--set", "models.language_identifier=nowhere/lid.176.ftz"],
            "roving models fetch",
        ),
        ([*RUN_DUMPS[:-1], "{texts}/a.txt"], "cannot write to"),
        ([*RUN_DUMPS, "--runner", "NopeRunner"], "Unexpected pipeline runner"),
        (["shards", "ls", "{empty}"], "is no dataset"),
        (["shards", "head", "{empty}"], "is no dataset: there is no manifest.json in it"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    write_dump(tmp_path / "dumps")
    write_dump(tmp_path / "finnish", "fiwiki-test-pages-articles.xml")
    for name, file in (("texts", "a.txt"), ("wets", "a.warc.wet")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text("x")
    (tmp_path / "empty").mkdir()
    names = ("dumps", "finnish", "texts", "wets", "empty", "out")
    folders = {name: str(tmp_path / name) for name in names}
    assert main([argument.format(**folders) for argument in arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_empty_and_broken_files_are_accounted_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dump(tmp_path / "in")
    whole = (tmp_path / "in" / "enwiki-test-pages-articles.xml").read_bytes()
    (tmp_path / "in" / "dewiki-empty-pages-articles.xml").write_bytes(b"")
    (tmp_path / "in" / "frwiki-cut-pages-articles.xml").write_bytes(whole[:-200])
    packed = gzip.compress(whole, mtime=0)
    (tmp_path / "in" / "itwiki-cut-pages-articles.xml.gz").write_bytes(packed[: len(packed) // 2])
    assert run_wikipedia(tmp_path) == 2
    assert "75.0 % of the units" in capsys.readouterr().err
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert run_wikipedia(tmp_path, "--set", "run.maximum_unit_loss=1") == 0
    rejected = pq.read_table(tmp_path / "out" / "rejected").to_pylist()
    reasons = {row["reason"] for row in rejected if row["stage"] == "read"}
    assert reasons >= {"truncated_xml", "truncated_gzip", "empty_file"}
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_bytes())
    assert manifest["units"] == 4
    first = manifest["funnel"]["stages"][0]
    assert first["documents_in"] == first["documents_out"] + sum(first["reasons"].values())


def test_help_teaches() -> None:
    command = [sys.executable, "-m", "pipeline", "run", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "The same command again continues an interrupted run" in shown


def test_a_bzip2_dump_is_cut_into_units_with_the_same_documents(
    tmp_path: Path, samples: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for path in (samples / "wikipedia").glob("dewiki-*"):
        (folder / path.name).write_bytes(path.read_bytes())
    documents = []
    for slice_bytes in (10**9, 2000):
        output = tmp_path / f"out-{slice_bytes}"
        arguments = ["run", "wikipedia", "--input", str(folder), "--output", str(output)]
        assert main([*arguments, "--set", f"wikipedia.input.slice_bytes={slice_bytes}"]) == 0
        table = pq.read_table(output / "documents", columns=["id", "text"])
        documents.append(sorted(map(str, table.to_pylist())))
    assert len(list((tmp_path / "out-2000" / "documents").iterdir())) > 1
    assert documents[0] == documents[1]
    assert len(documents[0]) == 15
