"""GitHub as LLaMA used it: source code under Apache, BSD and MIT licences (arXiv 2302.13971).

BigQuery's tables: keys of files, licenses and contents, their join, then one pass over contents.
Repositories as folders or archives: one pass. The same filters for both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, BinaryIO

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
from pipeline.deduplication.decision_files import DECISIONS
from pipeline.deduplication.key_units import KeyUnit
from pipeline.fingerprints import parts_of
from pipeline.job import Job
from pipeline.passes.look_pass import look_at
from pipeline.passes.shards import Columns
from pipeline.passes.stages import enabled
from pipeline.readers.records import Records
from pipeline.readers.tables import split_parquet
from pipeline.recipe import Recipe
from pipeline.sources.declaration import Found, Prepared, Source, Step
from pipeline.sources.github.contents import ReadContents
from pipeline.sources.github.inputs import (
    find_repositories,
    find_tables,
    is_parquet,
    unit_of_repository,
    units_by_table,
)
from pipeline.sources.github.join import Join
from pipeline.sources.github.licences import LicencePolicy
from pipeline.sources.github.repositories import ReadRepository
from pipeline.sources.github.rows import ReadRows, check_columns, column_names, find_rows
from pipeline.sources.github.settings import GithubSettings
from pipeline.sources.github.tables import KEYS, TABLE_BYTES, Kind, TablePass
from pipeline.store.inputs import Inputs
from pipeline.store.units import Unit, part_of

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


@dataclass(frozen=True)
class ReadGithub:
    """Reads a unit as a repository, a table of files, or contents of which the join chose rows."""

    settings: GithubSettings

    def __call__(self, stream: BinaryIO, unit: Unit) -> Records:
        settings = self.settings
        if unit.made(DECISIONS):
            return ReadContents(settings.input.maximum_row_bytes)(stream, unit)
        if unit.group:
            return ReadRepository(settings.input, settings.licences)(stream, unit)
        policy = LicencePolicy(settings.licences.allowed)
        return ReadRows(settings.rows, policy, settings.input.maximum_row_bytes)(stream, unit)


def find_units(inputs: Inputs, _: GithubSettings) -> Found:
    """Units of BigQuery's three tables, or of tables of files, or else repositories.

    Raises:
        InputError: there are none of them, or not all three tables.
    """
    tables = find_tables(inputs) or find_rows(inputs)
    if tables:
        return tables, []
    repositories = find_repositories(inputs.only("repositories"))
    return [unit_of_repository(repository, inputs.lists) for repository in repositories], []


def prepare(job: Job, settings: GithubSettings, units: Sequence[Unit]) -> Prepared:
    """Cut tables, and join BigQuery's: which rows of contents are read, as what."""
    if any(unit.group for unit in units):  # repositories
        return Prepared(units)
    cut = _cut(job, settings, units)
    tables = units_by_table(cut)
    if not tables:
        return Prepared(cut)
    limit = settings.input.maximum_row_bytes
    found: dict[Kind, list[KeyUnit]] = {}
    sizes, damaged, contents = {}, {}, []
    for kind, found_units in tables.items():
        work = TablePass(kind, job.place(f"tables.{kind}"), limit)
        result = job.run.run_units(work, found_units)
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
    chosen = [
        replace(unit, version=of.digest, inputs=of.inputs)
        for unit in tables["contents"]
        for of in [decisions.units[unit.name]]
    ]
    return Prepared(chosen, done={"files_table": {**report, "damaged": damaged}})


def _cut(job: Job, settings: GithubSettings, units: Sequence[Unit]) -> list[Unit]:
    """The units, large Parquet files cut at borders of row groups, which a look at each tells.

    Raises:
        InputError: a table of files lacks a column.
    """
    is_rows = not units_by_table(units)
    slice_bytes = settings.input.slice_bytes
    looked = [unit for unit in units if is_rows or (unit.size > slice_bytes and is_parquet(unit))]
    look = partial(_look, slice_bytes=slice_bytes)
    seen = look_at(job.run, "tables", job.place("tables"), looked, look)
    found = []
    for unit in units:
        of_unit = seen.get(unit.name, {"columns": [], "parts": []})
        if is_rows:
            check_columns(unit, of_unit["columns"], settings.rows)
        parts = of_unit["parts"]
        found += [part_of(unit, (start, size)) for start, size in parts] if parts[1:] else [unit]
    return found


def _look(unit: Unit, slice_bytes: int) -> dict[str, Any]:
    is_large = unit.size > slice_bytes and is_parquet(unit)
    parts = split_parquet(unit, slice_bytes) if is_large else []
    return {"columns": column_names(unit), "parts": parts}


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


def steps(settings: GithubSettings, _: Recipe, __: Sequence[Unit]) -> Iterable[Step]:
    """From raw files to text."""
    return enabled(
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


SOURCE = Source(
    name="github",
    settings=GithubSettings,
    columns=COLUMNS,
    find_units=find_units,
    read=ReadGithub,
    steps=steps,
    prepare=prepare,
    pii=CodePiiFilter,
)
