"""Filters lifted to Beam: the reader of a unit and the stage over a batch.

The work is done by plain functions (`read_unit`, `apply_filter`), so that a plain loop over the
same functions gives the same result; the DoFns add Beam's counters and nothing else.
"""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol, TypeAlias, runtime_checkable

import apache_beam as beam
import xxhash
from apache_beam.metrics import Metrics

from filters.document import Document, Filter, Rejected, StageSettings
from pipeline.errors import MissingLibrary, OutputError
from pipeline.passes import watch
from pipeline.passes.batch import Batch, RejectedDocument, document_size, reject
from pipeline.plugins import Travels
from pipeline.readers.records import BadRecord, LostInput, Records, SkippedRecord
from pipeline.store.accounting import StageCount
from pipeline.store.records import UnitInput
from pipeline.store.streams import HashingReader
from pipeline.store.units import Unit, open_unit

READ = "read"

ReadRecords: TypeAlias = Callable[[BinaryIO, Unit], Records]


@dataclass(frozen=True)
class Batching:
    """How a unit is cut into batches, and what is kept of the rejects.

    Attributes:
        documents: at most this many documents a batch.
        characters: close a batch when its texts and payloads reach this many characters or bytes.
        rejected_text_share: share of rejects, drawn by hash of the id, whose text is kept.
    """

    documents: int
    characters: int
    rejected_text_share: float

    def keeps_text(self, identifier: str) -> bool:
        """Whether the text of a reject with this id is kept; the same in every run."""
        draw = xxhash.xxh3_64_intdigest(identifier.encode()) / 2**64
        return draw < self.rejected_text_share


Decide: TypeAlias = Callable[[Document], "Document | Rejected"]


@runtime_checkable
class BatchStage(Protocol):
    """A stage that needs the whole batch (to attach keys, say) rather than one document."""

    name: str

    def open(self) -> None: ...

    def apply(self, batch: Batch, batching: Batching) -> None: ...


Stage: TypeAlias = Filter | BatchStage


def read_unit(unit: Unit, read: ReadRecords, batching: Batching) -> Iterator[Batch]:
    """Batches of a unit; whatever is wrong with the input ends up among the rejects.

    An exception inside the reader rejects the rest of the unit with the reason `error:<type>`.
    """
    try:
        stream = open_unit(unit)
    except FileNotFoundError:
        yield _missing(unit)
        return
    index = 0
    batch = Batch(unit, index)
    count = batch.counts.setdefault(READ, StageCount())
    skipped: Counter[str] = Counter()
    lost: list[BadRecord] = []
    characters = 0
    started = time.process_time()
    records = 0
    for record in _watched(read, stream, unit):
        if isinstance(record, SkippedRecord):
            skipped[record.reason] += 1
            continue
        count.documents_in += 1
        if isinstance(record, BadRecord):
            batch.rejected.append(rejected_record(record))
            if record.lost is not None:
                lost.append(record)
        else:
            size = document_size(record)
            characters += size
            count.documents_out += 1
            count.characters_in += size
            count.characters_out += size
            batch.documents.append(record)
            batch.rows.append(records)
        records += 1
        if count.documents_in >= batching.documents or characters >= batching.characters:
            count.seconds = time.process_time() - started
            yield batch
            index += 1
            batch = Batch(unit, index)
            count = batch.counts.setdefault(READ, StageCount())
            characters = 0
            started = time.process_time()
    if stream.failure is not None:
        raise stream.failure
    size, sha256 = stream.finish()
    batch.input = UnitInput(
        unit.relative,
        unit.identity,
        unit.size,
        size,
        sha256,
        lost_bytes=min(size, sum(one.lost.bytes_of(size) for one in lost if one.lost is not None)),
        lost=" ".join(sorted({one.reason for one in lost})),
    )
    batch.is_last = True
    batch.skipped = dict(sorted(skipped.items()))
    count.seconds = time.process_time() - started
    yield batch


def _missing(unit: Unit) -> Batch:
    """The only batch of a unit whose input is not there."""
    batch = Batch(unit, 0, is_last=True)
    batch.counts[READ] = StageCount(documents_in=1)
    batch.rejected.append(rejected_record(BadRecord(unit.relative, "", "missing_input", unit.path)))
    batch.input = UnitInput(
        unit.relative, unit.identity, unit.size, lost_bytes=unit.size, lost="missing_input"
    )
    return batch


def _watched(read: ReadRecords, stream: HashingReader, unit: Unit) -> Records:
    """Records of a unit, up to one that no reader gets past, which stands for all that follow."""
    at = watch.slot()
    at.stage(READ)
    skips = unit.skips_of(READ)
    found = _safely(read, stream, unit)
    number = 0
    while number not in skips:
        at.record(number)
        record = next(found, None)
        at.idle()
        if record is None:
            return
        yield record
        at.stage(READ)
        if not isinstance(record, SkippedRecord):
            number += 1
    skip = skips[number]
    lost = LostInput(stream.bytes_read)
    yield BadRecord(f"{unit.relative}#rest", "", skip.reason, skip.detail, lost)


def _safely(read: ReadRecords, stream: HashingReader, unit: Unit) -> Records:
    if unit.size == 0 and not unit.members:
        yield BadRecord(unit.relative, "", "empty_file", lost=LostInput())
        return
    try:
        yield from read(io.BufferedReader(stream, 1 << 20), unit)
    except (MemoryError, OutputError, MissingLibrary):
        raise
    except Exception as error:
        if stream.failure is not None:
            raise  # storage failed, not the input: the unit must be tried again
        yield BadRecord(
            f"{unit.relative}#rest",
            "",
            f"error:{type(error).__name__}",
            str(error)[:500],
            LostInput(stream.bytes_read),
        )


def rejected_record(record: BadRecord) -> RejectedDocument:
    """The row of the rejects for a record that is no document."""
    return RejectedDocument(record.id, record.url, READ, record.reason, record.detail, {}, 0)


def apply_function(name: str, decide: Decide, batch: Batch, batching: Batching) -> None:
    """Run one stage's decision over a batch, in place. An exception rejects that one document."""
    count = batch.counts.setdefault(name, StageCount())
    started = time.process_time()
    kept, rows = [], []
    skips = batch.unit.skips_of(name)
    at = watch.slot()
    at.stage(name)
    for row, document in zip(batch.rows, batch.documents, strict=True):
        at.record(row, document.id)
        count.documents_in += 1
        count.characters_in += document_size(document)
        text = document.text
        try:
            skip = skips.get(row)
            result = decide(document) if skip is None else Rejected(skip.reason, skip.detail)
        except MemoryError:
            raise
        except Exception as error:
            result = Rejected(f"error:{type(error).__name__}", str(error)[:500])
        if isinstance(result, Rejected):
            document.text = document.text or text  # a filter may have emptied it before
            keep_text = batching.keeps_text(document.id)
            batch.rejected.append(reject(document, name, result, keep_text))
        else:
            kept.append(result)
            rows.append(row)
            count.documents_out += 1
            count.characters_out += document_size(result)
    at.idle()
    batch.documents, batch.rows = kept, rows
    count.seconds += time.process_time() - started


def apply_stage(stage: Stage, batch: Batch, batching: Batching) -> None:
    """Run one stage over a batch, in place."""
    if isinstance(stage, BatchStage):
        stage.apply(batch, batching)
    else:
        apply_function(stage.name, stage, batch, batching)


def enabled(*stages: tuple[StageSettings, Stage]) -> tuple[Stage, ...]:
    """The stages whose settings are switched on."""
    return tuple(stage for settings, stage in stages if settings.enabled)


class ReadUnit(Travels, beam.DoFn):
    """Unit -> its batches, in order."""

    def __init__(self, read: ReadRecords, batching: Batching) -> None:
        self._read = read
        self._batching = batching

    def process(self, unit: Unit) -> Iterator[Batch]:
        yield from read_unit(unit, self._read, self._batching)


class RunStage(Travels, beam.DoFn):
    """Batch -> the same batch after one stage; counts documents by outcome."""

    def __init__(self, stage: Stage, batching: Batching) -> None:
        self._stage = stage
        self._batching = batching

    def setup(self) -> None:
        self._stage.open()

    def process(self, batch: Batch) -> Iterator[Batch]:
        before = len(batch.rejected)
        apply_stage(self._stage, batch, self._batching)
        name = self._stage.name
        Metrics.counter(name, "kept").inc(len(batch.documents))
        for reason, number in Counter(row.reason for row in batch.rejected[before:]).items():
            Metrics.counter(name, reason).inc(number)
        yield batch
