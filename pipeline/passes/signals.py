"""How processes end: a command in order, its workers with it.

SIGTERM ends a command as Ctrl-C does: in order, with the engine asked to cancel.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Interrupted(KeyboardInterrupt):
    """SIGTERM came."""


def _raise(*_: object) -> None:
    raise Interrupted


@contextmanager
def terminable() -> Iterator[None]:
    """While this holds, SIGTERM raises `Interrupted` in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def end_with_parent() -> None:
    """In a process that we started: leave Ctrl-C to the parent, and end at once when it is gone.

    So that a new run finds nobody writing.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
