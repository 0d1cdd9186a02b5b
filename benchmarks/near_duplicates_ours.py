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

from dedup.groups import ROW_BITS
from pipeline.cli.options import DEFAULT_RECIPE
from pipeline.deduplication.decision_files import finished
from pipeline.deduplication.deduplicator import Deduplicator
from pipeline.deduplication.key_pass import KeyPass
from pipeline.deduplication.key_units import KeyUnit, write_key_units
from pipeline.deduplication.methods import method_of
from pipeline.deduplication.step import Documents, find_documents
from pipeline.passes.engine import Engine
from pipeline.passes.run import running
from pipeline.recipe import Recipe, load_recipe
from pipeline.store.commit import Place
from pipeline.store.dataset import Dataset

SHARDS = 20
FINGERPRINT = "benchmark"
Result = dict[str, Any]


def write_dataset(documents: Path, folder: Path) -> None:
    """A JSONL file as a folder of a few shards."""
    with documents.open(encoding="utf-8") as file:
        rows = [{"source": "set", **json.loads(line)} for line in file]
    (folder / "documents").mkdir(parents=True)
    size = -(-len(rows) // SHARDS)
    for number, start in enumerate(range(0, len(rows), size)):
        path = folder / "documents" / f"{number:05}.parquet"
        pq.write_table(pa.Table.from_pylist(rows[start : start + size]), path, compression="zstd")


def read_dataset_result(folder: Path) -> Result:
    """Removed and clusters of a dataset that `roving dedup minhash` wrote."""
    dataset = Dataset(str(folder))
    clusters: dict[str, list[str]] = {}
    for file in dataset.files("documents"):
        table = pq.read_table(dataset.full(file.name), columns=["id", "minhash_cluster"])
        for name, cluster in zip(*(column.to_pylist() for column in table.columns), strict=True):
            if cluster is not None:
                clusters.setdefault(cluster, []).append(name)
    removed = []
    for file in dataset.files("rejected"):
        for row in pq.read_table(dataset.full(file.name)).to_pylist():
            assert row["reason"] == "duplicate", row
            removed.append(row["id"])
            clusters.setdefault(json.loads(row["signals"])["minhash_cluster"], []).append(row["id"])
    return {"removed": removed, "clusters": list(clusters.values())}


def find_set(dataset: str) -> Documents:
    """The dataset; nothing is written anew."""
    return find_documents(dataset, "set", Place("", ""), foreign=True)


def read_decisions(dataset: Path, work: Path) -> Result:
    """Removed and clusters as the decision files have them."""
    units = find_set(str(dataset)).units
    ids = [pq.read_table(unit.path, columns=["id"])["id"].to_pylist() for unit in units]
    decisions = finished(Place(str(work), "minhash.decisions"), FINGERPRINT)
    assert decisions is not None
    removed: list[str] = []
    clusters: dict[int, list[str]] = {}
    for number, unit in enumerate(units):
        for row, _, representative in decisions.units[unit.name].read().tolist():
            clusters.setdefault(representative, []).append(ids[number][row])
            if representative != number << int(ROW_BITS) | row:
                removed.append(ids[number][row])
    return {"removed": removed, "clusters": list(clusters.values())}


def run_chain(documents: Documents, recipe: Recipe, work: str) -> None:
    """Keys, then decisions, in one process."""
    method, settings = method_of("minhash"), recipe.deduplication.minhash
    maker = method.keys(settings)
    with running(Engine(), work) as run:
        place = run.place(work, "minhash.keys")
        made = run.run_units(KeyPass(maker, place, documents.label), documents.units)
        found, keys = [], 0
        for record in made.records():
            paths = {file.kind: place.full(file.name) for file in record.files}
            found.append(KeyUnit(record.unit, files=paths))
            keys += record.of_kind(f"keys/{maker.kind}").rows
        units = write_key_units(run.path(work, "units.parquet"), found)
        size = recipe.run.partition_bytes
        chain = Deduplicator(units, {0: keys}, maker, work, "minhash", run, size)
        method.decide(chain, settings, FINGERPRINT)


if __name__ == "__main__":
    dataset, work, *settings = sys.argv[1:]
    run_chain(find_set(dataset), load_recipe(DEFAULT_RECIPE, settings), work)
