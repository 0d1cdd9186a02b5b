"""What a dataset holds, whichever attempts wrote it: for tests that compare runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.store.dataset import Dataset


def contents(folder: Path | str) -> dict[str, str]:
    """SHA-256 of the bytes of every file that the manifest names, by kind and unit."""
    dataset = Dataset(str(folder))
    found = {}
    for record in dataset.records():
        for file in record.files:
            data = Path(dataset.full(file.name)).read_bytes()
            found[f"{file.kind}/{record.unit}"] = hashlib.sha256(data).hexdigest()
            assert found[f"{file.kind}/{record.unit}"] == file.sha256
    return found


def paths(folder: Path | str, kind: str = "documents") -> dict[str, Path]:
    """The file of each unit."""
    dataset = Dataset(str(folder))
    return {
        record.unit: Path(dataset.full(record.of_kind(kind).name)) for record in dataset.records()
    }


def rows(folder: Path | str, kind: str = "documents") -> Iterator[dict[str, Any]]:
    """The rows of all files of a kind, in order."""
    for path in paths(folder, kind).values():
        yield from pq.read_table(path).to_pylist()


def leftovers(folder: Path | str) -> list[str]:
    """Files in a dataset's own folders that neither its manifest nor a record names."""
    dataset = Dataset(str(folder))
    named = {file.name for file in dataset.files()} | {table.name for table in dataset.tables}
    return sorted(
        path.relative_to(folder).as_posix()
        for kind in ("documents", "rejected", "train", "validation", "tables")
        for path in Path(folder, kind).rglob("*")
        if path.is_file() and path.relative_to(folder).as_posix() not in named
    )
