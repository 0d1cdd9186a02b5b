"""`roving tokenizer show`, `encode` and `decode`: what a tokenizer is, and does to text."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from pipeline.cli.options import DEFAULT_RECIPE
from tokenizer.errors import TokenizerError
from tokenizer.folder import load_tokenizer, read_card, read_model_file
from tokenizer.show import card_lines, piece_lines


def _folder(given: Path | None) -> Path:
    """The tokenizer given, or else the default recipe's."""
    if given is not None:
        return given
    from pipeline.recipe import load_recipe  # noqa: PLC0415  (imports every source's filters)

    return Path(load_recipe(DEFAULT_RECIPE).models.tokenizer)


def _processor(given: Path | None) -> Any:
    return load_tokenizer(str(_folder(given)))[2]


def show(arguments: argparse.Namespace, _: list[str]) -> int:
    """Print a tokenizer."""
    folder = _folder(arguments.model)
    content = read_model_file(str(folder))
    print("\n".join([*card_lines(read_card(folder)), *piece_lines(content)]))
    return 0


def encode(arguments: argparse.Namespace, _: list[str]) -> int:
    """Print pieces or ids of a text."""
    processor = _processor(arguments.model)
    text = arguments.text
    if text is None:
        try:
            text = sys.stdin.buffer.read().decode("utf-8")
        except UnicodeDecodeError as error:
            raise TokenizerError(f"standard input is not UTF-8: {error}") from None
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise TokenizerError("the text holds half of a surrogate pair: it is not UTF-8") from None
    ids = processor.encode(text)
    shown = ids if arguments.ids else [processor.id_to_piece(number) for number in ids]
    print(" ".join(str(one) for one in shown))
    return 0


def decode(arguments: argparse.Namespace, _: list[str]) -> int:
    """Print the text of ids."""
    processor = _processor(arguments.model)
    words = arguments.ids or sys.stdin.read().split()
    size = processor.get_piece_size()
    wrong = [word for word in words if not (word.isdecimal() and int(word) < size)]
    if wrong:
        raise TokenizerError(f"{wrong[0]!r} is no id: ids are numbers from 0 to {size - 1}")
    print(processor.decode([int(word) for word in words]))
    return 0
