"""Progress of a pass, from counts that cost the same however many units there are.

In this process and on local workers the counts are numbers in memory; another engine is asked for
its counters. One line is rewritten on a terminal; elsewhere a plain line is printed every half
minute.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.sharedctypes import SynchronizedArray
from typing import Any

NAMESPACE = "roving"
# What is counted of the units that are finished.
COUNTERS = ("units", "bytes", "documents", "kept")

# Of the pass that runs in this process; shared with the parent where this is a worker.
_counts: list[int] | SynchronizedArray[int] = [0] * len(COUNTERS)
_lock = threading.Lock()


def count(added: Sequence[int]) -> None:
    """Add to the counts of this process."""
    lock = _lock if isinstance(_counts, list) else _counts.get_lock()
    with lock:
        for index, number in enumerate(added):
            _counts[index] += number


def share(counts: SynchronizedArray[int]) -> None:
    """Count into memory that another process reads."""
    global _counts  # noqa: PLW0603  (set once per worker)
    _counts = counts


def reset() -> None:
    """Begin to count a pass."""
    global _counts  # noqa: PLW0603  (set once per pass)
    _counts = [0] * len(COUNTERS)


def counted() -> list[int]:
    """The counts of this process."""
    return [_counts[index] for index in range(len(COUNTERS))]


def engine_counts(result: Any) -> list[int]:
    """The counts that an engine has of a job."""
    found = dict.fromkeys(COUNTERS, 0)
    for counter in result.metrics().query()["counters"]:
        name = counter.key.metric
        if name.namespace == NAMESPACE and name.name in found:
            found[name.name] += counter.result or 0
    return [found[name] for name in COUNTERS]


class Progress:
    """Prints how far a pass is, in a thread.

    Args:
        name: of the pass.
        units: of the pass.
        size: of their input, in bytes; 0 if it is not known.
        finished: units that are known to be finished already.
        counts: what is counted up to now; may be replaced when an engine has taken the job.
    """

    def __init__(
        self, name: str, units: int, size: int, finished: int, counts: Callable[[], Sequence[int]]
    ) -> None:
        self._name = name
        self._units = units
        self._size = size
        self._finished = finished
        self.counts = counts
        self._last: Sequence[int] = [0] * len(COUNTERS)
        self._started = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Progress:
        resumed = f", {self._finished:,} committed before" if self._finished else ""
        _say(f"{self._name}: {self._units:,} units{resumed}")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._finished < self._units:
            self._print("\n")

    def _watch(self) -> None:
        interval = 1.0 if self._terminal else 30.0
        while not self._stop.wait(interval):
            self._print("" if self._terminal else "\n")

    def _print(self, end: str) -> None:
        try:
            self._last = self.counts()
        except Exception as error:  # an engine that cannot say now must not end the job
            self._last = [*self._last]
            _say(f"{self._name}: the engine does not say how far it is: {error}")
        units, size, documents, kept = self._last
        elapsed = max(time.monotonic() - self._started, 1e-3)
        done = f"{size / 1e6:,.1f}/{self._size / 1e6:,.1f} MB, " if self._size else ""
        line = (
            f"{self._name}: {units:,}/{self._units:,} units, {done}"
            f"{documents / elapsed:,.0f} documents/s, {self._eta(elapsed, units, size)}, "
            f"kept {kept:,} of {documents:,}, {_memory()}"
        )
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{line}{end}")
            sys.stderr.flush()
        else:
            _say(line)

    def _eta(self, elapsed: float, units: int, size: int) -> str:
        if units >= self._units:
            return f"done in {_clock(elapsed)}"
        done, whole = (size, self._size) if self._size else (units, self._units)
        if not done:
            return "ETA unknown until the first unit is done"
        return f"ETA {_clock(elapsed / done * (whole - done))}"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _memory() -> str:
    import psutil  # noqa: PLC0415  (when something is printed)

    process = psutil.Process()
    total = 0
    for member in [process, *process.children(recursive=True)]:
        try:
            total += member.memory_info().rss
        except psutil.Error:
            continue
    return f"memory {total / 1e9:.2f} GB"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
