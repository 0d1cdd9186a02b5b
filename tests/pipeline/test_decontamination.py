"""Evaluation sets, their index, the decontamination stage and its report."""

from __future__ import annotations

import gzip
import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.document import Document
from pipeline.batch import Batch
from pipeline.contamination_report import report_lines, write_report
from pipeline.decontamination import SIGNALS, Decontamination, DecontaminationSettings
from pipeline.errors import InputError, RecipeError
from pipeline.evaluation_index import EvaluationIndex, build_evaluation_index, index_lines
from pipeline.evaluation_sets import EvaluationSettings, find_evaluation_files, read_items
from pipeline.shards import Columns
from pipeline.stages import Batching, BatchStage, apply_function
from pipeline.units import Unit
from pipeline.writer import UnitWriter, WriterSettings

FOX = "the quick brown fox jumps over the lazy dog"
SEA = "she sells sea shells by the sea shore today"
BATCHING = Batching(documents=256, characters=1 << 20, rejected_text_share=1.0)


def evaluation(**changes: Any) -> EvaluationSettings:
    values: dict[str, Any] = {
        "ngram_words": 5,
        "minimum_words": 3,
        "maximum_items": 10,
        "maximum_item_bytes": 10_000,
        "fields": {},
    }
    return EvaluationSettings(**(values | changes))


def decontamination(**changes: Any) -> DecontaminationSettings:
    values: dict[str, Any] = {
        "enabled": True,
        "action": "drop",
        "minimum_matches": 1,
        "maximum_listed": 20,
        "maximum_spans": 5,
        "minimum_characters": 10,
    }
    return DecontaminationSettings(**(values | changes))


def write_lines(path: Path, *records: Mapping[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def items_of(path: Path, **changes: Any) -> list[tuple[int, list[str]]]:
    found, _ = find_evaluation_files(str(path))
    assert len(found) == 1
    return [
        (item.number, [text for _, text in item.texts])
        for item in read_items(found[0], evaluation(**changes))
    ]


@pytest.fixture
def index(tmp_path: Path) -> Path:
    sets = tmp_path / "sets"
    write_lines(sets / "animals.jsonl", {"question": "too short"}, {"question": FOX})
    write_lines(sets / "deep" / "sea.jsonl", {"question": SEA, "answer": "nothing at all"})
    build_evaluation_index(str(sets), tmp_path / "index", evaluation())
    return tmp_path / "index"


def run(index: Path, texts: list[str], **changes: Any) -> Batch:
    stage = Decontamination(decontamination(**changes), str(index))
    stage.open()
    documents = [Document(str(number), "test", text) for number, text in enumerate(texts)]
    batch = Batch(Unit("u", "u", "u", 1), 0, documents=documents)
    stage.apply(batch, BATCHING)
    return batch


# --- reading


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
        ("a.jsonl.gz", gzip.compress(b'{"q": "x"}' * 99)[:-9], r"a\.jsonl\.gz: cannot be read: "),
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


# --- index


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


# --- stage


def test_drop_names_set_item_and_counts(index: Path) -> None:
    batch = run(index, ["clean text here", f"He said: {FOX.upper()}!", f"{SEA}; {FOX}"])
    assert [document.id for document in batch.documents] == ["0"]
    assert batch.documents[0].signals == {"contaminated_ngrams": 0}
    one, two = batch.rejected
    assert (one.stage, one.reason) == ("decontamination", "contaminated")
    assert one.detail == "animals/2, 5 n-grams of 1 items"
    assert two.signals["contamination"] == ["animals/2", "deep/sea/1"]
    assert two.signals["contaminated_items"] == 2
    assert two.signals["contaminated_ngrams"] == 10
    assert two.text == f"{SEA}; {FOX}"


def test_flag_changes_signals_only(index: Path) -> None:
    text = f"{SEA}; {FOX}"
    batch = run(index, [text], action="flag", maximum_listed=1)
    assert not batch.rejected
    (document,) = batch.documents
    assert document.text == text
    assert document.signals["contamination"] == ["animals/2"]
    assert document.signals["contaminated_items"] == 2


def test_fewer_matches_than_asked_for_are_counted_and_kept(index: Path) -> None:
    text = "a quick brown fox jumps over a fence"
    batch = run(index, [text, FOX], minimum_matches=2)
    assert [document.id for document in batch.documents] == ["0"]
    assert batch.documents[0].signals == {"contaminated_ngrams": 1}
    assert [row.reason for row in batch.rejected] == ["contaminated"]


def test_cut_removes_the_words_that_match(index: Path) -> None:
    batch = run(index, [f"Before it. {FOX}, {SEA} And after."], action="cut")
    (document,) = batch.documents
    assert document.text == "Before it.  And after."
    assert document.signals["decontaminated_characters"] == len(FOX) + 2 + len(SEA)
    assert not batch.rejected


def test_cut_goes_on_until_nothing_matches(index: Path) -> None:
    text = f"It is the quick brown {SEA} fox jumps over it, as they say"
    batch = run(index, [text], action="cut")
    assert [document.text for document in batch.documents] == ["It is  it, as they say"]


def test_cut_refuses_many_spans_and_little_text(index: Path) -> None:
    many = " or not. ".join([FOX] * 6)
    batch = run(index, [many, f"Short {FOX}"], action="cut")
    assert not batch.documents
    assert [row.reason for row in batch.rejected] == [
        "too_many_contaminated_spans",
        "too_short_without_contamination",
    ]
    assert batch.rejected[0].detail == "more than 5; animals/2, 5 n-grams of 1 items"
    assert batch.rejected[1].detail.startswith("6 < 10 characters; animals/2")
    assert batch.rejected[0].text == many
    assert batch.rejected[1].text == f"Short {FOX}"


def test_stage_pickles_without_its_index_and_keeps_accounts(index: Path) -> None:
    stage = Decontamination(decontamination(), str(index))
    assert isinstance(stage, BatchStage)
    stage.open()
    again = pickle.loads(pickle.dumps(stage))
    again.open()
    batch = Batch(Unit("u", "u", "u", 1), 0, documents=[Document("a", "s", FOX)])
    again.apply(batch, BATCHING)
    count = batch.counts["decontamination"]
    assert (count.documents_in, count.documents_out) == (1, 0)
    assert count.seconds > 0


WORDS = [*FOX.split(), *SEA.split(), "x", "y"]


@given(
    st.lists(st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join), max_size=12),
    st.sampled_from(["drop", "flag", "cut"]),
    st.integers(1, 3),
)
@settings(max_examples=150, deadline=None)
def test_decisions_do_not_depend_on_the_batch(
    shared_index: Path, texts: list[str], action: str, minimum_matches: int
) -> None:
    texts += [f"{text} {FOX} {text}" for text in texts[:3]]
    changes = {"action": action, "minimum_matches": minimum_matches, "minimum_characters": 0}
    whole = run(shared_index, texts, **changes)
    kept = {document.id: (document.text, document.signals) for document in whole.documents}
    rejected = {row.id: (row.reason, row.detail) for row in whole.rejected}
    for number, text in enumerate(texts):
        alone = run(shared_index, [text], **changes)
        for document in alone.documents:
            assert kept[str(number)] == (document.text, document.signals)
            if action == "cut":
                assert not run(
                    shared_index, [document.text], **changes | {"action": "drop"}
                ).rejected
        for row in alone.rejected:
            assert rejected[str(number)] == (row.reason, row.detail)


@pytest.fixture(scope="module")
def shared_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluation")
    path = write_lines(folder / "a.jsonl", {"q": FOX}, {"q": SEA}, {"q": "x y x y"})
    build_evaluation_index(str(path), folder / "index", evaluation())
    return folder / "index"


# --- report


def write_dataset(folder: Path, index: Path, columns: Columns, **changes: Any) -> None:
    texts = {
        "one": [f"this one says {FOX} again", "clean text here"],
        "two": [f"{SEA} and {FOX} and {SEA} and more of it", f"and here is {SEA}"],
    }
    for unit_name, own in texts.items():
        unit = Unit(unit_name, unit_name, unit_name, 1)
        documents = [
            Document(f"{unit_name}/{n}", "test", text, {"url": f"http://{unit_name}/{n}"})
            for n, text in enumerate(own)
        ]
        batch = Batch(unit, 0, is_last=True, documents=documents)
        stage = Decontamination(decontamination(**changes), str(index))
        stage.open()
        stage.apply(batch, BATCHING)
        writer = UnitWriter(unit, WriterSettings(str(folder), "f", columns, (), 100))
        writer.add(batch)
        writer.commit(batch)


@pytest.mark.parametrize("columns", [Columns(), Columns(signals=SIGNALS)])
def test_report_names_set_item_and_document(tmp_path: Path, index: Path, columns: Columns) -> None:
    folder = tmp_path / "dataset"
    write_dataset(folder, index, columns, action="cut", maximum_spans=2)
    summary = write_report(str(folder), index)
    rows = pq.read_table(folder / "contamination.parquet").to_pylist()
    shown = [tuple(row.values()) for row in rows]
    assert shown == [
        ("animals", 2, "one/0", "http://one/0", "cut", 5),
        ("deep/sea", 1, "two/1", "http://two/1", "cut", 5),
        ("animals", 2, "two/0", "http://two/0", "rejected", 10),
        ("deep/sea", 1, "two/0", "http://two/0", "rejected", 10),
    ]
    assert summary == json.loads((folder / "contamination.json").read_text())
    assert summary["documents"] == {
        "checked": 4,
        "kept": 0,
        "cut": 2,
        "rejected": 1,
        "with_more": 0,
    }
    animals, sea = summary["sets"]
    assert animals == {
        "name": "animals",
        "items": 2,
        "too_short": 1,
        "too_common": 0,
        "items_matched": 1,
        "share_matched": 0.5,
        "documents": 2,
    }
    assert (sea["items_matched"], sea["documents"]) == (1, 2)
    lines = report_lines(summary)
    assert [line.split()[:5] for line in lines[1:3]] == [
        ["animals", "2", "1", "50.00", "2"],
        ["deep/sea", "1", "1", "100.00", "2"],
    ]
    assert lines[3] == "4 documents checked; contaminated: 0 kept, 2 cut, 1 rejected"
    before = [
        (folder / name).read_bytes() for name in ("contamination.parquet", "contamination.json")
    ]
    write_report(str(folder), index)
    after = [
        (folder / name).read_bytes() for name in ("contamination.parquet", "contamination.json")
    ]
    assert before == after


def test_report_says_when_items_were_not_listed(tmp_path: Path, index: Path) -> None:
    folder = tmp_path / "dataset"
    write_dataset(folder, index, Columns(), action="flag", maximum_listed=1)
    summary = write_report(str(folder), index)
    assert summary["documents"]["kept"] == 3
    assert summary["documents"]["with_more"] == 1
    assert "lower bound" in report_lines(summary)[-1]


def test_report_of_another_dataset_or_index_is_refused(tmp_path: Path, index: Path) -> None:
    folder = tmp_path / "plain"
    unit = Unit("u", "u", "u", 1)
    batch = Batch(unit, 0, is_last=True, documents=[Document("a", "test", FOX)])
    apply_function("stage", lambda document: document, batch, BATCHING)
    writer = UnitWriter(unit, WriterSettings(str(folder), "f", Columns(), (), 100))
    writer.add(batch)
    writer.commit(batch)
    with pytest.raises(InputError, match="made without decontamination"):
        write_report(str(folder), index)
    write_dataset(tmp_path / "dataset", index, Columns(), action="flag")
    other = write_lines(tmp_path / "other.jsonl", {"q": FOX})
    build_evaluation_index(str(other), tmp_path / "other", evaluation())
    with pytest.raises(InputError, match="'one/0' holds 'animals/2', which is not in the index"):
        write_report(str(tmp_path / "dataset"), tmp_path / "other")
    for written in (folder, tmp_path / "dataset"):
        assert not list(written.glob("*contamination*"))
