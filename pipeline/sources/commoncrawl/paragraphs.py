"""CCNet's comparison of paragraphs: which are compared with which, and which copies stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate

from dedup.decisions import REMOVED, removed_rows
from pipeline.deduplication.decision_files import Decisions
from pipeline.deduplication.key_units import KeyUnit, write_key_units
from pipeline.deduplication.paragraph_stage import PARAGRAPHS
from pipeline.deduplication.removal import LineRemoval
from pipeline.deduplication.shuffle import Comparison, compare
from pipeline.fingerprints import parts_of
from pipeline.job import Job
from pipeline.passes.documents_pass import DocumentsPass
from pipeline.passes.run import Result
from pipeline.passes.shard_units import ReadExtracted, units_after
from pipeline.sources.commoncrawl.settings import ParagraphSettings
from pipeline.sources.declaration import Following
from pipeline.store.units import Unit, border


@dataclass(frozen=True)
class ParagraphComparison:
    """The comparison between the two passes; the keys are written by the first.

    Attributes:
        settings: of the comparison.
        units: that the first pass reads, in order of preference.
    """

    settings: ParagraphSettings
    units: tuple[Unit, ...]
    name: str = "finish"
    before: str = "extract"
    key_kinds: tuple[str, ...] = (PARAGRAPHS,)

    def run(self, job: Job, written: Result, then: Following) -> Result:
        """Decide, and finish a unit anew only where the decisions on it are other than before."""
        decisions = self._decide(job, written)
        units = [
            replace(
                unit,
                inputs=(*unit.inputs, *decisions.units[unit.name].inputs),
                version=f"{unit.version}-{decisions.units[unit.name].digest}",
            )
            for unit in units_after(written)
        ]
        return job.run_pass(self.work(job, then), units)

    def work(self, job: Job, then: Following) -> DocumentsPass:
        """The pass after it: removal, and what follows."""
        removal = LineRemoval(PARAGRAPHS, self.settings.minimum_characters)
        return DocumentsPass(
            then.name,
            then.place,
            ReadExtracted(job.output, job.batching),
            (removal, *then.stages),
            job.batching,
            then.writer,
            job.document_seconds,
        )

    def _decide(self, job: Job, written: Result) -> Decisions:
        settings, kind = self.settings, f"keys/{PARAGRAPHS}"
        scopes = scope_numbers(self.units, settings.scope, settings.group_files)
        records = {record.unit: record for record in written.records()}
        compared, keys, contents = [], dict[int, int](), []
        for unit, scope in zip(self.units, scopes, strict=True):
            block = records[unit.name].of_kind(kind)
            path = written.place.full(block.name)
            compared.append(KeyUnit(unit.name, scope, files={kind: path}))
            keys[scope] = keys.get(scope, 0) + block.rows
            contents.append([unit.name, scope, block.sha256])
        path = job.run.path(job.output, f"{PARAGRAPHS}.units.parquet")
        work = Comparison(
            units=write_key_units(path, compared),
            kind=PARAGRAPHS,
            decide=partial(removed_rows, policy=settings.policy),
            dtype=REMOVED,
            place=job.place(PARAGRAPHS),
            partition_bytes=job.recipe.run.partition_bytes,
        )
        made_of = parts_of(compare, work.decide, contents).fingerprint
        decisions = compare(work, keys, made_of, job.run)
        job.run.kept.append(decisions)
        return decisions


def scope_numbers(units: Sequence[Unit], scope: str, group_size: int) -> list[int]:
    """Who is compared with whom: `all`, the same `snapshot`, or the same `group`.

    Units must come in order of preference, which does not depend on how they were listed. Groups
    are of consecutive files, about `group_size` each; where one ends follows from the last name in
    it, so that one file more or less changes its own group.
    """
    if scope == "all":
        return [0] * len(units)
    if scope == "group":
        ends = [border(unit.relative) % group_size == 0 for unit in units]
        return [0, *accumulate(map(int, ends))][: len(units)]
    numbers: dict[str, int] = {}
    return [numbers.setdefault(unit.group, len(numbers)) for unit in units]
