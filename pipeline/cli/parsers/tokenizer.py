"""Options of `roving tokenizer`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.cli.options import Deferred, add_command, add_recipe_options, add_runner_options

DESCRIPTION = "`roving tokenizer`: train a tokenizer, and look at what it does to text."
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
    parser = subparsers.add_parser("tokenizer", description=DESCRIPTION)
    commands = parser.add_subparsers(dest="tokenizer_command", required=True, metavar="COMMAND")

    train = add_command(
        commands,
        "train",
        TRAIN_HELP,
        "train a tokenizer on documents",
        Deferred("tokenizer", "train"),
    )
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
        commands,
        "show",
        "Print a tokenizer's card and some of its pieces.",
        "print it",
        Deferred("tokenizer_text", "show"),
    )
    show.add_argument("model", nargs="?", type=Path, metavar="MODEL", help="folder of a tokenizer")

    encode = add_command(
        commands,
        "encode",
        "Print the pieces of a text, or their ids. Without TEXT, standard input is read.",
        "text to pieces or ids",
        Deferred("tokenizer_text", "encode"),
    )
    encode.add_argument("text", nargs="?", help="what to encode")
    encode.add_argument("--ids", action="store_true", help="print ids instead of pieces")

    decode = add_command(
        commands,
        "decode",
        "Print the text of ids. Without IDS, they are read from standard input.",
        "ids to text",
        Deferred("tokenizer_text", "decode"),
    )
    decode.add_argument("ids", nargs="*", help="numbers")

    for command in (encode, decode):
        command.add_argument(
            "--model",
            type=Path,
            metavar="PATH",
            help="tokenizer folder, or a SentencePiece .model file (default: the recipe's)",
        )
