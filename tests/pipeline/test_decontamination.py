"""The decontamination stage and its report."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from documents_data import write_documents_dataset
from evaluation_data import FOX, SEA, animals_and_sea, evaluation, write_lines
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.document import Document
from pipeline.cli.options import DEFAULT_RECIPE
from pipeline.decontamination.index import build_evaluation_index
from pipeline.decontamination.report import report_lines, write_report
from pipeline.decontamination.settings import DecontaminationSettings
from pipeline.decontamination.stage import Decontamination
from pipeline.deduplication.step import find_documents
from pipeline.errors import InputError
from pipeline.job import Job
from pipeline.passes.batch import Batch
from pipeline.passes.documents_pass import DocumentsPass
from pipeline.passes.engine import Engine
from pipeline.passes.run import running
from pipeline.passes.shard_units import ReadShard
from pipeline.passes.shards import Columns, with_signals
from pipeline.passes.stages import Batching, BatchStage
from pipeline.passes.writer import WriterSettings
from pipeline.recipe import load_recipe
from pipeline.store.inputs import Inputs
from pipeline.store.units import Unit

BATCHING = Batching(documents=256, characters=1 << 20, rejected_text_share=1.0)


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


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return animals_and_sea(tmp_path)


def run(index: Path, texts: list[str], **changes: Any) -> Batch:
    stage = Decontamination(decontamination(**changes), str(index))
    stage.open()
    documents = [Document(str(number), "test", text) for number, text in enumerate(texts)]
    batch = Batch(Unit("u", "u", "u", 1), 0, documents=documents)
    stage.apply(batch, BATCHING)
    return batch


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
@settings(max_examples=150)
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


TEXTS = {
    "one": [f"this one says {FOX} again", "clean text here"],
    "two": [f"{SEA} and {FOX} and {SEA} and more of it", f"and here is {SEA}"],
}


def write_input(folder: Path) -> Path:
    units = {
        unit: [
            Document(f"{unit}/{n}", "test", text, {"url": f"http://{unit}/{n}"})
            for n, text in enumerate(texts)
        ]
        for unit, texts in TEXTS.items()
    }
    return write_documents_dataset(folder, units)


def write_dataset(folder: Path, index: Path, columns: Columns, **changes: Any) -> None:
    """The dataset that the stage makes of the input, with these columns."""
    with running(Engine(), str(folder)) as run:
        job = Job("test", Inputs(()), str(folder), load_recipe(DEFAULT_RECIPE), run)
        place = job.place("decontaminate", is_last=True)
        stage = Decontamination(decontamination(**changes), str(index))
        writer = WriterSettings(columns, (), 100)
        source = find_documents(str(write_input(folder.parent / "input")), "in", place)
        work = DocumentsPass("in", place, ReadShard(BATCHING), (stage,), BATCHING, writer, 600)
        job.complete(job.run_pass(work, source.units), [])


@pytest.mark.parametrize("columns", [Columns(), with_signals(Columns(), [Decontamination])])
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
    folder = write_documents_dataset(tmp_path / "plain", {"u": [Document("a", "test", FOX)]})
    with pytest.raises(InputError, match="made without decontamination"):
        write_report(str(folder), index)
    write_dataset(tmp_path / "dataset", index, Columns(), action="flag")
    other = write_lines(tmp_path / "other.jsonl", {"q": FOX})
    build_evaluation_index(str(other), tmp_path / "other", evaluation())
    with pytest.raises(InputError, match="'one/0' holds 'animals/2', which is not in the index"):
        write_report(str(tmp_path / "dataset"), tmp_path / "other")
    for written in (folder, tmp_path / "dataset"):
        assert not list(written.glob("*contamination*"))
