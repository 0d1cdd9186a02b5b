"""A deduplication method as a comparison between two passes of a source."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.deduplication.sections import MethodName
from pipeline.deduplication.step import Step, documents_after
from pipeline.errors import RunFailed
from pipeline.job import Job
from pipeline.passes.run import Result
from pipeline.sources.declaration import Following


@dataclass(frozen=True)
class DocumentComparison:
    """A method of [deduplication].

    Attributes:
        method: by its settings there.
        before: of the pass before it, as its folder in `work/` is called.
    """

    method: MethodName
    before: str
    key_kinds: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.method

    def run(self, job: Job, written: Result, then: Following) -> Result:
        """Decide, and write what is left.

        Raises:
            RunFailed: the source counts something of its documents, which a method's writer cannot.
        """
        if then.writer.tally is not None:
            raise RunFailed(f"{job.source}: nothing is tallied behind the comparison {self.name}")
        documents = documents_after(written, job.source, then.place)
        step = Step(job, self.method, (documents,), f"{job.source}-{self.method}", then.stages)
        (made,) = step.run()
        return made.result
