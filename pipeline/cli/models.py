"""`roving models`: fetch or train what the pipeline needs besides documents."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pipeline.decontamination.index import build_evaluation_index, index_lines
from pipeline.models.cards import TooLittleData, dataset_origin
from pipeline.models.cited_pages import cited_keys, select_pages
from pipeline.models.fetch import fetch_language_identifier
from pipeline.models.language import train_language_model
from pipeline.models.reference import train_reference_classifier
from pipeline.models.training_texts import languages_of, read_texts
from pipeline.recipe import load_recipe
from pipeline.sources.commoncrawl.settings import CommonCrawlSettings


def fetch(arguments: argparse.Namespace, _: list[str]) -> int:
    """Fetch the language identifier."""
    done = fetch_language_identifier(arguments.output, arguments.file)
    print(f"{arguments.output}: {'fetched' if done else 'is there already'}")
    return 0


def train_language(arguments: argparse.Namespace, _: list[str]) -> int:
    """Train language models."""
    recipe = load_recipe(arguments.recipe, arguments.set)
    settings = recipe.models.language
    output = arguments.output or Path(recipe.models.language_models)
    wanted = arguments.languages or recipe.section("commoncrawl", CommonCrawlSettings).language.keep
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
        if card["warning"]:
            print(f"warning: {card['warning']}")
    if not trained:
        raise TooLittleData("no language had enough text: no language model was made")
    if not arguments.reference:
        print("cut-offs from Wikipedia put much of the web into the tail: better give --reference")
    print(f"language models: {output}")
    return 0


def train_reference(arguments: argparse.Namespace, _: list[str]) -> int:
    """Train the reference classifier."""
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


def index_evaluation(arguments: argparse.Namespace, _: list[str]) -> int:
    """Index evaluation sets."""
    models = load_recipe(arguments.recipe, arguments.set).models
    output = arguments.output or Path(models.evaluation_index)
    card = build_evaluation_index(arguments.sets, output, models.evaluation)
    print("\n".join(index_lines(card)))
    print(f"index of evaluation sets: {output}")
    return 0
