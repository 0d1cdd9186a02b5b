"""Reads a SentencePiece model file: its pieces, and the flags it was trained with.

The file is a protocol buffer message (`sentencepiece_model.proto`). SentencePiece's own Python
classes for it ask for another release of `protobuf` than Beam does, so the wire format is read
here: key (number, type), then a varint, four or eight bytes, or length and bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeAlias, TypeVar

from tokenizer.errors import TokenizerError
from tokenizer.flags import Flags, FlagTable, NormalizerFlags, TrainerFlags

Value: TypeAlias = int | bytes

# What SentencePiece writes for a space; one that is in a text comes back as a space.
SPACE_MARK = "\u2581"

_PIECES, _TRAINER, _NORMALIZER = 1, 2, 3
_PIECE_TEXT, _PIECE_SCORE, _PIECE_TYPE = 1, 2, 3
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MODEL_TYPES = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}
_Table = TypeVar("_Table", bound=FlagTable)


class PieceType(IntEnum):
    """What a piece is."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece; its id is its place. Of two pairs, the one of higher score is merged first."""

    text: str
    score: float
    type: PieceType


@dataclass(frozen=True)
class Model:
    """What a SentencePiece model file holds."""

    pieces: tuple[Piece, ...]
    flags: Flags


def read_model(content: bytes, path: str = "this") -> Model:
    """Parse the bytes of a `.model` file.

    Args:
        content: of the file.
        path: names it in errors.

    Raises:
        TokenizerError: they are none.
    """
    pieces: list[Piece] = []
    trainer, normalizer = b"", b""
    try:
        for number, value in _messages(content):
            if number == _PIECES:
                pieces.append(_piece(_bytes(value)))
            elif number == _TRAINER:
                trainer = _bytes(value)
            elif number == _NORMALIZER:
                normalizer = _bytes(value)
        flags = Flags(
            trainer=_flags(trainer, TrainerFlags), normalizer=_flags(normalizer, NormalizerFlags)
        )
    except (ValueError, struct.error) as error:
        raise TokenizerError(f"{path} is no SentencePiece model, or is damaged: {error}") from None
    if not pieces:
        raise TokenizerError(f"{path} is no SentencePiece model: there are no pieces in it")
    return Model(tuple(pieces), flags)


def _messages(content: bytes) -> Iterator[tuple[int, Value]]:
    """Number and value of each field of a message."""
    position = 0
    while position < len(content):
        key, position = _varint(content, position)
        kind = key & 7
        if kind == _VARINT:
            value: Value
            value, position = _varint(content, position)
        else:
            length = {_FIXED64: 8, _FIXED32: 4}.get(kind, 0)
            if kind == _BYTES:
                length, position = _varint(content, position)
            elif not length:
                raise ValueError(f"field type {kind} at byte {position}")
            if position + length > len(content):
                raise ValueError(f"it ends within the field at byte {position}")
            value, position = content[position : position + length], position + length
        yield key >> 3, value


def _varint(content: bytes, position: int) -> tuple[int, int]:
    """A number in groups of seven bits, lowest first, and where it ends."""
    value = shift = 0
    while shift < 70:
        if position >= len(content):
            raise ValueError("it ends within a number")
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError(f"a number of more than ten bytes at byte {position}")


def _piece(content: bytes) -> Piece:
    text, score, kind = "", 0.0, PieceType.NORMAL
    for number, value in _messages(content):
        if number == _PIECE_TEXT:
            text = _bytes(value).decode("utf-8")
        elif number == _PIECE_SCORE:
            score = _float(value)
        elif number == _PIECE_TYPE:
            kind = PieceType(_int(value))
    return Piece(text, score, kind)


def _flags(content: bytes, table: type[_Table]) -> _Table:
    """Flags from their message; one that the file leaves out has the format's default."""
    numbers, found = table.numbers(), table.defaults()
    for number, value in _messages(content):
        if number not in numbers:
            continue
        name, kind = numbers[number].name, type(numbers[number].default)
        if name == "model_type":
            found[name] = _MODEL_TYPES.get(_int(value), "unknown")
        elif kind is tuple:
            found[name] = (*found[name], _bytes(value).decode("utf-8"))
        else:
            found[name] = _READ[kind](value)
    return table(**found)


def _bytes(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("a number where text was expected")
    return value


def _int(value: Value) -> int:
    if not isinstance(value, int):
        raise ValueError("text where a number was expected")
    return value


def _float(value: Value) -> float:
    number: float = struct.unpack("<f", _bytes(value))[0]
    return number


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


_READ: dict[type, Callable[[Value], Any]] = {
    bool: lambda value: bool(_int(value)),
    int: lambda value: _signed(_int(value)),
    float: lambda value: round(_float(value), 6),
    str: lambda value: _bytes(value).decode("utf-8"),
    bytes: _bytes,
}
