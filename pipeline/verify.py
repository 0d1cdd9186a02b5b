"""Checks that a documents dataset is what was written: `roving shards verify`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import files
from pipeline.accounting import Funnel, read_json
from pipeline.dataset import Dataset
from pipeline.errors import InputError
from tokenizer.shards.checksums import Damage, check_content

_SUFFIXES = {"documents": "parquet", "rejected": "parquet"}


def verify_documents(folder: str) -> Iterator[Damage]:
    """Read all of a documents dataset and yield what is wrong with it.

    Raises:
        InputError: the folder holds no finished dataset.
    """
    dataset = Dataset(folder)
    if not dataset.is_complete():
        raise InputError(
            f"{folder} is no dataset, or is not finished: there is no manifest.json in it"
        )
    path = dataset.manifest_path
    try:
        manifest = read_json(path)
        units, stated, funnel = manifest["units"], manifest["documents"], manifest["funnel"]
    except (ValueError, KeyError, TypeError) as error:
        yield Damage(path, f"it is damaged: {error}")
        return
    kept = sum(unit["outputs"]["documents"]["rows"] for unit in units)
    in_funnel = Funnel.from_json(funnel).kept
    if not kept == stated == in_funnel:
        yield Damage(
            path,
            f"{stated:,} documents; its units have {kept:,}, its funnel {in_funnel:,}",
        )
    listed = set()
    for unit in units:
        for kind, entry in unit["outputs"].items():
            part = dataset.part(kind, unit["unit"], _SUFFIXES.get(kind, "keys"))
            listed.add(part)
            yield from _check_file(part, entry)
    for kind in _SUFFIXES:
        for file in files.list_files(files.join(folder, kind)):
            if file.path not in listed:
                yield Damage(file.path, "the manifest does not list this file")


def _check_file(path: str, entry: Mapping[str, Any]) -> Iterator[Damage]:
    """One output of a unit: its bytes, and, if they are right, its rows."""
    if not files.exists(path):
        yield Damage(path, "the file is missing; the manifest lists it")
        return
    with files.open_read(path) as stream:
        found = list(
            check_content(path, stream, entry["bytes"], entry["sha256"], entry.get("blocks", []))
        )
    yield from found
    if not found and path.endswith(".parquet"):
        with files.open_read(path) as stream:
            yield from _check_rows(path, stream, entry["rows"])


def _check_rows(path: str, stream: IO[bytes], rows: int) -> Iterator[Damage]:
    try:
        found = pq.ParquetFile(stream).metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        yield Damage(path, f"it cannot be read: {error}")
        return
    if found != rows:
        yield Damage(path, f"{found:,} rows, where the manifest says {rows:,}")
