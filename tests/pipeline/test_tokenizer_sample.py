"""The sample: shares in bytes, held-out text apart, the same for any number of workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from model_data import Language, write_dataset

from pipeline.errors import InputError, RecipeError
from pipeline.passes.engine import Engine
from pipeline.passes.run import running
from pipeline.store.commit import Place
from pipeline.store.records import UnitRecord
from pipeline.store.units import Unit
from pipeline.tokens.sample import DrawnSource, SamplePass, draw_sample, find_sources
from pipeline.tokens.settings import TokenizerSettings

SETTINGS = TokenizerSettings(
    vocabulary_size=500,
    threads=1,
    sample_bytes=60_000,
    held_out_share=0.1,
    held_out_bytes=5_000,
    memory_bytes=1_000_000_000,
)
SHARES = {"a": 0.5, "b": 0.1, "absent": 0.4}


def dataset(folder: Path, texts: Sequence[str], parts: int = 3, prefix: str = "d") -> str:
    """A documents dataset, its documents dealt out to the units."""
    rows: list[list[dict[str, Any]]] = [[] for _ in range(parts)]
    for number, text in enumerate(texts):
        rows[number % parts].append(
            {"id": f"{prefix}/{number}", "text": text, "language": "en" if number % 2 else "de"}
        )
    return write_dataset(folder, rows)


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, str]:
    return {
        "a": dataset(tmp_path / "a", Language(1).texts(300)),
        "b": dataset(tmp_path / "b", Language(2).texts(300, length=40), prefix="e"),
    }


def draw(
    folders: dict[str, str],
    work: Path,
    settings: TokenizerSettings = SETTINGS,
    workers: int = 1,
) -> list[DrawnSource]:
    sources = find_sources(folders, SHARES, settings)
    with running(Engine(workers=workers), str(work)) as run:
        return draw_sample(sources, settings, str(work), run)


def records(work: Path, label: str) -> list[UnitRecord]:
    """The records of the units of a source's sample."""
    paths = sorted((work / "work" / f"sample.{label}" / "done").iterdir())
    return [UnitRecord.from_bytes(path.read_bytes()) for path in paths]


def contents(drawn: list[DrawnSource]) -> list[tuple[list[str], list[tuple[str, str]]]]:
    return [(list(one.training_texts()), list(one.held_out_texts())) for one in drawn]


def size(texts: Sequence[str]) -> int:
    return sum(len(text.encode()) for text in texts)


def test_shares_are_met_to_the_byte(folders: dict[str, str], tmp_path: Path) -> None:
    drawn = draw(folders, tmp_path / "work")
    assert [(one.source.label, one.bytes) for one in drawn] == [("a", 50_000), ("b", 10_000)]
    for one, (training, _) in zip(drawn, contents(drawn), strict=True):
        assert size(training) == one.bytes
        assert len(training) == one.documents
        assert one.to_json()["wanted_bytes"] == one.bytes
    assert drawn[0].to_json()["share"] == 0.833333  # 0.5 of the 0.6 that are there


def test_held_out_documents_are_not_in_the_sample(folders: dict[str, str], tmp_path: Path) -> None:
    # More than there is: everything is taken that is not held out.
    settings = replace(SETTINGS, sample_bytes=10_000_000, held_out_bytes=10_000_000)
    every = {text for number in (1, 2) for text in Language(number).texts(300)}
    drawn = draw(folders, tmp_path / "work", settings)
    training, held_out = contents(drawn)[0]
    kept = {text for _, text in held_out}
    assert len(training) + len(held_out) == 300
    assert not kept & set(training)
    assert kept | set(training) <= every
    assert 15 <= len(held_out) <= 45
    assert {language for language, _ in held_out} == {"de", "en"}


def test_held_out_text_is_bounded(folders: dict[str, str], tmp_path: Path) -> None:
    for _, held_out in contents(draw(folders, tmp_path / "work")):
        assert size([text for _, text in held_out]) == SETTINGS.held_out_bytes


def test_a_larger_sample_holds_the_smaller_one(folders: dict[str, str], tmp_path: Path) -> None:
    small = contents(draw(folders, tmp_path / "one"))[0][0]
    settings = replace(SETTINGS, sample_bytes=120_000)
    large = contents(draw(folders, tmp_path / "two", settings))[0][0]
    whole = [text for text in small if text in large]
    assert len(whole) >= len(small) - 1  # of one, the smaller has the beginning


def test_workers_and_order_change_nothing(folders: dict[str, str], tmp_path: Path) -> None:
    expected = contents(draw(folders, tmp_path / "one"))
    assert contents(draw(folders, tmp_path / "two", workers=2)) == expected
    turned = dict(reversed(list(folders.items())))
    assert contents(draw(turned, tmp_path / "three")) == expected
    for label in folders:
        one, two = (
            [(record.unit, record.content, record.funnel) for record in records(work, label)]
            for work in (tmp_path / "one", tmp_path / "two")
        )
        assert len(one) == 3
        assert one == two


def test_it_resumes_where_it_was(folders: dict[str, str], tmp_path: Path) -> None:
    work = tmp_path / "work"
    drawn = draw(folders, work)
    expected = contents(drawn)
    first, *others = (Path(path) for path in drawn[0].parts)
    times = [path.stat().st_mtime_ns for path in others]
    next((work / "work" / "sample.a" / "done").glob(f"{records(work, 'a')[0].unit}.*")).unlink()
    first.write_bytes(b"half")
    again = draw(folders, work)
    assert contents(again) == expected
    assert [Path(path) for path in again[0].parts[1:]] == others
    assert [path.stat().st_mtime_ns for path in others] == times
    assert Path(again[0].parts[0]) != first


def test_a_unit_whose_file_was_cut_is_drawn_again(folders: dict[str, str], tmp_path: Path) -> None:
    drawn = draw(folders, tmp_path / "work")
    expected = contents(drawn)
    Path(drawn[0].parts[1]).write_bytes(b"half")
    again = draw(folders, tmp_path / "work")
    assert contents(again) == expected
    assert [one == two for one, two in zip(drawn[0].parts, again[0].parts, strict=True)] == [
        True,
        False,
        True,
    ]


def test_every_document_is_accounted_for(folders: dict[str, str], tmp_path: Path) -> None:
    draw(folders, tmp_path / "work")
    found = records(tmp_path / "work", "a")
    assert len(found) == 3
    for record in found:
        stage = record.funnel["stages"][0]
        assert stage["documents_in"] == 100
        assert stage["documents_out"] == record.of_kind("candidates").rows
        assert stage["documents_in"] == stage["documents_out"] + stage["reasons"]["not_drawn"]


def test_only_candidates_are_copied(folders: dict[str, str], tmp_path: Path) -> None:
    drawn = draw(folders, tmp_path / "work", replace(SETTINGS, sample_bytes=6_000))
    rows = sum(pq.read_metadata(path).num_rows for path in drawn[1].parts)
    assert 3 <= rows < 100


def test_texts_of_several_bytes_a_character_and_empty_ones(tmp_path: Path) -> None:
    texts = ["", *(f"{number} 日本語の文章です。" * 20 for number in range(200))]
    folders = {"a": dataset(tmp_path / "a", texts)}
    drawn = draw(folders, tmp_path / "work", replace(SETTINGS, sample_bytes=10_000))
    training = contents(drawn)[0][0]
    # The last document is cut within a character of three bytes at most.
    assert 10_000 - 2 <= size(training) <= 10_000


def test_a_source_without_a_share_is_refused(folders: dict[str, str]) -> None:
    with pytest.raises(RecipeError, match=r"no share for 'z'.*labels: a, absent, b"):
        find_sources({"z": folders["a"]}, SHARES, SETTINGS)
    with pytest.raises(RecipeError, match="none of these sources has a share above 0"):
        find_sources({"a": folders["a"]}, {"a": 0.0}, SETTINGS)


def test_what_is_no_finished_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is no dataset: there is no manifest\.json"):
        find_sources({"a": str(tmp_path / "nothing")}, SHARES, SETTINGS)
    unfinished = write_dataset(tmp_path / "begun", [[{"id": "1", "text": "x"}]], finished=False)
    with pytest.raises(InputError, match="the run that makes it has not ended"):
        find_sources({"a": unfinished}, SHARES, SETTINGS)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="was written by another version of Roving"):
        find_sources({"a": str(tmp_path / "a")}, SHARES, SETTINGS)


def test_a_damaged_shard_is_named(folders: dict[str, str], tmp_path: Path) -> None:
    path = next(Path(folders["a"], "documents").iterdir())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(Exception, match=rf"{path.name} is no Parquet file, or is damaged"):
        draw(folders, tmp_path / "work")


def test_a_shard_that_is_not_the_manifests_is_refused(
    folders: dict[str, str], tmp_path: Path
) -> None:
    path = next(Path(folders["a"], "documents").iterdir())
    pq.write_table(pq.read_table(path).slice(1), path)
    with pytest.raises(InputError, match=rf"{path.name} is not what the manifest names"):
        draw(folders, tmp_path / "work")


def test_a_text_that_is_no_utf8_is_not_drawn(tmp_path: Path) -> None:
    path = tmp_path / "shard.parquet"
    text = pa.array([b"\xff", b"two"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"id": ["d/0", "d/1"], "text": text}), path)
    place = Place(str(tmp_path / "work"), "sample.a", run="0a1b2c3d")
    work = SamplePass("a", place, 1 << 64, 1 << 64)
    record = work.draw(Unit("a", str(path), "a", path.stat().st_size))
    drawn = pq.read_table(place.full(record.of_kind("candidates").name))
    assert drawn["text"].to_pylist() == ["two"]
    assert record.funnel["stages"][0]["reasons"] == {"invalid_utf8": 1}
