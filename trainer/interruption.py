"""What may come between: another process on the same output, and signals that end this one."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from trainer.errors import TrainerError

# torchrun passes on the Ctrl-C that its ranks got from the terminal already.
SAME_SECONDS = 1.0
# What file systems of clusters say that have no locks.
NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK}
NOTICE = b"\nstopping after this step, with a checkpoint; Ctrl-C again stops at once\n"


@contextmanager
def lock_output(folder: Path) -> Iterator[None]:
    """Hold a run's folder, where there are locks; they go with the process, however it ends.

    Raises:
        TrainerError: another process holds it, or it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / ".lock").open("w")
    except OSError as error:
        raise TrainerError(f"cannot write to {folder}: {error.strerror}") from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TrainerError(f"another process is training into {folder}") from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
        yield


class StopSignals:
    """Notes Ctrl-C or SIGTERM, as schedulers send it; a second Ctrl-C acts as ever.

    Args:
        announce: say so on the terminal.

    Attributes:
        received: number of the signal, 0 before it.
    """

    def __init__(self, *, announce: bool) -> None:
        self.received = 0
        self._announce = announce
        self._first = 0.0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        # Python lets no other thread set handlers.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if not self.received:
            self.received, self._first = number, time.monotonic()
            if self._announce:
                os.write(2, NOTICE)
        elif number == signal.SIGINT and time.monotonic() - self._first > SAME_SECONDS:
            raise KeyboardInterrupt
