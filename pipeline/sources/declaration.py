"""What a source is: a declaration, from which running it, its recipe section and its help follow.

input -> find_units -> (prepare) -> read -> stages, and comparisons between them -> documents
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, runtime_checkable

from filters.document import Document
from filters.pii import PiiFilter, PiiSettings
from pipeline.job import Job
from pipeline.passes.run import Result
from pipeline.passes.shards import Columns
from pipeline.passes.stages import ReadRecords, Stage
from pipeline.passes.writer import WriterSettings
from pipeline.recipe import Recipe
from pipeline.sources.base_settings import SourceSettings
from pipeline.store.commit import Place
from pipeline.store.inputs import Inputs
from pipeline.store.units import Unit

Section = TypeVar("Section", bound=SourceSettings)

# Units, and the input files that are not read: `path` and `reason` of each.
Found: TypeAlias = tuple[list[Unit], list[dict[str, str]]]


@dataclass(frozen=True)
class Prepared:
    """What passes before the reading of documents came to.

    Attributes:
        units: as they are read.
        refused: input files that are not read after all: `path` and `reason` of each.
        done: what the manifest says of it.
    """

    units: Sequence[Unit]
    refused: Sequence[dict[str, str]] = ()
    done: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Following:
    """The pass after a comparison.

    Attributes:
        name: for progress.
        place: where it writes.
        stages: that what is left goes through.
        writer: what it writes.
    """

    name: str
    place: Place
    stages: tuple[Stage, ...]
    writer: WriterSettings


@runtime_checkable
class Comparison(Protocol):
    """A comparison of all documents between two passes.

    Attributes:
        name: of the pass after it.
        before: of the pass before it, as its folder in `work/` is called.
        key_kinds: of keys that the pass before it writes.
    """

    @property
    def name(self) -> str: ...

    @property
    def before(self) -> str: ...

    @property
    def key_kinds(self) -> tuple[str, ...]: ...

    def run(self, job: Job, written: Result, then: Following) -> Result:
        """Decide what goes, and write what is left.

        Args:
            job: what the user asked for.
            written: by the pass before.
            then: the pass after.
        """


Step: TypeAlias = Stage | Comparison


@dataclass(frozen=True)
class Source(Generic[Section]):
    """A source.

    Attributes:
        name: of its section and of its documents' column `source`.
        settings: its section of the recipe.
        columns: of its documents; optional filters and what every source goes through last add
            theirs.
        find_units: units of the input. Files that are passed over are returned with a reason;
            raises `InputError` where there is nothing to read.
        read: makes what reads a unit: a picklable function from its stream to its records.
        steps: what the records go through; the units are those found.
        prepare: passes of its own before documents are read, from the units found to those read;
            what needs files opened is asked there (`pipeline.passes.look_pass`).
        tally: what is counted of each document that the last of its own passes writes.
        report: what the manifest says of these counts.
        pii: makes the stage that takes personal data out.
    """

    name: str
    settings: type[Section]
    columns: Columns
    find_units: Callable[[Inputs, Section], Found]
    read: Callable[[Section], ReadRecords]
    steps: Callable[[Section, Recipe, Sequence[Unit]], Iterable[Step]]
    prepare: Callable[[Job, Section, Sequence[Unit]], Prepared] | None = None
    tally: Callable[[Document], Iterable[str]] | None = None
    report: Callable[[Mapping[str, int]], Mapping[str, Any]] | None = None
    pii: Callable[[PiiSettings], Stage] = PiiFilter

    def section(self, recipe: Recipe) -> Section:
        """The source's section of a recipe."""
        return recipe.section(self.name, self.settings)
