"""One run at a time per output folder, as a courtesy: what is finished is safe without.

On a local disk it is a lock that goes with the process, however it ends. In a bucket it is a lease,
an object that says until when it holds; a run that dies leaves it to expire.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.errors import OutputError
from pipeline.store import files
from pipeline.store.accounting import json_bytes, read_json
from pipeline.store.base import NEW

# What file systems of clusters say that have no locks.
NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK}
LOCK = ".lock"
LEASE = "claim.json"
# A lease holds so long after it was last renewed, and is renewed three times in that.
LEASE_SECONDS = 300.0


@contextmanager
def claim(folder: str) -> Iterator[bool]:
    """Be the one run that writes to a folder.

    Yields:
        Whether that is sure; it is not on a file system without locks.

    Raises:
        OutputError: another run is, or the folder cannot be written to.
    """
    with _lock(folder) if files.is_local(folder) else _lease(folder) as exclusive:
        yield exclusive


@contextmanager
def _lock(folder: str) -> Iterator[bool]:
    path = Path(folder, LOCK)
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        # Never through a link, and nothing is emptied: the file may be somebody else's.
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OutputError(f"{path} is a link; remove it, or choose another --output") from None
        raise OutputError(f"cannot write to {folder}: {error.strerror}") from None
    exclusive = True
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(f"another run is writing to {folder}; wait for it to end") from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            exclusive = False
        yield exclusive
    finally:
        os.close(handle)


@contextmanager
def _lease(folder: str) -> Iterator[bool]:
    path, token = files.join(folder, LEASE), secrets.token_hex(8)
    _take(path, token, folder)
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(LEASE_SECONDS / 3):
            with suppress(OSError):  # tried again well before it expires
                files.write_bytes(path, _content(token))

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield True
    finally:
        ended.set()
        thread.join()
        files.delete([path])


def _content(token: str) -> bytes:
    return json_bytes({"token": token, "until": time.time() + LEASE_SECONDS})


def _take(path: str, token: str, folder: str) -> None:
    """Take a lease that nobody has, or that has expired."""
    if files.write_bytes(path, _content(token), NEW):
        return
    found = files.stat(path)
    until = 0.0
    if found is not None:
        with suppress(ValueError, KeyError, FileNotFoundError):
            until = float(read_json(path)["until"])
    if until > time.time():
        seconds = round(until - time.time())
        raise OutputError(
            f"another run is writing to {folder}; wait for it to end. If it was killed, its claim "
            f"ends in {seconds} seconds; {path} is where it stands"
        )
    if not files.write_bytes(path, _content(token), found.identity if found else NEW):
        raise OutputError(f"another run has just begun to write to {folder}")
