"""`roving decontaminate`: take the text of evaluation sets out of documents datasets."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from pipeline.cli.arguments import engine_of, labelled, output_for
from pipeline.decontamination.index import build_evaluation_index, index_lines
from pipeline.decontamination.report import report_lines, write_report
from pipeline.decontamination.stage import SIGNALS, Decontamination
from pipeline.deduplication.step import Documents, find_documents
from pipeline.finish import ReadShard
from pipeline.job import Job, checksum
from pipeline.locking import lock_output
from pipeline.recipe import fingerprint, load_recipe, to_plain
from pipeline.runner import MapPass, Workers
from pipeline.shards import Columns
from pipeline.writer import WriterSettings


def execute(parsed: argparse.Namespace, engine_options: list[str]) -> int:
    """Build the index and put every dataset through the stage."""
    engine = engine_of(parsed, engine_options)
    recipe = load_recipe(parsed.recipe, [*parsed.set, "decontamination.enabled=true"])
    datasets = [
        find_documents(folder, label, output_for(folder, parsed.output, label))
        for label, folder in labelled(parsed.input).items()
    ]
    with lock_output(parsed.output), Workers(engine) as workers:
        index = Path(parsed.output, "work", "evaluation")
        card = build_evaluation_index(parsed.evaluation, index, recipe.models.evaluation)
        print("\n".join(index_lines(card)))
        job = Job(
            source="decontamination",
            input=parsed.evaluation,
            output=parsed.output,
            recipe=recipe,
            engine=engine,
            workers=workers,
            keep_rejected_text=parsed.keep_rejected_text,
        )
        for dataset in datasets:
            _decontaminate(job, dataset, index)
    return 0


def _decontaminate(job: Job, dataset: Documents, index: Path) -> None:
    settings = job.recipe.decontamination
    version = fingerprint(to_plain(settings), checksum(str(index)), job.shard_form)
    columns = Columns(dataset.columns.metadata, {**dataset.columns.signals, **SIGNALS})
    rows_per_group = job.recipe.run.rows_per_group
    writer = WriterSettings(dataset.output, version, columns, (), rows_per_group)
    stage = Decontamination(settings, str(index))
    work = MapPass(dataset.label, ReadShard(job.batching), (stage,), job.batching, writer)
    committed = job.run_pass(work, dataset.units)
    done = {"method": "decontamination", "evaluation": checksum(str(index))}
    replace(job, output=dataset.output).complete(version, committed, [], done)
    print("\n".join(report_lines(write_report(dataset.output, index))))
