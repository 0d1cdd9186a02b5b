"""What an engine logs while a job runs: a line of it for the terminal, the whole for a report."""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

# Texts that are kept, the latest; characters of each that are shown.
KEPT = 100
SHOWN = 300


class _Listener(logging.Handler):
    def __init__(self, name: str, *, silent: bool) -> None:
        super().__init__(logging.WARNING)
        self.said: deque[str] = deque(maxlen=KEPT)
        self._name = name
        self._silent = silent
        self._shown = ""

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record).strip()
        self.said.append(text)
        lines = text.splitlines() or [""]
        # The cause is the last line of a traceback.
        line = (lines[-1] if "Traceback (most" in text else lines[0])[:SHOWN]
        of_engine = record.name == "root" or record.name.startswith("apache_beam")
        if line != self._shown and not (of_engine and self._silent):
            print(f"{self._name if of_engine else record.name}: {line}", file=sys.stderr)
            self._shown = line


@contextmanager
def listening(name: str, *, silent: bool) -> Iterator[Iterable[str]]:
    """Collect what is logged, and show a line of each text.

    Args:
        name: of the engine.
        silent: show nothing of the engine itself: it is this process.

    Yields:
        The latest texts.
    """
    root = logging.getLogger()
    before, listener = root.handlers, _Listener(name, silent=silent)
    root.handlers = [listener]
    try:
        yield listener.said
    finally:
        root.handlers = before
