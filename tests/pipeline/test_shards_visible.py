"""`roving shards` prints what a page holds without letting it move the terminal."""

from __future__ import annotations

import json
import unicodedata

import pytest
from dedup_data import document, write_dataset
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.main import main
from pipeline.cli.visible import json_line, visible, visible_line

TITLE = "\x1b]0;PWNED\x07"
LINK = "\x1b]8;;http://evil\x07click\x1b]8;;\x07"
HOSTILE = f"first {TITLE}\n\tsecond {LINK} \x9b31m \r\x08over \u202eevil\u202c\u2028 \u200b"
PLAIN = "می\u200cخواهم 👨\u200d👩\u200d👧 café\n\tx"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("visible")
    one = document("a\x1b[2J\nid: forged", HOSTILE, url=f"http://e/{TITLE}", title="\u202etitle")
    return str(write_dataset(folder, {"a": [one, document("b", PLAIN)]}))


def moves(text: str) -> set[str]:
    """Characters that are neither shown nor a line break, a tab or a joiner."""
    return {
        character
        for character in text
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and character not in "\n\t\u200c\u200d"
    }


@pytest.mark.parametrize("action", [["head"], ["head", "--json"]])
def test_nothing_that_moves_reaches_the_terminal(
    dataset: str, action: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shards", *action, dataset]) == 0
    assert not moves(capsys.readouterr().out)


def test_what_was_hidden_is_spelled_out(dataset: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shards", "show", dataset, "a\x1b[2J\nid: forged"]) == 0
    shown = capsys.readouterr().out.split("\n")
    assert "id: a\\x1b[2J\\nid: forged" in shown
    assert "url: http://e/\\x1b]0;PWNED\\x07" in shown
    assert "    first \\x1b]0;PWNED\\x07" in shown
    assert (
        "    \tsecond \\x1b]8;;http://evil\\x07click\\x1b]8;;\\x07 "
        "\\x9b31m \\r\\x08over \\u202eevil\\u202c\\u2028 \\u200b"
    ) in shown


def test_text_as_people_write_it_is_left(dataset: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shards", "show", dataset, "b"]) == 0
    assert "".join(f"    {line}\n" for line in PLAIN.split("\n")) in capsys.readouterr().out


def test_json_is_the_same_data(dataset: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shards", "head", "-n", "1", "--json", dataset]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["text"], row["title"]) == (HOSTILE, "\u202etitle")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text(text: str) -> None:
    arabic = set("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2\u0890\u0891")
    signs = {character for character in text if ord(character) >= 0x110BD} | arabic
    assert not moves(visible(text)) - signs
    assert "\n" not in visible_line(text)
    assert json.loads(json_line({"text": text})) == {"text": text}
    assert len(json_line({"text": text}).splitlines()) == 1
