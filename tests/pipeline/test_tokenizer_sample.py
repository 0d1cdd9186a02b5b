"""The sample: shares in bytes, held-out text apart, the same for any number of workers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from model_data import Language, write_dataset
from pipeline.dataset import Dataset
from pipeline.runner import Engine, Workers

from pipeline.errors import InputError, RecipeError
from pipeline.tokens.sample import DrawnSource, draw_sample, find_sources
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
    """A documents dataset with what a run writes into its manifest."""
    rows: list[list[dict[str, Any]]] = [[] for _ in range(parts)]
    for number, text in enumerate(texts):
        rows[number % parts].append(
            {"id": f"{prefix}/{number}", "text": text, "language": "en" if number % 2 else "de"}
        )
    path = write_dataset(folder, rows)
    manifest = {
        "source": "test",
        "documents": len(texts),
        "characters": sum(len(text) for text in texts),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return path


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
    with Workers(Engine(workers=workers)) as pool:
        return draw_sample(sources, settings, str(work), pool)


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
    for part in sorted((tmp_path / "one" / "a" / "documents").iterdir()):
        other = tmp_path / "two" / "a" / "documents" / part.name
        assert part.read_bytes() == other.read_bytes()


def test_it_resumes_where_it_was(folders: dict[str, str], tmp_path: Path) -> None:
    expected = contents(draw(folders, tmp_path / "work"))
    done = Dataset(str(tmp_path / "work" / "a"))
    names = [stats["unit"] for stats in done.committed()]
    times = {name: Path(done.part("documents", name)).stat().st_mtime_ns for name in names}
    Path(done.stats_path(names[0])).unlink()
    Path(done.part("documents", names[0])).write_bytes(b"half")
    assert contents(draw(folders, tmp_path / "work")) == expected
    for name in names[1:]:
        assert Path(done.part("documents", name)).stat().st_mtime_ns == times[name]


def test_every_document_is_accounted_for(folders: dict[str, str], tmp_path: Path) -> None:
    draw(folders, tmp_path / "work")
    for stats in Dataset(str(tmp_path / "work" / "a")).committed():
        stage = stats["funnel"]["stages"][0]
        assert stage["documents_in"] == 100
        assert stage["documents_out"] == stats["outputs"]["documents"]["rows"]
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
    (tmp_path / "a").mkdir()
    with pytest.raises(InputError, match=r"has no manifest\.json"):
        find_sources({"a": str(tmp_path / "a")}, SHARES, SETTINGS)
    (tmp_path / "a" / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="is not that of a dataset"):
        find_sources({"a": str(tmp_path / "a")}, SHARES, SETTINGS)


def test_a_damaged_shard_is_named(folders: dict[str, str], tmp_path: Path) -> None:
    path = next(Path(folders["a"], "documents").iterdir())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(Exception, match=rf"{path.name} is no Parquet file, or is damaged"):
        draw(folders, tmp_path / "work")


def test_a_text_that_is_no_utf8_is_not_drawn(tmp_path: Path) -> None:
    folder = Path(dataset(tmp_path / "a", ["one", "two"], parts=1))
    path = next((folder / "documents").iterdir())
    text = pa.array([b"\xff", b"two"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"id": ["d/0", "d/1"], "text": text}), path)
    settings = replace(SETTINGS, held_out_share=0.0)
    drawn = draw({"a": str(folder)}, tmp_path / "work", settings)
    assert list(drawn[0].training_texts()) == ["two"]
    (stats,) = Dataset(str(tmp_path / "work" / "a")).committed()
    assert stats["funnel"]["stages"][0]["reasons"] == {"invalid_utf8": 1}
