"""A small process beside each worker that ends it where a record takes longer than it may.

It is another process because native code may hold the interpreter. It notes the record as skipped
before it ends the worker, so that whoever tries the unit again gets past it.
"""

from __future__ import annotations

import atexit
import json
import mmap
import multiprocessing
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipeline.passes.watch import SIZE, Position, Watcher, share

if TYPE_CHECKING:
    from pipeline.store.options import StoreOptions

# Seconds between two looks.
_INTERVAL = 1.0
_ORDERLY = b"."
_lock = threading.Lock()
_own: subprocess.Popen[bytes] | None = None


def start(stores: StoreOptions) -> None:
    """Start the watchdog of this process, if it has none yet; it ends with the process.

    Args:
        stores: how it reaches the output.
    """
    global _own  # noqa: PLW0603  (one a process)
    with _lock:
        if _own is not None:
            return
        with tempfile.TemporaryFile() as file:
            file.truncate(SIZE)
            memory = memoryview(mmap.mmap(file.fileno(), SIZE))
            # A worker that its parent ends has no record to blame.
            speaks = multiprocessing.parent_process() is None
            arguments = [str(file.fileno()), str(os.getpid()), str(int(speaks))]
            _own = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, *arguments],
                stdin=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                pass_fds=[file.fileno()],
                start_new_session=True,  # Ctrl-C is not for it
            )
        assert _own.stdin is not None
        # Not among its arguments, which everybody sees.
        _own.stdin.write(json.dumps(asdict(stores)).encode() + b"\n")
        _own.stdin.flush()
        share(memory)
        atexit.register(_stop, _own)


def _stop(watchdog: subprocess.Popen[bytes]) -> None:
    """Say that the process ends in order."""
    with suppress(BrokenPipeError):  # somebody has ended it
        watchdog.communicate(_ORDERLY)


def _watch(file: int, process: int, speaks: bool) -> None:
    stores = _line()
    watcher = Watcher(memoryview(mmap.mmap(file, SIZE)), process)
    while not select.select([0], [], [], _INTERVAL)[0]:
        position = watcher.stuck()
        if position is not None:
            _end(process, position, json.loads(stores))
            return
    if os.read(0, 1) != _ORDERLY and speaks:
        for position in watcher.positions():
            _say(
                f"the process died at {position}; run the same command again: where a unit was "
                "tried twice, it is made in a process of its own, and what kills that is skipped"
            )


def _line() -> bytes:
    """The first line of what the process says, and no byte more."""
    found = b""
    while not found.endswith(b"\n") and (byte := os.read(0, 1)):
        found += byte
    return found


def _end(process: int, position: Position, stores: dict[str, Any]) -> None:
    try:
        # Only now: a watchdog that does nothing else is small.
        from pipeline.store.attempts import TOO_LONG, put_skip  # noqa: PLC0415
        from pipeline.store.options import StoreOptions, configure  # noqa: PLC0415

        configure(StoreOptions(**stores))
        detail = position.too_long
        put_skip(position.skips, position.record, position.stage, TOO_LONG, detail)
        _say(
            f"{position}, took {detail} (run.maximum_document_seconds): it is skipped from now on, "
            "and its process ends; run the same command again if nothing else does"
        )
    finally:
        os.kill(process, signal.SIGKILL)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    _watch(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1")
