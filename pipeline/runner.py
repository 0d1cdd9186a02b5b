"""Runs a pass: units -> reader -> stages -> writer, in process, on local workers, or on any engine.

Locally the engine is Beam's FnApiRunner, named explicitly (the plain DirectRunner may download
another engine). Several workers each run one pipeline that takes unit after unit from a common
queue, largest first, so that none idles; Beam's own local workers split statically. Any other
`--runner` gets the same transforms in one pipeline.
"""

from __future__ import annotations

import logging
import multiprocessing
import multiprocessing.connection
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from typing import Any, Protocol

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.dataset import Dataset
from pipeline.errors import RunFailed
from pipeline.progress import Progress
from pipeline.stages import Batching, RunStage, Stage
from pipeline.units import Unit
from pipeline.writer import WRITE, WriterSettings, WriteUnits

LOCAL_RUNNER = "FnApiRunner"
# DaskRunner 2.77 drops tagged outputs and finish_bundle output without an error.
REFUSED_RUNNERS = frozenset({"daskrunner", "bundlebaseddirectrunner"})


@dataclass(frozen=True)
class Engine:
    """Where a run happens.

    Attributes:
        runner: name of a Beam runner.
        workers: local worker processes.
        options: Beam's own options, as on its command line.
    """

    runner: str = LOCAL_RUNNER
    workers: int = 1
    options: tuple[str, ...] = ()

    @property
    def is_local(self) -> bool:
        return self.runner == LOCAL_RUNNER

    def __post_init__(self) -> None:
        if self.runner.rsplit(".", 1)[-1].lower() in REFUSED_RUNNERS:
            raise RunFailed(
                f"{self.runner} is known to lose data; use {LOCAL_RUNNER}, DataflowRunner, "
                "FlinkRunner, SparkRunner, PrismRunner or PortableRunner"
            )
        if self.workers < 1:
            raise RunFailed("--workers must be at least 1")
        if self.workers > 1 and not self.is_local:
            raise RunFailed("--workers is for local runs; give the engine its own worker options")

    def pipeline(self) -> beam.Pipeline:
        """A new pipeline on this engine."""
        options = PipelineOptions(list(self.options)) if self.options else PipelineOptions([])
        try:
            return beam.Pipeline(runner=self.runner, options=options)
        except ValueError as error:
            raise RunFailed(f"--runner {self.runner}: {error}") from None


class UnitPass(Protocol):
    """A pass that needs no shuffle: each unit becomes its outputs by itself."""

    @property
    def name(self) -> str: ...

    @property
    def folder(self) -> str:
        """The dataset folder where units are committed."""

    @property
    def fingerprint(self) -> str: ...

    def through(self, units: beam.PCollection) -> beam.PCollection:
        """The transforms from units to the names of committed units."""


@dataclass(frozen=True)
class MapPass:
    """The pass that documents go through: reader, stages, writer.

    Attributes:
        name: for progress.
        read: DoFn from a unit to its batches.
        stages: in order.
        batching: how units are cut.
        writer: where the results go.
    """

    name: str
    read: beam.DoFn
    stages: tuple[Stage, ...]
    batching: Batching
    writer: WriterSettings

    @property
    def folder(self) -> str:
        return self.writer.folder

    @property
    def fingerprint(self) -> str:
        return self.writer.fingerprint

    def through(self, units: beam.PCollection) -> beam.PCollection:
        batches = units | "read" >> beam.ParDo(self.read)
        for stage in self.stages:
            batches = batches | stage.name >> beam.ParDo(RunStage(stage, self.batching))
        return batches | WRITE >> beam.ParDo(WriteUnits(self.writer))


def expand(root: beam.Pipeline, work: UnitPass, units: Sequence[Unit]) -> beam.PCollection:
    """The transforms of a pass over all units; yields the names of committed units."""
    return work.through(root | "units" >> beam.Create(list(units)) | "spread" >> beam.Reshuffle())


class Workers:
    """Local worker processes, started when first needed and kept for all passes of a run."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pool: ProcessPoolExecutor | None = None
        self._taken: Synchronized[int] | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if self._pool is None:
            return
        processes = list((self._pool._processes or {}).values())
        if error is not None:
            for process in processes:
                process.terminate()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def run(self, work: UnitPass, units: Sequence[Unit]) -> None:
        """Run a pass over units: in this process, on the workers, or on the engine."""
        if not self._engine.is_local or self._engine.workers == 1 or len(units) == 1:
            _run_pipeline(work, units, self._engine)
        else:
            self._spread(work, units)

    def _spread(self, work: UnitPass, units: Sequence[Unit]) -> None:
        """One pipeline on each worker; each takes the next unit when it is done with one."""
        if self._pool is None or self._taken is None:
            context = multiprocessing.get_context("spawn")
            self._taken = context.Value("L", 0)
            self._pool = ProcessPoolExecutor(
                self._engine.workers,
                mp_context=context,
                initializer=_start_worker,
                initargs=(self._taken,),
            )
        self._taken.value = 0
        # Largest first: what is left towards the end is small, so workers end together.
        queue = sorted(units, key=lambda unit: (-unit.size, unit.name))
        running = {
            self._pool.submit(_run_worker, work, queue, self._engine)
            for _ in range(self._engine.workers)
        }
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
        except BrokenProcessPool:
            raise RunFailed(
                f"{work.name}: a worker process died (killed, or out of memory); what is "
                "committed is kept, run the same command again to continue"
            ) from None


# In a worker: how many units of the pass have been taken, shared by all workers.
_taken_units: Synchronized[int] | None = None


def _start_worker(taken: Synchronized[int]) -> None:
    """In a worker: end at once when the parent is gone, so that a new run finds nobody writing."""
    global _taken_units  # noqa: PLW0603  (set once per process; it cannot be pickled)
    _taken_units = taken
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class TakeUnits(beam.DoFn):
    """Yields units of the queue that no other worker has taken, until there are none."""

    def __init__(self, queue: Sequence[Unit]) -> None:
        self._queue = queue

    def process(self, _: None) -> Iterator[Unit]:
        assert _taken_units is not None
        while True:
            with _taken_units.get_lock():
                index = _taken_units.value
                _taken_units.value += 1
            if index >= len(self._queue):
                return
            yield self._queue[index]


def _run_worker(work: UnitPass, queue: Sequence[Unit], engine: Engine) -> None:
    with quiet_beam(engine):
        pipeline = engine.pipeline()
        units = pipeline | "worker" >> beam.Create([None]) | beam.ParDo(TakeUnits(queue))
        work.through(units)
        run_to_end(pipeline)


def run_unit_pass(work: UnitPass, units: Sequence[Unit], workers: Workers) -> list[dict[str, Any]]:
    """Run a pass over the units that are not committed yet; returns the stats of all units.

    Raises:
        RunFailed: units are missing at the end.
    """
    dataset = Dataset(work.folder)
    pending = dataset.pending(units, work.fingerprint)
    with Progress(work.name, dataset, units, pending, work.fingerprint):
        if pending:
            workers.run(work, pending)
    committed = list(dataset.committed())
    done = {one["unit"]: one["fingerprint"] for one in committed}
    left = [unit for unit in units if done.get(unit.name) != unit.fingerprint(work.fingerprint)]
    if left:
        raise RunFailed(
            f"{work.name}: {len(left)} units were not committed (for example {left[0].relative}); "
            "run the same command again to continue"
        )
    return committed


def _run_pipeline(work: UnitPass, units: Sequence[Unit], engine: Engine) -> None:
    with quiet_beam(engine):
        pipeline = engine.pipeline()
        expand(pipeline, work, units)
        run_to_end(pipeline)


def run_to_end(pipeline: beam.Pipeline) -> None:
    """Run a pipeline and wait for it; Ctrl-C stays a KeyboardInterrupt."""
    try:
        pipeline.run().wait_until_finish()
    except RuntimeError as error:
        # Beam turns Ctrl-C inside a DoFn into a RuntimeError.
        if str(error).startswith("KeyboardInterrupt"):
            raise KeyboardInterrupt from None
        raise


@contextmanager
def quiet_beam(engine: Engine) -> Iterator[None]:
    """Keep the local engine's chatter out of the user's terminal; other engines may speak."""
    if not engine.is_local:
        yield
        return
    logger = logging.getLogger("apache_beam")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
