"""`roving dedup METHOD`: remove what documents datasets have more than once."""

from __future__ import annotations

import argparse
from dataclasses import replace

from pipeline import files
from pipeline.cli.arguments import engine_of, labelled, output_for
from pipeline.deduplication.step import Step, find_documents
from pipeline.job import Job
from pipeline.locking import lock_output
from pipeline.recipe import load_recipe
from pipeline.runner import Workers


def execute(parsed: argparse.Namespace, engine_options: list[str]) -> int:
    """Run one method."""
    engine = engine_of(parsed, engine_options)
    inputs = labelled(parsed.input)
    recipe = load_recipe(parsed.recipe, parsed.set)
    datasets = tuple(
        find_documents(folder, label, output_for(folder, parsed.output, label))
        for label, folder in inputs.items()
    )
    with lock_output(parsed.output), Workers(engine) as workers:
        job = Job(
            source="deduplication",
            input="",
            output=parsed.output,
            recipe=recipe,
            engine=engine,
            workers=workers,
            keep_rejected_text=parsed.keep_rejected_text,
        )
        step = Step(job, parsed.method, datasets, files.join(parsed.output, "work"))
        for dataset, version, committed in step.run():
            own = replace(job, input=dataset.folder, output=dataset.output)
            own.complete(version, committed, [], {"method": parsed.method, "inputs": list(inputs)})
    return 0
