"""`roving tokenizer`: train a tokenizer, and look at what it does to text."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from pipeline.cli.options import (
    DEFAULT_RECIPE,
    add_command,
    add_recipe_options,
    add_runner_options,
    engine_of,
    labelled,
)
from pipeline.passes.run import running
from pipeline.recipe import load_recipe
from pipeline.tokens.train import train_tokenizer
from tokenizer.errors import TokenizerError
from tokenizer.folder import load_tokenizer, read_card, read_model_file
from tokenizer.show import card_lines, piece_lines

TRAIN_HELP = """\
Train a SentencePiece BPE model with LLaMA's flags on a sample of documents.

  roving tokenizer train --documents out/wikipedia --documents out/books --output models/tokenizer

The sample is drawn by the hash of documents' ids, in the shares of the recipe's [mixture.shares],
scaled to the sources given; a folder's name is its source unless given: --documents c4=out/deduped.
The folder holds tokenizer.model, card.json (flags, sample, fertility on documents that were kept
out) and the files that Hugging Face's AutoTokenizer loads. OUTPUT-sample holds the sample; it is
used again by the next training on the same documents, and can be deleted.
"""


def add_parser(subparsers: Any) -> None:
    """Add `tokenizer` and its commands to the subparsers of `roving`."""
    parser = subparsers.add_parser("tokenizer", description=__doc__)
    commands = parser.add_subparsers(dest="tokenizer_command", required=True, metavar="COMMAND")

    train = add_command(commands, "train", TRAIN_HELP, "train a tokenizer on documents", _train)
    train.add_argument(
        "--documents",
        action="append",
        nargs="+",
        required=True,
        metavar="[LABEL=]DIR",
        help="documents datasets; LABEL is the source in the mixture (default: the folder's name)",
    )
    train.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="where the tokenizer goes (default: the recipe's models.tokenizer)",
    )
    train.add_argument(
        "--work", metavar="DIR", help="where the sample goes (default: OUTPUT-sample)"
    )
    add_recipe_options(train, "tokenizer.vocabulary_size=50000")
    add_runner_options(train)
    train.set_defaults(accepts_engine_options=True)

    show = add_command(
        commands, "show", "Print a tokenizer's card and some of its pieces.", "print it", _show
    )
    show.add_argument("model", nargs="?", type=Path, metavar="MODEL", help="folder of a tokenizer")

    encode = add_command(
        commands,
        "encode",
        "Print the pieces of a text, or their ids. Without TEXT, standard input is read.",
        "text to pieces or ids",
        _encode,
    )
    encode.add_argument("text", nargs="?", help="what to encode")
    encode.add_argument("--ids", action="store_true", help="print ids instead of pieces")

    decode = add_command(
        commands,
        "decode",
        "Print the text of ids. Without IDS, they are read from standard input.",
        "ids to text",
        _decode,
    )
    decode.add_argument("ids", nargs="*", help="numbers")

    for command in (encode, decode):
        command.add_argument(
            "--model",
            type=Path,
            metavar="PATH",
            help="tokenizer folder, or a SentencePiece .model file (default: the recipe's)",
        )


def _train(arguments: argparse.Namespace, engine_options: list[str]) -> int:
    engine = engine_of(arguments, engine_options)
    recipe = load_recipe(arguments.recipe, arguments.set)
    output = arguments.output or Path(recipe.models.tokenizer)
    folders = labelled([one for given in arguments.documents for one in given])
    work = arguments.work or f"{output}-sample"
    with running(engine, work) as run:
        card = train_tokenizer(
            folders,
            recipe.mixture.shares,
            output,
            recipe.tokenizer,
            run,
            work=work,
        )
    print("\n".join(card_lines(card)))
    print(f"tokenizer: {output}")
    return 0


def _folder(given: Path | None) -> Path:
    return given or Path(load_recipe(DEFAULT_RECIPE).models.tokenizer)


def _processor(given: Path | None) -> Any:
    return load_tokenizer(str(_folder(given)))[2]


def _show(arguments: argparse.Namespace, _: list[str]) -> int:
    folder = _folder(arguments.model)
    content = read_model_file(str(folder))
    print("\n".join([*card_lines(read_card(folder)), *piece_lines(content)]))
    return 0


def _encode(arguments: argparse.Namespace, _: list[str]) -> int:
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


def _decode(arguments: argparse.Namespace, _: list[str]) -> int:
    processor = _processor(arguments.model)
    words = arguments.ids or sys.stdin.read().split()
    size = processor.get_piece_size()
    wrong = [word for word in words if not (word.isdecimal() and int(word) < size)]
    if wrong:
        raise TokenizerError(f"{wrong[0]!r} is no id: ids are numbers from 0 to {size - 1}")
    print(processor.decode([int(word) for word in words]))
    return 0
