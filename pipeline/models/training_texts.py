"""Reads document datasets for model training: some columns, some languages, a little at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import InputError
from pipeline.readers.document_shards import DocumentShard
from pipeline.store import files
from pipeline.store.dataset import Dataset


def read_batches(
    folder: str, columns: Sequence[str], languages: Sequence[str] = ()
) -> Iterator[pa.RecordBatch]:
    """Batches of the columns asked for, in the dataset's order.

    Args:
        folder: of a documents dataset.
        columns: names of columns; `language` is read as well if languages are given.
        languages: keep rows of these languages only; empty for all.

    Raises:
        InputError: the folder holds no finished dataset, a column is missing, or a row is no
            document.
    """
    wanted = list(dict.fromkeys([*columns, *(["language"] if languages else [])]))
    for path in [shard.path for shard in Dataset(folder).shards]:
        with files.open_read(path) as handle:
            shard = DocumentShard(path, handle)
            missing = sorted(set(wanted) - set(shard.names))
            if missing:
                raise InputError(f"the documents of {folder!r} have no column {missing[0]!r}")
            groups = [
                group
                for group in range(shard.metadata.num_row_groups)
                if not languages or _may_hold(shard.metadata.row_group(group), languages)
            ]
            for batch in shard.batches(wanted, groups):
                for rejected in batch.reasons.values():
                    raise InputError(f"{path}: a row is no document: {rejected.reason}")
                kept = batch.rows
                if languages:
                    kept = kept.filter(pc.is_in(kept["language"], pa.array(languages)))
                if kept.num_rows:
                    yield kept


def _may_hold(group: pq.RowGroupMetaData, languages: Sequence[str]) -> bool:
    """Whether the row group's statistics allow one of these languages."""
    for index in range(group.num_columns):
        column = group.column(index)
        if column.path_in_schema == "language":
            statistics = column.statistics
            if statistics is None or not statistics.has_min_max:
                return True
            low, high = str(statistics.min), str(statistics.max)
            return any(low <= language <= high for language in languages)
    return True


def read_texts(folders: Sequence[str], languages: Sequence[str] = ()) -> Iterator[str]:
    """The texts of documents, dataset after dataset."""
    for folder in folders:
        for batch in read_batches(folder, ["text"], languages):
            for text in batch["text"]:
                yield text.as_py()


def languages_of(folders: Sequence[str]) -> list[str]:
    """The languages that the documents say they are in, sorted."""
    found: set[str] = set()
    for folder in folders:
        for batch in read_batches(folder, ["language"]):
            found.update(value for value in pc.unique(batch["language"]).to_pylist() if value)
    return sorted(found)
