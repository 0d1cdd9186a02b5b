"""Reading document datasets for training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from model_data import write_dataset

from pipeline.errors import InputError
from pipeline.models.cards import building, dataset_origin
from pipeline.models.training_texts import languages_of, read_batches, read_texts


def row(number: int, language: str | None) -> dict[str, Any]:
    return {"id": str(number), "source": "test", "text": f"text {number}", "language": language}


@pytest.fixture
def dataset(tmp_path: Path) -> str:
    english = [row(number, "en") for number in range(120)]
    mixed = [row(number, ("de", "en", None)[number % 3]) for number in range(120, 240)]
    return write_dataset(tmp_path / "data", [english, mixed])


def test_texts_of_a_language_in_order(dataset: str) -> None:
    assert list(read_texts([dataset], ["de"])) == [f"text {n}" for n in range(120, 240, 3)]
    assert len(list(read_texts([dataset], ["de", "en"]))) == 200
    assert len(list(read_texts([dataset, dataset]))) == 480
    assert list(read_texts([dataset], ["fr"])) == []


def test_languages_found(dataset: str) -> None:
    assert languages_of([dataset]) == ["de", "en"]


def test_batches_are_small(dataset: str) -> None:
    batches = list(read_batches(dataset, ["text"]))
    assert sum(batch.num_rows for batch in batches) == 240
    assert max(batch.num_rows for batch in batches) <= 256


def test_what_is_no_dataset_is_named(dataset: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing is no dataset: there is no manifest\.json"):
        list(read_texts([str(tmp_path / "nothing")]))
    with pytest.raises(InputError, match="no column 'title'"):
        list(read_batches(dataset, ["text", "title"]))


def test_origin_needs_a_complete_dataset(dataset: str, tmp_path: Path) -> None:
    origin = dataset_origin(dataset)
    assert origin["documents"] == 240
    assert len(origin["content"]) == 64
    same = write_dataset(tmp_path / "same", [[row(1, "en")]])
    other = write_dataset(tmp_path / "other", [[row(1, "de")]])
    again = write_dataset(tmp_path / "again", [[row(1, "en")]])
    assert dataset_origin(same) == dataset_origin(again)
    assert dataset_origin(same) != dataset_origin(other)
    unfinished = write_dataset(tmp_path / "unfinished", [[row(1, "en")]], finished=False)
    with pytest.raises(InputError, match="the run that makes it has not ended"):
        dataset_origin(unfinished)


def build_and_fail(final: Path) -> None:
    with building(final) as work:
        (work / "file").write_text("third", encoding="utf-8")
        work.mkdir()


def test_a_model_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    final = tmp_path / "model"
    stale = tmp_path / ".model.tmp-of-a-killed-run"
    stale.mkdir()
    for content in ("first", "second"):
        with building(final) as work:
            (work / "file").write_text(content, encoding="utf-8")
            assert not stale.exists()
    with pytest.raises(FileExistsError):
        build_and_fail(final)
    assert (final / "file").read_text(encoding="utf-8") == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
