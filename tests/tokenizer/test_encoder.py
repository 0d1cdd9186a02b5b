"""The encoder gives the ids of SentencePiece itself, whatever the text, the model and the cache."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenizer.encoder import Encoded, Encoder
from tokenizer.errors import TokenizerError
from tokenizer.folder import tokenizer_identity

PLENTY = 100_000_000
# Words of the text that the model was trained on, and all that is odd about text.
PIECES = st.one_of(
    st.sampled_from(
        [
            " ",
            "  ",
            "     ",
            "\t",
            "\n",
            "\r\n",
            "\x00",
            "▁",
            "▁▁",
            "the",
            "data",
            "Wikipedia",
            "documents",
            "make",
            "12",
            "3.14",
            ",",
            "e",
            "é",
            "é",
            "中文",
            "日本語",
            "🙂",
            "👨\u200d👩\u200d👧",
            "\u200b",
            "\ufeff",
            "<s>",
            "</s>",
            "<0x0A>",
            "\U0010ffff",
            "\uffff",
            "a",
        ]
    ),
    st.text(max_size=4),
)
TEXTS = st.lists(st.lists(PIECES, max_size=30).map("".join), max_size=6)


def plain(model: Path, texts: Sequence[str]) -> list[list[int]]:
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    return [processor.encode(text) for text in texts]


def documents(encoded: Encoded) -> list[list[int]]:
    ends = np.cumsum(encoded.lengths)
    return [
        encoded.ids[end - length : end].tolist()
        for end, length in zip(ends, encoded.lengths, strict=True)
    ]


def train(folder: Path, lines: Sequence[str], **flags: Any) -> Path:
    """A model with LLaMA's flags, but for those given."""
    chosen = {
        "model_type": "bpe",
        "vocab_size": 420,
        "byte_fallback": True,
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
        "hard_vocab_limit": False,
        "minloglevel": 2,
    }
    prefix = folder / "other"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_prefix=str(prefix), **(chosen | flags)
    )
    return prefix.with_suffix(".model")


@pytest.fixture(scope="module")
def encoder(small_tokenizer: Path) -> Encoder:
    return Encoder(str(small_tokenizer), cache_bytes=PLENTY)


@settings(max_examples=300)
@given(texts=TEXTS)
def test_ids_are_those_of_sentencepiece(
    small_tokenizer: Path, encoder: Encoder, texts: list[str]
) -> None:
    assert encoder.is_split
    assert documents(encoder.encode(texts)) == plain(small_tokenizer, texts)


@settings(max_examples=50)
@given(texts=TEXTS)
def test_ids_do_not_depend_on_what_is_remembered(small_tokenizer: Path, texts: list[str]) -> None:
    forgetful = Encoder(str(small_tokenizer), cache_bytes=1)
    once, again = documents(forgetful.encode(texts)), documents(forgetful.encode(texts))
    assert once == again == plain(small_tokenizer, texts)


def test_words_are_forgotten_beyond_the_bound(small_tokenizer: Path) -> None:
    bounded = Encoder(str(small_tokenizer), cache_bytes=50_000)
    for number in range(20):
        bounded.encode([" ".join(f"x{number}y{word}z" for word in range(100))])
        assert bounded.cached_bytes <= 50_000
    assert bounded.cached_bytes > 0


@pytest.mark.parametrize("threads", [1, 3])
def test_a_text_longer_than_one_block(small_tokenizer: Path, threads: int) -> None:
    long = "the data, 12 makes\n" * 130_000  # more segments than are looked up at once
    texts = ["before", long, "after"]
    encoder = Encoder(str(small_tokenizer), cache_bytes=PLENTY, threads=threads)
    assert documents(encoder.encode(texts)) == plain(small_tokenizer, texts)


def test_a_slice_of_an_arrow_array(small_tokenizer: Path, encoder: Encoder) -> None:
    texts = ["one two", "", "three", "four five six"]
    assert documents(encoder.encode(pa.array(texts).slice(1, 2))) == plain(
        small_tokenizer, texts[1:3]
    )


def test_no_documents_and_empty_documents(encoder: Encoder) -> None:
    assert documents(encoder.encode([])) == []
    assert documents(encoder.encode(["", ""])) == [[], []]
    framed = encoder.encode(["", "a", ""]).framed(1, 2)
    assert [ids[0] for ids in documents(framed)] == [1, 1, 1]
    assert [ids[-1] for ids in documents(framed)] == [2, 2, 2]
    assert documents(framed)[0] == [1, 2]
    assert documents(framed)[1][1:-1] == documents(encoder.encode(["a"]))[0]


LINES = ["the cat and the dog", "the cat in the hat", "ａｂｃ and the end of it"] * 30


@pytest.mark.parametrize(
    ("flags", "is_split"),
    [
        ({"split_by_whitespace": False}, True),  # pieces hold spaces: fewer borders, same ids
        ({"split_by_unicode_script": False, "split_digits": False}, True),
        ({"model_type": "unigram"}, False),
        ({"byte_fallback": False}, False),
        ({"normalization_rule_name": "nfkc"}, False),
        ({"remove_extra_whitespaces": True}, False),
        ({"add_dummy_prefix": False}, False),
        ({"treat_whitespace_as_suffix": True}, False),
        ({"user_defined_symbols": ["cat"]}, False),
    ],
)
def test_other_models_give_their_own_ids(
    tmp_path: Path, flags: dict[str, Any], is_split: bool
) -> None:
    model = train(tmp_path, LINES, **flags)
    encoder = Encoder(str(model), cache_bytes=PLENTY)
    assert encoder.is_split == is_split
    texts = [*LINES[:3], "  the  cats dogs", "日本 ab", "ａ", "", " ", "12 the 3the"]
    assert documents(encoder.encode(texts)) == plain(model, texts)


def test_a_model_whose_pieces_hold_spaces_is_not_split_there(tmp_path: Path) -> None:
    model = train(tmp_path, LINES, split_by_whitespace=False)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    inside = [processor.id_to_piece(id) for id in range(processor.vocab_size())]
    assert any("▁" in piece.lstrip("▁") for piece in inside)


def test_a_model_without_eos_is_refused(tmp_path: Path) -> None:
    model = train(tmp_path, LINES, eos_id=-1)
    with pytest.raises(TokenizerError, match="has no BOS or no EOS"):
        Encoder(str(model), cache_bytes=PLENTY)


def test_a_missing_tokenizer_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match=r"there is no tokenizer at .*roving tokenizer train"):
        tokenizer_identity(str(tmp_path / "nothing"))


def test_a_folder_stands_for_the_model_in_it(small_tokenizer: Path) -> None:
    assert tokenizer_identity(str(small_tokenizer.parent)) == tokenizer_identity(
        str(small_tokenizer)
    )


@pytest.fixture
def busy_threads() -> Iterator[None]:
    """Threads that take turns all the time."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("busy_threads")
def test_threads_may_share_an_encoder(small_tokenizer: Path) -> None:
    shared = Encoder(str(small_tokenizer), cache_bytes=20_000)
    texts = [" ".join(f"x{number}y{word}z" for word in range(30)) for number in range(60)]
    expected = plain(small_tokenizer, texts)

    def encode(shift: int) -> list[list[int]]:
        turned = texts[shift:] + texts[:shift]
        found = [shared.encode([text]).ids.tolist() for text in turned]
        return found[-shift:] + found[:-shift] if shift else found

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(encode, range(0, 60, 10))) == [expected] * 6
