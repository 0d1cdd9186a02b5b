"""Local workers: each runs a pipeline of its own that takes unit after unit from a common queue.

Largest first, so that none idles at the end; Beam's own local workers split statically.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import forkserver
from multiprocessing.sharedctypes import Synchronized, SynchronizedArray

import apache_beam as beam

from pipeline.errors import RunFailed
from pipeline.passes import progress
from pipeline.passes.engine import Engine, execute
from pipeline.passes.frame import Tables, UnitPass, through
from pipeline.passes.signals import end_with_parent
from pipeline.passes.units_file import UnitsFile
from pipeline.store.units import Unit

# What a process imports once that all workers are forked from, still without a thread.
_PRELOADED = "pipeline.passes.preload"


class Workers:
    """Local worker processes, started when first needed and kept for all passes of a run."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._pool: ProcessPoolExecutor | None = None
        self._taken: Synchronized[int] | None = None
        self._counts: SynchronizedArray[int] | None = None

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
        # Waited for, so that what the workers used is counted as this command's. Another run of
        # this process starts another, in the environment that it has then.
        forkserver._forkserver._stop()  # type: ignore[attr-defined]

    def counted(self) -> list[int]:
        """What the workers have counted of the pass that they run."""
        counts = self._counts
        assert counts is not None
        return [counts[index] for index in range(len(progress.COUNTERS))]

    def run(self, work: UnitPass, units: UnitsFile, tables: Tables) -> None:
        """Run a pass over units, one pipeline on each worker."""
        if self._pool is None or self._taken is None or self._counts is None:
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload([_PRELOADED])
            self._taken = context.Value("q", 0)
            self._counts = context.Array("q", len(progress.COUNTERS))
            self._pool = ProcessPoolExecutor(
                self.engine.workers,
                mp_context=context,
                initializer=_start_worker,
                initargs=(self._taken, self._counts),
            )
        self._taken.value = 0
        self._counts[:] = [0] * len(progress.COUNTERS)
        running = {
            self._pool.submit(
                _run_worker, work, units, replace(tables, part=str(number)), self.engine
            )
            for number in range(self.engine.workers)
        }
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
        except BrokenProcessPool:
            raise RunFailed(
                f"{work.name}: a worker process died (killed, or out of memory); what is "
                "committed is kept, run the same command again to continue: from a unit's third "
                "attempt on, what kills its worker is skipped"
            ) from None


# In a worker: how many units of the pass have been taken, shared by all workers.
_taken_units: Synchronized[int] | None = None


def _start_worker(taken: Synchronized[int], counts: SynchronizedArray[int]) -> None:
    """In a worker: take from the common queue, count for the parent, and end with it."""
    global _taken_units  # noqa: PLW0603  (set once per process; it cannot be pickled)
    _taken_units = taken
    progress.share(counts)
    end_with_parent()


def _take(_: None, units: UnitsFile) -> Iterator[Unit]:
    """Units of the queue that no other worker has taken, until there are none."""
    assert _taken_units is not None
    while True:
        with _taken_units.get_lock():
            index = _taken_units.value
            _taken_units.value += 1
        if index >= units.units:
            return
        yield units[index]


def _run_worker(work: UnitPass, units: UnitsFile, tables: Tables, engine: Engine) -> None:
    def expand(root: beam.Pipeline) -> beam.PCollection:
        found = root | "worker" >> beam.Create([None]) | beam.FlatMap(_take, units)
        return through(work, found, tables)

    execute(engine, work.name, expand)
