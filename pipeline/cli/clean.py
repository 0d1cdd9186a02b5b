"""`roving clean`: remove what interrupted and superseded runs left in an output folder."""

from __future__ import annotations

import argparse

from pipeline.errors import InputError
from pipeline.store import files
from pipeline.store.claim import claim
from pipeline.store.clean import delete, find_orphans, named_by_records, superseded_runs
from pipeline.store.dataset import MANIFEST, Dataset, read_head
from tokenizer.shards.manifest import KIND as TOKENS
from tokenizer.shards.manifest import read_manifest


def execute(parsed: argparse.Namespace, _: list[str]) -> int:
    """Find what nobody needs, and delete it."""
    root = parsed.dataset
    with claim(root) as held:
        if not held.holds():
            raise InputError(f"{root} is on a file system without locks: nothing is removed there")
        if files.exists(files.join(root, MANIFEST)):
            named = _named_by_manifest(root)
        else:
            named = named_by_records(root)
        orphans = find_orphans(root, named, parsed.ended)
        for run in orphans.waiting:
            print(f"run {run} has not said that it ended; --ended {run} if you know that it has")
        found = list(orphans)
        for file in found if parsed.dry_run else ():
            print(file.path)
        if not parsed.dry_run:
            delete(orphans, held)
        verb = "would go" if parsed.dry_run else "removed"
        print(f"{len(found):,} files, {orphans.size:,} bytes {verb}")
    return 0


def _named_by_manifest(root: str) -> set[str]:
    """Paths, below the folder, of what a finished dataset is made of, and a rerun takes over."""
    if read_head(root).get("kind") == TOKENS:
        manifest = read_manifest(root)
        named = {file.path for file in (*manifest.files, *manifest.tables)}
        return named | named_by_records(root)
    dataset = Dataset(root)
    named = {table.name for table in dataset.tables} | {file.name for file in dataset.files()}
    superseded = superseded_runs(root, dataset.manifest.get("run", ""))
    finished = {record.name for record in dataset.records()}
    return named | named_by_records(root, superseded, finished)
