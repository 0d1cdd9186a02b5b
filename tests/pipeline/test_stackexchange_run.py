"""`roving run stackexchange`: which files are read, and what comes of damaged and hostile ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import py7zr
import pyarrow.parquet as pq
import pytest
from dataset_files import contents

from pipeline.cli.main import main
from pipeline.sources.stackexchange.source import site_name
from pipeline.store.accounting import Funnel, read_json


def posts(questions: int, body: str = "&lt;p&gt;how?&lt;/p&gt;") -> bytes:
    """A site with so many questions, an answer to each, and a tag wiki."""
    rows = [f'<row Id="{9 * questions + 1}" PostTypeId="5" Body="wiki" />']
    for number in range(1, questions + 1):
        rows.append(f'<row Id="{number}" PostTypeId="1" Score="2" Title="t" Body="{body}" />')
        rows.append(
            f'<row Id="{questions + number}" PostTypeId="2" ParentId="{number}" '
            f'CreationDate="2020-01-01T00:00:00" Score="1" Body="&lt;b&gt;so&lt;/b&gt;" />'
        )
    return b"<?xml version='1.0'?>\n<posts>\n" + "\n".join(rows).encode() + b"\n</posts>\n"


def pack(path: Path, **members: bytes) -> None:
    with py7zr.SevenZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(content, name.replace("__", "."))


def run(folder: Path, output: Path, *options: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The manifest and the rejects, after checking that no record is missing."""
    arguments = ["run", "stackexchange", "--input", str(folder), "--output", str(output)]
    for option in ("run.maximum_error_share=0.0", *options):
        arguments += ["--set", option]
    assert main(arguments) == 0
    manifest = read_json(str(output / "manifest.json"))
    funnel = Funnel.from_json(manifest["funnel"])
    funnel.check("manifest")
    rejected = pq.read_table(output / "rejected").to_pylist()
    assert funnel.records == manifest["documents"] + len(rejected)
    return manifest, rejected


def site_folder(root: Path, site: str, content: bytes) -> None:
    (root / site).mkdir(parents=True)
    (root / site / "Posts.xml").write_bytes(content)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("x/stackoverflow.com-Posts.7z", ("stackoverflow.com", "")),
        ("x/Cooking.stackexchange.com.7z", ("cooking.stackexchange.com", "")),
        ("x/math.stackexchange.com-2014-05/Posts.xml", ("math.stackexchange.com", "2014-05")),
        ("x/a.test-2024.7z", ("a.test", "2024")),
        ("x/a.test-2024-03-31-Posts.7z", ("a.test", "2024-03-31")),
        ("x/-Posts.7z", ("unknown", "")),
    ],
)
def test_names_of_sites(path: str, name: tuple[str, str]) -> None:
    assert site_name(path) == name


def test_the_largest_sites_are_read_each_once(tmp_path: Path, capsys: Any) -> None:
    raw = tmp_path / "raw"
    site_folder(raw, "small.test", posts(1))
    site_folder(raw, "old.test-2014-05", posts(9))
    site_folder(raw, "old.test-2024", posts(3))
    # A fourth the size of others in the archive, but the largest posts.
    pack(raw / "packed.test.7z", Votes__xml=os.urandom(100), Posts__xml=posts(50))
    pack(raw / "votes.test.7z", Votes__xml=os.urandom(50_000), Posts__xml=posts(2))
    pack(raw / "stackoverflow.com-Votes.7z", Votes__xml=b"<votes/>")
    pack(raw / "stackoverflow.com-Posts.7z", Posts__xml=posts(20))
    manifest, rejected = run(raw, tmp_path / "out", "stackexchange.input.largest=3")
    assert rejected == []
    assert manifest["documents"] == 50 + 20 + 3
    assert {item["path"]: item["reason"] for item in manifest["refused_inputs"]} == {
        "old.test-2014-05/Posts.xml": "same_site",
        "small.test/Posts.xml": "not_among_largest",
        "stackoverflow.com-Votes.7z": "other_table",
        "votes.test.7z": "not_among_largest",
    }
    assert manifest["funnel"]["skipped"] == {"answer_of_question": 73, "tag_wiki": 3}
    (first, *_) = pq.read_table(tmp_path / "out" / "documents").to_pylist()
    assert first["text"] == "Q: t\n\nhow?\n\nA:\n\nso"
    assert first["id"] == "old.test/1"
    assert first["url"] == "https://old.test/questions/1"
    chosen, _ = run(raw, tmp_path / "chosen", 'stackexchange.input.sites=["Small.test"]')
    assert chosen["documents"] == 1
    arguments = ["run", "stackexchange", "--input", str(raw), "--output", str(tmp_path / "no")]
    assert main([*arguments, "--set", 'stackexchange.input.sites=["none.test"]']) != 0
    assert "wanted site" in capsys.readouterr().err


def test_same_bytes_for_any_workers_and_any_bound(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    for number in range(3):
        site_folder(raw, f"s{number}.test", posts(300 + number))
    run(raw, tmp_path / "one")
    arguments = ["run", "stackexchange", "--input", str(raw), "--output", str(tmp_path / "two")]
    assert main([*arguments, "--workers", "2"]) == 0
    tight = tmp_path / "tight"
    run(raw, tight, "stackexchange.input.join_bytes=5000")
    one = contents(tmp_path / "one")
    assert len(one) == 6
    assert contents(tmp_path / "two") == one
    # Another bound is another key, and makes every unit again.
    assert contents(tight) == one


def test_damaged_and_hostile_archives_are_rejected_each_with_its_reason(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    pack(raw / "good.test.7z", Comments__xml=b"<comments/>" * 9, Posts__xml=posts(5))
    whole = (raw / "good.test.7z").read_bytes()
    (raw / "cut.test.7z").write_bytes(whole[:-40])
    (raw / "none.test.7z").write_bytes(b"no archive at all")
    (raw / "damaged.test.7z").write_bytes(whole[:60] + bytes(20) + whole[80:])
    pack(raw / "other.test.7z", Users__xml=b"<users/>")
    pack(raw / "bomb.test.7z", Posts__xml=b"<posts>" + bytes(30_000_000))
    pack(raw / "hidden.test.7z", Votes__xml=bytes(30_000_000), Posts__xml=posts(1))
    with py7zr.SevenZipFile(raw / "path.test.7z", "w") as archive:
        archive.writestr(posts(1), "a/Posts.xml")
    with py7zr.SevenZipFile(raw / "secret.test.7z", "w", password="x") as archive:
        archive.writestr(posts(1), "Posts.xml")
    (raw / "empty.test.7z").write_bytes(b"")
    before = sorted(tmp_path.iterdir())
    manifest, rejected = run(raw, tmp_path / "out", "run.maximum_unit_loss=1")
    assert sorted(tmp_path.iterdir()) == [*before[:0], tmp_path / "out", *before]
    assert manifest["documents"] == 5
    found = {row["id"].partition("@")[0]: row["reason"] for row in rejected}
    assert found == {
        "bomb.test.7z": "expands_too_much",
        "cut.test.7z": "malformed_7z",
        "damaged.test": "malformed_7z",
        "empty.test.7z": "empty_file",
        "hidden.test.7z": "expands_too_much",
        "none.test": "not_posts",
        "other.test.7z": "no_posts",
        "path.test.7z": "no_posts",
        "secret.test": "encrypted_7z",
    }
    lost = {one["path"].removesuffix(".7z"): one["reason"] for one in manifest["lost"]["named"]}
    assert lost == {name.removesuffix(".7z"): reason for name, reason in found.items()}


def test_scores_and_states_by_recipe_conserve_answers(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    site_folder(raw, "s.test", posts(4).replace(b'Score="2"', b'Score="-1"', 1))
    manifest, rejected = run(
        raw,
        tmp_path / "out",
        "stackexchange.scores.enabled=true",
        "stackexchange.scores.minimum_question=0",
        "stackexchange.scores.minimum_answer=2",
        'stackexchange.question.drop=["unanswered"]',
    )
    assert manifest["documents"] == 0
    assert [row["reason"] for row in rejected] == ["low_score", *["unanswered"] * 3]
    assert all('"answers_left_out":1' in row["signals"] for row in rejected)
