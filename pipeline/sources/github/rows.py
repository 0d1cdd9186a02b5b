"""Tables with a file in each row, as The Stack and its like have them: rows as documents.

What a row has is found by the names of its columns: those of The Stack, StarCoderData and
github-code are known, others are named in the recipe. A table that lacks what is needed is an
error before any work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from filters.document import Document
from pipeline.errors import InputError
from pipeline.readers.jsonl import read_jsonl
from pipeline.readers.records import BadRecord, Record, Records
from pipeline.readers.tables import DamagedRows, read_rows
from pipeline.sources.github.blobs import blob_id
from pipeline.sources.github.licences import LicencePolicy
from pipeline.sources.github.settings import GithubRowsSettings
from pipeline.store import files
from pipeline.store.inputs import Inputs
from pipeline.store.units import Unit, unit_of

_ROWS = re.compile(r"\.(?:parquet|jsonl|ndjson|json)(?:\.gz|\.bz2)?$")
_BESIDE = re.compile(
    r"(?:^|/)(?:readme[^/]*|dataset_infos?\.json|\.[^/]*|_[^/]*|license[^/]*)$", re.IGNORECASE
)


def find_rows(inputs: Inputs) -> list[Unit]:
    """Tables with a file in each row, by their names; none if there is anything else."""
    found = [file for file in inputs.files() if not _BESIDE.search(file.relative)]
    is_tables = all(_ROWS.search(file.relative) for file in found)
    return [unit_of(file) for file in found] if is_tables else []


def column_names(unit: Unit) -> list[str]:
    """The columns of a Parquet file, or the fields of the first line of JSON; none if damaged."""
    with files.open_read(unit.path) as stream:
        if unit.relative.endswith(".parquet"):
            try:
                return list(pq.read_schema(stream).names)
            except (pa.ArrowException, ValueError):
                return []
        lines = read_jsonl(stream, name=unit.relative, maximum_line_bytes=1 << 26)
        first = next(iter(lines), None)
        return [] if first is None or isinstance(first, BadRecord) else list(first.fields)


def check_columns(unit: Unit, names: Sequence[str], columns: GithubRowsSettings) -> None:
    """Fail for a table that lacks a column; a damaged one is told when it is read.

    Raises:
        InputError: it does.
    """
    missing = [
        f"{what} ({', '.join(wanted)})"
        for what, wanted in _wanted(columns).items()
        if not any(name in names for name in wanted)
    ]
    if names and missing:
        raise InputError(
            f"{unit.relative} is a table without a column for {' and '.join(missing)}; it has "
            f"{', '.join(names[:20])}. Name its columns in [github.rows], or give BigQuery's "
            "tables contents-*, files-* and licenses-*, or repositories as folders or archives"
        )


def _wanted(columns: GithubRowsSettings) -> dict[str, tuple[str, ...]]:
    return {
        "content": columns.content,
        "repository": columns.repository,
        "path": columns.path,
        "licences": columns.licences,
    }


@dataclass(frozen=True)
class ReadRows:
    """Reads a unit of a table with a file in each row.

    Attributes:
        columns: names.
        policy: which licences are kept.
        maximum_row_bytes: longer rows are rejected.
    """

    columns: GithubRowsSettings
    policy: LicencePolicy
    maximum_row_bytes: int
    _names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        names = [name for wanted in _wanted(self.columns).values() for name in wanted]
        object.__setattr__(self, "_names", tuple(dict.fromkeys(names)))

    def __call__(self, stream: BinaryIO, unit: Unit) -> Records:
        for row in read_rows(stream, unit, self._names, self.maximum_row_bytes):
            if isinstance(row, DamagedRows):
                identifier = f"{unit.relative}#{row.row}"
                yield BadRecord(identifier, "", row.reason, row.detail, row.lost)
            else:
                number, values = row
                yield self._record(values, f"{unit.relative}#{number}")

    def _record(self, values: Mapping[str, Any], place: str) -> Record:
        found = {
            what: next((values[name] for name in wanted if values[name] is not None), None)
            for what, wanted in _wanted(self.columns).items()
        }
        content, repository, path = (found[what] for what in ("content", "repository", "path"))
        named = isinstance(repository, str) and isinstance(path, str)
        if not named or not (repository and path):
            kinds = f"repository: {type(repository).__name__}, path: {type(path).__name__}"
            return BadRecord(place, "", "malformed_row", kinds)
        identifier = f"{repository}@{path}"
        if not isinstance(content, str):
            return BadRecord(identifier, "", "no_content", type(content).__name__)
        verdict = self.policy.verdict(_licences(found["licences"]))
        if verdict.reason:
            return BadRecord(identifier, "", verdict.reason, verdict.licence)
        data = content.encode("utf-8", "replace")
        metadata = {
            "url": f"https://github.com/{repository}/blob/HEAD/{quote(path)}",
            "repository": repository,
            "path": path,
            "licence": verdict.licence,
            "digest": blob_id(data),
        }
        return Document(identifier, "github", "", metadata, raw=data)


def _licences(value: Any) -> Iterator[str]:
    """The identifiers of a column: a list, or a text."""
    for name in value if isinstance(value, (list, tuple)) else [value]:
        if isinstance(name, str) and name.strip():
            yield name.strip()
