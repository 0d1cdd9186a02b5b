"""Models load once, and one that is missing says how to make it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from filters.language import load_language_model
from filters.models import MissingModel, load_kenlm, load_sentencepiece, predict
from filters.perplexity import load_cutoffs


def test_one_object_per_path(language_identifier: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        models = list(pool.map(load_language_model, [language_identifier] * 8))
    assert all(model is models[0] for model in models)
    folder = language_identifier.parent
    assert load_language_model(folder / ".." / folder.name / "model.bin") is models[0]


def test_missing_language_model(tmp_path: Path) -> None:
    path = tmp_path / "lid.176.ftz"
    with pytest.raises(MissingModel) as error:
        load_language_model(path)
    assert str(path) in str(error.value)
    assert "roving models fetch" in str(error.value)


@pytest.mark.parametrize(
    "load",
    [
        load_language_model,
        lambda path: load_sentencepiece(path, "language-models"),
        lambda path: load_kenlm(path, "language-models"),
        load_cutoffs,
    ],
)
@pytest.mark.parametrize("content", [b"", b"<html>404 not found</html>\n" * 100, b"{}"])
def test_a_file_that_is_no_model(load: object, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(content)
    with pytest.raises(MissingModel, match=r"model.*cannot be read.*make "):
        load(path)  # type: ignore[operator]


def test_a_failed_load_is_tried_again(tmp_path: Path, language_identifier: Path) -> None:
    path = tmp_path / "model.bin"
    with pytest.raises(MissingModel):
        load_language_model(path)
    path.write_bytes(language_identifier.read_bytes())
    assert predict(load_language_model(path), "the river and the town")[0][0] == "en"


def test_predict_agrees_with_fasttext(language_identifier: Path) -> None:
    model = load_language_model(language_identifier)
    labels, scores = model.predict("die alte stadt", k=2)
    predicted = predict(model, "die alte stadt", k=2)
    assert [label for label, _ in predicted] == [
        label.removeprefix("__label__") for label in labels
    ]
    assert [score for _, score in predicted] == pytest.approx(list(scores))


def test_a_download_that_was_cut_off(tmp_path: Path, language_identifier: Path) -> None:
    path = tmp_path / "lid.176.ftz"
    path.write_bytes(language_identifier.read_bytes()[:1000])
    with pytest.raises(MissingModel, match=r"cut off, 1000 of 938013 bytes; .*roving models fetch"):
        load_language_model(path)


def test_a_file_shorter_than_its_card_says(tmp_path: Path, language_identifier: Path) -> None:
    data = language_identifier.read_bytes()
    (tmp_path / "model.bin").write_bytes(data[:-100])
    card = {"files": {"model.bin": {"bytes": len(data)}}}
    (tmp_path / "card.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(MissingModel, match="cut off"):
        load_language_model(tmp_path / "model.bin")
    (tmp_path / "model.bin").write_bytes(data)
    assert predict(load_language_model(tmp_path / "model.bin"), "the river")[0][0] == "en"
