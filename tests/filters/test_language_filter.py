"""Language identification: what the model is shown, and what becomes of the answer."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.ccnet_text import Mode
from filters.document import Document, Rejected
from filters.language import (
    SLICE,
    LanguageFilter,
    LanguageSettings,
    load_language_model,
    round_as_numpy,
    spread_sample,
)
from filters.models import MissingModel, predict

SETTINGS = LanguageSettings(
    enabled=True,
    keep=("en",),
    minimum_score=0.5,
    characters=0,
    certain_score=0.0,
    doubtful_characters=0,
)


def opened(settings: LanguageSettings, model: Path, mode: Mode = "standard") -> LanguageFilter:
    stage = LanguageFilter(settings, model, mode)
    stage.open()
    return stage


def test_keeps_and_annotates(language_identifier: Path, english: str) -> None:
    document = Document("a", "test", english)
    assert opened(SETTINGS, language_identifier)(document) is document
    assert document.metadata["language"] == document.signals["language"] == "en"
    expected = predict(load_language_model(language_identifier), english.replace("\n", " "))
    assert document.signals["language_score"] == min(expected[0][1], 1.0)


def test_unwanted_language_keeps_its_signals(language_identifier: Path, german: str) -> None:
    document = Document("a", "test", german)
    result = opened(SETTINGS, language_identifier)(document)
    assert isinstance(result, Rejected)
    assert result.reason == "not_wanted"
    assert result.detail.startswith("de ")
    assert document.signals["language"] == "de"


def test_no_list_keeps_every_language(language_identifier: Path, german: str) -> None:
    stage = opened(replace(SETTINGS, keep=()), language_identifier)
    assert isinstance(stage(Document("a", "test", german)), Document)


def test_low_score_comes_before_the_list(language_identifier: Path, german: str) -> None:
    stage = opened(replace(SETTINGS, minimum_score=1.1), language_identifier)
    result = stage(Document("a", "test", german))
    assert isinstance(result, Rejected)
    assert result.reason == "low_score"


@pytest.mark.parametrize("text", ["", " ", "\n\n\t\n"])
def test_nothing_to_identify(text: str, language_identifier: Path) -> None:
    result = opened(SETTINGS, language_identifier)(Document("a", "test", text))
    assert isinstance(result, Rejected)
    assert result.reason == "empty"


def test_ccnet_deletes_newlines_and_rounds(language_identifier: Path) -> None:
    text = "wir gingen\nthe river\nam strand\n"
    document = Document("a", "test", text)
    settings = replace(SETTINGS, keep=(), minimum_score=0.0)
    opened(settings, language_identifier, "ccnet")(document)
    model = load_language_model(language_identifier)
    label, score = predict(model, "wir gingenthe riveram strand")[0]
    assert document.signals["language"] == label
    assert document.signals["language_score"] == np.round(score, 2)
    assert predict(model, text.replace("\n", " "))[0][1] != pytest.approx(score)


def test_rounding_is_numpys() -> None:
    assert round_as_numpy(0.495) == 0.5
    assert round_as_numpy(0.4949) == 0.49


@given(st.floats(0, 1))
def test_rounding_equals_numpys(score: float) -> None:
    assert round_as_numpy(score) == np.round(score, 2)


@given(st.text(), st.integers(0, 300))
def test_sample_is_bounded_and_has_both_ends(text: str, characters: int) -> None:
    sample = spread_sample(text, characters)
    if characters == 0 or len(text) <= characters:
        assert sample == text
    elif len(text) >= 2 * SLICE:
        slices = max(characters // SLICE, 2)
        assert len(sample) == slices * SLICE + slices - 1
        assert sample.startswith(text[:SLICE])
        assert sample.endswith(text[-SLICE:])


def test_sample_by_hand() -> None:
    text = "a" * 32 + "-" * 34 + "b" * 32 + "-" * 34 + "c" * 32
    assert spread_sample(text, 96) == "a" * 32 + " " + "b" * 32 + " " + "c" * 32


def test_doubt_brings_a_second_look(language_identifier: Path, english: str, german: str) -> None:
    # English at every place that the first look sees, much more German between them.
    settings = replace(SETTINGS, characters=64, keep=())
    start, middle = english.split("\n", maxsplit=1)[0][:SLICE], german.replace("\n", " ")
    text = f"{start} {middle} {middle} {start}"
    first, second = Document("a", "test", text), Document("a", "test", text)
    opened(settings, language_identifier)(first)
    opened(replace(settings, certain_score=1.1), language_identifier)(second)
    assert first.signals["language"] == "en"
    assert second.signals["language"] == "de"
    whole = predict(load_language_model(language_identifier), text)[0][1]
    assert second.signals["language_score"] == min(whole, 1.0)


def test_pickles_after_open(language_identifier: Path, english: str) -> None:
    stage = pickle.loads(pickle.dumps(opened(SETTINGS, language_identifier)))
    stage.open()
    assert isinstance(stage(Document("a", "test", english)), Document)


def test_missing_model(tmp_path: Path) -> None:
    with pytest.raises(MissingModel, match="roving models fetch"):
        LanguageFilter(SETTINGS, tmp_path / "lid.176.ftz").open()


@pytest.mark.real
def test_lid_176_on_sentences(real_data: Path) -> None:
    stage = opened(replace(SETTINGS, keep=()), real_data / "lid" / "lid.176.ftz")
    french = "Le conseil municipal a voté hier soir la construction d'une nouvelle école."
    document = Document("a", "test", french)
    assert stage(document) is document
    assert document.signals["language"] == "fr"
    assert document.signals["language_score"] > 0.8
