"""P(reference) from either label, and the threshold."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from filters.document import Document, Rejected
from filters.models import MissingModel, load_fasttext, predict
from filters.reference_quality import ReferenceQualityFilter, ReferenceQualitySettings

SETTINGS = ReferenceQualitySettings(enabled=True, threshold=0.25, positive_label="reference")
GOOD = "the council signed\nthe treaty in the century"
BAD = "click here\nbuy cheap shoes now"


def opened(settings: ReferenceQualitySettings, model: Path) -> ReferenceQualityFilter:
    stage = ReferenceQualityFilter(settings, model)
    stage.open()
    return stage


def test_a_reference_stays(reference_model: Path) -> None:
    document = Document("a", "test", GOOD)
    assert opened(SETTINGS, reference_model)(document) is document
    model = load_fasttext(reference_model, "reference-model")
    assert predict(model, GOOD.replace("\n", " "))[0] == (
        "reference",
        pytest.approx(document.signals["reference_score"], abs=1e-4),
    )
    assert document.signals["reference_score"] > 0.9


def test_another_page_goes_with_its_score(reference_model: Path) -> None:
    document = Document("a", "test", BAD)
    result = opened(SETTINGS, reference_model)(document)
    assert isinstance(result, Rejected)
    assert result.reason == "below_threshold"
    score = document.signals["reference_score"]
    assert 0.0 <= score < 0.1
    assert result.detail == f"score {score:.4g} < 0.25"


def test_scores_of_both_labels_are_one(reference_model: Path) -> None:
    one, two = Document("a", "test", BAD), Document("a", "test", BAD)
    opened(replace(SETTINGS, threshold=0.0), reference_model)(one)
    opened(replace(SETTINGS, threshold=0.0, positive_label="other"), reference_model)(two)
    total = one.signals["reference_score"] + two.signals["reference_score"]
    assert total == pytest.approx(1.0)


def test_the_threshold_itself_passes(reference_model: Path) -> None:
    document = Document("a", "test", BAD)
    opened(SETTINGS, reference_model)(document)
    settings = replace(SETTINGS, threshold=document.signals["reference_score"])
    assert opened(settings, reference_model)(document) is document


def test_missing_model(tmp_path: Path) -> None:
    with pytest.raises(MissingModel, match="roving models reference"):
        ReferenceQualityFilter(SETTINGS, tmp_path / "none.bin").open()


def test_a_model_of_something_else(language_identifier: Path) -> None:
    with pytest.raises(MissingModel, match=r"has labels .*'reference'"):
        ReferenceQualityFilter(SETTINGS, language_identifier).open()


def test_pickles_after_open(reference_model: Path) -> None:
    stage = pickle.loads(pickle.dumps(opened(SETTINGS, reference_model)))
    stage.open()
    assert isinstance(stage(Document("a", "test", GOOD)), Document)
