"""Options of `roving tokenize`."""

from __future__ import annotations

import argparse

from pipeline.cli.options import (
    Deferred,
    add_foreign_option,
    add_recipe_options,
    add_runner_options,
)

DESCRIPTION = "`roving tokenize`: make token datasets from documents datasets."
EPILOG = """\
examples:
  roving tokenize --documents out/wikipedia --output out/tokens
  roving tokenize --documents out/clean/c4 --documents books=out/books-2020 \\
      --tokenizer models/tokenizer --output out/tokens --workers 4

Each documents dataset becomes a token dataset OUTPUT/LABEL; LABEL is the folder's name unless
given, and the name of the source in mixtures. Every document is BOS ... EOS. A share of the
documents, drawn by hash of their id, goes to OUTPUT/LABEL/validation instead of OUTPUT/LABEL/train.
Megatron-LM, GPT-NeoX and NeMo read the pairs of OUTPUT/LABEL/train/*.bin and *.idx as they are;
`roving shards convert` makes other forms.
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "tokenize",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--documents",
        action="extend",
        nargs="+",
        required=True,
        metavar="[LABEL=]DATASET",
        help="folders of documents datasets; repeatable",
    )
    parser.add_argument(
        "--tokenizer",
        metavar="PATH",
        help="tokenizer folder, or a SentencePiece .model file (default: models.tokenizer)",
    )
    parser.add_argument("--output", required=True, help="folder of the token datasets")
    add_foreign_option(parser)
    add_recipe_options(parser, "tokens.validation_share=0.01")
    add_runner_options(parser)
    parser.set_defaults(execute=Deferred("tokenize"), accepts_engine_options=True)
