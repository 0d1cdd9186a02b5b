"""Files by path, whichever store they are in: local, or `scheme://bucket/key`.

A file appears whole or not at all, and is never renamed or appended to (`pipeline.store.base`).
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import Any, BinaryIO

from pipeline.errors import InputError
from pipeline.store.base import ANY, FileInfo, Store
from pipeline.store.local import LocalStore
from tokenizer.shards.checksums import Checksums

_LOCAL = LocalStore()
# What makes the store of a scheme; made once a process, when a path of the scheme is first met.
_MAKERS: dict[str, Callable[[], Store]] = {}
_stores: dict[str, Store] = {}
# Connections do not survive a fork.
os.register_at_fork(after_in_child=_stores.clear)
# Entry points of installed packages that bring a store: its scheme, and what makes it.
PLUGINS = "roving.stores"


def register(scheme: str, make: Callable[[], Store]) -> None:
    """Say what the store of `scheme://` is; what was said before is forgotten."""
    _MAKERS[scheme] = make
    _stores.pop(scheme, None)


def store_of(path: str) -> Store:
    """The store that a path is in.

    Raises:
        InputError: there is none for its scheme.
    """
    if is_local(path):
        return _LOCAL
    scheme = path.split("://", 1)[0]
    if scheme not in _stores:
        make = _MAKERS.get(scheme) or _installed(scheme)
        if make is None:
            known = ", ".join(f"{name}://" for name in sorted(_MAKERS))
            raise InputError(f"{path}: there is no store for {scheme}://; there are {known}")
        _stores[scheme] = make()
    return _stores[scheme]


def _installed(scheme: str) -> Callable[[], Store] | None:
    """What makes the store of a scheme, if an installed package brings one."""
    for plugin in entry_points(group=PLUGINS, name=scheme):
        make: Callable[[], Store] = plugin.load()
        return make
    return None


def is_local(path: str) -> bool:
    """Whether the path has no `scheme://`."""
    return "://" not in path


def join(folder: str, *parts: str) -> str:
    """Join path parts for any store."""
    inner = "/".join(part.strip("/") for part in parts)
    return f"{folder.rstrip('/')}/{inner}" if folder else inner


def split(path: str) -> tuple[str, str]:
    """Folder and name of a path."""
    folder, _, name = path.rstrip("/").rpartition("/")
    return folder.rstrip("/"), name


def list_files(folder: str) -> list[FileInfo]:
    """All files below a folder, or the one file that the path names, sorted by relative path."""
    return sorted(store_of(folder).list(folder), key=lambda file: file.relative)


def stat(path: str) -> FileInfo | None:
    """The file of that name, if there is one."""
    return store_of(path).stat(path)


def exists(path: str) -> bool:
    """Whether a file of that name exists."""
    return stat(path) is not None


def open_read(path: str) -> BinaryIO:
    """Open a file as raw bytes, never decompressing by its name."""
    return store_of(path).open(path)


def read_bytes(path: str) -> bytes:
    """The whole content of a small file."""
    with open_read(path) as handle:
        return handle.read()


class NewFile(io.RawIOBase):
    """A file being written that nobody sees before `publish`; knows its size and checksums."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self._sums = Checksums()
        self._upload = store_of(path).create(path)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data)
        self._upload.write(view)
        self._sums.update(view)
        return view.nbytes

    @property
    def size(self) -> int:
        return self._sums.size

    def tell(self) -> int:
        return self.size

    def sha256(self) -> str:
        return self._sums.sha256()

    def blocks(self) -> list[str]:
        """Checksums of blocks, by which damage is located."""
        return self._sums.blocks()

    def publish(self, condition: str = ANY) -> bool:
        """Make the file visible under its name; whether the condition held."""
        return self._upload.publish(condition)

    def discard(self) -> None:
        """Give up the file: nothing stays behind, and what has its name stays as it is."""
        self._upload.discard()


@contextmanager
def new_file(path: str) -> Iterator[NewFile]:
    """Write a file that appears under its name only if the block ends without an exception."""
    file = NewFile(path)
    try:
        yield file
    except BaseException:
        file.discard()
        raise
    file.publish()


def write_bytes(path: str, data: bytes, condition: str = ANY) -> bool:
    """Write a small file whole; whether the condition held (`pipeline.store.base.Upload`)."""
    file = NewFile(path)
    try:
        file.write(data)
    except BaseException:
        file.discard()
        raise
    return file.publish(condition)


def delete(paths: Sequence[str]) -> None:
    """Delete files; those already gone are fine."""
    by_store: dict[int, tuple[Store, list[str]]] = {}
    for path in paths:
        store = store_of(path)
        by_store.setdefault(id(store), (store, []))[1].append(path)
    for store, own in by_store.values():
        store.delete(own)
