"""Readers of passes over document shards.

`read_extracted` is for the later passes of a run: its first batches carry the earlier pass's counts
and rejects, so that the finished dataset accounts for every input record by itself. `read_shard` is
for a dataset in its own right: its documents are the input records.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import apache_beam as beam

from filters.document import Document
from pipeline import files, shards
from pipeline.accounting import Funnel, read_json
from pipeline.batch import Batch, StageCount
from pipeline.dataset import Dataset
from pipeline.stages import READ, Batching
from pipeline.units import Unit


def read_extracted(unit: Unit, folder: str, batching: Batching) -> Iterator[Batch]:
    """Batches of a unit from the shard that an earlier pass wrote into `folder`."""
    dataset = Dataset(folder)
    stats = read_json(dataset.stats_path(unit.name))
    funnel = Funnel.from_json(stats["funnel"])
    batch = Batch(unit, 0)
    batch.counts = {name: stage.count for name, stage in funnel.stages.items()}
    batch.skipped = dict(funnel.skipped)
    for rejected in shards.read_rejected(dataset.part("rejected", unit.name)):
        batch.rejected.append(rejected)
        if len(batch.rejected) >= batching.documents:
            yield batch
            batch = Batch(unit, batch.index + 1)
    with files.open_read(dataset.part("documents", unit.name)) as handle:
        for filled in _fill(batch, shards.read_documents(handle), batching):
            if filled.is_last:
                filled.input_size = stats["input"]["bytes"]
                filled.input_sha256 = stats["input"]["sha256"]
            yield filled


def read_shard(unit: Unit, batching: Batching) -> Iterator[Batch]:
    """Batches of a unit that is a document shard."""
    stream = files.HashingReader(files.open_read(unit.path))
    started = time.process_time()
    for batch in _fill(Batch(unit, 0), shards.read_documents(stream), batching):
        characters = sum(len(document.text) for document in batch.documents)
        documents, seconds = len(batch.documents), time.process_time() - started
        batch.counts[READ] = StageCount(documents, documents, characters, characters, seconds)
        if batch.is_last:
            batch.input_size, batch.input_sha256 = stream.finish()
        yield batch
        started = time.process_time()


def _fill(batch: Batch, documents: Iterable[Document], batching: Batching) -> Iterator[Batch]:
    """Put documents into a first batch and as many more as they need."""
    characters = 0
    for document in documents:
        batch.documents.append(document)
        characters += len(document.text)
        if len(batch.documents) >= batching.documents or characters >= batching.characters:
            yield batch
            batch = Batch(batch.unit, batch.index + 1)
            characters = 0
    batch.is_last = True
    yield batch


class ReadExtracted(beam.DoFn):
    """Unit -> the batches of the shard that an earlier pass wrote into `folder`."""

    def __init__(self, folder: str, batching: Batching) -> None:
        self._folder = folder
        self._batching = batching

    def process(self, unit: Unit) -> Iterator[Batch]:
        yield from read_extracted(unit, self._folder, self._batching)


class ReadShard(beam.DoFn):
    """Unit -> the batches of the document shard that it is."""

    def __init__(self, batching: Batching) -> None:
        self._batching = batching

    def process(self, unit: Unit) -> Iterator[Batch]:
        yield from read_shard(unit, self._batching)
