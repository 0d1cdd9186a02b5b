"""Running a source: its passes, with the comparisons between them, as its declaration says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.deduplication.chain import complete, documents_place
from pipeline.job import Job
from pipeline.models.warnings import model_warnings
from pipeline.passes.documents_pass import DocumentsPass
from pipeline.passes.shards import with_signals
from pipeline.passes.stages import ReadUnit, Stage
from pipeline.passes.writer import WriterSettings
from pipeline.sources.declaration import Comparison, Following, Prepared, Section, Source, Step
from pipeline.sources.last_stages import last_stages
from pipeline.store.units import Unit


@dataclass(frozen=True)
class Plan:
    """The passes of a run.

    Attributes:
        first: from raw files on.
        following: each comparison, with the pass after it.
    """

    first: DocumentsPass
    following: tuple[tuple[Comparison, Following], ...]

    @property
    def stages(self) -> Iterator[Stage]:
        """Those of all passes."""
        yield from self.first.stages
        for _, then in self.following:
            yield from then.stages


def run_source(source: Source[Section], job: Job) -> None:
    """Run a source, from raw files to the finished dataset."""
    settings = source.section(job.recipe)
    units, refused = source.find_units(replace(job.input, lists=job.lists), settings)
    planned = plan(source, job, units)
    job.check_stages(planned.stages)
    prepared = source.prepare(job, settings, units) if source.prepare else Prepared(units)
    result = job.run_pass(planned.first, prepared.units)
    for comparison, then in planned.following:
        result = comparison.run(job, result, then)
    done = {**prepared.done, **(source.report(result.summary.extra) if source.report else {})}
    complete(job, settings.deduplicate, result, [*refused, *prepared.refused], done)
    models = job.recipe.models
    found = model_warnings(result.summary.funnel, models.language_models, models.reference_model)
    print("\n".join(found), end="\n" if found else "")


def plan(source: Source[Section], job: Job, units: Sequence[Unit]) -> Plan:
    """The passes over units that a source has found."""
    settings = source.section(job.recipe)
    last = last_stages(source, job.recipe)
    first, following = _in_passes([*source.steps(settings, job.recipe, units), *last])
    places = [job.place(comparison.before) for comparison, _ in following]
    places.append(documents_place(job, settings.deduplicate))
    columns, rows = with_signals(source.columns, last), job.recipe.run.rows_per_group
    kinds = following[0][0].key_kinds if following else ()
    written = [WriterSettings(columns, kinds, rows)]
    written += [WriterSettings(columns, (), rows) for _ in following]
    written[-1] = replace(written[-1], tally=source.tally)
    return Plan(
        DocumentsPass(
            source.name,
            places[0],
            ReadUnit(source.read(settings), job.batching),
            first,
            job.batching,
            written[0],
            job.document_seconds,
        ),
        tuple(
            (comparison, Following(comparison.name, place, stages, writer))
            for (comparison, stages), place, writer in zip(
                following, places[1:], written[1:], strict=True
            )
        ),
    )


def _in_passes(
    steps: Iterable[Step],
) -> tuple[tuple[Stage, ...], list[tuple[Comparison, tuple[Stage, ...]]]]:
    """The stages before any comparison, and each comparison with the stages after it."""
    passes: list[tuple[Comparison | None, list[Stage]]] = [(None, [])]
    for step in steps:
        if isinstance(step, Comparison):
            passes.append((step, []))
        else:
            passes[-1][1].append(step)
    following = [(comparison, tuple(stages)) for comparison, stages in passes if comparison]
    return tuple(passes[0][1]), following
