"""The deduplications at the end of a source's run, one after another, as its recipe lists them.

OUTPUT/work/finished/      the documents before, if there is any deduplication
OUTPUT/work/1-<method>.*/  keys and decisions of the first, and so on
OUTPUT                     the documents after the last

Each method sees what the earlier ones leave, and all are decided before the documents are written,
once. The result is that of writing them after each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.decontamination.report import report_lines, write_report
from pipeline.deduplication.sections import MethodName
from pipeline.deduplication.step import Decided, Step, documents_after
from pipeline.errors import RecipeError
from pipeline.job import Job
from pipeline.passes.run import Result
from pipeline.store.commit import Place


def documents_place(job: Job, methods: Sequence[MethodName]) -> Place:
    """Where a source writes its documents.

    Raises:
        RecipeError: a method is listed twice.
    """
    twice = [method for method in methods if methods.count(method) > 1]
    if twice:
        raise RecipeError(f"{job.source}.deduplicate lists {twice[0]} twice; name each method once")
    return job.place("finished", is_last=not methods)


def complete(
    job: Job,
    methods: Sequence[MethodName],
    result: Result,
    refused: Sequence[dict[str, str]],
    done: Mapping[str, Any] | None = None,
) -> None:
    """Deduplicate what a source has written, and finish the dataset.

    Args:
        job: the source's.
        methods: in order.
        result: of the source's last pass.
        refused: input files that were not read, with their reason.
        done: what the manifest says besides.
    """
    decided: list[Decided] = []
    if methods:
        place = job.place(f"{len(methods)}-{methods[-1]}", is_last=True)
        dataset = documents_after(result, job.source, place)
        for number, method in enumerate(methods, 1):
            step = Step(job, method, (dataset,), f"{number}-{method}", before=tuple(decided))
            decided.append(step.decide())
        result = step.write(0, decided[-1])
    reports = [one.report.to_json() for one in decided]
    deduplicated = {"deduplication": reports} if reports else {}
    job.complete(result, refused, {**(done or {}), **deduplicated})
    if job.recipe.decontamination.enabled:
        index = Path(job.recipe.models.evaluation_index)
        print("\n".join(report_lines(write_report(job.output, index))))
