"""The pass that documents go through: reader, stages, writer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import apache_beam as beam

from pipeline.fingerprints import Fingerprinted
from pipeline.passes.guard import DONE, GUARDED, CountAttempts, MakeGuarded
from pipeline.passes.stages import Batching, RunStage, Stage
from pipeline.passes.writer import WRITE, WriterSettings, WriteUnits
from pipeline.store.commit import Place


@dataclass(frozen=True)
class DocumentsPass(Fingerprinted):
    """A pass over documents; each unit's come out in the order that they were read in.

    Attributes:
        name: for progress.
        place: where its units are committed.
        read: DoFn from a unit to its batches.
        stages: in order.
        batching: how units are cut.
        writer: what is written.
        document_seconds: of CPU that one stage, or the reader, may take for one record.
    """

    name: str
    place: Place
    read: beam.DoFn
    stages: tuple[Stage, ...]
    batching: Batching
    writer: WriterSettings
    document_seconds: float

    def decided_by(self) -> tuple[Any, ...]:
        return self.read, RunStage, self.stages, self.batching, WriteUnits, self.writer

    def through(self, units: beam.PCollection) -> tuple[beam.PCollection, ...]:
        count = CountAttempts(self.place, self.fingerprint, self.document_seconds)
        counted = beam.ParDo(count).with_outputs(GUARDED, DONE, main="todo")
        found = units | "attempts" >> counted
        guarded = found[GUARDED] | "guarded" >> beam.ParDo(MakeGuarded(self))
        return self._plain(found["todo"]), guarded, found[DONE]

    def _plain(self, units: beam.PCollection) -> beam.PCollection:
        batches = units | "read" >> beam.ParDo(self.read)
        for stage in self.stages:
            batches = batches | stage.name >> beam.ParDo(RunStage(stage, self.batching))
        write = WriteUnits(self.place, self.fingerprint, self.writer)
        return batches | WRITE >> beam.ParDo(write)
