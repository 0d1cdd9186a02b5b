"""What a tokenizer's card says: flags, sample, fertility, round trip.

Fertility is tokens per byte of UTF-8 and per word (what white space separates, so languages that
write without it have few "words").
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import orjson
import sentencepiece
from numpy.typing import NDArray

from tokenizer.flags import Flags
from tokenizer.model_proto import SPACE_MARK, Model, PieceType, read_model

_AT_ONCE = 64


@dataclass
class Fertility:
    """Counts over texts and their tokens.

    Attributes:
        documents, bytes, words: of the texts.
        tokens: all, without begin and end.
        newline_tokens: `<0x0A>`, which every newline is.
        byte_tokens: other bytes, of characters that have no piece.
        failures: texts that decoding did not give back.
        space_marks: texts not given back only because U+2581 became a space.
    """

    documents: int = 0
    bytes: int = 0
    words: int = 0
    tokens: int = 0
    newline_tokens: int = 0
    byte_tokens: int = 0
    failures: int = 0
    space_marks: int = 0

    def add(self, other: Fertility) -> None:
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)

    def to_json(self) -> dict[str, Any]:
        """Counts and ratios."""
        return {
            **asdict(self),
            "tokens_per_byte": _ratio(self.tokens, self.bytes),
            "tokens_per_word": _ratio(self.tokens, self.words),
            "byte_token_share": _ratio(self.byte_tokens, self.tokens),
        }


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 5) if whole else None


@dataclass
class Measurement:
    """What encoding texts says of a tokenizer: per source, and per language of each."""

    sources: dict[str, dict[str, Fertility]] = field(default_factory=dict)

    def total(self, source: str | None = None) -> Fertility:
        """Sum over a source, or over all."""
        total = Fertility()
        for name, languages in self.sources.items():
            for one in languages.values() if source in (None, name) else ():
                total.add(one)
        return total

    def to_json(self) -> dict[str, Any]:
        return {
            "all": self.total().to_json(),
            "sources": {
                name: {
                    "all": self.total(name).to_json(),
                    "languages": {key: one.to_json() for key, one in sorted(languages.items())},
                }
                for name, languages in sorted(self.sources.items())
            },
        }


def measure(
    model: Model, content: bytes, texts: Iterable[tuple[str, str, str]], threads: int
) -> Measurement:
    """Encode and decode texts.

    Args:
        model: parsed.
        content: the model file.
        texts: source, language and text of each.
        threads: of SentencePiece.
    """
    processor = sentencepiece.SentencePieceProcessor(model_proto=content)
    is_byte = np.array([piece.type is PieceType.BYTE for piece in model.pieces])
    newline = processor.piece_to_id("<0x0A>")
    result = Measurement()
    for batch in _batches(texts):
        encoded = processor.encode([text for _, _, text in batch], num_threads=threads)
        for (source, language, text), ids in zip(batch, encoded, strict=True):
            decoded = processor.decode(ids)
            one = _count(text, np.array(ids, np.int64), decoded, is_byte, newline)
            result.sources.setdefault(source, {}).setdefault(language, Fertility()).add(one)
    return result


def _batches(
    texts: Iterable[tuple[str, str, str]],
) -> Iterator[list[tuple[str, str, str]]]:
    iterator = iter(texts)
    while batch := list(islice(iterator, _AT_ONCE)):
        yield batch


def _count(
    text: str, ids: NDArray[np.int64], decoded: str, is_byte: NDArray[np.bool_], newline: int
) -> Fertility:
    newlines = int((ids == newline).sum())
    marked = decoded != text and decoded == text.replace(SPACE_MARK, " ")
    return Fertility(
        documents=1,
        bytes=len(text.encode("utf-8")),
        words=len(text.split()),
        tokens=len(ids),
        newline_tokens=newlines,
        byte_tokens=int(is_byte[ids].sum()) - newlines,
        failures=int(decoded != text and not marked),
        space_marks=int(marked),
    )


def describe(content: bytes, sample: Mapping[str, Any], measurement: Measurement) -> dict[str, Any]:
    """The card, but for the files and versions."""
    model = read_model(content)
    return {
        "kind": "tokenizer",
        "sha256": hashlib.sha256(content).hexdigest(),
        "flags": flags_json(model.flags),
        "sample": dict(sample),
        "held_out": measurement.to_json(),
        "whitespace_pieces": whitespace_pieces(model),
    }


def flags_json(flags: Flags) -> dict[str, Any]:
    """The table as JSON data."""
    normalizer = asdict(flags.normalizer)
    normalizer["precompiled_charsmap"] = normalizer["precompiled_charsmap"].hex()
    data: dict[str, Any] = orjson.loads(
        orjson.dumps({"trainer": asdict(flags.trainer), "normalizer": normalizer})
    )
    return data


def whitespace_pieces(model: Model) -> list[int]:
    """Lengths of the runs of spaces that are pieces, in order."""
    return sorted(len(piece.text) for piece in model.pieces if not piece.text.strip(SPACE_MARK))
