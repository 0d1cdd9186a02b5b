"""`roving run SOURCE`: raw input to a finished dataset."""

from __future__ import annotations

import argparse
import importlib

from pipeline.cli.arguments import engine_of
from pipeline.job import Job
from pipeline.locking import lock_output
from pipeline.recipe import load_recipe
from pipeline.runner import Workers


def execute(parsed: argparse.Namespace, engine_options: list[str]) -> int:
    """Run a source."""
    engine = engine_of(parsed, engine_options)
    source = importlib.import_module(f"pipeline.sources.{parsed.source}")
    recipe = load_recipe(parsed.recipe, parsed.set)
    with lock_output(parsed.output), Workers(engine) as workers:
        source.run(
            Job(
                source=parsed.source,
                input=parsed.input,
                output=parsed.output,
                recipe=recipe,
                engine=engine,
                workers=workers,
                keep_rejected_text=parsed.keep_rejected_text,
            )
        )
    return 0
