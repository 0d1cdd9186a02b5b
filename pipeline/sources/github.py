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
    CodeOptOutFilter,
    CodePathFilter,
    CodePiiFilter,
    CodeQualityFilter,
    CodeSecretsFilter,
    EncodedCodeFilter,
    GeneratedCodeFilter,
    LicenceHeaderFilter,
    NotebookFilter,
)
from filters.pii import PiiFilter
from pipeline.deduplication.chain import complete, documents_place
from pipeline.deduplication.key_units import KeyUnit
from pipeline.fingerprints import parts_of
from pipeline.github.contents import ReadContents
from pipeline.github.inputs import find_repositories, find_tables, unit_of_repository
from pipeline.github.join import Join
from pipeline.github.licences import LicencePolicy
from pipeline.github.repositories import ReadRepository
from pipeline.github.rows import ReadRows, find_rows
from pipeline.github.tables import KEYS, TABLE_BYTES, Kind, TablePass
from pipeline.job import Job
from pipeline.passes.documents import DocumentsPass
from pipeline.shards import Columns
from pipeline.stages import ReadRecords, ReadUnit, Stage, enabled
from pipeline.store.commit import Place
from pipeline.store.units import Unit
from pipeline.writer import WriterSettings

COLUMNS = Columns(
    metadata={
        "repository": pa.string(),
        "path": pa.string(),
        "programming_language": pa.string(),
        "digest": pa.string(),
        "other_paths": pa.int64(),
        "licence_files": pa.list_(pa.string()),
    },
    signals={
        "licence_rule": pa.string(),
        "licence_start": pa.int64(),
        "licence_end": pa.int64(),
        "licence_score": pa.float64(),
        "licence_match": pa.string(),
        "header": pa.string(),
        "header_characters": pa.int64(),
        "lines": pa.int64(),
        "maximum_line": pa.int64(),
        "mean_line": pa.float64(),
        "alphanumeric_share": pa.float64(),
        "letters_per_token": pa.float64(),
        "secret_private_key": pa.int64(),
        "secret_cloud_key": pa.int64(),
        "secret_token": pa.int64(),
        "high_entropy_strings": pa.int64(),
    },
)


def run(job: Job) -> None:
    """Run the source."""
    settings = job.recipe.github
    job.check_stages(stages(job))
    tables = find_tables(job.input, settings.input.slice_bytes)
    account: Mapping[str, Any] = {}
    if tables:
        read, units, account = _from_tables(job, tables)
    elif rows := find_rows(job.input, settings.rows, settings.input.slice_bytes):
        policy = LicencePolicy(settings.licences.allowed)
        units = rows
        read = ReadRows(settings.rows, policy, settings.input.maximum_row_bytes)
    else:
        read, units = _from_repositories(job)
    methods = settings.deduplicate
    work = documents_pass(job, read, documents_place(job, methods))
    complete(job, methods, job.run_pass(work, units), [], account)


def stages(job: Job) -> tuple[Stage, ...]:
    """From raw files to text."""
    settings = job.recipe.github
    own = enabled(
        (settings.opt_out, CodeOptOutFilter(settings.opt_out)),
        (settings.path, CodePathFilter(settings.path)),
        (settings.decode, CodeDecoder(settings.decode)),
        (settings.decode, NotebookFilter()),
        (settings.encoded, EncodedCodeFilter(settings.encoded)),
        (settings.generated, GeneratedCodeFilter(settings.generated)),
        (settings.header, LicenceHeaderFilter(settings.header, settings.licences.allowed)),
        (settings.quality, CodeQualityFilter(settings.quality)),
        (settings.secrets, CodeSecretsFilter(settings.secrets)),
    )
    last = (
        CodePiiFilter(job.recipe.pii) if isinstance(stage, PiiFilter) else stage
        for stage in job.last_stages
    )
    return (*own, *last)


def documents_pass(job: Job, read: ReadRecords, place: Place) -> DocumentsPass:
    """Raw files to documents."""
    columns, rows_per_group = job.columns(COLUMNS), job.recipe.run.rows_per_group
    writer = WriterSettings(columns, (), rows_per_group)
    reader = ReadUnit(read, job.batching)
    return DocumentsPass(
        "github", place, reader, stages(job), job.batching, writer, job.document_seconds
    )


def _from_repositories(job: Job) -> tuple[ReadRecords, list[Unit]]:
    settings = job.recipe.github
    repositories = find_repositories(job.input.only("repositories"))
    units = [unit_of_repository(repository, job.lists) for repository in repositories]
    return ReadRepository(settings.input, settings.licences), units


def _from_tables(
    job: Job, tables: Mapping[Kind, Sequence[Unit]]
) -> tuple[ReadRecords, list[Unit], Mapping[str, Any]]:
    settings = job.recipe.github
    limit = settings.input.maximum_row_bytes
    found: dict[Kind, list[KeyUnit]] = {}
    sizes, damaged, contents = {}, {}, []
    for kind, units in tables.items():
        work = TablePass(kind, job.place(f"tables.{kind}"), limit)
        result = job.run.run_units(work, units)
        job.run.kept.append(result)
        damaged[kind] = dict(result.summary.extra)
        sizes[kind] = damaged[kind].pop(TABLE_BYTES, 0)
        records = result.records()
        contents.append([kind, [[record.unit, record.content] for record in records]])
        found[kind] = [
            KeyUnit(record.unit, files={KEYS: work.place.full(record.of_kind(KEYS).name)})
            for record in records
        ]
    join = Join(
        files=tuple(found["files"]),
        licences=tuple(found["licenses"]),
        contents=tuple(found["contents"]),
        policy=LicencePolicy(settings.licences.allowed),
        paths=settings.path,
        partition_bytes=job.recipe.run.partition_bytes,
    )
    sizes_of_both = sizes["files"] + sizes["licenses"], sizes["contents"]
    made_of = parts_of(Join, join.policy, join.paths, contents).fingerprint
    decisions = join.run(sizes_of_both, made_of, job.output, job.run)
    job.run.kept.append(decisions)
    report = decisions.extra["report"]
    print("\n".join(account_lines(report, damaged)))
    units = [
        replace(unit, version=chosen.digest, inputs=chosen.inputs)
        for unit in tables["contents"]
        for chosen in [decisions.units[unit.name]]
    ]
    return ReadContents(limit), units, {"files_table": {**report, "damaged": damaged}}


def account_lines(
    report: Mapping[str, Any], damaged: Mapping[Kind, Mapping[str, int]]
) -> list[str]:
    """Where the rows of the files table went, for people."""
    rows, licensed = report["files"], report["licensed"]
    lines = [f"files: {rows['rows']:,} rows, {rows['licensed']:,} under a licence that is kept"]
    lines += [f"  {reason} {number:,}" for reason, number in rows["reasons"].items()]
    lines += [f"  of the licensed: {name} {number:,}" for name, number in licensed.items()]
    for kind, reasons in damaged.items():
        lines += [f"  {kind}: {reason} {number:,}" for reason, number in reasons.items()]
    return lines
