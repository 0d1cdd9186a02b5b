"""Progress of a pass from what is committed, so that it is right after a resume and on any runner.

One line is rewritten on a terminal; elsewhere a plain line is printed every half minute.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import psutil

from pipeline.accounting import Funnel
from pipeline.dataset import Dataset
from pipeline.units import Unit


class Progress:
    """Watches a dataset folder in a thread while a pass runs.

    Args:
        name: of the pass.
        dataset: where its units are committed.
        units: all units of the pass.
        pending: those that this run has to do.
        fingerprint: of the pass; units committed under another one are not done yet.
    """

    def __init__(
        self,
        name: str,
        dataset: Dataset,
        units: Sequence[Unit],
        pending: Sequence[Unit],
        fingerprint: str,
    ) -> None:
        self._name = name
        self._dataset = dataset
        self._total_units = len(units)
        self._total_bytes = sum(unit.size for unit in units)
        self._waiting = {unit.name: unit.size for unit in pending}
        self._fingerprints = {unit.name: unit.fingerprint(fingerprint) for unit in pending}
        self._funnel = Funnel()
        self._documents = 0
        self._bytes = 0
        self._started = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._active = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Progress:
        done = self._total_units - len(self._waiting)
        resumed = f", {done} committed before" if done else ""
        _say(f"{self._name}: {self._total_units} units{resumed}")
        self._active = bool(self._waiting)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._update()
        if self._active:
            self._print("\n")

    def _watch(self) -> None:
        interval = 1.0 if self._terminal else 30.0
        while not self._stop.wait(interval):
            self._update()
            self._print("" if self._terminal else "\n")

    def _update(self) -> None:
        if not self._waiting:
            return
        for stats in self._dataset.committed_among(self._waiting):
            if stats["fingerprint"] == self._fingerprints[stats["unit"]]:
                self._count(stats)

    def _count(self, stats: Mapping[str, Any]) -> None:
        self._bytes += self._waiting.pop(stats["unit"])
        funnel = Funnel.from_json(stats["funnel"])
        self._documents += funnel.records
        self._funnel.add(funnel)

    def _print(self, end: str) -> None:
        elapsed = max(time.monotonic() - self._started, 1e-3)
        done_units = self._total_units - len(self._waiting)
        left_bytes = sum(self._waiting.values())
        done_bytes = self._total_bytes - left_bytes
        line = (
            f"{self._name}: {done_units}/{self._total_units} units, "
            f"{done_bytes / 1e6:,.1f}/{self._total_bytes / 1e6:,.1f} MB, "
            f"{self._documents / elapsed:,.0f} documents/s, "
            f"{self._eta(elapsed, left_bytes)}, "
            f"kept {self._funnel.kept:,} of {self._documents:,}, {_memory()}"
        )
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{line}{end}")
            sys.stderr.flush()
        else:
            _say(line)

    def _eta(self, elapsed: float, left_bytes: int) -> str:
        if not self._waiting:
            return f"done in {_clock(elapsed)}"
        if not self._bytes:
            return "ETA unknown until the first unit is done"
        return f"ETA {_clock(elapsed / self._bytes * left_bytes)}"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _memory() -> str:
    process = psutil.Process()
    family = [process, *process.children(recursive=True)]
    total = 0
    for member in family:
        try:
            total += member.memory_info().rss
        except psutil.Error:
            continue
    return f"memory {total / 1e9:.2f} GB"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
