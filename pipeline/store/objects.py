"""What the object stores have in common: reading by range, uploads that appear whole.

An upload is spooled to a local temporary file and sent when it is published, so that whatever ends
a process in between leaves nothing visible. A store of one kind says how one request is made
(`_list`, `_head`, `_get`, `_put`, `_delete`); everything else is here.
"""

from __future__ import annotations

import errno
import io
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO, NamedTuple

from pipeline.errors import InputError
from pipeline.store.base import ANY, FileInfo
from pipeline.store.local import writing

# Metadata of an object: a random name of the upload that made it. A conditional request that is
# sent again because its answer was lost finds its own object there, and knows it by this.
UPLOAD_NAME = "roving-upload"
# Most connections a process has open to one store.
CONNECTIONS = 16
# Seconds for which a request is tried again, and that one try may take.
DEADLINE = 120
TIMEOUT = 120

# Bytes asked for first after a seek; each request that goes on from there asks for twice as many,
# up to the second. A reader that wants more at once gets it, in requests of the third at most.
_FIRST_WINDOW = 256 << 10
_READ_AHEAD = 8 << 20
_LARGEST_REQUEST = 64 << 20


class Meta(NamedTuple):
    """One object of a bucket: key, size in bytes, identity."""

    key: str
    size: int
    identity: str


class ObjectStore(ABC):
    """Objects by `scheme://bucket/key`, as `pipeline.store.base.Store` wants them."""

    def list(self, folder: str) -> Iterator[FileInfo]:
        bucket, key = split_path(folder)
        root = f"{folder.rstrip('/')}/"
        prefix = f"{key.rstrip('/')}/" if key else ""
        empty = True
        for meta in self._list(bucket, prefix):
            # A key that ends so is what a console puts for a folder.
            if not meta.key.endswith("/"):
                empty = False
                relative = meta.key[len(prefix) :]
                yield FileInfo(root + relative, relative, meta.size, meta.identity)
        if empty and key:
            file = self.stat(folder.rstrip("/"))
            if file is not None:
                yield file

    def stat(self, path: str) -> FileInfo | None:
        bucket, key = split_path(path)
        meta = self._head(bucket, key) if key else None
        if meta is None:
            return None
        return FileInfo(path, key.rpartition("/")[2], meta.size, meta.identity)

    def open(self, path: str) -> BinaryIO:
        """As of `Store`: the object that has the name now; one that is replaced is an error.

        Raises:
            FileNotFoundError: there is none.
        """
        bucket, key = split_path(path)
        meta = self._head(bucket, key) if key else None
        if meta is None:
            raise FileNotFoundError(errno.ENOENT, "there is no such object", path)

        def fetch(start: int, end: int) -> bytes:
            data = self._get(bucket, meta, start, end)
            if data is None:
                raise OSError(errno.ESTALE, "replaced or deleted while it was read", path)
            if len(data) != end - start:
                raise OSError(errno.EIO, f"{end - start} bytes asked for, {len(data)} came", path)
            return data

        return io.BufferedReader(_RangeReader(meta.size, fetch), 64 << 10)

    def create(self, path: str) -> ObjectUpload:
        bucket, key = split_path(path)
        if not key:
            raise InputError(f"{path} names no object: give scheme://bucket/name")

        def put(file: BinaryIO, size: int, condition: str) -> bool:
            return self._put(bucket, key, file, size, condition)

        return ObjectUpload(path, put)

    def delete(self, paths: Sequence[str]) -> None:
        by_bucket: dict[str, list[str]] = {}
        for path in paths:
            bucket, key = split_path(path)
            by_bucket.setdefault(bucket, []).append(key)
        for bucket, keys in by_bucket.items():
            self._delete(bucket, keys)

    @abstractmethod
    def _list(self, bucket: str, prefix: str) -> Iterator[Meta]:
        """All objects whose keys begin with the prefix, which is empty or ends in a slash."""

    @abstractmethod
    def _head(self, bucket: str, key: str) -> Meta | None:
        """The object of that key, if there is one."""

    @abstractmethod
    def _get(self, bucket: str, meta: Meta, start: int, end: int) -> bytes | None:
        """Bytes from start up to end, which lie in the object; None if it is no longer that one."""

    @abstractmethod
    def _put(self, bucket: str, key: str, file: BinaryIO, size: int, condition: str) -> bool:
        """Make an object of a file, which is at its start; whether the condition held."""

    @abstractmethod
    def _delete(self, bucket: str, keys: Sequence[str]) -> None:
        """Delete objects; those already gone are fine."""


def split_path(path: str) -> tuple[str, str]:
    """Bucket and key of `scheme://bucket/key`.

    Raises:
        InputError: no bucket is named.
    """
    scheme, _, rest = path.partition("://")
    bucket, _, key = rest.partition("/")
    if not bucket:
        raise InputError(f"{path!r} names no bucket: give {scheme}://bucket/name")
    return bucket, key


def in_parallel(work: Callable[[str], None], keys: Sequence[str]) -> None:
    """Do a request for each key, several at a time; the first failure is raised."""
    with ThreadPoolExecutor(min(CONNECTIONS, max(1, len(keys)))) as threads:
        for _ in threads.map(work, keys):
            pass


class ObjectUpload:
    """A file in the temporary folder, without a name, until it is sent as an object.

    Args:
        path: for messages.
        put: sends the file: with its size in bytes, under a condition; whether that held.
    """

    def __init__(self, path: str, put: Callable[[BinaryIO, int, str], bool]) -> None:
        self._spool = f"{path} in {tempfile.gettempdir()}, where it waits (TMPDIR says where)"
        self._put = put
        with writing(self._spool):
            self._file = tempfile.TemporaryFile(prefix="roving-")  # noqa: SIM115  (closed when sent)

    def write(self, data: Any) -> int:
        with writing(self._spool):
            return self._file.write(data)

    def publish(self, condition: str = ANY) -> bool:
        """As of `Upload`."""
        with self._file:
            with writing(self._spool):
                size = self._file.tell()
                self._file.seek(0)
            return self._put(self._file, size, condition)

    def discard(self) -> None:
        self._file.close()


class _RangeReader(io.RawIOBase):
    """An object read by range requests, ahead of what is asked for while it is read in order."""

    def __init__(self, size: int, fetch: Callable[[int, int], bytes]) -> None:
        super().__init__()
        self._size = size
        self._fetch = fetch
        self._position = 0
        self._window = _FIRST_WINDOW
        # What was read ahead, and where it starts.
        self._start, self._data = 0, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, "seek to before the start")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self._size - self._position)
        if wanted <= 0:
            return 0
        if not self._start <= self._position < self._start + len(self._data):
            self._read_ahead(wanted)
        offset = self._position - self._start
        data = memoryview(self._data)[offset : offset + wanted]
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def readall(self) -> bytes:
        """The rest, in as few requests as there can be."""
        rest = bytearray(max(0, self._size - self._position))
        view = memoryview(rest)
        while count := self.readinto(view):
            view = view[count:]
        return bytes(rest)

    def _read_ahead(self, wanted: int) -> None:
        in_order = self._position == self._start + len(self._data)
        self._window = min(2 * self._window, _READ_AHEAD) if in_order else _FIRST_WINDOW
        length = min(max(wanted, self._window), _LARGEST_REQUEST)
        end = min(self._size, self._position + length)
        self._data = b""
        self._data, self._start = self._fetch(self._position, end), self._position
