"""Every source's passes can be read, the same before and after their stages are opened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.fingerprints import Parts, parts_of
from pipeline.job import Job
from pipeline.passes.documents_pass import DocumentsPass
from pipeline.passes.engine import Engine
from pipeline.passes.local import Workers
from pipeline.passes.run import Run
from pipeline.recipe import RECIPES, load_recipe
from pipeline.registry import find_source, source_names
from pipeline.sources.commoncrawl.paragraphs import ParagraphComparison
from pipeline.sources.run import plan
from pipeline.store.claim import Claim
from pipeline.store.inputs import Inputs
from pipeline.store.units import Unit

# Models that only `make` makes.
WITHOUT = ("commoncrawl.perplexity", "commoncrawl.reference_quality", "decontamination")


def job_for(source: str, lid_model: Path) -> Job:
    options = [f"{section}.enabled=false" for section in WITHOUT]
    options.append(f"models.language_identifier={str(lid_model)!r}")
    recipe = load_recipe(str(RECIPES / "llama1.toml"), options)
    run = Run(Workers(Engine()), Claim(lambda: True), roots=["out"])
    return Job(source, Inputs(("in",)), "out", recipe, run)


def parts(work: DocumentsPass) -> Parts:
    """Of the pass as it is now: what a pass keeps of itself is from when it was first asked."""
    return parts_of(type(work), *work.decided_by())


def passes(source: str, lid_model: Path) -> list[DocumentsPass]:
    job = job_for(source, lid_model)
    planned = plan(find_source(source), job, UNITS)
    found = [planned.first]
    for comparison, then in planned.following:
        if isinstance(comparison, ParagraphComparison):
            found.append(comparison.work(job, then))
    return found


# Of a crawl: what is read decides the stages of C4.
UNITS = (Unit("a", "in/a.warc.gz", "a.warc.gz", 1),)
PASSES = [(name, 0) for name in source_names()] + [("commoncrawl", 1)]


@pytest.mark.parametrize(("source", "number"), PASSES)
def test_a_pass(source: str, number: int, lid_model: Path) -> None:
    work = passes(source, lid_model)[number]
    before = parts(work)
    again = parts(passes(source, lid_model)[number])
    assert again == before
    for stage in work.stages:
        stage.open()
    assert parts(work) == before
    kinds = {one.partition(" ")[0] for one in before.named}
    assert {"code", "library", "python", "settings"} <= kinds
    latex = {one for one in before.named if one.startswith("code filters/latex")}
    assert bool(latex) == (source == "arxiv")


def test_a_stage_more_is_another_fingerprint(lid_model: Path) -> None:
    work = passes("commoncrawl", lid_model)[0]
    whole, less = parts(work), parts(replace(work, stages=work.stages[:-1]))
    assert less.fingerprint != whole.fingerprint
    assert any("settings are other" in one for one in less.differences(whole))
