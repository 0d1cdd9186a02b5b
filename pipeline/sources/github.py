"""GitHub as LLaMA used it: source code under Apache, BSD and MIT licences (arXiv 2302.13971).

BigQuery's tables: keys of files, licenses and contents, their join, then one pass over contents.
Repositories as folders or archives: one pass. The same filters for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from filters.code import (
    CodeDecoder,
    CodePathFilter,
    CodeQualityFilter,
    GeneratedCodeFilter,
    LicenceHeaderFilter,
)
from pipeline import files
from pipeline.deduplication.chain import complete, undeduplicated
from pipeline.github.contents import ReadContents, chosen_digest
from pipeline.github.inputs import find_repositories, find_tables, unit_of_repository
from pipeline.github.join import Join
from pipeline.github.licences import LicencePolicy
from pipeline.github.repositories import ReadRepository
from pipeline.github.tables import Kind, TablePass
from pipeline.job import Job
from pipeline.recipe import fingerprint, to_plain
from pipeline.runner import MapPass, run_unit_pass
from pipeline.shards import Columns
from pipeline.stages import ReadRecords, ReadUnit, Stage, enabled
from pipeline.units import Unit
from pipeline.writer import WriterSettings

COLUMNS = Columns(
    metadata={
        "repository": pa.string(),
        "path": pa.string(),
        "programming_language": pa.string(),
        "digest": pa.string(),
        "other_paths": pa.int64(),
    },
    signals={
        "header_characters": pa.int64(),
        "lines": pa.int64(),
        "maximum_line": pa.int64(),
        "mean_line": pa.float64(),
        "alphanumeric_share": pa.float64(),
        "letters_per_token": pa.float64(),
    },
)


def run(job: Job) -> None:
    """Run the source."""
    settings = job.recipe.github
    job.check_stages(stages(job))
    tables = find_tables(job.input, settings.input.slice_bytes)
    read, units = _from_tables(job, tables) if tables else _from_repositories(job)
    version = fingerprint("github", to_plain(settings), job.shard_form, job.last_version())
    methods = settings.deduplicate
    work = documents_pass(job, read, undeduplicated(job, methods), version)
    complete(job, methods, version, job.run_pass(work, units), [])


def stages(job: Job) -> tuple[Stage, ...]:
    """From raw files to text."""
    settings = job.recipe.github
    own = enabled(
        (settings.path, CodePathFilter(settings.path)),
        (settings.decode, CodeDecoder(settings.decode)),
        (settings.generated, GeneratedCodeFilter(settings.generated)),
        (settings.header, LicenceHeaderFilter(settings.header, settings.licences.allowed)),
        (settings.quality, CodeQualityFilter(settings.quality)),
    )
    return (*own, *job.last_stages)


def documents_pass(job: Job, read: ReadRecords, folder: str, version: str) -> MapPass:
    """Raw files to documents."""
    columns, rows_per_group = job.columns(COLUMNS), job.recipe.run.rows_per_group
    writer = WriterSettings(folder, version, columns, (), rows_per_group)
    return MapPass("github", ReadUnit(read, job.batching), stages(job), job.batching, writer)


def _from_repositories(job: Job) -> tuple[ReadRecords, list[Unit]]:
    settings = job.recipe.github
    repositories = find_repositories(job.input)
    listings = files.join(job.output, "listings")
    units = [unit_of_repository(repository, listings) for repository in repositories]
    named = {
        unit.name: (repository.name, repository.path if repository.is_folder else "")
        for unit, repository in zip(units, repositories, strict=True)
    }
    return ReadRepository(named, settings.input, settings.licences), units


def _from_tables(job: Job, tables: Mapping[Kind, Sequence[Unit]]) -> tuple[ReadRecords, list[Unit]]:
    settings = job.recipe.github
    limit = settings.input.maximum_row_bytes
    passes, sizes = {}, {}
    damaged: dict[str, list[dict[str, int]]] = {}
    for kind, units in tables.items():
        version = fingerprint("github keys", kind, limit, settings.input.slice_bytes)
        folder = files.join(job.output, "tables", kind)
        passes[kind] = TablePass(kind, folder, version, limit)
        committed = run_unit_pass(passes[kind], units, job.workers)
        sizes[kind] = sum(stats["outputs"]["keys"]["bytes"] for stats in committed)
        damaged[kind] = [stats["damaged"] for stats in committed]
    contents = list(tables["contents"])
    join = Join(
        folder=files.join(job.output, "join"),
        files=tuple(passes["files"].path(unit) for unit in tables["files"]),
        licences=tuple(passes["licenses"].path(unit) for unit in tables["licenses"]),
        contents=tuple(passes["contents"].path(unit) for unit in contents),
        units=tuple(unit.name for unit in contents),
        policy=LicencePolicy(settings.licences.allowed),
        paths=settings.path,
        partition_bytes=job.recipe.run.partition_bytes,
    )
    inputs = [[kind, [[u.name, u.size] for u in units]] for kind, units in tables.items()]
    version = fingerprint("join", inputs, to_plain(settings.licences), to_plain(settings.path))
    report = join.run((sizes["files"] + sizes["licenses"], sizes["contents"]), version, job.engine)
    print("\n".join(account_lines(report, damaged)))
    slices = report["slices"]
    units = [
        replace(unit, version=chosen_digest(join.folder, unit.name, slices)) for unit in contents
    ]
    return ReadContents(join.folder, slices, limit), units


def account_lines(
    report: Mapping[str, Any], damaged: Mapping[str, Sequence[Mapping[str, int]]]
) -> list[str]:
    """Where the rows of the files table went, for people."""
    rows, licensed = report["files"], report["licensed"]
    lines = [f"files: {rows['rows']:,} rows, {rows['licensed']:,} under a licence that is kept"]
    lines += [f"  {reason} {number:,}" for reason, number in rows["reasons"].items()]
    lines += [f"  of the licensed: {name} {number:,}" for name, number in licensed.items()]
    for kind, units in damaged.items():
        for unit in units:
            lines += [f"  {kind}: {reason} {number:,}" for reason, number in unit.items()]
    return lines
