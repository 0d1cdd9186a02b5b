"""Every source's passes can be read, the same before and after their stages are opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pipeline.runner import Engine, MapPass, Workers
from pipeline.units import Unit

from pipeline.fingerprints import Parts, parts_of
from pipeline.job import Job
from pipeline.recipe import RECIPES, load_recipe
from pipeline.sources import arxiv, books, c4, commoncrawl, stackexchange, wikipedia
from pipeline.stages import RunStage
from pipeline.writer import WriteUnits

# Models that only `make` makes.
WITHOUT = ("commoncrawl.perplexity", "commoncrawl.reference_quality", "decontamination")
PAGES = [Unit("a", "a.warc.gz", "a.warc.gz", 1)]


def job_for(source: str, lid_model: Path) -> Job:
    options = [f"{section}.enabled=false" for section in WITHOUT]
    options.append(f"models.language_identifier={str(lid_model)!r}")
    recipe = load_recipe(str(RECIPES / "llama1.toml"), options)
    return Job(source, "in", "out", recipe, Engine(), Workers(Engine()))


def parts(work: MapPass) -> Parts:
    writer = work.writer
    form = (writer.columns, writer.key_kinds, writer.rows_per_group)
    return parts_of(work.read, RunStage, work.stages, work.batching, WriteUnits, *form)


PASSES: dict[str, Callable[[Job], MapPass]] = {
    "arxiv": lambda job: arxiv.documents_pass(job, "out", ""),
    "books": lambda job: books.documents_pass(job, "out", ""),
    "c4": lambda job: c4.first_pass(job, c4.page_part(job, PAGES), "out", ""),
    "stackexchange": lambda job: stackexchange.documents_pass(job, "out", ""),
    "wikipedia": lambda job: wikipedia.documents_pass(job, "out", ""),
    "commoncrawl": lambda job: commoncrawl.extract_pass(
        job, commoncrawl.extract_stages(job), "out", ""
    ),
    "commoncrawl finish": lambda job: commoncrawl.finish_pass(
        job, commoncrawl.finish_stages(job), "out", "out", ""
    ),
}


@pytest.mark.parametrize("name", PASSES)
def test_a_pass(name: str, lid_model: Path) -> None:
    source = name.split(maxsplit=1)[0]
    work = PASSES[name](job_for(source, lid_model))
    before = parts(work)
    again = parts(PASSES[name](job_for(source, lid_model)))
    assert again == before
    for stage in work.stages:
        stage.open()
    assert parts(work) == before
    kinds = {one.partition(" ")[0] for one in before.named}
    assert {"code", "library", "python", "settings"} <= kinds
    latex = {one for one in before.named if one.startswith("code filters/latex")}
    assert bool(latex) == (source == "arxiv")


def test_a_stage_more_is_another_fingerprint(lid_model: Path) -> None:
    job = job_for("commoncrawl", lid_model)
    stages = commoncrawl.extract_stages(job)
    whole = parts(commoncrawl.extract_pass(job, stages, "out", ""))
    less = parts(commoncrawl.extract_pass(job, stages[:-1], "out", ""))
    assert less.fingerprint != whole.fingerprint
    assert any("settings are other" in one for one in less.differences(whole))
