"""The deduplications at the end of a source's run, one after another, as its recipe lists them.

OUTPUT/finished/                  the documents before, if there is any deduplication
OUTPUT/deduplication/1-<method>/  keys, decisions and report of the first, and so on
OUTPUT                            the documents after the last
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline import files
from pipeline.decontamination.report import report_lines, write_report
from pipeline.deduplication.settings import MethodName
from pipeline.deduplication.step import Step, find_documents
from pipeline.job import Job


def undeduplicated(job: Job, methods: Sequence[MethodName]) -> str:
    """Where a source writes its documents."""
    return files.join(job.output, "finished") if methods else job.output


def complete(
    job: Job,
    methods: Sequence[MethodName],
    fingerprint: str,
    committed: Sequence[dict[str, Any]],
    refused: Sequence[dict[str, str]],
) -> None:
    """Deduplicate what a source has written, and finish the dataset.

    Args:
        job: the source's.
        methods: in order.
        fingerprint: of the source's last pass.
        committed: the stats of its units.
        refused: input files that were not read, with their reason.
    """
    folder = undeduplicated(job, methods)
    for number, method in enumerate(methods, 1):
        work = files.join(job.output, "deduplication", f"{number}-{method}")
        output = job.output if number == len(methods) else work
        dataset = find_documents(folder, job.source, output, carries=True)
        step = Step(replace(job, output=output), method, (dataset,), work)
        ((_, fingerprint, committed),) = step.run()
        folder = output
    job.complete(fingerprint, committed, refused)
    if job.recipe.decontamination.enabled:
        index = Path(job.recipe.models.evaluation_index)
        print("\n".join(report_lines(write_report(job.output, index))))
