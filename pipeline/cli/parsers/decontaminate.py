"""Options of `roving decontaminate`."""

from __future__ import annotations

import argparse

from pipeline.cli.options import (
    Deferred,
    add_engine_options,
    add_foreign_option,
    add_recipe_options,
)

DESCRIPTION = "`roving decontaminate`: take the text of evaluation sets out of documents datasets."
EPILOG = """\
examples:
  roving decontaminate --input out/commoncrawl --evaluation benchmarks/ --output out/clean
  roving decontaminate --input out/c4 --evaluation mmlu.jsonl --output out/clean \\
      --set decontamination.action=cut --set models.evaluation.ngram_words=8

Evaluation sets are *.jsonl, *.parquet and *.txt files, also as .gz or .zst: a file is a set, a line
or row an item. A document that shares 13 consecutive words with an item is dropped, flagged or cut
(decontamination.action). OUTPUT/LABEL is the dataset without them; contamination.parquet in it says
which document holds text of which item, contamination.json how much of each set was found.
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "decontaminate",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--input",
        action="append",
        required=True,
        metavar="[LABEL=]DATASET",
        help="folder of a documents dataset; repeat for more",
    )
    parser.add_argument(
        "--evaluation", required=True, metavar="SETS", help="folder or file with evaluation sets"
    )
    parser.add_argument("--output", required=True, help="folder of the decontaminated datasets")
    add_foreign_option(parser)
    add_recipe_options(parser, "decontamination.action=cut")
    add_engine_options(parser)
    parser.set_defaults(execute=Deferred("decontaminate"), accepts_engine_options=True)
