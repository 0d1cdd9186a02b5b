"""Writes a SentencePiece BPE model as the files that Hugging Face `tokenizers` reads.

    tokenizer.json            pieces, merges, what is done to text before and after
    tokenizer_config.json     special tokens and classes, for `transformers`
    special_tokens_map.json   the same, for older readers

SentencePiece merges the pair whose joined piece has the highest score; Hugging Face's BPE merges
the pair that stands first in a list. The list is made from the scores: every pair of pieces whose
join is a piece, in the order of that piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from tokenizer.errors import TokenizerError
from tokenizer.model_proto import SPACE_MARK, Model, Piece, PieceType

TOKENIZER, CONFIG, SPECIAL_TOKENS = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
)
_SPECIAL = (PieceType.UNKNOWN, PieceType.CONTROL)
_EXPORTED = {*_SPECIAL, PieceType.NORMAL, PieceType.BYTE}


def write_exports(model: Model, folder: Path) -> list[str]:
    """Write the files beside the model; returns their names.

    Raises:
        TokenizerError: the model is not of the kind that these files can say.
    """
    _check(model)
    contents = {
        TOKENIZER: tokenizer_json(model),
        CONFIG: _config(model),
        SPECIAL_TOKENS: _special_tokens(model),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    return list(contents)


def _check(model: Model) -> None:
    flags = model.flags
    normalizer = flags.normalizer
    if flags.trainer.model_type != "bpe" or not flags.trainer.byte_fallback:
        raise TokenizerError("only BPE models with byte fallback can be exported")
    changes = normalizer.precompiled_charsmap or normalizer.remove_extra_whitespaces
    if changes or not (normalizer.add_dummy_prefix and normalizer.escape_whitespaces):
        raise TokenizerError("a model that changes its text otherwise than LLaMA's is not exported")
    other = {piece.type.name for piece in model.pieces} - {kind.name for kind in _EXPORTED}
    if other:
        raise TokenizerError(f"pieces of type {', '.join(sorted(other))} cannot be exported")


def tokenizer_json(model: Model) -> dict[str, Any]:
    """The content of `tokenizer.json`."""
    trainer = model.flags.trainer
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            _added_token(number, piece)
            for number, piece in enumerate(model.pieces)
            if piece.type in _SPECIAL
        ],
        "normalizer": _sequence(
            "normalizers",
            {"type": "Prepend", "prepend": SPACE_MARK},
            {"type": "Replace", "pattern": {"String": " "}, "content": SPACE_MARK},
        ),
        "pre_tokenizer": None,
        "post_processor": _post_processor(trainer.bos_piece, trainer.bos_id),
        "decoder": _sequence(
            "decoders",
            {"type": "Replace", "pattern": {"String": SPACE_MARK}, "content": " "},
            {"type": "ByteFallback"},
            {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ),
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": trainer.unk_piece,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": True,
            "ignore_merges": False,
            "vocab": {piece.text: number for number, piece in enumerate(model.pieces)},
            "merges": list(merges(model)),
        },
    }


def merges(model: Model) -> Iterator[tuple[str, str]]:
    """Every pair of pieces whose join is a piece, in the order in which they are merged."""
    ranked = {piece.text: -piece.score for piece in model.pieces if piece.type is PieceType.NORMAL}
    for text in sorted(ranked, key=ranked.__getitem__):
        pairs = [(text[:cut], text[cut:]) for cut in range(1, len(text))]
        known = [pair for pair in pairs if pair[0] in ranked and pair[1] in ranked]
        yield from sorted(known, key=lambda pair: (ranked[pair[0]], ranked[pair[1]]))


def _added_token(number: int, piece: Piece) -> dict[str, Any]:
    return {
        "id": number,
        "content": piece.text,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }


def _sequence(kind: str, *parts: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "Sequence", kind: list(parts)}


def _post_processor(begin: str, number: int) -> dict[str, Any]:
    """The begin-of-text piece in front, as LLaMA's users expect."""

    def special(type_id: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": begin, "type_id": type_id}}

    def text(name: str, type_id: int) -> dict[str, Any]:
        return {"Sequence": {"id": name, "type_id": type_id}}

    return {
        "type": "TemplateProcessing",
        "single": [special(0), text("A", 0)],
        "pair": [special(0), text("A", 0), special(1), text("B", 1)],
        "special_tokens": {begin: {"id": begin, "ids": [number], "tokens": [begin]}},
    }


def _special_tokens(model: Model) -> dict[str, Any]:
    trainer = model.flags.trainer
    return {
        "bos_token": trainer.bos_piece,
        "eos_token": trainer.eos_piece,
        "unk_token": trainer.unk_piece,
    }


def _config(model: Model) -> dict[str, Any]:
    return {
        **_special_tokens(model),
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": True,
        "add_eos_token": False,
        "add_prefix_space": True,
        "clean_up_tokenization_spaces": False,
        "legacy": True,
        "model_max_length": 1_000_000_000,
        # `<s>` in a text is three characters, as for SentencePiece: a page cannot end a document.
        "split_special_tokens": True,
    }
