"""Our side of `near_duplicates.py`: keys and decisions of a documents dataset, no copy of it.

    python near_duplicates_ours.py DATASET WORK [KEY=VALUE ...]

The peers that are libraries neither read nor write datasets, so this is what they are compared
with: the recipe's MinHash chain from shards to decisions, without the pass that copies the
documents that stay. Imported, it prepares datasets and reads results.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pipeline.runner import Engine, Workers, run_unit_pass

from dedup.groups import ROW_BITS
from pipeline import files
from pipeline.cli.options import DEFAULT_RECIPE
from pipeline.deduplication.decisions import Decisions
from pipeline.deduplication.key_pass import KeyPass
from pipeline.deduplication.methods import Deduplicator, key_maker
from pipeline.deduplication.shuffle import KeyUnit
from pipeline.deduplication.step import Documents, find_documents
from pipeline.recipe import Recipe, load_recipe

SHARDS = 20
Result = dict[str, Any]


def write_dataset(documents: Path, folder: Path) -> None:
    """A JSONL file as a documents dataset of a few shards."""
    with documents.open(encoding="utf-8") as file:
        rows = [{"source": "set", **json.loads(line)} for line in file]
    (folder / "documents").mkdir(parents=True)
    size = -(-len(rows) // SHARDS)
    for number, start in enumerate(range(0, len(rows), size)):
        path = folder / "documents" / f"part-{number:05}.parquet"
        pq.write_table(pa.Table.from_pylist(rows[start : start + size]), path, compression="zstd")


def read_dataset_result(folder: Path) -> Result:
    """Removed and clusters of a dataset that `roving dedup minhash` wrote."""
    clusters: dict[str, list[str]] = {}
    for path in sorted(folder.glob("documents/part-*.parquet")):
        table = pq.read_table(path, columns=["id", "minhash_cluster"])
        for name, cluster in zip(*(column.to_pylist() for column in table.columns), strict=True):
            if cluster is not None:
                clusters.setdefault(cluster, []).append(name)
    removed = []
    for path in sorted(folder.glob("rejected/part-*.parquet")):
        for row in pq.read_table(path).to_pylist():
            assert row["reason"] == "duplicate", row
            removed.append(row["id"])
            clusters.setdefault(json.loads(row["signals"])["minhash_cluster"], []).append(row["id"])
    return {"removed": removed, "clusters": list(clusters.values())}


def read_decisions(dataset: Path, work: Path) -> Result:
    """Removed and clusters as the decision files have them."""
    units = find_documents(str(dataset), "set", "").units
    ids = [pq.read_table(unit.path, columns=["id"])["id"].to_pylist() for unit in units]
    decisions = Decisions(str(work / "decisions"))
    removed: list[str] = []
    clusters: dict[int, list[str]] = {}
    for number, unit in enumerate(units):
        for row, _, representative in decisions.read(unit.name).tolist():
            clusters.setdefault(representative, []).append(ids[number][row])
            if representative != number << int(ROW_BITS) | row:
                removed.append(ids[number][row])
    return {"removed": removed, "clusters": list(clusters.values())}


def run_chain(documents: Documents, recipe: Recipe, work: str) -> None:
    """Keys, then decisions, in one process."""
    engine, settings = Engine(), recipe.deduplication
    keys = files.join(work, "keys")
    with Workers(engine) as workers:
        run_unit_pass(
            KeyPass(key_maker("minhash", settings), keys, "", documents.label),
            documents.units,
            workers,
        )
    compared = tuple(KeyUnit(keys, unit.name) for unit in documents.units)
    chain = Deduplicator(compared, settings, work, engine, recipe.run.partition_bytes)
    chain.run("minhash", "")


if __name__ == "__main__":
    dataset, work, *settings = sys.argv[1:]
    chosen = load_recipe(DEFAULT_RECIPE, settings)
    run_chain(find_documents(dataset, "set", ""), chosen, work)
