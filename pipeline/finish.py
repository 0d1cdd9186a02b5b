"""The reader of a finishing pass: an extracted unit, with what the extraction had accounted for.

The first batches carry the extraction's counts and rejects, so that the finished dataset accounts
for every input record by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import apache_beam as beam

from pipeline import shards
from pipeline.accounting import Funnel, read_json
from pipeline.batch import Batch
from pipeline.dataset import Dataset
from pipeline.stages import Batching
from pipeline.units import Unit


def read_extracted(unit: Unit, folder: str, batching: Batching) -> Iterator[Batch]:
    """Batches of a unit from its extracted shard."""
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
    characters = 0
    for document in shards.read_documents(dataset.part("documents", unit.name)):
        batch.documents.append(document)
        characters += len(document.text)
        if len(batch.documents) >= batching.documents or characters >= batching.characters:
            yield batch
            batch = Batch(unit, batch.index + 1)
            characters = 0
    batch.is_last = True
    batch.input_size = stats["input"]["bytes"]
    batch.input_sha256 = stats["input"]["sha256"]
    yield batch


class ReadExtracted(beam.DoFn):
    """Unit -> the batches of its extracted shard."""

    def __init__(self, folder: str, batching: Batching) -> None:
        self._folder = folder
        self._batching = batching

    def process(self, unit: Unit) -> Iterator[Batch]:
        yield from read_extracted(unit, self._folder, self._batching)
