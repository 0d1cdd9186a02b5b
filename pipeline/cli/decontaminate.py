"""`roving decontaminate`: take the text of evaluation sets out of documents datasets."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from pipeline.cli.arguments import engine_of, labelled, output_for
from pipeline.cli.datasets import find_datasets
from pipeline.decontamination.index import build_evaluation_index, index_lines
from pipeline.decontamination.report import report_lines, write_report
from pipeline.decontamination.stage import Decontamination
from pipeline.deduplication.step import Documents
from pipeline.errors import InputError
from pipeline.fingerprints.checksums import model_checksum
from pipeline.job import Job
from pipeline.passes.documents_pass import DocumentsPass
from pipeline.passes.run import running
from pipeline.passes.shard_units import ReadShard
from pipeline.passes.shards import with_signals
from pipeline.passes.writer import WriterSettings
from pipeline.recipe import load_recipe
from pipeline.store import files
from pipeline.store.inputs import Inputs


def execute(parsed: argparse.Namespace, engine_options: list[str]) -> int:
    """Build the index and put every dataset through the stage."""
    engine = engine_of(parsed, engine_options)
    recipe = load_recipe(parsed.recipe, [*parsed.set, "decontamination.enabled=true"])
    if not files.is_local(parsed.output):
        raise InputError(
            "the index of evaluation sets is made in OUTPUT, and is read from a disk; give an "
            "--output on a disk that the workers share"
        )
    inputs = labelled(parsed.input)
    outputs = {label: output_for(folder, parsed.output, label) for label, folder in inputs.items()}
    with running(engine, parsed.output) as run:
        datasets = find_datasets(inputs, outputs, "decontaminate", run, foreign=parsed.foreign)
        index = Path(parsed.output, "work", "evaluation")
        card = build_evaluation_index(parsed.evaluation, index, recipe.models.evaluation)
        print("\n".join(index_lines(card)))
        job = Job(
            source="decontamination",
            input=Inputs(()),
            output=parsed.output,
            recipe=recipe,
            run=run,
            keep_rejected_text=parsed.keep_rejected_text,
        )
        for dataset in datasets:
            _decontaminate(job, dataset, index)
    return 0


def _decontaminate(job: Job, dataset: Documents, index: Path) -> None:
    settings = job.recipe.decontamination
    columns = with_signals(dataset.columns, [Decontamination])
    rows_per_group = job.recipe.run.rows_per_group
    writer = WriterSettings(columns, (), rows_per_group)
    stage = Decontamination(settings, str(index))
    own = replace(job, output=dataset.place.root)
    work = DocumentsPass(
        dataset.label,
        dataset.place,
        ReadShard(job.batching),
        (stage,),
        job.batching,
        writer,
        job.document_seconds,
    )
    result = own.run_pass(work, dataset.units)
    done = {"method": "decontamination", "evaluation": model_checksum(str(index))}
    own.complete(result, [], done)
    print("\n".join(report_lines(write_report(own.output, index))))
