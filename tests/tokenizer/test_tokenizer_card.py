"""The card: what is counted, and a model that is not the card's."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
import sentencepiece
from training_text import documents, small_model, small_pieces

from tokenizer.card import Fertility, describe, measure
from tokenizer.encoder import Encoder
from tokenizer.errors import TokenizerError
from tokenizer.folder import (
    CARD_FILE,
    MODEL_FILE,
    load_tokenizer,
    read_card,
    read_model_file,
)
from tokenizer.show import card_lines, piece_lines


def measured(*texts: tuple[str, str, str]) -> dict[str, Fertility]:
    found = measure(small_pieces(), small_model(), texts, 2)
    return {f"{name}/{key}": one for name, by in found.sources.items() for key, one in by.items()}


def test_what_is_counted() -> None:
    text = "bace difo\n12 ᚠ"
    ids = sentencepiece.SentencePieceProcessor(model_proto=small_model()).encode(text)
    assert measured(("books", "en", text))["books/en"] == Fertility(
        documents=1,
        bytes=len(text.encode()),
        words=4,
        tokens=len(ids),
        newline_tokens=1,
        byte_tokens=3,  # the rune
    )


def test_languages_and_sources_are_kept_apart_and_summed() -> None:
    found = measure(
        small_pieces(),
        small_model(),
        [("b", "en", "bace"), ("a", "de", "difo gu"), ("a", "en", "x"), ("a", "de", "la")],
        1,
    )
    content = found.to_json()
    assert list(content["sources"]) == ["a", "b"]
    assert content["sources"]["a"]["languages"]["de"]["documents"] == 2
    assert content["sources"]["a"]["all"]["words"] == 4
    assert content["all"]["documents"] == 4
    assert content["all"]["tokens_per_word"] == round(found.total().tokens / 5, 5)
    assert found.total("b").bytes == 4


def test_a_space_mark_is_no_failure_but_is_counted() -> None:
    one = measured(("a", "", "x▁y"))["a/"]
    assert (one.failures, one.space_marks) == (0, 1)


def test_empty_texts_have_no_ratios() -> None:
    one = measured(("a", "", ""))["a/"].to_json()
    assert (one["tokens"], one["tokens_per_byte"], one["tokens_per_word"]) == (0, None, None)


def make_card() -> dict[str, object]:
    texts = [("a", "en", text) for text in documents(5, seed=2)]
    sample = {"bytes": 10, "sources": {"a": {}, "small": {}}}
    return describe(small_model(), sample, measure(small_pieces(), small_model(), texts, 1))


def test_the_card_is_plain_data_and_can_be_shown(tmp_path: Path) -> None:
    card = make_card()
    (tmp_path / MODEL_FILE).write_bytes(small_model())
    (tmp_path / CARD_FILE).write_bytes(orjson.dumps(card))
    assert read_model_file(str(tmp_path)) == small_model()
    assert read_card(tmp_path) == card
    shown = "\n".join([*card_lines(read_card(tmp_path)), *piece_lines(small_model())])
    assert "bpe of 700 pieces" in shown
    assert "5 documents, 0 not given back" in shown
    assert "too few documents to hold any out: small" in shown
    assert "runs of spaces: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16" in shown
    assert "split_digits=True" in shown


def test_another_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / MODEL_FILE).write_bytes(small_model() + b"\x00")
    (tmp_path / CARD_FILE).write_bytes(orjson.dumps(make_card()))
    with pytest.raises(TokenizerError, match=r"is not the model that card\.json beside it"):
        read_model_file(str(tmp_path))
    with pytest.raises(TokenizerError, match=r"is not the model that card\.json beside it"):
        Encoder(str(tmp_path), cache_bytes=1)


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "other.model"
    path.write_bytes(b"words")
    with pytest.raises(TokenizerError, match=r"other\.model is no SentencePiece model"):
        load_tokenizer(str(path))


def test_what_is_missing_or_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match="there is no tokenizer at"):
        read_model_file(str(tmp_path / "model" / "inside.model"))
    with pytest.raises(TokenizerError, match=r"there is no card\.json in"):
        read_card(tmp_path)
    (tmp_path / CARD_FILE).write_bytes(b"{")
    with pytest.raises(TokenizerError, match=r"card\.json is damaged"):
        read_card(tmp_path)
