"""One `roving run`: input, output, recipe and engine, and what every source does with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipeline.losses import check_errors, check_losses, loss_lines, refused_lines
from pipeline.passes.engine import Engine
from pipeline.passes.frame import UnitPass
from pipeline.passes.run import Result, Run
from pipeline.passes.stages import Batching, Stage
from pipeline.recipe import Recipe, resolved
from pipeline.store import files
from pipeline.store.accounting import funnel_lines
from pipeline.store.commit import Place
from pipeline.store.dataset import (
    FORMAT_VERSION,
    content_of,
    manifest_identity,
    plain_tables,
    put_manifest,
)
from pipeline.store.inputs import Inputs
from pipeline.store.tables import read_table
from pipeline.store.units import Unit


@dataclass(frozen=True)
class Job:
    """What the user asked for."""

    source: str
    input: Inputs
    output: str
    recipe: Recipe
    run: Run
    keep_rejected_text: bool = False

    @property
    def engine(self) -> Engine:
        return self.run.engine

    @cached_property
    def manifest_seen(self) -> str:
        """Identity of the manifest that stood in the output when the job began."""
        return manifest_identity(self.output)

    def __post_init__(self) -> None:
        _ = self.manifest_seen

    @property
    def batching(self) -> Batching:
        run = self.recipe.run
        share = 1.0 if self.keep_rejected_text else run.rejected_text_share
        return Batching(run.batch_documents, run.batch_characters, share)

    @property
    def document_seconds(self) -> float:
        return self.recipe.run.maximum_document_seconds

    def check_stages(self, stages: Iterable[Stage]) -> None:
        """Fail before any work if a model is missing; on another engine, models are over there."""
        if self.engine.is_local:
            for stage in stages:
                stage.open()

    @property
    def lists(self) -> str:
        """Folder for lists of the files of units."""
        return files.join(self.output, "work", "lists")

    def place(self, step: str, *, is_last: bool = False) -> Place:
        """Where a step writes."""
        return self.run.place(self.output, step, is_last=is_last)

    def run_pass(self, work: UnitPass, units: Sequence[Unit]) -> Result:
        """Run a pass.

        Raises:
            RunFailed: units are missing, or more records or units failed than the recipe allows.
        """
        result = self.run.run_units(work, units)
        self.run.kept.append(result)
        check_errors(work.name, result.summary, self.recipe.run)
        return result

    def complete(
        self,
        result: Result,
        refused: Sequence[dict[str, str]],
        done: Mapping[str, Any] | None = None,
    ) -> None:
        """Replace the manifest by that of the finished dataset, clean up, and print the funnel.

        Args:
            result: of the last pass.
            refused: input files that were not read, with their reason.
            done: what was done where the recipe does not say it.

        Raises:
            RunFailed: more of the input was lost than the recipe allows.
            OutputError: another run finished the dataset meanwhile.
        """
        summary, funnel = result.summary, result.summary.funnel
        funnel.check(self.output)
        losses = loss_lines(summary)
        print("\n".join([*losses, *refused_lines(refused), *funnel_lines(funnel)]))
        check_losses(self.output, result, self.recipe.run.maximum_unit_loss)
        units = unit_contents(result)
        manifest = {
            "format_version": FORMAT_VERSION,
            "kind": "documents",
            "source": self.source,
            "run": self.run.id,
            "fingerprint": result.fingerprint,
            "recipe": {"name": self.recipe.name, "keys": resolved(self.recipe)},
            **(done or {}),
            "documents": funnel.kept,
            "characters": funnel.kept_characters,
            "units": summary.units,
            "content": content_of(units),
            "lost": {
                "units": summary.lost_units,
                "bytes": summary.lost_bytes,
                "named": [vars(one) for one in summary.lost],
            },
            "funnel": funnel.to_json(),
            "refused_inputs": list(refused),
            "tables": plain_tables(summary.tables),
        }
        put_manifest(self.output, manifest, self.manifest_seen, summary.tables)
        self.run.clean(self.output)
        print(
            f"{funnel.kept:,} of {funnel.records:,} documents kept, "
            f"{funnel.kept_characters:,} characters, in {self.output}"
        )


def unit_contents(result: Result) -> list[tuple[str, str]]:
    """Of each unit its name and the hash of its content."""
    found: list[tuple[str, str]] = []
    for table in result.summary.tables:
        read = read_table(result.place.root, table, ["unit", "content"])
        names: list[Any] = read.column("unit").to_pylist()
        contents: list[Any] = read.column("content").to_pylist()
        found += zip(names, contents, strict=True)
    return found
