"""Units that did not end: attempts are counted, and from the third on a unit is made under guard.

Guarded, it is made by a process of its own, with the functions that make any unit. The record that
kills that process, or takes longer than it may, is noted as skipped, and the unit begun again.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

import apache_beam as beam

from pipeline.errors import RovingError, RunFailed
from pipeline.passes import watch, watchdog
from pipeline.passes.batch import Batch
from pipeline.passes.signals import end_with_parent
from pipeline.passes.stages import READ, Batching, BatchStage, apply_stage
from pipeline.passes.watch import Watcher
from pipeline.passes.writer import UnitWriter
from pipeline.store import attempts
from pipeline.store.accounting import StageCount
from pipeline.store.commit import Place, take_over
from pipeline.store.records import UnitRecord
from pipeline.store.units import Unit

if TYPE_CHECKING:
    from pipeline.passes.documents_pass import DocumentsPass

GUARDED = "guarded"
DONE = "done"
# Records of a unit that are skipped one by one; with one more, all that follows is given up.
MAXIMUM_SKIPS = 20
# Seconds between two looks at a guarded process.
_INTERVAL = 0.5
_NO_MEMORY = 77


class CountAttempts(beam.DoFn):
    """Yields units that are to be made; beside them those to be guarded, and records of others.

    A record is there where an earlier attempt has skipped what this one does not know of yet.
    """

    def __init__(self, place: Place, fingerprint: str, seconds: float) -> None:
        self._place = place
        self._fingerprint = fingerprint
        self._seconds = seconds

    def setup(self) -> None:
        watchdog.start(self._place.stores)

    def process(self, unit: Unit) -> Iterator[Any]:
        place, fingerprint = self._place, self._fingerprint
        attempt = attempts.mark(place, fingerprint, unit)
        if attempt > 1:
            (known,) = attempts.with_skips(place, fingerprint, [unit])
            if known != unit:
                record = take_over(place, known, known.key(fingerprint))
                if record is not None:
                    yield beam.pvalue.TaggedOutput(DONE, record)
                    return
                unit = known
        if attempt > attempts.UNGUARDED:
            yield beam.pvalue.TaggedOutput(GUARDED, unit)
        else:
            prefix = attempts.skips_prefix(place, fingerprint, unit)
            watch.slot().unit(unit.path, prefix, self._seconds)
            yield unit


class MakeGuarded(beam.DoFn):
    """Units -> their records."""

    def __init__(self, work: DocumentsPass) -> None:
        self._work = work

    def process(self, unit: Unit) -> Iterator[UnitRecord]:
        work = self._work
        prefix = attempts.skips_prefix(work.place, work.fingerprint, unit)
        died_reading = -1
        while True:
            made = _attempt(work, unit, prefix)
            if isinstance(made, UnitRecord):
                yield made
                return
            if made.is_reader and made.reason == attempts.KILLED and made.record != died_reading:
                died_reading = made.record  # once may be chance, and costs the rest of the unit
                continue
            # With too many, the reader gives up all that follows.
            stage = READ if len(unit.skipped) >= MAXIMUM_SKIPS else made.stage
            skip = attempts.put_skip(prefix, made.record, stage, made.reason, made.detail)
            skipped = sorted((*unit.skipped, skip), key=lambda one: one.record)
            unit = replace(unit, skipped=tuple(skipped))


@dataclass(frozen=True)
class _Stop:
    """What a process does not get past, as of `Skip`."""

    record: int
    stage: str
    reason: str
    detail: str

    @property
    def is_reader(self) -> bool:
        return self.stage == READ


def _attempt(work: DocumentsPass, unit: Unit, prefix: str) -> UnitRecord | _Stop:
    """The record of a unit, made by a process of its own, or what that does not get past."""
    context = multiprocessing.get_context("spawn")
    memory = context.RawArray("b", watch.SIZE)
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_make, args=(work, unit, prefix, memory, theirs), daemon=True)
    process.start()
    theirs.close()
    assert process.pid is not None
    watcher = Watcher(memoryview(memory).cast("B"), process.pid)
    try:
        while not wait([ours], _INTERVAL):
            at = watcher.stuck()
            if at is not None:
                return _Stop(at.record, at.stage, attempts.TOO_LONG, at.too_long)
        made: UnitRecord | Exception = ours.recv()
    except EOFError:
        process.join()
        return _died(unit, watcher, process.exitcode or 0)
    finally:
        process.kill()
        process.join()
        ours.close()
    if isinstance(made, UnitRecord):
        return made
    raise made


def _died(unit: Unit, watcher: Watcher, status: int) -> _Stop:
    why = "out of memory" if status == _NO_MEMORY else f"exit status {status}"
    if status < 0:
        why = signal.Signals(-status).name
    for at in watcher.positions():
        return _Stop(at.record, at.stage, attempts.KILLED, f"the process died: {why}")
    raise RunFailed(
        f"unit {unit.name} of {unit.path}: the process that makes it died at no record ({why}); "
        "look whether memory or a model is at fault, and run the same command again"
    )


def _make(work: DocumentsPass, unit: Unit, prefix: str, memory: Any, parent: Connection) -> None:
    """In the guarded process: make a unit, and say what came of it."""
    end_with_parent()
    watch.share(memoryview(memory).cast("B"))
    watch.slot().unit(unit.path, prefix, work.document_seconds)
    try:
        parent.send(make_unit(work, unit))
    except MemoryError:
        os._exit(_NO_MEMORY)  # as it is: the position says which record it was
    except RovingError as error:
        parent.send(error)
    except Exception as error:
        parent.send(RuntimeError(f"{type(error).__name__}: {error}"))


def make_unit(work: DocumentsPass, unit: Unit) -> UnitRecord:
    """Make a unit without Beam; no stage sees more than one record at a time."""
    for stage in work.stages:
        stage.open()
    writer = UnitWriter(unit, work.place, work.writer)
    try:
        for batch in work.read.process(unit):
            for stage in work.stages:
                if isinstance(stage, BatchStage):
                    _apply_singly(stage, batch, work.batching)
                else:
                    apply_stage(stage, batch, work.batching)
            writer.add(batch)
        return writer.commit(batch, work.fingerprint)
    except BaseException:
        writer.discard()
        raise


def _apply_singly(stage: BatchStage, batch: Batch, batching: Batching) -> None:
    """Run a stage over a batch as over batches of one document, so that it is known which it is."""
    documents, rows = batch.documents, batch.rows
    batch.documents, batch.rows = [], []
    at = watch.slot()
    # A stage learns of a new unit from its first batch, even where that is empty.
    for place in range(max(1, len(documents))):
        number = min(1, batch.index + place)
        one = Batch(batch.unit, number, documents=documents[place : place + 1])
        one.rows = rows[place : place + 1]
        at.stage(stage.name)
        for row, document in zip(one.rows, one.documents, strict=True):
            at.record(row, document.id)
        stage.apply(one, batching)
        batch.documents += one.documents
        batch.rows += one.rows
        batch.rejected += one.rejected
        for kind, keys in one.keys.items():
            batch.keys.setdefault(kind, []).extend(keys)
        for name, count in one.counts.items():
            batch.counts.setdefault(name, StageCount()).add(count)
