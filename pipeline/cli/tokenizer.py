"""`roving tokenizer train`: a tokenizer from documents; `tokenizer_text` has what looks at one."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.cli.arguments import engine_of, labelled
from pipeline.passes.run import running
from pipeline.recipe import load_recipe
from pipeline.tokens.train import train_tokenizer
from tokenizer.show import card_lines


def train(arguments: argparse.Namespace, engine_options: list[str]) -> int:
    """Train a tokenizer."""
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
