"""Checks that a documents dataset is what was written: `roving shards verify`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputError
from pipeline.store import files
from pipeline.store.accounting import Funnel
from pipeline.store.dataset import MANIFEST, Dataset, content_of, no_manifest
from pipeline.store.records import OutputFile
from pipeline.store.tables import TableFile, read_records
from tokenizer.shards.checksums import Damage, check_content


def verify_documents(folder: str) -> Iterator[Damage]:
    """Read all of a documents dataset and yield what is wrong with it.

    Files that the manifest does not name are no part of the dataset (`roving clean`).

    Raises:
        InputError: the folder holds no finished dataset.
    """
    path = files.join(folder, MANIFEST)
    if not files.exists(path):
        raise InputError(no_manifest(folder))
    try:
        dataset = Dataset(folder)
        manifest = dataset.manifest
        stated, content = manifest["documents"], manifest["content"]
        in_funnel = Funnel.from_json(manifest["funnel"]).kept
    except (InputError, KeyError, TypeError) as error:
        yield Damage(path, f"it is damaged: {error}")
        return
    kept, units = 0, []
    for table in dataset.tables:
        damage = list(_check_table(dataset, table))
        yield from damage
        if damage:
            continue
        for record in read_records(folder, [table]):
            units.append((record.unit, record.content))
            for file in record.files:
                kept += file.rows if file.kind == "documents" else 0
                yield from _check_file(dataset.full(file.name), file)
    if not kept == stated == in_funnel:
        yield Damage(
            path, f"{stated:,} documents; its units have {kept:,}, its funnel {in_funnel:,}"
        )
    elif content_of(units) != content:
        yield Damage(path, "its units do not have the content that it states")


def _check_table(dataset: Dataset, table: TableFile) -> Iterator[Damage]:
    path = dataset.full(table.name)
    if not files.exists(path):
        yield Damage(path, "the file is missing; the manifest lists it")
        return
    with files.open_read(path) as stream:
        yield from check_content(path, stream, table.bytes, table.sha256, [])


def _check_file(path: str, entry: OutputFile) -> Iterator[Damage]:
    """One output of a unit: its bytes, and, if they are right, its rows."""
    if not files.exists(path):
        yield Damage(path, "the file is missing; the manifest lists it")
        return
    with files.open_read(path) as stream:
        found = list(check_content(path, stream, entry.bytes, entry.sha256, entry.blocks))
    yield from found
    if not found and path.endswith(".parquet"):
        with files.open_read(path) as stream:
            yield from _check_rows(path, stream, entry.rows)


def _check_rows(path: str, stream: IO[bytes], rows: int) -> Iterator[Damage]:
    try:
        found = pq.ParquetFile(stream).metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        yield Damage(path, f"it cannot be read: {error}")
        return
    if found != rows:
        yield Damage(path, f"{found:,} rows, where the manifest says {rows:,}")
