"""SIGTERM ends a command as Ctrl-C does: in order, with the engine asked to cancel."""

from __future__ import annotations

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
