"""Readers of passes over document shards.

`ReadExtracted` is for the later passes of a run: its first batches carry the earlier pass's counts
and rejects, so that the finished dataset accounts for every input record by itself. `ReadShard` is
for a dataset in its own right: its documents are the input records.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

import apache_beam as beam
import xxhash

from filters.document import Document
from filters.paths import Location
from pipeline.errors import InputError
from pipeline.passes import shards
from pipeline.passes.batch import Batch
from pipeline.passes.run import Result
from pipeline.passes.stages import READ, Batching, rejected_record
from pipeline.readers.document_shards import DocumentShard
from pipeline.readers.records import BadRecord
from pipeline.store import files
from pipeline.store.accounting import Funnel, StageCount
from pipeline.store.records import UnitInput, UnitRecord
from pipeline.store.streams import HashingReader
from pipeline.store.units import RECORD, Unit

SHA256 = "sha256:"


def units_after(result: Result) -> list[Unit]:
    """The units of a pass over what an earlier one has written, in order of unit."""
    place = result.place
    found = []
    for record in result.records():
        documents = record.of_kind("documents")
        found.append(
            Unit(
                record.unit,
                place.full(documents.name),
                record.unit,
                documents.bytes,
                record.content,
                version=version_of(record),
                inputs=((RECORD, place.record(record)),),
            )
        )
    return found


def version_of(record: UnitRecord) -> str:
    """Hash of all that a later pass takes over of a unit."""
    # Who listed the input when is not among it.
    seen_input = replace(record.input, identity="", listed_bytes=0)
    seen = UnitRecord(record.unit, "", "", seen_input, (), record.funnel, content=record.content)
    return xxhash.xxh3_128_hexdigest(seen.to_bytes())


def read_extracted(unit: Unit, root: str, batching: Batching) -> Iterator[Batch]:
    """Batches of a unit from the shard that an earlier pass wrote.

    Args:
        unit: with the earlier pass's record among its inputs.
        root: the dataset's folder.
        batching: how it is cut.
    """
    (path,) = unit.made(RECORD)
    record = UnitRecord.from_bytes(files.read_bytes(path))
    funnel = Funnel.from_json(record.funnel)
    batch = Batch(unit, 0)
    batch.counts = {name: stage.count for name, stage in funnel.stages.items()}
    batch.skipped = dict(funnel.skipped)
    for rejected in shards.read_rejected(files.join(root, record.of_kind("rejected").name)):
        batch.rejected.append(rejected)
        if len(batch.rejected) >= batching.documents:
            yield batch
            batch = Batch(unit, batch.index + 1)
    path = files.join(root, record.of_kind("documents").name)
    with files.open_read(path) as handle:
        for filled in _fill(batch, DocumentShard(path, handle).documents(), batching):
            if filled.is_last:
                filled.input = record.input
            yield filled


def read_shard(unit: Unit, batching: Batching) -> Iterator[Batch]:
    """Batches of a unit that is a document shard; rows that are no documents are rejected.

    Raises:
        InputError: it is not what the dataset's manifest names.
    """
    stream = HashingReader(files.open_read(unit.path))
    started = time.process_time()
    for batch in _fill(Batch(unit, 0), DocumentShard(unit.path, stream).documents(), batching):
        characters = sum(len(document.text) for document in batch.documents)
        kept, seconds = len(batch.documents), time.process_time() - started
        records = kept + len(batch.rejected)
        batch.counts[READ] = StageCount(records, kept, characters, characters, seconds)
        if batch.is_last:
            batch.input = checked_input(unit, *stream.finish())
        yield batch
        started = time.process_time()


def checked_input(unit: Unit, size: int, sha256: str) -> UnitInput:
    """What was read of a shard; what a manifest names must have the content that it says.

    Raises:
        InputError: it has not.
    """
    if unit.identity.startswith(SHA256) and unit.identity != SHA256 + sha256:
        raise InputError(
            f"{unit.path} is not what the manifest names (another SHA-256): it was changed, or "
            "made anew meanwhile; start again, or look with `roving shards verify`"
        )
    return UnitInput(unit.relative, unit.identity, unit.size, size, sha256)


def _fill(
    batch: Batch, rows: Iterable[Document | BadRecord], batching: Batching
) -> Iterator[Batch]:
    """Put the rows of a shard into a first batch and as many more as they need."""
    records = characters = 0
    for number, row in enumerate(rows):
        records += 1
        if isinstance(row, BadRecord):
            batch.rejected.append(rejected_record(row))
        else:
            batch.documents.append(row)
            batch.rows.append(number)
            characters += len(row.text)
        if records >= batching.documents or characters >= batching.characters:
            yield batch
            batch = Batch(batch.unit, batch.index + 1)
            records = characters = 0
    batch.is_last = True
    yield batch


class ReadExtracted(beam.DoFn):
    """Unit -> the batches of the shard that an earlier pass wrote below `root`."""

    def __init__(self, root: str, batching: Batching) -> None:
        self._root = Location(root)
        self._batching = batching

    def process(self, unit: Unit) -> Iterator[Batch]:
        yield from read_extracted(unit, self._root, self._batching)


class ReadShard(beam.DoFn):
    """Unit -> the batches of the document shard that it is."""

    def __init__(self, batching: Batching) -> None:
        self._batching = batching

    def process(self, unit: Unit) -> Iterator[Batch]:
        yield from read_shard(unit, self._batching)
