"""A contents unit with what the join chose for its rows: raw files as documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import quote

import pyarrow as pa

from filters.document import Document
from pipeline.deduplication.decision_files import DECISIONS
from pipeline.readers.records import BadRecord, Record, Records
from pipeline.readers.tables import DamagedRows, read_rows
from pipeline.sources.github.join import read_chosen
from pipeline.store.units import Unit

_COLUMNS = ("id", "size", "content", "binary")


@dataclass(frozen=True)
class ReadContents:
    """Reads a unit of the contents table.

    Attributes:
        maximum_row_bytes: longer rows are rejected.
    """

    maximum_row_bytes: int

    def __call__(self, stream: BinaryIO, unit: Unit) -> Records:
        chosen = _in_order(read_chosen(unit.made(DECISIONS)))
        following = next(chosen, None)
        for row in read_rows(stream, unit, _COLUMNS, self.maximum_row_bytes):
            if isinstance(row, DamagedRows):
                identifier = f"{unit.relative}#{row.row}"
                yield BadRecord(identifier, "", row.reason, row.detail, row.lost)
                continue
            number, values = row
            while following is not None and following["row"] < number:
                following = next(chosen, None)
            if following is None or following["row"] > number:
                blob = values["id"]
                known = isinstance(blob, str) and blob
                reason = "not_in_files" if known else "malformed_row"
                detail = blob[:100] if isinstance(blob, str) else f"id: {type(blob).__name__}"
                yield BadRecord(f"{unit.relative}#{number}", "", reason, detail)
            else:
                yield _record(values, following)


def _in_order(chosen: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in chosen.to_batches(max_chunksize=1000):
        yield from batch.to_pylist()


def _record(values: dict[str, Any], of: dict[str, Any]) -> Record:
    identifier = f"{of['repository']}@{of['path']}"
    if of["reason"]:
        return BadRecord(identifier, "", of["reason"], of["licence"])
    # What a JSON row has there may be anything.
    size = str(values["size"])[:20] if isinstance(values["size"], (int, str)) else "?"
    if values["binary"] is True:
        return BadRecord(identifier, "", "binary", f"{size} bytes")
    if not isinstance(values["content"], str):
        # BigQuery leaves out the content of files above 1 MiB.
        return BadRecord(identifier, "", "no_content", f"{size} bytes")
    return Document(
        id=identifier,
        source="github",
        metadata={
            "url": f"https://github.com/{of['repository']}/blob/HEAD/{quote(of['path'])}",
            "repository": of["repository"],
            "path": of["path"],
            "licence": of["licence"],
            "digest": values["id"],
            "other_paths": of["licensed"] - 1,
        },
        raw=values["content"].encode(),
    )
