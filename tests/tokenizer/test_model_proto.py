"""Reading a model file: every piece as SentencePiece has it, damage refused with a sentence."""

from __future__ import annotations

from contextlib import suppress

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st
from training_text import small_model, small_pieces

from tokenizer.errors import TokenizerError
from tokenizer.flags import NormalizerFlags, TrainerFlags
from tokenizer.model_proto import PieceType, read_model


def test_pieces_are_those_of_sentencepiece() -> None:
    processor = sentencepiece.SentencePieceProcessor(model_proto=small_model())
    found = small_pieces().pieces
    assert len(found) == processor.get_piece_size()
    for number, piece in enumerate(found):
        assert piece.text == processor.id_to_piece(number)
        assert piece.score == processor.get_score(number)
        assert (piece.type is PieceType.BYTE) == processor.is_byte(number)
        assert (piece.type is PieceType.CONTROL) == processor.is_control(number)
        assert (piece.type is PieceType.UNKNOWN) == processor.is_unknown(number)


def test_a_file_that_states_nothing_has_the_defaults_of_the_format() -> None:
    # One piece "a"; no trainer and no normaliser message.
    model = read_model(b"\x0a\x03\x0a\x01a")
    assert [piece.text for piece in model.pieces] == ["a"]
    assert model.flags.trainer == TrainerFlags(**TrainerFlags.defaults())
    assert model.flags.trainer.model_type == "unigram"
    assert model.flags.normalizer == NormalizerFlags(**NormalizerFlags.defaults())
    assert model.flags.normalizer.remove_extra_whitespaces


def test_symbols_and_negative_ids_are_read() -> None:
    trainer = b"\xf2\x01\x01x" + b"\xf2\x01\x01y" + b"\xd8\x02" + b"\xff" * 9 + b"\x01"
    model = read_model(b"\x0a\x03\x0a\x01a" + b"\x12" + bytes([len(trainer)]) + trainer)
    assert model.flags.trainer.control_symbols == ("x", "y")
    assert model.flags.trainer.pad_id == -1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "there are no pieces in it"),
        (b"\x0a", "it ends within a number"),
        (b"\x0a\x05ab", "it ends within the field at byte 2"),
        (b"\x0b", "field type 3 at byte 1"),
        (b"\x0a\x03\x0a\x01\xff", "invalid start byte"),
        (b"\x0a\x02\x08\x01", "a number where text was expected"),
        (b"\x80" * 11, "a number of more than ten bytes"),
        (b"\x0a\x05\x0a\x01a\x18\x63", "99 is not a valid PieceType"),
    ],
)
def test_damage_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(TokenizerError, match=message):
        read_model(content)


def test_every_truncation_is_refused_or_shorter() -> None:
    content = small_model()
    for size in range(0, 3000, 7):
        try:
            assert len(read_model(content[:size]).pieces) < len(small_pieces().pieces)
        except TokenizerError:
            continue


@given(st.binary(max_size=200))
def test_noise_never_fails_otherwise(content: bytes) -> None:
    with suppress(TokenizerError):
        read_model(content)
