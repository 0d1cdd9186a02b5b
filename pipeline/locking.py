"""One run at a time per local output folder; the lock goes with the process, however it ends."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline import files
from pipeline.errors import OutputError


@contextmanager
def lock_output(folder: str) -> Iterator[None]:
    """Hold the folder's lock; clear what killed runs left half written.

    Raises:
        OutputError: another run holds it.
    """
    if not files.is_local(folder):
        yield
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    with open(Path(folder, ".lock"), "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OutputError(f"another run is writing to {folder}; wait for it to end") from None
        files.delete_temporary(folder)
        yield
