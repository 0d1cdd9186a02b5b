"""Training: sentences lose nothing, flags are the table's, the same text gives the same model."""

from __future__ import annotations

import random
import re

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st
from training_text import VOCABULARY, documents, small_model, small_pieces

from tokenizer.card import whitespace_pieces
from tokenizer.errors import TokenizerError
from tokenizer.flags import Flags, llama_flags
from tokenizer.model_proto import SPACE_MARK, PieceType, read_model
from tokenizer.training import RESERVED, TooLittleText, sentences, train, training_memory

PROCESSOR = sentencepiece.SentencePieceProcessor(model_proto=small_model())
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=SPACE_MARK))


def pieces(text: str) -> list[str]:
    return [PROCESSOR.id_to_piece(number) for number in PROCESSOR.encode(text)]


def check_nothing_lost(text: str, limit: int) -> list[str]:
    """Put sentences together again; only a space that the dummy prefix stands for may lack."""
    found = list(sentences([text], limit))
    assert all(len(sentence.encode()) <= limit for sentence in found)
    assert re.fullmatch(" ?".join(map(re.escape, found)), text.replace("\n", "\0"))
    return found


@given(st.text("ab \t\n日😀é", max_size=60), st.integers(4, 20))
def test_sentences_lose_nothing(text: str, limit: int) -> None:
    check_nothing_lost(text, limit)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aaa bbb ccc", ["aaa bbb", "ccc"]),  # the dummy prefix stands for the space
        ("aaa bbb  cc", ["aaa bbb", " cc"]),
        (" " * 12, [" " * 8, " " * 3]),
        ("aaaa\tbbbbb", ["aaaa", "\tbbbbb"]),
        ("aaaa\nbbbbb", ["aaaa", "\0bbbbb"]),
        ("aaaaaaaaaa", ["aaaaaaaa", "aa"]),
        ("日本語文", ["日本", "語文"]),  # three bytes each: not within a character
        ("a😀😀b", ["a😀", "😀b"]),
        ("a\nb\n\nc", ["a\0b\0\0c"]),
    ],
)
def test_where_long_texts_are_cut(text: str, expected: list[str]) -> None:
    assert check_nothing_lost(text, 8) == expected


def test_a_long_line_is_trained_on() -> None:
    line = " ".join(["zzyzx"] * 5000)
    flags = llama_flags(VOCABULARY, 1)
    assert len(line) > 4 * flags.trainer.max_sentence_length
    model = sentencepiece.SentencePieceProcessor(model_proto=train([*documents(), line], flags))
    assert model.encode("zzyzx", out_type=str) == ["▁zzyzx"]


def test_text_beside_a_reserved_character_is_trained_on() -> None:
    texts = [*documents(), *[f"zzyzx {RESERVED} zzyzx"] * 200]
    model = train(texts, llama_flags(VOCABULARY, 1))
    assert sentencepiece.SentencePieceProcessor(model_proto=model).encode(
        f"zzyzx{RESERVED}", out_type=str
    ) == ["▁zzyzx", "<0xE2>", "<0x96>", "<0x85>"]


def test_no_piece_crosses_a_newline_and_lines_start_without_a_space() -> None:
    texts = [*documents(), *["zzyzx\nqwqwq\nqwqwq"] * 300]
    model = sentencepiece.SentencePieceProcessor(
        model_proto=train(texts, llama_flags(VOCABULARY, 1))
    )
    assert model.encode("zzyzx\nqwqwq", out_type=str) == ["▁zzyzx", "<0x0A>", "qwqwq"]
    names = [model.id_to_piece(number) for number in range(model.get_piece_size())]
    assert not [name for name in names if "\n" in name or "\0" in name]


def test_flags_read_back_are_the_table() -> None:
    assert small_pieces().flags == llama_flags(VOCABULARY, 2)


def test_the_table_is_llamas() -> None:
    trainer, normalizer = Flags().trainer, Flags().normalizer
    assert (trainer.model_type, trainer.vocab_size, trainer.num_threads) == ("bpe", 32_000, 80)
    assert (trainer.unk_id, trainer.bos_id, trainer.eos_id, trainer.pad_id) == (0, 1, 2, -1)
    assert (trainer.split_digits, trainer.byte_fallback) == (True, True)
    assert trainer.allow_whitespace_only_pieces
    assert trainer.character_coverage == 0.99995
    assert (normalizer.name, normalizer.precompiled_charsmap) == ("identity", b"")
    assert (normalizer.add_dummy_prefix, normalizer.remove_extra_whitespaces) == (True, False)


def test_ids_are_llamas() -> None:
    found = small_pieces().pieces
    assert [piece.text for piece in found[:5]] == ["<unk>", "<s>", "</s>", "<0x00>", "<0x01>"]
    assert found[258].text == "<0xFF>"
    assert [piece.type for piece in found[2:4]] == [PieceType.CONTROL, PieceType.BYTE]
    assert found[13].text == "<0x0A>"
    assert whitespace_pieces(small_pieces()) == list(range(1, 17))


def test_order_and_threads_do_not_change_the_pieces() -> None:
    texts = documents()
    assert train(texts, llama_flags(VOCABULARY, 2)) == small_model()
    random.Random(3).shuffle(texts)
    assert train(texts, llama_flags(VOCABULARY, 2)) == small_model()
    other = read_model(train(texts, llama_flags(VOCABULARY, 5)))
    assert other.pieces == small_pieces().pieces
    assert other.flags.trainer.num_threads == 5


@pytest.mark.parametrize(
    ("texts", "size", "kind", "message"),
    [
        (["a few words"], 1000, TooLittleText, r"text for a vocabulary of 2\d\d pieces, not 1,000"),
        ([], 300, TooLittleText, "there is no text in the sample"),
        (["\n\n"], 300, TooLittleText, "text for a vocabulary of 260 pieces, not 300"),
        (documents(), 270, TokenizerError, "raise tokenizer.vocabulary_size"),
    ],
)
def test_what_cannot_be_trained_says_why(
    texts: list[str], size: int, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        train(texts, llama_flags(size, 1))


def test_memory_grows_with_the_sample() -> None:
    assert training_memory(2_000_000_000) > 9 * 2_000_000_000
    assert training_memory(0) > 0


@given(TEXT)
def test_decoding_gives_every_text_back(text: str) -> None:
    assert PROCESSOR.decode(PROCESSOR.encode(text)) == text


@given(TEXT)
def test_a_space_mark_in_a_text_comes_back_as_a_space(text: str) -> None:
    marked = f"{text}{SPACE_MARK}a"
    assert PROCESSOR.decode(PROCESSOR.encode(marked)) == f"{text} a"


@pytest.mark.parametrize(
    "text",
    [
        "12345 67.8",
        "漢字かな交じり文",
        "한국어",
        "👩‍👩‍👧🏽 ok",
        "ᚠᛇᚻ 𒀀𒁀",
        *(f"x{' ' * length}y" for length in range(1, 17)),
        " leading",
        "trailing ",
        "\t\ttabs\tinside",
        "line\r\nline\r\n",
        "nul\0inside",
        "\ufeffmark \u2028 \x85",
        "<s>not special</s> <unk> <0x41>",
        "\uffff\ufdd0\U0010ffff",
    ],
)
def test_round_trip(text: str) -> None:
    assert PROCESSOR.decode(PROCESSOR.encode(text)) == text


def test_digits_are_single_and_runs_of_spaces_one_piece() -> None:
    assert pieces("2024")[-4:] == ["2", "0", "2", "4"]
    for length in range(1, 17):
        assert pieces("\n" + " " * length + "\n")[2] == SPACE_MARK * length


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises((RuntimeError, UnicodeEncodeError)):
        PROCESSOR.encode("\ud800")
