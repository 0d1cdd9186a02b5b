"""A tokenizer for people: its card and some of its pieces as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tokenizer.card import whitespace_pieces
from tokenizer.model_proto import Model, PieceType, read_model

_SHOWN = 60
_WIDTH = 96


def card_lines(card: Mapping[str, Any]) -> list[str]:
    """What the card says."""
    trainer, held_out = card["flags"]["trainer"], card["held_out"]
    lines = [
        f"{trainer['model_type']} of {trainer['vocab_size']:,} pieces, sha256 {card['sha256']}",
        f"trained on {card['sample']['bytes']:,} bytes",
        "",
        f"{'held out':<28}{'documents':>10}{'bytes':>13}{'bytes/token':>13}{'tokens/word':>13}"
        f"{'byte %':>9}",
    ]
    for source, measured in held_out["sources"].items():
        lines.append(_line(source, measured["all"]))
        languages = measured["languages"]
        if len(languages) > 1:
            lines += [_line(f"  {name or '?'}", one) for name, one in languages.items()]
    total = held_out["all"]
    lines += [
        _line("all", total),
        "(byte %: share of tokens that are single bytes of characters without a piece)",
        f"round trip: {total['documents']:,} documents, {total['failures']:,} not given back"
        + (f", {total['space_marks']:,} with U+2581 as a space" if total["space_marks"] else ""),
    ]
    missing = sorted(set(card["sample"]["sources"]) - set(held_out["sources"]))
    if missing:
        lines.append(f"too few documents to hold any out: {', '.join(missing)}")
    return lines


def _line(name: str, counts: Mapping[str, Any]) -> str:
    per_token = 1 / counts["tokens_per_byte"] if counts["tokens_per_byte"] else 0.0
    return (
        f"{name:<28}{counts['documents']:>10,}{counts['bytes']:>13,}{per_token:>13.3f}"
        f"{counts['tokens_per_word'] or 0:>13.3f}{100 * (counts['byte_token_share'] or 0):>9.3f}"
    )


def piece_lines(content: bytes) -> list[str]:
    """How many pieces there are of each kind, and some of them.

    Args:
        content: the model file.
    """
    model = read_model(content)
    flags = model.flags
    kinds = {kind: sum(piece.type is kind for piece in model.pieces) for kind in PieceType}
    learned = [piece.text for piece in model.pieces if piece.type is PieceType.NORMAL]
    longer = [text for text in learned if len(text) > 1]
    runs = ", ".join(str(length) for length in whitespace_pieces(model))
    middle = len(longer) // 2
    return [
        "",
        "flags: " + _wrapped(f"{name}={value!r}" for name, value in flags.trainer.stated().items()),
        "normaliser: "
        + _wrapped(f"{name}={value!r}" for name, value in flags.normalizer.stated().items()),
        "pieces: "
        + ", ".join(f"{kind.name.lower()} {number:,}" for kind, number in kinds.items() if number),
        f"runs of spaces: {runs or 'none'}",
        "first: " + _wrapped(map(_visible, longer[:_SHOWN])),
        "middle: " + _wrapped(map(_visible, longer[middle : middle + _SHOWN])),
        "last: " + _wrapped(map(_visible, longer[-_SHOWN:])),
        "longest: " + _wrapped(map(_visible, _longest(longer))),
        "characters: " + _wrapped(map(_visible, _characters(model))),
    ]


def _longest(texts: list[str]) -> list[str]:
    return sorted(texts, key=lambda text: -len(text))[: _SHOWN // 3]


def _characters(model: Model) -> list[str]:
    """Some single characters, from the most frequent to the rarest."""
    single = [
        piece.text
        for piece in model.pieces
        if piece.type is PieceType.NORMAL and len(piece.text) == 1
    ]
    return single[:: max(1, len(single) // _SHOWN)]


def _visible(text: str) -> str:
    return text if text.isprintable() else repr(text)[1:-1]


def _wrapped(words: Iterable[str]) -> str:
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) >= _WIDTH:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\n    ".join(lines)
