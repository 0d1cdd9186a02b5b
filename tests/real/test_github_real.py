"""The GitHub source on 34 real repositories in BigQuery's form."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from dataset_files import rows

from filters.code.headers import without_header
from filters.code.languages import programming_language
from pipeline.cli.main import main
from pipeline.sources.github.licences import identify, is_licence_file
from pipeline.store.accounting import read_json

pytestmark = pytest.mark.real

REFUSED = {
    *("jarun/googler", "eggplantbren/InfoNest", "madler/zlib", "kennethreitz/records"),
    *("jrfoster/spark-intro", "Yoav-Shafir/Elasticsearch-Coffee-Search-Engine-JS"),
    "bradduthie/RandomMatrixStability",
}


@pytest.fixture(scope="module")
def finished(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("github") / "out"
    assert (
        main(["run", "github", "--input", str(real_data / "github"), "--output", str(output)]) == 0
    )
    return output


@pytest.fixture(scope="module")
def tables(real_data: Path) -> dict[str, list[dict[str, Any]]]:
    return {
        kind: pq.read_table(real_data / "github" / f"{kind}-000000000000.parquet").to_pylist()
        for kind in ("contents", "files", "licenses")
    }


def test_every_repository_with_a_wrong_licence_is_gone(
    finished: Path, tables: dict[str, list[dict[str, Any]]]
) -> None:
    documents = list(rows(finished))
    kept = {row["repository"] for row in documents}
    assert kept == {row["repo_name"] for row in tables["files"]} - REFUSED
    keys = {row["repo_name"]: row["license"] for row in tables["licenses"]}
    for row in documents:
        # What a file says of itself counts before its repository's.
        own = row["licence_rule"] in ("tag", "text", "name")
        assert own or row["licence"].lower() == keys[row["repository"]]
        assert row["id"] == f"{row['repository']}@{row['path']}"
        assert row["programming_language"]


def test_conservation(finished: Path, tables: dict[str, list[dict[str, Any]]]) -> None:
    manifest = read_json(str(finished / "manifest.json"))
    stages = {stage["name"]: stage for stage in manifest["funnel"]["stages"]}
    assert stages["read"]["documents_in"] == len(tables["contents"])
    reasons = Counter(
        reason for stage in stages.values() for reason in Counter(stage["reasons"]).elements()
    )
    assert manifest["documents"] + sum(reasons.values()) == len(tables["contents"])
    assert reasons["binary"] == 20  # of 23: three are in repositories that go
    assert reasons["no_content"] == 1
    assert not [reason for reason in reasons if reason.startswith("error")]
    report = json.loads((finished / "manifest.json").read_bytes())["files_table"]
    files, licensed = report["files"], report["licensed"]
    assert files["rows"] == len(tables["files"]) == 1820
    assert files["licensed"] + sum(files["reasons"].values()) == files["rows"]
    assert sum(licensed.values()) == files["licensed"]
    assert files["reasons"]["symlink"] == 3


def test_no_licence_header_is_left(finished: Path) -> None:
    for row in rows(finished):
        if row["programming_language"] not in ("Markdown", "reStructuredText"):
            head = "\n".join(row["text"].split("\n")[:6])
            assert not re.search(r"^\W*Copyright \(c\) \d{4}|Redistribution and use", head, re.M), (
                row["id"]
            )


def test_headers_take_comments_only(tables: dict[str, list[dict[str, Any]]]) -> None:
    """What is removed is comment lines about licences; all else is there, in order."""
    contents = {row["id"]: row["content"] for row in tables["contents"]}
    changed = 0
    for row in tables["files"]:
        text = contents.get(row["id"])
        language = programming_language(row["path"])
        if not text or not language:
            continue
        cleaned, removed = without_header(text.replace("\r\n", "\n"), language, 40_000)
        changed += bool(removed)
        assert not re.search(r"#include|^#!|coding[:=]", removed, re.M), row["path"]
        if removed:
            assert re.search(r"copyright|licen[sc]e|\(c\)", removed, re.I), row["path"]
        lost = Counter(text.replace("\r\n", "\n").split("\n")) - Counter(cleaned.split("\n"))
        for line in lost:
            is_frame = not line.strip(" \t*#/;%!=<>{}|+~_-:\"'")
            assert is_frame or line in removed.split("\n"), (row["path"], line)
    assert changed > 240


def test_licence_texts_are_recognised(tables: dict[str, list[dict[str, Any]]]) -> None:
    """The detector on each licence file at the top agrees with the table."""
    contents = {row["id"]: row["content"] for row in tables["contents"]}
    keys = {row["repo_name"]: row["license"] for row in tables["licenses"]}
    found: dict[str, set[str]] = {}
    for row in tables["files"]:
        if "/" not in row["path"] and is_licence_file(row["path"]):
            names = identify(contents[row["id"]] or "", 75.0)
            found.setdefault(row["repo_name"], set()).update(name.lower() for name in names)
    assert len(found) == 30
    for repository, names in found.items():
        assert keys[repository] in names, repository
