"""One run of a command: its id, its passes, its traces in the output folder.

OUT/work/runs/<run>/started.json     engine, process, host: who may still be writing
OUT/work/runs/<run>/*.units.parquet  what its passes were over
OUT/work/runs/<run>/summaries/       what they came to
OUT/work/runs/<run>/error.txt        the traceback of what broke it
OUT/work/runs/<run>/ended.json       nobody of it writes any more
"""

from __future__ import annotations

import os
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

import apache_beam as beam

from pipeline.errors import JobFailed, RunFailed
from pipeline.passes import progress
from pipeline.passes.engine import Engine, execute
from pipeline.passes.frame import Tables, UnitPass, expand_units, write_tables
from pipeline.passes.local import Workers
from pipeline.passes.progress import Progress
from pipeline.passes.signals import terminable
from pipeline.passes.summary import Summary
from pipeline.passes.units_file import write_units
from pipeline.store import files
from pipeline.store.accounting import json_bytes
from pipeline.store.attempts import forget, skips_folder, with_skips
from pipeline.store.claim import Claim, claim
from pipeline.store.clean import delete, find_orphans
from pipeline.store.commit import Place, new_run, with_records
from pipeline.store.records import UnitRecord, record_name
from pipeline.store.space import check_space
from pipeline.store.tables import read_records, read_table
from pipeline.store.units import RECORD, Unit


class Kept(Protocol):
    """Something that a run has made and that stays when it is cleaned up."""

    @property
    def place(self) -> Place:
        """Where it is."""

    def names(self) -> Iterator[str]:
        """Paths, below the dataset's folder, of all that a rerun would take over."""


@dataclass(frozen=True)
class Result:
    """What a pass made.

    Attributes:
        place: of the pass.
        summary: of its units.
        fingerprint: of the pass; empty for one whose records are no units of their own.
    """

    place: Place
    summary: Summary
    fingerprint: str = ""

    def records(self) -> list[UnitRecord]:
        """The records of all units, in order of unit."""
        found = read_records(self.place.root, self.summary.tables)
        return sorted(found, key=lambda record: record.unit)

    def names(self) -> Iterator[str]:
        """Paths, below the dataset's folder, of all that a rerun would take over."""
        done = self.place.inner("done")
        for table in self.summary.tables:
            yield table.name
            columns = ["unit", "key", "identity", "files"]
            for row in read_table(self.place.root, table, columns).to_pylist():
                yield f"{done}/{record_name(row['unit'], row['key'], row['identity'])}"
                yield from (file["name"] for file in row["files"])
        skips = skips_folder(self.place, self.fingerprint)
        for file in files.list_files(skips) if self.fingerprint else ():
            yield f"{self.place.inner('skips')}/{self.fingerprint}/{file.relative}"


@dataclass(frozen=True)
class Run:
    """A run.

    Attributes:
        workers: where passes run.
        id: in the names of all that it writes.
        roots: folders in which it has left its mark.
        claim: of the folder that it writes to.
        kept: what its steps have made that stays.
        places: of its passes.
    """

    workers: Workers
    claim: Claim
    id: str = field(default_factory=new_run)
    roots: list[str] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    @property
    def engine(self) -> Engine:
        return self.workers.engine

    def place(self, root: str, step: str, *, is_last: bool = False) -> Place:
        """Where a step of this run writes; nothing is written before its first pass."""
        return Place(root, step, is_last, self.id, self.engine.stores)

    def _mark(self, root: str) -> None:
        """Leave a mark in a folder before anything else is written there."""
        if root not in self.roots:
            write_mark(root, self.id, self.engine)
            self.roots.append(root)

    def path(self, root: str, name: str) -> str:
        """Path of a file that only this run reads, and that goes with its traces."""
        self._mark(root)
        return files.join(root, "work", "runs", self.id, f"{new_run()}.{name}")

    def end(self) -> None:
        """Say that nobody of this run writes any more."""
        for root in self.roots:
            files.write_bytes(mark_path(root, self.id, "ended"), json_bytes({"time": time.time()}))

    def with_traceback(self, error: JobFailed) -> JobFailed:
        """The error, naming the file where the traceback of what broke the run is kept."""
        path = files.join(self.roots[-1], "work", "runs", self.id, "error.txt")
        text = "".join(traceback.format_exception(error))
        try:
            files.write_bytes(path, text.encode(errors="backslashreplace"))
        except OSError:  # a full disk, say, which may be what the error says itself
            return error
        return JobFailed(f"{error} (its traceback is in {path})")

    def run_units(self, work: UnitPass, units: Sequence[Unit]) -> Result:
        """Run a pass; units that are finished, whoever finished them, are taken over.

        What a job leaves is submitted again, where the engine does not try again by itself.

        Raises:
            RunFailed: units are missing at the end.
        """
        for left in reversed(range(1, self.engine.submissions)):
            try:
                return self._submit(work, units)
            except JobFailed as error:
                print(f"{error}; submitting the rest, {left} more times at most", file=sys.stderr)
        return self._submit(work, units)

    def _submit(self, work: UnitPass, units: Sequence[Unit]) -> Result:
        place = work.place
        self.places.append(place)
        units = with_skips(place, work.fingerprint, units)
        units, finished = with_records(place, work.fingerprint, units)
        if finished < len(units):
            check_space(place, 1 - finished / len(units))
        # Largest first: what is left towards the end is small, so workers end together.
        ordered = sorted(units, key=lambda unit: (-unit.size, unit.name))
        listed = write_units(self.path(place.root, f"{place.step}.units.parquet"), ordered)
        tables = Tables(place, len(units), place.attempt())
        # A step over an earlier one's shards counts the input that those were made of.
        of_input = not any(unit.made(RECORD) for unit in units)
        size = sum(unit.size for unit in units) if of_input else 0
        spread = self.engine.is_local and self.engine.workers > 1 and len(units) - finished > 1
        counts = self.workers.counted if spread else progress.counted
        progress.reset()
        with Progress(work.name, len(units), size, finished, counts) as shown:
            if spread:
                self.workers.run(work, listed, tables)
            else:
                expand = partial(expand_units, work=work, units=listed, tables=tables)
                execute(self.engine, work.name, expand, _watching(self.engine, shown))
        result = self._result(work.name, tables, len(units))
        return replace(result, fingerprint=work.fingerprint)

    def clean(self, root: str) -> None:
        """Remove what a finished dataset leaves behind, if nobody else may be writing."""
        if not self.claim.holds():
            return
        named = {mark_path("", self.id, what) for what in ("started", "ended")}
        for result in self.kept:
            if result.place.root == root:
                named.update(result.names())
        orphans = find_orphans(root, named, [self.id])
        if orphans.waiting:
            print(
                f"{root}: run {orphans.waiting[0]} on another engine has not said that it ended; "
                "what it left stays, see `roving clean --help`",
                file=sys.stderr,
            )
        delete(orphans, self.claim)

    def forget(self) -> None:
        """Say that units that were begun did not fail: a person ended the run."""
        for place in self.places:
            forget(place)

    def run_records(
        self, name: str, place: Place, units: int, expand: Callable[[beam.Pipeline], object]
    ) -> Result:
        """Run a pass that shuffles; `expand` gives records, about `units` of them."""
        self._mark(place.root)
        tables = Tables(place, units, place.attempt())

        def whole(root: beam.Pipeline) -> object:
            return write_tables(expand(root), tables)

        execute(replace(self.engine, workers=1), name, whole)
        return self._result(name, tables, None)

    def _result(self, name: str, tables: Tables, units: int | None) -> Result:
        # Two of one part, of a bundle that was tried twice, say the same.
        found = {
            file.relative.split(".")[0]: file.path for file in files.list_files(tables.summaries)
        }
        total = Summary()
        for path in found.values():
            total.add(Summary.from_bytes(files.read_bytes(path)))
        if units is not None and total.units != units:
            raise JobFailed(
                f"{name}: {units - total.units:,} of {units:,} units were not committed; run the "
                "same command again to continue"
            )
        return Result(tables.place, total)


def _watching(engine: Engine, shown: Progress) -> Callable[[object], None] | None:
    """Another engine is asked for its counts as soon as it has taken the job."""
    if engine.is_local:
        return None

    def watch(result: object) -> None:
        shown.counts = partial(progress.engine_counts, result)

    return watch


def mark_path(root: str, run: str, what: str) -> str:
    """Where a run says of itself that it started, or ended."""
    return files.join(root, "work", "runs", run, f"{what}.json")


def write_mark(root: str, run: str, engine: Engine) -> None:
    """Say that a run has started."""
    mark = {
        "engine": engine.runner,
        "local": engine.is_local,
        "process": os.getpid(),
        "host": socket.gethostname(),
        "time": time.time(),
    }
    files.write_bytes(mark_path(root, run, "started"), json_bytes(mark))


@contextmanager
def running(engine: Engine, output: str) -> Iterator[Run]:
    """The one run that writes to a folder; at its end its workers end, and it says so.

    Raises:
        OutputError: another run is writing there, or nobody can.
    """
    with claim(output) as held, terminable(), Workers(engine) as workers:
        run = Run(workers, held)
        try:
            yield run
        except BaseException as error:
            # What an engine was asked to cancel may go on: only a local run is known to have ended.
            if engine.is_local:
                workers.__exit__(RunFailed, None, None)
                if isinstance(error, KeyboardInterrupt):
                    run.forget()
                run.end()
            if isinstance(error, JobFailed) and run.roots:
                raise run.with_traceback(error) from error
            raise
        run.end()
