"""The writer's net: documents that no shard can hold are rejected, and rejects can always be held.

What a page, a JSON line or a foreign file gives a document may be nested deeper than JSON is
written, be a number of more than 64 bits, a text that is no Unicode, or no value of its column. One
such document must not keep a unit from being written.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import pyarrow as pa

from filters.document import Rejected
from pipeline.passes.batch import Batch, document_size, reject
from pipeline.passes.shards import document_row
from pipeline.store.accounting import StageCount

# orjson writes no deeper.
MAXIMUM_NESTING = 254
_SMALLEST, _LARGEST = -(1 << 63), (1 << 64) - 1
# What Arrow and orjson raise for a value that they cannot take.
_UNWRITABLE = (pa.ArrowException, ValueError, TypeError, OverflowError)


def writable_rows(batch: Batch, schema: pa.Schema, stage: str) -> list[dict[str, Any]]:
    """The rows of a batch's documents; those that no shard can hold are rejected, in place.

    A rejected document leaves the batch, with its keys, as if `stage` had dropped it. Reasons:
    `unwritable_nesting`, `unwritable_number`, `unwritable_text` (a lone surrogate) and
    `unwritable_value` (no value of its column, or none where there must be one).

    Args:
        batch: before it is counted.
        schema: of the shard.
        stage: the last that the documents went through.
    """
    rows: list[dict[str, Any]] = []
    refused: dict[int, Rejected] = {}
    for place, document in enumerate(batch.documents):
        try:
            rows.append(document_row(document, schema))
        except TypeError as error:
            values = {"metadata": document.metadata, "signals": document.signals}
            refused[place] = _why("extra", values, error)
    if not _fits(rows, schema):
        kept = (place for place in range(len(batch.documents)) if place not in refused)
        problems = {place: _problem(row, schema) for place, row in zip(kept, rows, strict=True)}
        rows = [row for row, why in zip(rows, problems.values(), strict=True) if why is None]
        refused |= {place: why for place, why in problems.items() if why is not None}
    for place in sorted(refused, reverse=True):
        _take_out(batch, place, stage, refused[place])
    return rows


def _take_out(batch: Batch, place: int, stage: str, why: Rejected) -> None:
    document = batch.documents.pop(place)
    del batch.rows[place]
    for keys in batch.keys.values():
        keys.pop(place)
    count = batch.counts.setdefault(stage, StageCount())
    count.documents_out -= 1
    count.characters_out -= document_size(document)
    batch.rejected.append(reject(document, stage, why, keep_text=False))


def _fits(rows: list[dict[str, Any]], schema: pa.Schema) -> bool:
    """Whether all rows can be written; what is bad is looked for only if not."""
    try:
        table = pa.Table.from_pylist(rows, schema=schema)
    except _UNWRITABLE:
        return False
    return not any(table[item.name].null_count for item in schema if not item.nullable)


def _problem(row: dict[str, Any], schema: pa.Schema) -> Rejected | None:
    """Why a row cannot be written."""
    for item in schema:
        value = row.get(item.name)
        if value is None and not item.nullable:
            return Rejected("unwritable_value", f"{item.name}: there is none")
        try:
            pa.array([value], item.type)
        except _UNWRITABLE as error:
            return _why(item.name, value, error)
    return None


def _why(column: str, value: Any, error: Exception) -> Rejected:
    return Rejected(f"unwritable_{_kind(value)}", f"{column}: {error}"[:500])


def _kind(value: Any) -> str:
    """What is wrong with a value, whatever library has refused it."""
    left: list[tuple[Any, int]] = [(value, 0)]
    while left:
        item, depth = left.pop()
        if isinstance(item, str) and not _is_unicode(item):
            return "text"
        if isinstance(item, int) and not _SMALLEST <= item <= _LARGEST:
            return "number"
        if isinstance(item, (dict, list, tuple)) and depth >= MAXIMUM_NESTING:
            return "nesting"
        if isinstance(item, dict):
            left += [(one, depth + 1) for one in chain(item, item.values())]
        elif isinstance(item, (list, tuple)):
            left += [(one, depth + 1) for one in item]
    return "value"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
