"""The local disk, and whatever is mounted on it, as a store."""

from __future__ import annotations

import errno
import os
import re
import stat
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.errors import OutputError
from pipeline.store.base import ANY, NEW, FileInfo
from pipeline.store.names import escape_name, unescape_name

_FULL = (errno.ENOSPC, errno.EDQUOT)
_NOT_ALLOWED = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST)
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
# Ours alone: nothing else is called so by accident.
TEMPORARY = re.compile(r"^\..+\.[0-9a-f]{12}\.roving-part$")


class LocalStore:
    """Files of this machine; names that are no UTF-8 are escaped (`pipeline.store.names`)."""

    def list(self, folder: str) -> Iterator[FileInfo]:
        folder = unescape_name(folder)
        if os.path.isfile(folder):
            status = os.stat(folder)
            path, name = escape_name(folder), escape_name(os.path.basename(folder))
            yield FileInfo(path, name, status.st_size, _identity(status))
            return
        for root, folders, names in os.walk(folder, followlinks=True):
            folders[:] = [name for name in folders if not _leads_back(root, name)]
            prefix = os.path.relpath(root, folder)
            prefix = "" if prefix == "." else f"{prefix.replace(os.sep, '/')}/"
            for name in names:
                if name.startswith(".") and TEMPORARY.match(name):
                    continue
                path = os.path.join(root, name)
                found = _regular(path)
                if found is not None:
                    relative = escape_name(prefix + name)
                    yield FileInfo(escape_name(path), relative, found.st_size, _identity(found))

    def stat(self, path: str) -> FileInfo | None:
        status = _regular(unescape_name(path))
        if status is None:
            return None
        return FileInfo(path, os.path.basename(path), status.st_size, _identity(status))

    def open(self, path: str) -> BinaryIO:
        return open(unescape_name(path), "rb")

    def create(self, path: str) -> LocalUpload:
        return LocalUpload(path)

    def delete(self, paths: Sequence[str]) -> None:
        for path in paths:
            Path(path).unlink(missing_ok=True)


def half_written(folder: str) -> Iterator[str]:
    """Paths of files below a local folder that were never published."""
    for root, _, names in os.walk(folder):
        for name in names:
            if TEMPORARY.match(name):
                yield os.path.join(root, name)


def _regular(path: str) -> os.stat_result | None:
    """The status of a regular file; None where there is none, or where a link leads nowhere."""
    try:
        status = os.stat(path)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ELOOP, errno.ENOTDIR):
            raise
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _identity(status: os.stat_result) -> str:
    return f"{status.st_size}-{status.st_mtime_ns}"


def _leads_back(root: str, name: str) -> bool:
    """Whether a folder is a link to one that it stands in."""
    path = Path(root, name)
    return path.is_symlink() and Path(root).resolve().is_relative_to(path.resolve())


class LocalUpload:
    """A file under a hidden name beside its own, until it is published."""

    def __init__(self, path: str) -> None:
        self._path = path
        folder, name = os.path.split(path)
        self._temporary = os.path.join(folder, f".{name}.{uuid.uuid4().hex[:12]}.roving-part")
        with writing(path):
            os.makedirs(folder or ".", exist_ok=True)
            self._handle = open(self._temporary, "wb")  # noqa: SIM115  (closed when published)

    def write(self, data: Any) -> int:
        with writing(self._path):
            return self._handle.write(data)

    def publish(self, condition: str = ANY) -> bool:
        """As of `Upload`; a replacement under a condition is safe under the folder's lock only."""
        with writing(self._path):
            self._handle.flush()
            os.fsync(self._handle.fileno())
            self._handle.close()
            if condition == NEW:
                return self._publish_new()
            if condition != ANY:
                status = _regular(self._path)
                if status is None or _identity(status) != condition:
                    self.discard()
                    return False
            os.replace(self._temporary, self._path)
            return True

    def _publish_new(self) -> bool:
        try:
            os.link(self._temporary, self._path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # A file system without hard links: the name is taken first, then filled.
            try:
                os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            except FileExistsError:
                return False
            os.replace(self._temporary, self._path)
        finally:
            Path(self._temporary).unlink(missing_ok=True)
        return True

    def discard(self) -> None:
        with suppress(OSError):
            self._handle.close()  # a full disk cannot take what is still buffered
        Path(self._temporary).unlink(missing_ok=True)


@contextmanager
def writing(path: str) -> Iterator[None]:
    """Say in a sentence what keeps a local file from being written, where a person can mend it.

    Raises:
        OutputError: the disk is full, read-only, or has a file where a folder should be, or
            its rights do not allow it.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise OutputError(
                f"no space left for {path}; make room and run the same command again"
            ) from None
        if error.errno in _NOT_ALLOWED:
            raise OutputError(f"cannot write {path}: {error.strerror}") from None
        raise
