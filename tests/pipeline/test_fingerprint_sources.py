"""Every source's passes can be read, the same before and after their stages are opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.fingerprints import Parts, parts_of
from pipeline.job import Job
from pipeline.passes.documents import DocumentsPass
from pipeline.passes.engine import Engine
from pipeline.passes.local import Workers
from pipeline.passes.run import Run
from pipeline.recipe import RECIPES, load_recipe
from pipeline.sources import arxiv, books, c4, commoncrawl, stackexchange, wikipedia
from pipeline.store.claim import Claim
from pipeline.store.inputs import Inputs

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


PASSES: dict[str, Callable[[Job], DocumentsPass]] = {
    "arxiv": lambda job: arxiv.documents_pass(job, job.place("x")),
    "books": lambda job: books.documents_pass(job, job.place("x")),
    "c4": lambda job: c4.first_pass(job, c4.page_stages(job), job.place("x")),
    "stackexchange": lambda job: stackexchange.documents_pass(job, job.place("x")),
    "wikipedia": lambda job: wikipedia.documents_pass(job, job.place("x")),
    "commoncrawl": lambda job: commoncrawl.extract_pass(job, commoncrawl.extract_stages(job)),
    "commoncrawl finish": lambda job: commoncrawl.finish_pass(
        job, commoncrawl.finish_stages(job), job.place("x")
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
    whole = parts(commoncrawl.extract_pass(job, stages))
    less = parts(commoncrawl.extract_pass(job, stages[:-1]))
    assert less.fingerprint != whole.fingerprint
    assert any("settings are other" in one for one in less.differences(whole))
