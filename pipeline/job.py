"""One `roving run`: input, output, recipe and engine, and what every source does with them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from filters.pii import ORDER, PiiFilter
from pipeline import files
from pipeline.accounting import funnel_lines, sum_funnels, write_json
from pipeline.dataset import FORMAT_VERSION, Dataset
from pipeline.decontamination.stage import SIGNALS, Decontamination
from pipeline.errors import InputError, RunFailed
from pipeline.recipe import Recipe, to_plain
from pipeline.runner import Engine, UnitPass, Workers, run_unit_pass
from pipeline.shards import Columns
from pipeline.stages import READ, Batching, Stage, enabled
from pipeline.units import Unit


@dataclass(frozen=True)
class Job:
    """What the user asked for."""

    source: str
    input: str
    output: str
    recipe: Recipe
    engine: Engine
    workers: Workers
    keep_rejected_text: bool = False

    @property
    def batching(self) -> Batching:
        run = self.recipe.run
        share = 1.0 if self.keep_rejected_text else run.rejected_text_share
        return Batching(run.batch_documents, run.batch_characters, share)

    @property
    def shard_form(self) -> tuple[int, float]:
        """What decides the look of shards beside the source's settings: part of fingerprints."""
        return self.recipe.run.rows_per_group, self.batching.rejected_text_share

    @property
    def last_stages(self) -> tuple[Stage, ...]:
        """What the documents of every source go through last."""
        recipe = self.recipe
        index = recipe.models.evaluation_index
        return enabled(
            (recipe.decontamination, Decontamination(recipe.decontamination, index)),
            (recipe.pii, PiiFilter(recipe.pii)),
        )

    def last_version(self) -> list[Any]:
        """What decides what the last stages do: part of fingerprints."""
        recipe = self.recipe
        index = checksum(recipe.models.evaluation_index) if recipe.decontamination.enabled else ""
        return [to_plain(recipe.decontamination), index, to_plain(recipe.pii)]

    def columns(self, columns: Columns) -> Columns:
        """A source's columns, with those that the last stages add."""
        signals = dict(columns.signals)
        if self.recipe.decontamination.enabled:
            signals |= SIGNALS
        if self.recipe.pii.enabled:
            signals |= {f"pii_{kind}": pa.int32() for kind in ORDER}
        return Columns(columns.metadata, signals)

    def check_stages(self, stages: Iterable[Stage]) -> None:
        """Fail before any work if a model is missing; on another engine, models are over there."""
        if self.engine.is_local:
            for stage in stages:
                stage.open()

    def run_pass(self, work: UnitPass, units: Sequence[Unit]) -> list[dict[str, Any]]:
        """Run a pass and return the stats of its units.

        Raises:
            RunFailed: units are missing, or more records failed than the recipe allows.
        """
        files.delete([Dataset(work.folder).manifest_path])
        committed = run_unit_pass(work, units, self.workers)
        funnel = sum_funnels(committed)
        failed, limit = sum(funnel.errors.values()), self.recipe.run.maximum_error_share
        # A reader that fails loses the rest of its unit, however many records that is.
        broken = sum(n for name, n in funnel.errors.items() if name.startswith(f"{READ}:"))
        if failed > limit * max(funnel.records, 1) or broken > limit * len(units):
            common = ", ".join(f"{name} {number}" for name, number in funnel.errors.most_common(3))
            raise RunFailed(
                f"{work.name}: {failed} of {funnel.records} records and {broken} of {len(units)} "
                f"readers failed in our own code, more than run.maximum_error_share = {limit} "
                f"allows: {common}; see rejected/"
            )
        return committed

    def complete(
        self,
        fingerprint: str,
        committed: Sequence[dict[str, Any]],
        refused: Sequence[dict[str, str]],
        done: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the manifest of the finished dataset and print the funnel.

        Args:
            fingerprint: of the last pass.
            committed: the stats of its units.
            refused: input files that were not read, with their reason.
            done: what was done where the recipe does not say it.
        """
        recipe = {
            "name": self.recipe.name,
            "run": to_plain(self.recipe.run),
            self.source: to_plain(getattr(self.recipe, self.source)),
            "decontamination": to_plain(self.recipe.decontamination),
            "pii": to_plain(self.recipe.pii),
        }
        funnel = sum_funnels(committed)
        funnel.check(self.output)
        manifest = {
            "format_version": FORMAT_VERSION,
            "source": self.source,
            "fingerprint": fingerprint,
            "recipe": recipe,
            **(done or {}),
            "documents": funnel.kept,
            "characters": funnel.kept_characters,
            "funnel": funnel.to_json(),
            "refused_inputs": list(refused),
            "units": [
                {key: unit[key] for key in ("unit", "input", "outputs")} for unit in committed
            ],
        }
        write_json(Dataset(self.output).manifest_path, manifest)
        print("\n".join(funnel_lines(funnel)))
        print(
            f"{funnel.kept:,} of {funnel.records:,} documents kept, "
            f"{funnel.kept_characters:,} characters, in {self.output}"
        )


def checksum(path: str) -> str:
    """SHA-256 over the names, sizes and contents of a model: a file, or the files of a folder.

    Raises:
        InputError: it is not there.
    """
    found = files.list_files(path)
    if not found:
        raise InputError(
            f"there is no model at {path}; models must be at the recipe's paths on the machine "
            "that starts a run, too"
        )
    digest = hashlib.sha256()
    for file in found:
        digest.update(f"{file.relative} {file.size}\n".encode())
        with files.open_read(file.path) as handle:
            while block := handle.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
