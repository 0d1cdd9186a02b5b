"""Python's garbage collector, kept from looking through what holds no garbage."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """While this holds, nothing is collected but what no reference holds."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def importing() -> Iterator[None]:
    """Import modules, which stay to the end of the process, and leave them alone from then on.

    Beam's alone are half a million objects: to look through them while they are made, whenever
    enough others are, and once more at the end would be a third of a small run. What it logs of
    clients that are not installed is no concern of a run's.
    """
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with without_collector():
            yield
            gc.freeze()
    finally:
        logging.disable(before)
