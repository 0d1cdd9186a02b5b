"""What a dataset holds, whichever attempts wrote it: for tests that compare runs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

from pipeline.deduplication.decision_files import Decisions
from pipeline.store.commit import Place, read_record
from pipeline.store.dataset import Dataset
from pipeline.store.records import UnitRecord
from pipeline.store.tables import TableFile

_ATTEMPT = re.compile(r"\.[0-9a-f]{14}(?=\.[a-z]+$)")


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


def comparison(folder: Path | str, step: str) -> Decisions:
    """What a step that compares units has decided."""
    place = Place(str(folder), step)
    (path,) = Path(place.folder("done")).glob("all.*.json")
    record = read_record(place, str(path))
    assert record is not None
    tables = [TableFile(one.name, one.bytes, one.sha256, one.rows) for one in record.files]
    return Decisions(place, tuple(tables), record.extra, record.name)


def every_step(folder: Path | str) -> dict[str, str]:
    """SHA-256 of the files of every step and of what their records say, by name.

    Neither attempts and identities of inputs are in it, nor runs and the tables called after them.
    """
    found: dict[str, str] = {}
    for path in sorted(Path(folder).rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or re.search(r"(^|/)(work/runs|tables)/", name):
            continue
        if path.parent.name == "done":
            name = name.rsplit(".", 2)[0]
            record = UnitRecord.from_bytes(path.read_bytes())
            rows = {file.kind: file.rows for file in record.files if file.kind != "tables"}
            data = orjson.dumps([record.content, record.funnel, record.extra, rows])
        elif _ATTEMPT.search(name):
            data = path.read_bytes()
        else:
            continue
        name = _ATTEMPT.sub("", name)
        assert name not in found, f"two attempts at {name}"
        found[name] = hashlib.sha256(data).hexdigest()
    return found
