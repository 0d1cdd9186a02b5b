"""One run at a time per local output folder; the lock goes with the process, however it ends."""

from __future__ import annotations

import errno
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline import files
from pipeline.errors import OutputError

# What file systems of clusters say that have no locks.
NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK}


@contextmanager
def lock_output(folder: str) -> Iterator[None]:
    """Hold the folder's lock, where there are locks; clear what killed runs left half written.

    Raises:
        OutputError: another run holds it, or the folder cannot be written to.
    """
    if not files.is_local(folder):
        yield
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        handle = open(Path(folder, ".lock"), "w")  # noqa: SIM115  (closed below)
    except OSError as error:
        raise OutputError(f"cannot write to {folder}: {error.strerror}") from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(f"another run is writing to {folder}; wait for it to end") from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
        files.delete_temporary(folder)
        yield
