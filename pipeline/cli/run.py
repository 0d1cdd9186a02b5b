"""`roving run SOURCE`: raw input to a finished dataset."""

from __future__ import annotations

import argparse

from pipeline.cli.arguments import engine_of
from pipeline.errors import InputError
from pipeline.job import Job
from pipeline.passes.run import running
from pipeline.recipe import load_recipe
from pipeline.registry import find_source
from pipeline.sources.run import run_source
from pipeline.store.inputs import Inputs


def _inputs(parsed: argparse.Namespace) -> Inputs:
    if (parsed.input_list is None) != (parsed.base is None):
        raise InputError("--input-list and --base go together: names, and what they stand below")
    if parsed.input_list is not None:
        return Inputs((), parsed.input_list, parsed.base)
    return Inputs(tuple(parsed.input))


def execute(parsed: argparse.Namespace, engine_options: list[str]) -> int:
    """Run a source."""
    engine = engine_of(parsed, engine_options)
    source = find_source(parsed.source)
    recipe = load_recipe(parsed.recipe, parsed.set)
    with running(engine, parsed.output) as run:
        job = Job(
            source=source.name,
            input=_inputs(parsed),
            output=parsed.output,
            recipe=recipe,
            run=run,
            keep_rejected_text=parsed.keep_rejected_text,
        )
        run_source(source, job)
    return 0
