"""A run says at its end which models are not to be trusted, and where cut-offs do not fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.models.language import size_warning
from pipeline.models.warnings import model_warnings
from pipeline.store.accounting import Funnel

SETTINGS = {"middle_percentile": 60.0}


def folder(path: Path, **card: object) -> None:
    path.mkdir(parents=True)
    (path / "card.json").write_text(json.dumps({"warning": None, "settings": SETTINGS, **card}))


def funnel(tail: int, scored: int = 100) -> Funnel:
    run = Funnel()
    stage = run.stage("perplexity")
    stage.count.documents_in, stage.count.documents_out = scored, scored - tail
    stage.reasons["bucket_tail"] = tail
    run.stage("reference_quality")
    return run


def test_nothing_is_said_of_models_that_fit(tmp_path: Path) -> None:
    folder(tmp_path / "language" / "en")
    folder(tmp_path / "reference")
    paths = (str(tmp_path / "language"), str(tmp_path / "reference"))
    for tail in (30, 40, 50):
        assert model_warnings(funnel(tail), *paths) == []
    assert model_warnings(funnel(9, scored=10), *paths) == []
    assert model_warnings(funnel(90), str(tmp_path / "none"), str(tmp_path / "none")) == []
    assert model_warnings(Funnel(), *paths) == []


@pytest.mark.parametrize("tail", [74, 20])
def test_cut_offs_of_another_crawl(tail: int, tmp_path: Path) -> None:
    folder(tmp_path / "language" / "en")
    (warning,) = model_warnings(funnel(tail), str(tmp_path / "language"), str(tmp_path / "none"))
    assert warning.startswith(f"WARNING: {tail} % of 100 documents are in the tail of perplexity")
    assert "where 40 % were" in warning


def test_what_cards_warn_of_is_said_again(tmp_path: Path) -> None:
    small = size_warning("en", 85, 400_000)
    assert small is not None
    assert small.startswith("the language model of en knows 85 documents")
    assert size_warning("en", 10_000, 10_000_000) is None
    folder(tmp_path / "language" / "en", warning=small)
    folder(tmp_path / "reference", warning="not better than guessing")
    paths = (str(tmp_path / "language"), str(tmp_path / "reference"))
    assert model_warnings(funnel(40), *paths) == [
        f"WARNING: {small}",
        "WARNING: reference classifier: not better than guessing",
    ]
