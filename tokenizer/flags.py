"""The flags that LLaMA's tokenizer was trained with, as its `tokenizer.model` states them.

The values are those in the trainer and normaliser messages of the published model, which several
public repositories print alike; the paper (arXiv 2302.13971, section 2.1) says the same in words:
byte pair encoding, all numbers split into digits, bytes for what has no piece. The recipe sets the
size of the vocabulary and the threads; all else is here. Names are SentencePiece's own.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from typing import Any, ClassVar, TypeVar

_Value = TypeVar("_Value")
_Part = TypeVar("_Part", bound="FlagTable")


def _flag(number: int, value: _Value, default: _Value | None = None) -> _Value:
    """A flag with LLaMA's value.

    Args:
        number: of its field in SentencePiece's model file.
        value: LLaMA's.
        default: what it means that a file leaves the field out; None if that is `value`.
    """
    metadata = {"number": number, "default": value if default is None else default}
    flag: _Value = field(default=value, metadata=metadata)
    return flag


class FlagTable:
    """Flags that stand in one message of a model file."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @classmethod
    def numbers(cls) -> dict[int, Field[Any]]:
        """The flags by the number of their field."""
        return {item.metadata["number"]: item for item in fields(cls)}

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """What each flag is if a file leaves it out."""
        return {item.name: item.metadata["default"] for item in fields(cls)}

    def stated(self) -> dict[str, Any]:
        """Flags by name, for SentencePiece; without empty ones, which it does not take."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: value for name, value in values.items() if value not in ("", ())}


@dataclass(frozen=True, kw_only=True)
class TrainerFlags(FlagTable):
    """How pieces are learned."""

    model_type: str = _flag(3, "bpe", "unigram")
    vocab_size: int = _flag(4, 32_000, 8_000)
    input_format: str = _flag(7, "text", "")
    character_coverage: float = _flag(10, 0.99995, 0.9995)
    input_sentence_size: int = _flag(11, 200_000_000, 0)
    seed_sentencepiece_size: int = _flag(14, 1_000_000)
    shrinking_factor: float = _flag(15, 0.75)
    num_threads: int = _flag(16, 80, 16)
    num_sub_iterations: int = _flag(17, 2)
    max_sentence_length: int = _flag(18, 4192)
    shuffle_input_sentence: bool = _flag(19, True)
    max_sentencepiece_length: int = _flag(20, 16)
    split_by_unicode_script: bool = _flag(21, True)
    split_by_whitespace: bool = _flag(22, True)
    split_by_number: bool = _flag(23, True)
    treat_whitespace_as_suffix: bool = _flag(24, False)
    split_digits: bool = _flag(25, True, False)
    allow_whitespace_only_pieces: bool = _flag(26, True, False)
    control_symbols: tuple[str, ...] = _flag(30, ())
    user_defined_symbols: tuple[str, ...] = _flag(31, ())
    vocabulary_output_piece_score: bool = _flag(32, True)
    hard_vocab_limit: bool = _flag(33, True)
    use_all_vocab: bool = _flag(34, False)
    byte_fallback: bool = _flag(35, True, False)
    required_chars: str = _flag(36, "")
    unk_id: int = _flag(40, 0)
    bos_id: int = _flag(41, 1)
    eos_id: int = _flag(42, 2)
    pad_id: int = _flag(43, -1)
    unk_surface: str = _flag(44, " \u2047 ")
    unk_piece: str = _flag(45, "<unk>")
    bos_piece: str = _flag(46, "<s>")
    eos_piece: str = _flag(47, "</s>")
    pad_piece: str = _flag(48, "<pad>")
    train_extremely_large_corpus: bool = _flag(49, False)


@dataclass(frozen=True, kw_only=True)
class NormalizerFlags(FlagTable):
    """What is done to text before it is cut into pieces: nothing, but for the space in front.

    Attributes:
        name: `identity`; its map of characters is empty.
        add_dummy_prefix: a space is put in front of every text, and taken off again in decoding.
        escape_whitespaces: spaces are written as U+2581 inside pieces.
    """

    name: str = _flag(1, "identity", "")
    precompiled_charsmap: bytes = _flag(2, b"")
    add_dummy_prefix: bool = _flag(3, True)
    remove_extra_whitespaces: bool = _flag(4, False, True)
    escape_whitespaces: bool = _flag(5, True)


@dataclass(frozen=True, kw_only=True)
class Flags:
    """The whole table; without arguments, LLaMA's."""

    trainer: TrainerFlags = TrainerFlags()
    normalizer: NormalizerFlags = NormalizerFlags()


def llama_flags(vocabulary_size: int, threads: int) -> Flags:
    """LLaMA's flags, but for what the recipe says."""
    return Flags(trainer=TrainerFlags(vocab_size=vocabulary_size, num_threads=threads))
