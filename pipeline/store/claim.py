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
from collections.abc import Callable, Iterator
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


class Claim:
    """A folder's claim, while it is held."""

    def __init__(self, holds: Callable[[], bool]) -> None:
        self._holds = holds

    def holds(self) -> bool:
        """Whether nobody else can be writing to the folder now.

        It never is sure on a file system without locks, and no longer in a bucket where a lease
        could not be renewed in time.
        """
        return self._holds()


@contextmanager
def claim(folder: str) -> Iterator[Claim]:
    """Be the one run that writes to a folder.

    Raises:
        OutputError: another run is, or the folder cannot be written to.
    """
    with _lock(folder) if files.is_local(folder) else _lease(folder) as held:
        yield held


@contextmanager
def _lock(folder: str) -> Iterator[Claim]:
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
        yield Claim(lambda: exclusive)
    finally:
        os.close(handle)


@contextmanager
def _lease(folder: str) -> Iterator[Claim]:
    path, token = files.join(folder, LEASE), secrets.token_hex(8)
    _take(path, token, folder)
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(LEASE_SECONDS / 3):
            with suppress(OSError):  # tried again well before it expires
                found = files.stat(path)
                if found is not None and _is_ours(path, token):
                    files.write_bytes(path, _content(token), found.identity)

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield Claim(lambda: _is_ours(path, token))
    finally:
        ended.set()
        thread.join()
        if _is_ours(path, token):
            files.delete([path])


def _is_ours(path: str, token: str) -> bool:
    """Whether a lease is still the one that was taken, with a third of its time left."""
    try:
        found = read_json(path)
        return bool(found["token"] == token and found["until"] > time.time() + LEASE_SECONDS / 3)
    except (OSError, ValueError, KeyError):
        return False


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
