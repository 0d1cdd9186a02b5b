"""Which evaluation items a finished dataset held: a table of items and documents, a summary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.decontamination.index import EvaluationIndex
from pipeline.decontamination.stage import SIGNALS
from pipeline.errors import InputError
from pipeline.passes.shards import ShardWriter
from pipeline.store import files
from pipeline.store.accounting import write_json
from pipeline.store.dataset import Dataset

TABLE = "contamination.parquet"
SUMMARY = "contamination.json"
_ROWS = 4096
_FIELDS: list[pa.Field[Any]] = [
    pa.field("set", pa.string(), nullable=False),
    pa.field("item", pa.int64(), nullable=False),
    pa.field("document", pa.string(), nullable=False),
    pa.field("url", pa.string(), nullable=False),
    pa.field("outcome", pa.string(), nullable=False),
    pa.field("ngrams", pa.int64(), nullable=False),
]
_SCHEMA = pa.schema(_FIELDS)


@dataclass
class _SetTotals:
    items: set[int] = field(default_factory=set)
    documents: int = 0


def write_report(dataset: str, index: Path) -> dict[str, Any]:
    """Write `contamination.parquet` and `contamination.json` into the dataset's folder.

    A row of the table is an item and a document that holds it: `outcome` is `kept`, `cut` or
    `rejected` (by whatever stage), `ngrams` those of the document with any item. Documents and
    rejects are read in streams; memory is that of the items matched.

    Returns:
        The summary. `documents_with_more` counts the documents that hold more items than their
        signal lists: where it is not 0, items matched are a lower bound.

    Raises:
        InputError: the dataset was made without decontamination, or with another index.
    """
    card = EvaluationIndex(index).card
    totals = {entry["name"]: _SetTotals() for entry in card["sets"]}
    counts = {"checked": 0, "kept": 0, "cut": 0, "rejected": 0, "with_more": 0}
    file = files.NewFile(files.join(dataset, TABLE))
    table = ShardWriter(file, _SCHEMA, _ROWS)
    try:
        for row in _checked(dataset):
            counts["checked"] += 1
            if row["contamination"]:
                counts[row["outcome"]] += 1
                counts["with_more"] += row["contaminated_items"] > len(row["contamination"])
                _add(table, totals, row, index)
        if not counts["checked"] and not _is_empty(dataset):
            raise InputError(f"{dataset!r} was made without decontamination; there is no report")
        table.close()
    except BaseException:
        table.discard()
        file.discard()
        raise
    file.publish()
    summary = _summary(card, totals, counts)
    write_json(files.join(dataset, SUMMARY), summary)
    return summary


def _is_empty(dataset: str) -> bool:
    """Whether a finished dataset has no documents."""
    return bool(Dataset(dataset).manifest["documents"] == 0)


def report_lines(summary: dict[str, Any]) -> list[str]:
    """A summary as a table for people."""
    documents = summary["documents"]
    lines = [
        f"{'set':<32}{'items':>10}{'matched':>10}{'%':>7}{'documents':>11}{'too short':>11}"
        f"{'too common':>12}"
    ]
    for entry in summary["sets"]:
        lines.append(
            f"{entry['name']:<32}{entry['items']:>10,}{entry['items_matched']:>10,}"
            f"{100 * entry['share_matched']:>7.2f}{entry['documents']:>11,}"
            f"{entry['too_short']:>11,}{entry['too_common']:>12,}"
        )
    lines.append(
        f"{documents['checked']:,} documents checked; contaminated: {documents['kept']:,} kept, "
        f"{documents['cut']:,} cut, {documents['rejected']:,} rejected"
    )
    if documents["with_more"]:
        lines.append(
            f"{documents['with_more']:,} documents hold more items than are listed: items matched "
            "are a lower bound"
        )
    return lines


def _add(
    table: ShardWriter, totals: dict[str, _SetTotals], row: dict[str, Any], index: Path
) -> None:
    """Add a contaminated document to the table and to the totals of its sets."""
    sets = set()
    for label in row["contamination"]:
        name, _, number = label.rpartition("/")
        if name not in totals:
            raise InputError(
                f"document {row['id']!r} holds {label!r}, which is not in the index {str(index)!r};"
                " the dataset was made with another one"
            )
        totals[name].items.add(int(number))
        sets.add(name)
        table.add(
            {
                "set": name,
                "item": int(number),
                "document": row["id"],
                "url": row["url"] or "",
                "outcome": row["outcome"],
                "ngrams": row["contaminated_ngrams"],
            }
        )
    for name in sets:
        totals[name].documents += 1


def _summary(
    card: dict[str, Any], totals: dict[str, _SetTotals], counts: dict[str, int]
) -> dict[str, Any]:
    sets = []
    for entry in card["sets"]:
        matched = totals[entry["name"]]
        shown = {name: entry[name] for name in ("name", "items", "too_short", "too_common")}
        sets.append(
            {
                **shown,
                "items_matched": len(matched.items),
                "share_matched": len(matched.items) / entry["items"],
                "documents": matched.documents,
            }
        )
    return {"documents": counts, "sets": sets, "ngram_words": card["settings"]["ngram_words"]}


def _checked(dataset: str) -> Iterator[dict[str, Any]]:
    """Id, url, outcome and signals of every document that the stage has seen, kept ones first."""
    finished = Dataset(dataset)
    for shard in finished.shards:
        for row in _rows(shard.path, "extra"):
            outcome = "cut" if row.get("decontaminated_characters") else "kept"
            yield {**row, "outcome": outcome}
    for file in finished.files("rejected"):
        for row in _rows(finished.full(file.name), "signals"):
            yield {**row, "outcome": "rejected"}


def _rows(path: str, encoded: str) -> Iterator[dict[str, Any]]:
    """Rows with the stage's signals, from typed columns or else from the JSON column `encoded`."""
    with files.open_read(path) as handle:
        parquet = pq.ParquetFile(handle)
        typed = [name for name in SIGNALS if name in parquet.schema_arrow.names]
        columns = ["id", "url", *typed, *([] if "contaminated_ngrams" in typed else [encoded])]
        for batch in parquet.iter_batches(_ROWS, columns=columns):
            if encoded in columns:
                seen = pc.match_substring(batch[encoded], '"contaminated_ngrams"')
            else:
                seen = pc.is_valid(batch["contaminated_ngrams"])
            for row in batch.filter(seen).to_pylist():
                yield _with_signals(row, encoded)


def _with_signals(row: dict[str, Any], encoded: str) -> dict[str, Any]:
    signals = orjson.loads(row.pop(encoded, None) or "{}")
    if encoded == "extra":
        signals = signals.get("signals", {})
    return dict.fromkeys(SIGNALS) | signals | row
