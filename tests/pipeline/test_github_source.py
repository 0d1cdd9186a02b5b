"""The GitHub source from end to end: tables in every form, folders, archives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from dataset_files import comparison, every_step, rows
from github_data import CODE, ISC, MIT, write_tables, write_tar

from pipeline.cli.main import main
from pipeline.store.accounting import read_json

FORMS = ("parquet", "avro", "jsonl.gz")


def run(source: Path, output: Path, *options: str) -> dict[str, Any]:
    arguments = ["run", "github", "--input", str(source), "--output", str(output), *options]
    assert main(arguments) == 0
    return read_json(str(output / "manifest.json"))


def rows_of(output: Path, kind: str) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in rows(output, kind)}


def made_files(output: Path) -> dict[Path, int]:
    """When each file was written, but for tables of records and traces of runs."""
    found = [path for path in output.rglob("*") if path.is_file() and path.suffix != ".lock"]
    mine = [path for path in found if not {"tables", "runs"} & set(path.relative_to(output).parts)]
    return {path: path.stat().st_mtime_ns for path in mine if path.name != "manifest.json"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    run(write_tables(folder / "in", "parquet"), folder / "out")
    return folder / "out"


def test_what_is_kept_and_under_which_name(finished: Path) -> None:
    kept = rows_of(finished, "documents")
    assert {row["id"]: row["licence"] for row in kept.values()} == {
        "ada/kept@kept.py": "MIT",
        "bo/kept@a.py": "Apache-2.0",
        "bo/kept@same/y.py": "Apache-2.0",
    }
    one = kept["bo/kept@a.py"]
    assert (one["repository"], one["path"], one["other_paths"]) == ("bo/kept", "a.py", 2)
    assert one["programming_language"] == "Python"
    assert len(one["digest"]) == 40
    assert kept["ada/kept@kept.py"]["text"] == CODE


def test_every_content_has_its_reason(finished: Path) -> None:
    reasons = {row["id"]: row["reason"] for row in rows(finished, "rejected")}
    nowhere = [name for name, reason in reasons.items() if reason == "not_in_files"]
    assert len(nowhere) == 1
    del reasons[nowhere[0]]
    assert reasons == {
        "ada/kept@LICENSE": "licence_file",
        "ada/kept@big.py": "no_content",
        "ada/kept@picture.py": "binary",
        "zoe/gpl@own.py": "licence_not_allowed",
        "zoe/none@none.py": "no_licence",
        "zoe/two@two.py": "one_licence_not_allowed",
        "bo/kept@inner/LICENSE": "folder_with_own_licence",
        "bo/kept@inner/deep/x.py": "folder_with_own_licence",
        "bo/kept@LICENSE": "licence_file",
    }


def test_every_files_row_is_accounted_for(finished: Path) -> None:
    report = json.loads((finished / "manifest.json").read_bytes())["files_table"]
    assert report["files"] == {
        "rows": 19,
        "licensed": 11,
        "reasons": {
            "folder_with_own_licence": 2,
            "licence_not_allowed": 2,
            "no_licence": 1,
            "one_licence_not_allowed": 1,
            "submodule": 1,
            "symlink": 1,
        },
    }
    # `lost.py` is in no contents file; three paths have one content, LICENSE and its copy another.
    assert report["licensed"] == {"chosen": 7, "same_content": 3, "without_content": 1}


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_and_workers_give_the_same(form: str, finished: Path, tmp_path: Path) -> None:
    workers = "2" if form == "parquet" else "1"
    output = tmp_path / "out"
    run(write_tables(tmp_path / "in", form), output, "--workers", workers)
    for kind in ("documents", "rejected"):
        expected, found = rows_of(finished, kind), rows_of(output, kind)
        if kind == "rejected":  # a row that stands in no repository is named by its file
            expected = {name: row for name, row in expected.items() if "#" not in name}
            found = {name: row for name, row in found.items() if "#" not in name}
        assert found == expected
    if form == "parquet":
        assert every_step(output) == every_step(finished)
        for step in (
            "work/tables.files/keys/",
            "work/join/decisions/",
            "documents/",
            "work/finished/",
        ):
            assert any(name.startswith(step) for name in every_step(output)), step


def test_many_partitions_and_slices_choose_the_same(finished: Path, tmp_path: Path) -> None:
    source = write_tables(tmp_path / "in", "parquet", parts=4)
    run(source, tmp_path / "out", "--set", "run.partition_bytes=100")
    decisions = comparison(tmp_path / "out", "join")
    assert len(decisions.tables) > 1
    assert decisions.extra == comparison(finished, "join").extra
    assert rows_of(tmp_path / "out", "documents") == rows_of(finished, "documents")


def test_a_second_run_does_nothing_again(finished: Path) -> None:
    before = made_files(finished)
    assert len(before) > 20
    run(finished.parent / "in", finished)
    assert made_files(finished) == before


def test_two_of_the_tables_are_not_enough(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_tables(tmp_path / "in", "parquet", parts=1)
    (source / "licenses-000000000000.parquet").unlink()
    arguments = ["run", "github", "--input", str(source), "--output", str(tmp_path / "out")]
    assert main(arguments) != 0
    assert "licenses" in capsys.readouterr().err


REPOSITORY = {
    "LICENSE": MIT,
    "src/a.py": CODE,
    "src/b.py": f"# Copyright 2020 Ada Wren\n{CODE}# b\n",
    "inner/LICENSE.txt": ISC,
    "inner/x.py": CODE + "# isc\n",
    "other/COPYING": "Ask Bo.",
    "other/y.py": CODE + "# asked\n",
    "node_modules/z.py": CODE + "# vendored\n",
}
EXPECTED = {
    "LICENSE": "licence_file",
    "inner/LICENSE.txt": "folder_licence_not_allowed",
    "inner/x.py": "folder_licence_not_allowed",
    "other/COPYING": "folder_licence_not_recognised",
    "other/y.py": "folder_licence_not_recognised",
    "node_modules/z.py": "vendored",
}


def write_folder(folder: Path) -> None:
    for name, text in REPOSITORY.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


@pytest.mark.parametrize("form", ["folder", "tar", "tar.gz", "tgz", "tar_with_top"])
def test_repositories(form: str, tmp_path: Path) -> None:
    source = tmp_path / "in" / "ada"
    if form == "folder":
        write_folder(source / "heron")
        (source / "heron" / "out").symlink_to("/etc/passwd")
    elif form == "tar_with_top":
        write_tar(source / "heron.tar.gz", {f"heron-1a2b/{n}": t for n, t in REPOSITORY.items()})
    else:
        mode = "w" if form == "tar" else "w:gz"
        # The licence comes after what it is for.
        write_tar(source / f"heron.{form}", dict(reversed(REPOSITORY.items())), mode)
    run(tmp_path / "in", tmp_path / "out")
    kept = rows_of(tmp_path / "out", "documents")
    assert {name: (row["text"], row["licence"]) for name, row in kept.items()} == {
        "ada/heron@src/a.py": (CODE, "MIT"),
        "ada/heron@src/b.py": (CODE + "# b\n", "MIT"),
    }
    reasons = {name: row["reason"] for name, row in rows_of(tmp_path / "out", "rejected").items()}
    expected = {f"ada/heron@{name}": reason for name, reason in EXPECTED.items()}
    assert reasons == expected | ({"ada/heron@out": "symlink"} if form == "folder" else {})


@pytest.mark.parametrize(
    ("licences", "reason"),
    [
        ({}, "no_licence"),
        ({"LICENSE": ISC}, "licence_not_allowed"),
        ({"LICENSE-MIT": MIT, "LICENSE-ISC": ISC}, "one_licence_not_allowed"),
        ({"LICENSE": MIT, "COPYING": "All mine."}, "licence_not_recognised"),
        ({"LICENSE": "Be nice."}, "licence_not_recognised"),
        ({"LICENSE": MIT + "\n" + ISC}, "one_licence_not_allowed"),
        # A folder's licence does not mend its repository's.
        ({"LICENSE": ISC, "src/LICENSE": MIT}, "licence_not_allowed"),
    ],
)
def test_a_wrong_licence_leaves_nothing(
    licences: dict[str, str], reason: str, tmp_path: Path
) -> None:
    write_tar(tmp_path / "in" / "heron.tar", {"src/a.py": CODE, "x.py": CODE, **licences}, "w")
    manifest = run(tmp_path / "in", tmp_path / "out", "--set", "github.deduplicate=[]")
    assert manifest["documents"] == 0
    assert rows_of(tmp_path / "out", "rejected")["heron@src/a.py"]["reason"] == reason


def test_the_same_file_of_two_repositories_stays_once(tmp_path: Path) -> None:
    """By what it was before cleaning; files that only cleaning made the same both stay."""
    header = "# Copyright 2020 Ada Wren\n"
    for name, text in (("one", CODE), ("two", CODE), ("three", header + CODE)):
        write_tar(tmp_path / "in" / "ada" / f"{name}.tar", {"LICENSE": MIT, "a.py": text}, "w")
    run(tmp_path / "in", tmp_path / "out")
    assert set(rows_of(tmp_path / "out", "documents")) == {"ada/one@a.py", "ada/three@a.py"}
    assert rows_of(tmp_path / "out", "rejected")["ada/two@a.py"]["reason"] == "duplicate"
