"""Evaluation sets and their index: what is read, what is refused, what the card says."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from evaluation_data import FOX, SEA, animals_and_sea, evaluation, write_lines

from pipeline.decontamination.index import EvaluationIndex, build_evaluation_index, index_lines
from pipeline.decontamination.sets import find_evaluation_files, read_items
from pipeline.errors import InputError, RecipeError


def items_of(path: Path, **changes: Any) -> list[tuple[int, list[str]]]:
    found, _ = find_evaluation_files(str(path))
    assert len(found) == 1
    return [
        (item.number, [text for _, text in item.texts])
        for item in read_items(found[0], evaluation(**changes))
    ]


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return animals_and_sea(tmp_path)


def test_every_string_is_a_text_and_single_words_in_a_list_are_one(tmp_path: Path) -> None:
    record = {
        "id": 7,
        "question": "Who?",
        "choices": {"label": ["A", "B"], "text": ["The first one", "B"]},
        "context": [{"title": "T"}, None, [["deep one"]]],
        "none": [],
    }
    path = write_lines(tmp_path / "a.jsonl", record)
    every = ["Who?", "A B", "The first one", "B", "T", "deep one", ""]
    assert items_of(path) == [(1, every)]
    chosen = {"a": ("choices.text", "context")}
    assert items_of(path, fields=chosen) == [(1, ["The first one", "B", "T", "deep one"])]


def test_kinds_and_compressions_hold_the_same_items(tmp_path: Path) -> None:
    texts = ["Straße eins", "на два", "three"]
    lines = "\ufeff" + "".join(json.dumps({"q": text}) + "\r\n" for text in texts)
    plain = "\n".join(texts)
    table = pa.table(
        {
            "number": [1, 2, 3],
            "image": [b"\xff", b"", None],
            "nested": [{"q": [text]} for text in texts],
            "kind": pa.array(["x", "x", "x"]).dictionary_encode(),
        }
    )
    expected = [(number, [text]) for number, text in enumerate(texts, 1)]
    for name, content in (("a.jsonl", lines), ("b.txt", plain)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_text(content, encoding="utf-8")
        (folder / f"g{name}.gz").write_bytes(gzip.compress(content.encode()))
        with pa.CompressedOutputStream(str(folder / f"z{name}.zst"), "zstd") as stream:
            stream.write(content.encode())
        found, ignored = find_evaluation_files(str(folder))
        assert ignored == []
        assert len(found) == 3
        for one in found:
            read = [
                (item.number, [t for _, t in item.texts]) for item in read_items(one, evaluation())
            ]
            assert [(number, [t.strip() for t in own]) for number, own in read] == expected
    path = tmp_path / "c.parquet"
    pq.write_table(table, path)
    assert items_of(path, fields={"c": ("nested",)}) == expected
    assert [texts[1:] for _, texts in items_of(path)] == [["x"]] * 3


def test_numbers_are_line_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one\n\n  \nfour\n", encoding="utf-8")
    assert [number for number, _ in items_of(path)] == [1, 4]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b'{"q": "x"}\n{"q": \n', r"a\.jsonl, line 2: no JSON: "),
        ("a.jsonl", b'{"q": "x"}\n\n["x"]\n', r"a\.jsonl, line 3: no JSON object"),
        ("a.jsonl", b'{"q": "\xff"}\n', r"a\.jsonl, line 1: no JSON: "),
        ("a.txt", b"good\nb\xff\n", r"a\.txt, line 2: not UTF-8: "),
        ("a.txt", b"good\n" + b"x" * 10_001, r"a\.txt, line 2: longer than 10000 bytes"),
        ("a.txt", b"\n \n", r"a\.txt: there is no item in it"),
        ("a.txt", b"", r"a\.txt: there is no item in it"),
        ("a.txt", b"one two", r"no item in .* has 3 words"),
        (
            "a.jsonl.gz",
            gzip.compress(b'{"q": "x"}' * 99, mtime=0)[:-9],
            r"a\.jsonl\.gz: cannot be read: ",
        ),
        ("a.jsonl.gz", b"plain", r"a\.jsonl\.gz: cannot be read: "),
        ("a.txt.zst", b"plain", r"a\.txt\.zst: cannot be read: "),
        ("a.parquet", b"PAR1", r"a\.parquet: cannot be read: "),
        ("a.csv", b"q\nx\n", r"no evaluation set at .*; looked for \.jsonl"),
    ],
)
def test_a_bad_set_ends_the_build_with_its_place(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        build_evaluation_index(str(tmp_path / "sets"), tmp_path / "index", evaluation())
    assert [path.name for path in tmp_path.iterdir()] == ["sets"]


def test_what_the_recipe_names_must_be_there(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", {"q": FOX, "n": {"m": 5}})
    for changes, message in (
        ({"fields": {"b": ("q",)}}, "names the evaluation set 'b'"),
        ({"fields": {"a": ("q", "question")}}, "'a' has text in the field 'question'"),
        ({"fields": {"a": ("n.m",)}}, "'a' has text in the field 'n.m'"),
        ({"minimum_words": 6}, "minimum_words = 6 is more than ngram_words = 5"),
    ):
        with pytest.raises(RecipeError, match=message):
            build_evaluation_index(str(path), tmp_path / "index", evaluation(**changes))


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", {"q": FOX})
    (tmp_path / "a.txt").write_text(FOX)
    with pytest.raises(InputError, match=r"'a\.jsonl' and 'a\.txt' are both .* 'a'"):
        find_evaluation_files(str(tmp_path))


def test_card_counts_items_and_shows_what_is_left_out(tmp_path: Path) -> None:
    template = "answer the question as well as you can"
    records = [{"q": f"{template}: {n}a {n}b {n}c {n}d {n}e"} for n in range(11)]
    write_lines(tmp_path / "s" / "many.jsonl", *records, {"q": template}, {"q": "short"})
    (tmp_path / "s" / "README.md").write_text("about")
    card = build_evaluation_index(str(tmp_path / "s"), tmp_path / "index", evaluation())
    (entry,) = card["sets"]
    assert (entry["name"], entry["items"]) == ("many", 13)
    assert (entry["too_short"], entry["too_common"]) == (1, 1)
    assert card["common_ngrams"] == 4
    assert card["common_phrases"] == [template]
    assert card["ignored_files"] == ["README.md"]
    shown = "\n".join(index_lines(card))
    assert template in shown
    assert "README.md" in shown
    assert EvaluationIndex(tmp_path / "index").card == card


def test_same_sets_make_the_same_bytes_and_a_new_index_replaces_the_old(tmp_path: Path) -> None:
    sets = write_lines(tmp_path / "s" / "a.jsonl", {"q": FOX}, {"q": SEA}).parent
    built = []
    for name in ("one", "two", "one"):
        build_evaluation_index(str(sets), tmp_path / name, evaluation())
        built.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert built[0] == built[1] == built[2]
    write_lines(sets / "b.jsonl", {"q": "one two three four five six"})
    build_evaluation_index(str(sets), tmp_path / "one", evaluation())
    assert EvaluationIndex(tmp_path / "one").sets == ["a", "b"]


def test_an_index_that_cannot_be_used_is_refused(index: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no index"):
        EvaluationIndex(tmp_path / "nowhere")
    hashes = (index / "hashes.npy").read_bytes()
    (index / "hashes.npy").write_bytes(hashes[:-1])
    with pytest.raises(InputError, match=r"hashes\.npy' is damaged or missing"):
        EvaluationIndex(index)
    (index / "hashes.npy").write_bytes(hashes)
    card = json.loads((index / "card.json").read_text())
    (index / "card.json").write_text(json.dumps(card | {"hash_check": 1}))
    with pytest.raises(InputError, match="made by another version"):
        EvaluationIndex(index)
