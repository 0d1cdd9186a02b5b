"""Training of language models, on text made here."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest
from model_data import Language, shuffled

from filters.document import Document
from filters.perplexity import PerplexityFilter, PerplexitySettings
from pipeline.models import kenlm_programs
from pipeline.models.cards import ModelError, TooLittleData, read_card, sha256_of
from pipeline.models.language import (
    LanguageModelSettings,
    _chunks,
    beginning,
    cutoffs,
    train_language_model,
)

needs_lmplz = pytest.mark.skipif(
    not (kenlm_programs.BUILT / "lmplz").exists(), reason="build/kenlm/bin/lmplz is not built"
)
SETTINGS = LanguageModelSettings(
    vocabulary_size=2000,
    character_coverage=0.9995,
    sentencepiece_sentences=5000,
    threads=2,
    order=5,
    memory="64M",
    structure="probing",
    maximum_documents=10_000,
    characters_per_document=2000,
    minimum_characters=20_000,
    held_out_share=0.1,
    minimum_reference_documents=10,
    maximum_reference_documents=1000,
    head_percentile=30,
    middle_percentile=60,
)
LANGUAGE = Language(seed=1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = tmp_path_factory.mktemp("models")
    train_language_model(LANGUAGE.texts(300), "xx", models, SETTINGS, origin={"from": "a test"})
    return models


def perplexity(models: Path, text: str) -> float:
    settings = PerplexitySettings(
        enabled=True,
        keep_buckets=("head", "middle", "tail"),
        cutoffs="own",
        without_model="reject",
        maximum_characters=0,
    )
    perplexity_filter = PerplexityFilter(settings, models)
    perplexity_filter.open()
    document = perplexity_filter(Document("1", "test", text, {"language": "xx"}))
    assert isinstance(document, Document)
    found: float = document.signals["perplexity"]
    return found


@needs_lmplz
def test_in_domain_text_is_less_perplexing(trained: Path) -> None:
    text = LANGUAGE.text(seed=987_654_321)
    other = Language(seed=2).text(seed=3)
    assert perplexity(trained, text) < 0.2 * perplexity(trained, shuffled(text))
    assert perplexity(trained, text) < 0.05 * perplexity(trained, other)


@needs_lmplz
def test_card_tells_what_was_done(trained: Path) -> None:
    folder = trained / "xx"
    card = read_card(folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "card.json",
        "lm.binary",
        "sentencepiece.model",
    ]
    assert [path.name for path in trained.iterdir()] == ["xx"]
    for name, entry in card["files"].items():
        assert entry["sha256"] == sha256_of(folder / name)
    assert card["language"] == "xx"
    assert card["normalization"]["newlines"] == "space"
    assert card["origin"] == {"from": "a test"}
    assert card["settings"] == dataclasses.asdict(SETTINGS)
    assert card["reference"]["origin"] == "held-out"
    held_out, counts = card["reference"]["documents"], card["counts"]
    assert 10 <= held_out <= 60
    assert counts["documents"] == counts["trained_documents"] == 300 - held_out
    assert 100 < counts["vocabulary"] <= 2000
    percentiles = card["reference"]["percentiles"]
    assert len(percentiles) == 101
    assert percentiles == sorted(percentiles)
    assert card["cutoffs"] == {"head": percentiles[30], "middle": percentiles[60]}
    assert 1 < card["cutoffs"]["head"] < card["cutoffs"]["middle"]


@needs_lmplz
def test_same_input_makes_the_same_bytes(trained: Path, tmp_path: Path) -> None:
    train_language_model(
        iter(LANGUAGE.texts(300)), "xx", tmp_path, SETTINGS, origin={"from": "a test"}
    )
    for name in ("card.json", "lm.binary", "sentencepiece.model"):
        assert (tmp_path / "xx" / name).read_bytes() == (trained / "xx" / name).read_bytes()


@needs_lmplz
def test_cutoffs_come_from_the_reference_sample(trained: Path, tmp_path: Path) -> None:
    reference = [shuffled(text) for text in LANGUAGE.texts(40, seed=9)]
    card = train_language_model(
        LANGUAGE.texts(300), "xx", tmp_path, SETTINGS, reference=iter(reference)
    )
    assert card["reference"]["origin"] == "given"
    assert card["reference"]["documents"] == 40
    assert card["counts"]["documents"] == 300
    assert card["cutoffs"]["head"] > 2 * read_card(trained / "xx")["cutoffs"]["middle"]
    values = sorted(perplexity(tmp_path, text) for text in reference)
    assert sum(value < card["cutoffs"]["head"] for value in values) == 12
    assert sum(value < card["cutoffs"]["middle"] for value in values) == 24


@needs_lmplz
def test_trie_gives_the_same_perplexity(trained: Path, tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, structure="trie")
    train_language_model(LANGUAGE.texts(300), "xx", tmp_path, settings)
    text = LANGUAGE.text(seed=4)
    assert perplexity(tmp_path, text) == pytest.approx(perplexity(trained, text), rel=1e-3)


@needs_lmplz
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minimum_characters": 10**6}, r"xx: [\d,]+ characters in \d+ documents, at least 1,000,"),
        ({"minimum_reference_documents": 99}, r"held-out share gives \d+ documents, at least 99 "),
    ],
)
def test_too_little_text_is_an_error_and_leaves_the_old_model(
    trained: Path, changes: dict[str, Any], message: str
) -> None:
    before = sha256_of(trained / "xx" / "card.json")
    settings = dataclasses.replace(SETTINGS, **changes)
    with pytest.raises(TooLittleData, match=message):
        train_language_model(LANGUAGE.texts(100), "xx", trained, settings)
    assert [path.name for path in trained.iterdir()] == ["xx"]
    assert sha256_of(trained / "xx" / "card.json") == before


@needs_lmplz
def test_reserved_words_and_blank_documents_do_no_harm(tmp_path: Path) -> None:
    odd = ["", " \n\t ", "\x00\x01", "<s> <unk> </s> 〈unk〉 " * 20, "x" * 50_000, "語" * 9000]
    card = train_language_model([*odd, *LANGUAGE.texts(100)], "xx", tmp_path, SETTINGS)
    assert card["counts"]["documents"] + card["reference"]["documents"] <= 104
    assert perplexity(tmp_path, "<s> <unk> </s> 語") > 1


@needs_lmplz
def test_text_that_sentencepiece_refuses(tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, vocabulary_size=4)
    with pytest.raises(ModelError, match="SentencePiece cannot be trained"):
        train_language_model(LANGUAGE.texts(100), "xx", tmp_path, settings)
    assert list(tmp_path.iterdir()) == []


def test_failing_program_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("lmplz", "build_binary"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\necho it is broken >&2\nexit 3\n", encoding="utf-8")
        program.chmod(0o755)
    monkeypatch.setenv(kenlm_programs.ENVIRONMENT, str(tmp_path))
    models = tmp_path / "models"
    with pytest.raises(ModelError, match=r"lmplz failed \(exit 3\): it is broken"):
        train_language_model(LANGUAGE.texts(100), "xx", models, SETTINGS)
    assert list(models.iterdir()) == []


def test_missing_program_says_where_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(kenlm_programs.ENVIRONMENT, str(tmp_path))
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(ModelError, match=r"lmplz is not here: build KenLM .* into ROVING_KENLM"):
        train_language_model([], "xx", tmp_path, SETTINGS)


def test_cutoffs_are_percentiles() -> None:
    assert cutoffs(list(range(101)), SETTINGS) == {"head": 30.0, "middle": 60.0}


def test_beginning_never_cuts_a_word() -> None:
    assert beginning("one two three", 13) == "one two three"
    assert beginning("one two three", 12) == "one two"
    assert beginning("one two three", 7) == "one two"
    assert beginning("unbroken", 3) == "unb"


def test_chunks_lose_no_word() -> None:
    line = " ".join(LANGUAGE.texts(20)).replace("\n", " ")
    chunks = list(_chunks(line))
    assert len(chunks) > 2
    assert max(map(len, chunks)) <= 2000
    assert " ".join(chunks).split() == line.split()
    assert "".join(_chunks("y" * 4500)) == "y" * 4500
