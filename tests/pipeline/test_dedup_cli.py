"""`roving dedup` as a person calls it: labels, and errors that say what to do in one sentence."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from dataset_files import contents, leftovers, rows
from dedup_data import Result, document, write_dataset, write_foreign

from pipeline.cli.arguments import labelled
from pipeline.cli.main import main
from pipeline.errors import InputError
from pipeline.store.accounting import read_json, write_json
from pipeline.store.units import unit_name

# What the shard b/c.parquet of somebody else is called.
CLASH = unit_name("b/c.parquet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two datasets of ours, one of somebody else, and folders that are none."""
    write_dataset(tmp_path / "a", {"u": [document("a0", "wool"), document("a1", "flax")]})
    write_dataset(tmp_path / "b", {"u": [document("b0", "Wool!")]})
    write_dataset(tmp_path / "x" / "a", {"u": [document("x0", "silk")]})
    write_dataset(tmp_path / "hollow", {})
    (tmp_path / "empty").mkdir()
    table = pa.table({"id": ["f0"], "text": ["wool"], "grade": ["high"]})
    for name, found in (
        ("foreign/documents/data.parquet", table),
        ("nameless/data.parquet", table.drop(["id"])),
        ("clash/b/c.parquet", table),
        (f"clash/{CLASH}.parquet", table),
        ("alike/b_c.parquet", table),
        ("alike/b/c.parquet", table),
        ("a.b/c.parquet", table),
        ("dots/b.c.parquet", table),
    ):
        write_foreign(tmp_path, {name: found})
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "u.parquet").write_text("wool")
    write_dataset(tmp_path / "old", {"u": [document("o0", "wool")]})
    manifest = read_json(str(tmp_path / "old" / "manifest.json"))
    write_json(str(tmp_path / "old" / "manifest.json"), {**manifest, "format_version": 1})
    write_dataset(tmp_path / "torn", {"u": [document("t0", "wool")]})
    (tmp_path / "torn" / "manifest.json").unlink()
    write_dataset(tmp_path / "cut", {"u": [document("t0", "wool")]})
    (tmp_path / "cut" / "manifest.json").write_text("{")
    (tmp_path / "file").write_text("wool")
    return tmp_path


BEST = ("--set", 'deduplication.exact.keep="best"')

FEW_AND_STRICT = (
    "--set",
    "deduplication.minhash.permutations=8",
    "--set",
    "deduplication.minhash.threshold=0.99",
)


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        ("exact", ["--input", "{}/none"], "/none is no dataset: there is no manifest.json in it"),
        ("exact", ["--input", "{}/empty"], "/empty is no dataset: there is no manifest.json in it"),
        ("exact", ["--input", "{}/empty", "--foreign"], "there is no *.parquet in"),
        ("exact", ["--input", "{}/a", "--input", "{}/empty"], "/empty is no dataset"),
        ("exact", ["--input", "{}/hollow"], "is an empty dataset: its manifest names no documents"),
        ("exact", ["--input", "{}/old"], "was written by another version of Roving; run the"),
        ("exact", ["--input", "{}/torn"], "run the same command again to finish it"),
        ("exact", ["--input", "{}/cut"], "cut/manifest.json is damaged"),
        ("exact", ["--input", "{}/foreign"], "has no manifest.json: it is no dataset of ours"),
        (
            "exact",
            ["--input", "{}/broken", "--foreign"],
            "u.parquet is no Parquet file, or is damaged",
        ),
        ("exact", ["--input", "{}/nameless", "--foreign"], "data.parquet has no column id"),
        ("exact", ["--input", "{}/a", "--input", "{}/x/a"], "two inputs are called 'a'; give them"),
        ("exact", ["--input", "a={}/a", "--input", "a={}/b"], "two inputs are called 'a'"),
        ("exact", ["--input", "work={}/a"], "cannot be the label"),
        ("exact", ["--input", "la bel={}/a"], "cannot be the label"),
        ("exact", ["--input", "{}/clash", "--foreign"], f"2 shards would be called '{CLASH}'"),
        (
            "url",
            ["--input", "{}/foreign", "--foreign"],
            "has no column timestamp and no column url, which",
        ),
        ("exact", ["--input", "{}/a", *BEST], 'keep = "best" needs the name of a signal'),
        (
            "exact",
            ["--input", "{}/a", *BEST, "--set", 'deduplication.exact.score="charm"'],
            "has no column charm, which this deduplication needs",
        ),
        (
            "exact",
            [
                *("--input", "{}/foreign", "--foreign", *BEST),
                *("--set", 'deduplication.exact.score="grade"'),
            ],
            "holds string, not numbers to choose by",
        ),
        (
            "minhash",
            ["--input", "{}/a", *FEW_AND_STRICT],
            "no bands for threshold = 0.99 with permutations = 8",
        ),
        (
            "minhash",
            ["--input", "{}/a", "--set", "deduplication.minhash.threshold=1.5"],
            "deduplication.minhash.threshold",
        ),
        (
            "exact",
            ["--input", "{}/a", "--set", 'deduplication.exact.keep="oldest"'],
            "deduplication.exact.keep",
        ),
        ("exact", ["--input", "{}/a", "--frobnicate"], "unknown options --frobnicate"),
        ("exact", ["--input", "{}/a", "--workers", "0"], "--workers must be at least 1"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    method: str,
    arguments: list[str],
    message: str,
) -> None:
    filled = [argument.format(folder) for argument in arguments]
    output = folder / "out"
    assert main(["dedup", method, *filled, "--output", str(output)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("roving: error: ")
    assert error.count("\n") == 1
    assert "running '" not in error
    # Nothing has been begun.
    assert not output.exists() or [path.name for path in output.iterdir()] == [".lock"]


@pytest.mark.parametrize(
    ("output", "label"), [("{}", "a"), ("{}/x", "a"), ("{}/a/..", "a"), ("{}", "a=a")]
)
def test_a_dataset_is_not_written_over_itself(
    folder: Path, capsys: pytest.CaptureFixture[str], output: str, label: str
) -> None:
    filled = output.format(folder)
    before = contents(folder / "a"), sorted(path.name for path in (folder / "a").rglob("*"))
    source = f"{filled}/a" if label == "a" else f"a={filled}/a/"
    assert main(["dedup", "exact", "--input", source, "--output", filled]) == 2
    assert "would be written over itself; choose another --output" in capsys.readouterr().err
    after = contents(folder / "a"), sorted(path.name for path in (folder / "a").rglob("*"))
    assert after == before


def test_an_output_that_cannot_be_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--input", f"{folder}/a", "--output", f"{folder}/file"]
    assert main(["dedup", "exact", *arguments]) == 2
    assert "cannot write to" in capsys.readouterr().err


def test_another_input_under_the_same_label_takes_its_place(folder: Path) -> None:
    """Nothing of the dataset before stays, for the manifest does not name it."""
    output = ["--output", f"{folder}/out"]
    assert main(["dedup", "exact", "--foreign", "--input", f"a={folder}/foreign", *output]) == 0
    assert list(Result(folder / "out").texts("a").values()) == ["wool"]
    assert main(["dedup", "exact", "--input", f"a={folder}/b", *output]) == 0
    assert Result(folder / "out").texts("a") == {"b0": "Wool!"}
    assert leftovers(folder / "out" / "a") == []
    assert not [path for path in (folder / "out").rglob("data*") if path.is_file()]


@pytest.mark.parametrize("inputs", [("alike",), ("a.b", "a=dots")])
def test_shards_of_like_names_are_told_apart(folder: Path, inputs: tuple[str, ...]) -> None:
    """`b_c` and `b/c` of one dataset; `c` of `a.b` and `b.c` of `a`."""
    arguments = ["dedup", "exact", "--foreign", "--output", f"{folder}/out"]
    for text in inputs:
        label, _, name = text.rpartition("=")
        arguments += ["--input", f"{label or name}={folder}/{name}"]
    assert main(arguments) == 0
    result, labels = Result(folder / "out"), [text.split("=")[0] for text in inputs]
    assert sum(len(list(rows(folder / "out" / label))) for label in labels) == 1
    rejected = [row for label in labels for row in rows(folder / "out" / label, "rejected")]
    assert [row["reason"] for row in rejected] == ["duplicate"]
    assert result.report["shared"] == ([[2]] if len(labels) == 1 else [[0, 1], [1, 0]])


def test_foreign_is_only_what_has_no_manifest(folder: Path) -> None:
    """Beside a foreign folder, a dataset of ours is what its manifest names."""
    stray = pa.table({"id": ["stray"], "text": ["linen"]})
    write_foreign(folder / "a" / "documents", {"stray.parquet": stray})
    arguments = ["--input", f"{folder}/a", "--input", f"{folder}/foreign", "--foreign"]
    assert main(["dedup", "exact", *arguments, "--output", f"{folder}/out"]) == 0
    assert Result(folder / "out").kept("a") == ["a0", "a1"]
    assert Result(folder / "out").reasons("foreign") == {"f0": "duplicate"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["exact", "--output", "b"], "--input"),
        (["exact", "--input", "a"], "--output"),
    ],
)
def test_arguments_that_are_wrong(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["dedup", *arguments])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_a_method_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dedup", "fuzzy", "--input", "a", "--output", "b"]) == 2
    assert "no method 'fuzzy'; there are: digest, exact, lines" in capsys.readouterr().err


def test_help_names_every_method(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["dedup", "--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    for method in ("exact", "url", "paragraphs", "lines", "minhash", "overlap"):
        assert f"\n  {method} " in shown
    assert "the one in the dataset named\nfirst stays" in shown


def test_labels() -> None:
    inputs = ["out/wikipedia/", "c4=out/x=y/c4.en", "gs://bucket/a=b/arxiv", "out/c4.en"]
    assert labelled(inputs) == {
        "wikipedia": "out/wikipedia/",
        "c4": "out/x=y/c4.en",
        "arxiv": "gs://bucket/a=b/arxiv",
        "c4.en": "out/c4.en",
    }
    for text in ("=out", ".hidden=out", "work", "out/work/", "out/a b"):
        with pytest.raises(InputError, match="cannot be the label"):
            labelled([text])


def test_datasets_as_a_person_names_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--input", f"{folder}/b/", "--input", f"old={folder}/a", "--output"]
    output = folder / "out"
    assert main(["dedup", "exact", *arguments, str(output), "--keep-rejected-text"]) == 0
    result = Result(output)
    assert result.kept("b") == ["b0"]
    assert result.kept("old") == ["a1"]
    assert result.rejected("old")["a0"]["text"] == "wool"
    assert f"1 of 2 documents kept, 4 characters, in {output}/old" in capsys.readouterr().out
    manifest = result.manifest("old")
    assert manifest["source"] == "deduplication"
    assert manifest["recipe"]["keys"]["deduplication.exact.normalize"]["value"] is True
    # The result is a dataset like any other.
    assert main(["shards", "head", "--json", f"{output}/old"]) == 0
    assert '"a1"' in capsys.readouterr().out
