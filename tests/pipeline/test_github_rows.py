"""Tables with a file in each row, the opt-out list, and licence files of every kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dataset_files import rows
from github_data import CODE, MIT, write_tar

from pipeline.cli.main import main
from pipeline.sources.github.licences import identify

ROW = {
    "content": CODE,
    "max_stars_repo_name": "ada/heron",
    "max_stars_repo_path": "src/a.py",
    "max_stars_repo_licenses": ["MIT"],
}
GPL_NAME = "This folder is under the GNU General Public License, version 2.\n"
CLAUSE = """\
"Commons Clause" License Condition v1.0

Without limiting other conditions in the License, the grant of rights under the License will not
include, and the License does not grant to you, the right to Sell the Software.
"""


def run(source: Path, output: Path, *options: str) -> int:
    return main(
        [
            *("run", "github", "--input", str(source), "--output", str(output)),
            *("--set", "github.deduplicate=[]", *options),
        ]
    )


def write_table(folder: Path, *table_rows: dict[str, Any]) -> Path:
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(list(table_rows)), folder / "train-00000-of-00001.parquet")
    return folder


def reasons(output: Path) -> dict[str, str]:
    return {row["id"]: row["reason"] for row in rows(output, "rejected")}


def kept(output: Path) -> dict[str, str]:
    return {row["id"]: row["licence"] for row in rows(output)}


def test_rows_of_the_stack(tmp_path: Path) -> None:
    refused = ROW | {"max_stars_repo_path": "b.py", "max_stars_repo_licenses": ["GPL-3.0-only"]}
    none = ROW | {"max_stars_repo_path": "c.py", "max_stars_repo_licenses": []}
    header = ROW | {
        "max_stars_repo_path": "d.py",
        "content": "# SPDX-License-Identifier: GPL-2.0\n" + CODE,
    }
    source = write_table(tmp_path / "in", ROW, refused, none, header)
    (source / "README.md").write_text("The card of a dataset.\n")
    assert run(source, tmp_path / "out") == 0
    assert kept(tmp_path / "out") == {"ada/heron@src/a.py": "MIT"}
    assert reasons(tmp_path / "out") == {
        "ada/heron@b.py": "licence_not_allowed",
        "ada/heron@c.py": "no_licence",
        "ada/heron@d.py": "header_licence_not_allowed",
    }


def test_other_columns_by_the_recipe(tmp_path: Path) -> None:
    row = {"body": CODE, "repo_name": "ada/heron", "path": "a.py", "license": "mit"}
    source = write_table(tmp_path / "in", row)
    assert run(source, tmp_path / "out", "--set", 'github.rows.content=["body"]') == 0
    assert kept(tmp_path / "out") == {"ada/heron@a.py": "MIT"}


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_a_table_that_lacks_a_column_is_an_error(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"content": CODE, "path": "a.py", "license": "mit"}
    if form == "parquet":
        source = write_table(tmp_path / "in", row)
    else:
        source = tmp_path / "in"
        source.mkdir()
        (source / "train.jsonl").write_text(json.dumps(row) + "\n")
    assert run(source, tmp_path / "out") != 0
    said = capsys.readouterr().err
    assert "without a column for repository" in said
    assert "contents-*, files-* and licenses-*" in said
    assert "[github.rows]" in said


def test_rows_without_what_is_needed_are_rejected(tmp_path: Path) -> None:
    source = write_table(
        tmp_path / "in",
        ROW,
        ROW | {"max_stars_repo_name": None},
        ROW | {"max_stars_repo_path": "e.py", "content": None},
    )
    assert run(source, tmp_path / "out") == 0
    assert sorted(reasons(tmp_path / "out").values()) == ["malformed_row", "no_content"]


@pytest.mark.parametrize(
    "line", ['{"issue":1,"optout_repos":["Ada/heron"],"optout_owners":[]}', "ada", "ada/Heron"]
)
def test_who_asked_to_be_left_out_is(line: str, tmp_path: Path) -> None:
    (tmp_path / "list.jsonl").write_text(line + "\n")
    source = write_table(tmp_path / "in", ROW, ROW | {"max_stars_repo_name": "bo/adah"})
    option = f'github.opt_out.list="{tmp_path / "list.jsonl"}"'
    assert run(source, tmp_path / "out", "--set", option) == 0
    assert reasons(tmp_path / "out") == {"ada/heron@src/a.py": "opted_out"}
    assert list(kept(tmp_path / "out")) == ["bo/adah@src/a.py"]


def test_a_missing_opt_out_list_stops_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_table(tmp_path / "in", ROW)
    assert run(source, tmp_path / "out", "--set", 'github.opt_out.list="nowhere.jsonl"') != 0
    assert "nowhere.jsonl" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("licences", "reason"),
    [
        ({"LICENSE": CLAUSE + "\n" + MIT}, "licence_not_recognised"),
        ({"LICENSE": MIT + "\nThis may not be used commercially.\n"}, "licence_not_recognised"),
        ({"LICENSE": MIT + "\nAll but the files in src/ee is MIT.\n"}, "licence_not_recognised"),
        (
            {"LICENSE": MIT + "\nEverything except the ee folder.\n"},
            "licence_not_recognised",
        ),
        ({"LICENSE": MIT, "COMMONS-CLAUSE.md": CLAUSE}, "licence_not_recognised"),
        ({"LICENSE": MIT, "src/license.md": GPL_NAME}, "folder_licence_not_recognised"),
        ({"LICENSE": MIT, "src/GPL.txt": GPL_NAME}, "folder_licence_not_recognised"),
        ({"LICENSE": MIT, "src/Licence_heron.txt": "Be nice."}, "folder_licence_not_recognised"),
        ({"LICENSE": MIT, "src/REUSE.toml": "no = [toml"}, "licence_not_allowed"),
        (
            {
                "LICENSE": MIT,
                "REUSE.toml": 'version = 1\n[[annotations]]\npath = "src/**"\n'
                'precedence = "override"\nSPDX-License-Identifier = "GPL-2.0-only"\n',
            },
            "licence_not_allowed",
        ),
        (
            {"LICENSE": MIT, "src/a.py.license": "SPDX-License-Identifier: CC-BY-SA-4.0\n"},
            "licence_not_allowed",
        ),
        # REUSE's texts alone: a file without a tag has no licence.
        ({"LICENSES/MIT.txt": MIT}, "no_licence"),
    ],
)
def test_licence_files_that_hold_more_than_a_kept_licence(
    licences: dict[str, str], reason: str, tmp_path: Path
) -> None:
    write_tar(tmp_path / "in" / "heron.tar", {"src/a.py": CODE, **licences}, "w")
    assert run(tmp_path / "in", tmp_path / "out") == 0
    assert reasons(tmp_path / "out")["heron@src/a.py"] == reason


def test_reuse_decides_file_by_file(tmp_path: Path) -> None:
    tagged = "# SPDX-License-Identifier: MIT\n" + CODE
    files = {
        "LICENSES/MIT.txt": MIT,
        "LICENSES/CC0-1.0.txt": "CC0\n",
        "a.py": tagged,
        "b.py": CODE,
        "c.py": CODE + "# c\n",
        "c.py.license": "SPDX-License-Identifier: MIT\n",
        ".reuse/dep5": "Format: x\n\nFiles: d/*\nCopyright: Ada\nLicense: Apache-2.0\n",
        "d/e/d.py": CODE + "# d\n",
    }
    write_tar(tmp_path / "in" / "heron.tar", files, "w")
    assert run(tmp_path / "in", tmp_path / "out") == 0
    assert kept(tmp_path / "out") == {
        "heron@a.py": "MIT",
        "heron@c.py": "MIT",
        "heron@d/e/d.py": "Apache-2.0",
    }
    assert reasons(tmp_path / "out")["heron@b.py"] == "no_licence"


def test_a_link_stands_for_the_licence_file_it_points_to(tmp_path: Path) -> None:
    heron = tmp_path / "in" / "ada" / "heron"
    for name, text in {
        "LICENSE": MIT,
        "a/x.py": CODE,
        "b/x.py": CODE + "# b\n",
        "GPL.txt.d/y": "",
    }.items():
        (heron / name).parent.mkdir(parents=True, exist_ok=True)
        (heron / name).write_text(text)
    (heron / "a" / "LICENSE").symlink_to("../LICENSE")
    (heron / "b" / "LICENSE").symlink_to("../../elsewhere/GPL")
    assert run(tmp_path / "in", tmp_path / "out") == 0
    assert kept(tmp_path / "out") == {"ada/heron@a/x.py": "MIT"}
    assert reasons(tmp_path / "out")["ada/heron@b/x.py"] == "folder_licence_not_recognised"


def test_whole_texts_are_recognised() -> None:
    """The Apache licence holds its own header, which is no second licence and no limit."""
    text = (Path(__file__).resolve().parents[2] / "LICENSE").read_text()
    assert identify(text, 75.0) == ("Apache-2.0",)
    assert identify(MIT, 75.0) == ("MIT",)
    header = text[text.index("   Licensed under the Apache License, Version 2.0") :]
    assert identify(f"Copyright 2017 Ada Wren\n\n{header}", 75.0) == ("Apache-2.0",)
