"""Perplexity by hand on a model of two words, and the buckets."""

from __future__ import annotations

import json
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from filters.ccnet_text import Mode
from filters.document import Document, Rejected
from filters.models import MissingModel
from filters.perplexity import PUBLISHED_CUTOFFS, PerplexityFilter, PerplexitySettings

SETTINGS = PerplexitySettings(
    enabled=True,
    keep_buckets=("head", "middle"),
    cutoffs="own",
    without_model="reject",
    maximum_characters=0,
)


def opened(settings: PerplexitySettings, models: Path, mode: Mode = "standard") -> PerplexityFilter:
    stage = PerplexityFilter(settings, models, mode=mode)
    stage.open()
    return stage


def document_of(text: str, language: str = "en") -> Document:
    return Document("a", "test", text, {"language": language})


def reason(result: Document | Rejected) -> str:
    return result.reason if isinstance(result, Rejected) else ""


@pytest.mark.parametrize(
    ("text", "perplexity", "bucket"),
    [
        # <s> red -0.1, red fox -0.2, fox </s> -0.1 - 0.5; 2 pieces + 1: 10 ** (0.9 / 3).
        # 1.995 is rounded to 2.0 before it is compared: not below 2.0.
        ("red fox", 2.0, "middle"),
        # <s> red -0.1, red red -0.2 - 0.6, red fox -0.2, fox </s> -0.6: 10 ** (1.7 / 4).
        ("Red\nred  fox", 2.7, "middle"),
        # <s> fox -0.3 - 0.7, fox </s> -0.6: 10 ** (1.6 / 2).
        ("fox", 6.3, "middle"),
        # <s> unknown -0.3 - 1.0, unknown </s> -0.5: 10 ** (1.8 / 2).
        ("zebra", 7.9, "tail"),
    ],
)
def test_by_hand(text: str, perplexity: float, bucket: str, language_models: Path) -> None:
    document = document_of(text)
    result = opened(SETTINGS, language_models)(document)
    assert document.signals == {"perplexity": perplexity, "bucket": bucket}
    assert reason(result) == ("bucket_tail" if bucket == "tail" else "")


def test_ccnet_fuses_words_at_line_ends(language_models: Path) -> None:
    document = document_of("red\nfox")
    opened(SETTINGS, language_models, "ccnet")(document)
    # One unknown word, "redfox".
    assert document.signals["perplexity"] == 7.9


def test_only_kept_buckets_pass(language_models: Path) -> None:
    stage = opened(replace(SETTINGS, keep_buckets=("tail",)), language_models)
    assert stage(document_of("fox")) == Rejected("bucket_middle", "en perplexity 6.3")
    assert reason(stage(document_of("zebra"))) == ""


def test_published_cutoffs(language_models: Path) -> None:
    document = document_of("zebra")
    assert PUBLISHED_CUTOFFS["en"] == (340, 520)
    assert opened(replace(SETTINGS, cutoffs="published"), language_models)(document) is document
    assert document.signals["bucket"] == "head"


def test_language_without_model(language_models: Path) -> None:
    rejected = Rejected("no_language_model", "language 'sw'")
    assert opened(SETTINGS, language_models)(document_of("fox", "sw")) == rejected
    kept = opened(replace(SETTINGS, without_model="keep"), language_models)
    for stage in (kept, opened(SETTINGS, language_models, "ccnet")):
        document = document_of("fox", "sw")
        assert stage(document) is document
        assert document.signals == {"bucket": "all"}


@pytest.mark.parametrize("language", ["", ".", "..", "../en", "en/../en"])
def test_a_language_is_no_path(language: str, language_models: Path) -> None:
    result = opened(SETTINGS, language_models)(document_of("fox", language))
    assert reason(result) == "no_language_model"


def test_model_without_published_cutoffs(language_models: Path, tmp_path: Path) -> None:
    shutil.copytree(language_models / "en", tmp_path / "sv")
    settings = replace(SETTINGS, cutoffs="published")
    document = document_of("fox", "sv")
    assert reason(opened(settings, tmp_path)(document)) == "no_cutoffs"
    assert document.signals["perplexity"] == 6.3


def test_nothing_to_score(language_models: Path) -> None:
    assert reason(opened(SETTINGS, language_models)(document_of("\x00\u0301"))) == "empty"
    document = document_of("\x00\u0301")
    assert opened(SETTINGS, language_models, "ccnet")(document) is document
    assert document.signals == {"bucket": "all"}


def test_long_documents_are_scored_on_their_beginning(language_models: Path) -> None:
    document = document_of("red fox" + " zebra" * 1000)
    opened(replace(SETTINGS, maximum_characters=7), language_models)(document)
    assert document.signals["perplexity"] == 2.0


def test_missing_models(language_models: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingModel, match="roving models language"):
        PerplexityFilter(SETTINGS, tmp_path / "models").open()
    with pytest.raises(MissingModel, match=r"/de: not found; make it with `roving models language"):
        PerplexityFilter(
            replace(SETTINGS, without_model="stop"), language_models, ("en", "de")
        ).open()


def test_without_model_means_what_it_says_with_several_languages(language_models: Path) -> None:
    for choice, outcome in (("keep", None), ("reject", "no_language_model")):
        settings = replace(SETTINGS, without_model=choice)
        stage = PerplexityFilter(settings, language_models, ("en", "de"))
        stage.open()
        document = document_of("fox", "de")
        result = stage(document)
        assert (result.reason if isinstance(result, Rejected) else None) == outcome
        assert document.signals.get("bucket") == ("all" if choice == "keep" else None)


def test_code_tables_and_lists_are_not_scored(language_models: Path) -> None:
    prose, code = document_of("red fox"), document_of("red fox\nzebra = zebra\n- zebra\nzebra | 2")
    code.signals["line_kinds"] = "pcir"
    settings = replace(SETTINGS, minimum_prose=5)
    for document in (prose, code):
        opened(settings, language_models)(document)
    assert code.signals["perplexity"] == prose.signals["perplexity"]
    mostly = document_of("fox\nzebra = zebra")
    mostly.signals["line_kinds"] = "pc"
    assert opened(settings, language_models)(mostly) is mostly
    assert mostly.signals["bucket"] == "all"
    assert "perplexity" not in mostly.signals
    # cc_net knows no lines of code.
    opened(settings, language_models, "ccnet")(mostly)
    assert mostly.signals["perplexity"] > 0


@pytest.mark.parametrize("absent", ["sentencepiece.model", "lm.binary", "card.json"])
def test_incomplete_model(absent: str, language_models: Path, tmp_path: Path) -> None:
    shutil.copytree(language_models / "en", tmp_path / "en")
    (tmp_path / "en" / absent).unlink()
    with pytest.raises(MissingModel, match=absent):
        PerplexityFilter(SETTINGS, tmp_path, ("en",)).open()


def test_card_without_cutoffs(language_models: Path, tmp_path: Path) -> None:
    shutil.copytree(language_models / "en", tmp_path / "en")
    (tmp_path / "en" / "card.json").write_text(json.dumps({"cutoffs": None}))
    with pytest.raises(MissingModel, match="no cutoffs"):
        PerplexityFilter(SETTINGS, tmp_path, ("en",)).open()


def test_pickles_after_use(language_models: Path) -> None:
    stage = opened(SETTINGS, language_models)
    stage(document_of("fox"))
    stage = pickle.loads(pickle.dumps(stage))
    stage.open()
    assert reason(stage(document_of("zebra"))) == "bucket_tail"
