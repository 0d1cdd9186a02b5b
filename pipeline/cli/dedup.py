"""`roving dedup METHOD`: remove what documents datasets have more than once."""

from __future__ import annotations

import argparse
from dataclasses import replace

from pipeline.cli.arguments import engine_of, labelled, output_for
from pipeline.cli.datasets import find_datasets
from pipeline.deduplication import methods
from pipeline.deduplication.step import Step
from pipeline.errors import InputError
from pipeline.job import Job
from pipeline.passes.run import running
from pipeline.recipe import load_recipe
from pipeline.store.inputs import Inputs


def execute(parsed: argparse.Namespace, engine_options: list[str]) -> int:
    """Run one method."""
    engine = engine_of(parsed, engine_options)
    known = methods.names()
    if parsed.method not in known:
        raise InputError(f"there is no method {parsed.method!r}; there are: {', '.join(known)}")
    inputs = labelled(parsed.input)
    recipe = load_recipe(parsed.recipe, parsed.set)
    outputs = {label: output_for(folder, parsed.output, label) for label, folder in inputs.items()}
    with running(engine, parsed.output) as run:
        datasets = find_datasets(inputs, outputs, parsed.method, run, foreign=parsed.foreign)
        job = Job(
            source="deduplication",
            input=Inputs(()),
            output=parsed.output,
            recipe=recipe,
            run=run,
            keep_rejected_text=parsed.keep_rejected_text,
        )
        own = {label: replace(job, output=folder) for label, folder in outputs.items()}
        for written in Step(job, parsed.method, datasets, parsed.method).run():
            done = {
                "method": parsed.method,
                "inputs": list(inputs),
                "deduplication": [written.report.to_json()],
            }
            own[written.dataset.label].complete(written.result, [], done)
        run.clean(parsed.output)
    return 0
