"""Pages through the recommended recipe: nothing torn, code stays code, repeats alone go."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from dataset_files import rows

from pipeline.cli.main import main

OFF = (
    "commoncrawl.perplexity.enabled=false",
    "commoncrawl.reference_quality.enabled=false",
    "commoncrawl.language.enabled=false",
    "commoncrawl.prescreen.enabled=false",
    "commoncrawl.paragraphs.minimum_characters=0",
)
PROSE = (
    "The council of {0} met on Tuesday evening to discuss the plans for the bridge across the "
    "river, which have been delayed for more than three years because of the costs of {0}."
)
NOTICE = (
    "This page of the town may be shared under the same terms as the other pages of the council, "
    "which are printed at the foot of each of them."
)
CODE = (
    "int main(void)\n{{\n    for (int i = 0; i < {0}; i++) {{\n        if (i == 1)\n"
    "            continue;\n    }}\n    return 0;\n}}"
)
# Digits count as equal where paragraphs are compared.
LIMITS = {"three": 3, "nine": 9}
SONG = "And it's no, nay, never,<br>No, nay, never no more,<br>Will I play the rover<br>No more."
ANSWERS = "<p>Is the bridge safe?</p><p>Yes.</p><p>Is it open?</p><p>No.</p><p>Will it be?</p>"
TABLE = "<table><tr><th>Team<th>Result<tr><td>Old<td>won 4<tr><td>Old<td>won 2</table>"


def page(name: str, body: str) -> str:
    prose = PROSE.format(name)
    return (
        f"<html><head><title>{name}</title></head><body><article><h1>Notes</h1><p>{prose}</p>"
        f"{body}<p>{NOTICE}</p></article></body></html>"
    )


def warc(pages: dict[str, str]) -> bytes:
    records = []
    for name, html in pages.items():
        block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + html.encode()
        head = (
            f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{name}>\r\n"
            f"WARC-Target-URI: http://a.example/{name}\r\nWARC-Date: 2024-01-01T00:00:00Z\r\n"
            f"Content-Length: {len(block)}\r\n\r\n"
        )
        records.append(gzip.compress(head.encode() + block + b"\r\n\r\n", mtime=0))
    return b"".join(records)


def run(tmp_path: Path, pages: dict[str, str], *options: str) -> dict[str, list[str]]:
    (tmp_path / "in").mkdir(exist_ok=True)
    (tmp_path / "in" / "a.warc.gz").write_bytes(warc(pages))
    arguments = ["run", "commoncrawl", "--input", str(tmp_path / "in")]
    arguments += ["--output", str(tmp_path / "out")]
    for option in (*OFF, *options):
        arguments += ["--set", option]
    assert main(arguments) == 0
    found = list(rows(tmp_path / "out"))
    assert all(len(row["line_kinds"]) == row["text"].count("\n") + 1 for row in found)
    return {row["url"].rpartition("/")[2]: row["text"].split("\n") for row in found}


def test_only_repeated_paragraphs_go(tmp_path: Path) -> None:
    code = {name: page(name, f"<pre>{CODE.format(n)}</pre>") for name, n in LIMITS.items()}
    others = {
        "song": page("song", f"<p>{SONG}</p><p>{SONG}</p>"),
        "answers": page("answers", ANSWERS * 2),
        "table": page("table", TABLE),
        "table2": page("table2", TABLE),
    }
    kept = run(tmp_path, code | others)
    first = "three"
    for name, lines in kept.items():
        assert lines[:2] == ["Notes", PROSE.format(name)]
        # Its text is repeated on every page, and stays on the first.
        assert (lines[-1] == NOTICE) == (name == first), name
    for name, n in LIMITS.items():
        assert "\n".join(kept[name][2:10]) == CODE.format(n)
    assert kept["song"][2:] == SONG.split("<br>") * 2
    answers = ["Is the bridge safe?", "Yes.", "Is it open?", "No.", "Will it be?"]
    assert kept["answers"][2:] == answers * 2
    for name in ("table", "table2"):
        assert kept[name][2:] == ["Team | Result", "Old | won 4", "Old | won 2"]


def test_markdown_keeps_its_blank_lines(tmp_path: Path) -> None:
    pages = {name: page(name, "<pre>x = 1\n\n\ny = 2</pre>") for name in ("one", "two")}
    kept = run(tmp_path, pages, 'commoncrawl.extract.markup="markdown"')
    start = ["# Notes", "", PROSE.format("two"), "", "```", "x = 1", "", "", "y = 2", "```"]
    assert kept["two"] == start


def test_answers_in_comment_markup_are_the_page(tmp_path: Path) -> None:
    posts = [PROSE.format(name) for name in ("alder", "birch", "cedar", "elm")]
    body = "".join(f"<tr><td><div class=comment><div>{post}</div></div>" for post in posts)
    html = f"<html><body><table class=comment-tree>{body}</table></body></html>"
    assert run(tmp_path, {"thread": html})["thread"] == posts


def test_files_that_are_passed_over_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.warc.gz.open").write_bytes(b"x")
    run(tmp_path, {"one": page("one", "")})
    assert "passed over: 1 file (not_read): b.warc.gz.open" in capsys.readouterr().out
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["refused_inputs"] == [{"path": "b.warc.gz.open", "reason": "not_read"}]


def test_records_of_one_url_are_counted(tmp_path: Path) -> None:
    html = page("one", "")
    twice = warc({"one": html}) + warc({"one": html.replace("Tuesday", "Friday")})
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.warc.gz").write_bytes(twice)
    run(tmp_path, {"two": page("two", "")})
    counts = {(row["url"], row["earlier_records"]) for row in rows(tmp_path / "out")}
    assert counts == {
        ("http://a.example/one", 0),
        ("http://a.example/one", 1),
        ("http://a.example/two", 0),
    }
