"""Files through Beam's FileSystems, so that every path may be local, gs://, s3:// or hdfs://.

A file appears whole or not at all: it is written under a hidden temporary name beside its own and
renamed. A second attempt at the same file, as engines make them, never touches a committed one.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import uuid
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from pipeline.errors import InputError, OutputError
from tokenizer.shards.checksums import Checksums

TEMPORARY_MARK = ".tmp-"
_NOT_ALLOWED = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST)


def split(path: str) -> tuple[str, str]:
    """Folder and name of a path."""
    folder, name = FileSystems.split(path)
    return folder.rstrip("/"), name


@dataclass(frozen=True)
class FileInfo:
    """One file of a listing: its full path, its path below the listed folder, its size in bytes."""

    path: str
    relative: str
    size: int


def is_local(path: str) -> bool:
    """Whether the path has no `scheme://`."""
    return "://" not in path


def join(folder: str, *parts: str) -> str:
    """Join path parts for any file system."""
    return str(FileSystems.join(folder, *parts))


def list_files(folder: str) -> list[FileInfo]:
    """All files below a folder, or the one file that the path names, sorted by relative path."""
    if is_local(folder):
        return _list_local(Path(folder))
    prefix = folder.rstrip("/") + "/"
    found = FileSystems.match([prefix + "**", folder])
    files = {
        item.path: FileInfo(item.path, item.path.removeprefix(prefix), item.size_in_bytes)
        for result in found
        for item in result.metadata_list
    }
    return sorted(files.values(), key=lambda file: file.relative)


def _list_local(folder: Path) -> list[FileInfo]:
    if folder.is_file():
        return [FileInfo(str(folder), folder.name, folder.stat().st_size)]
    found = []
    for root, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not _leads_back(Path(root), name)]
        for name in names:
            path = Path(root, name)
            try:
                status = path.stat()
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ELOOP):
                    raise
                continue  # renamed or deleted since it was listed, or a link to nothing
            if stat.S_ISREG(status.st_mode) and TEMPORARY_MARK not in name:
                relative = path.relative_to(folder).as_posix()
                found.append(FileInfo(str(path), relative, status.st_size))
    return sorted(found, key=lambda file: file.relative)


def _leads_back(root: Path, name: str) -> bool:
    """Whether a folder is a link to one that it stands in."""
    path = root / name
    return path.is_symlink() and root.resolve().is_relative_to(path.resolve())


def exists(path: str) -> bool:
    """Whether a file of that name exists."""
    return bool(FileSystems.exists(path))


def open_read(path: str) -> BinaryIO:
    """Open a file as raw bytes, never decompressing by its name."""
    handle = FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
    return cast(BinaryIO, handle)


def read_bytes(path: str) -> bytes:
    """The whole content of a small file."""
    with open_read(path) as handle:
        return handle.read()


class _SeekableReader(io.RawIOBase):
    """What a seekable stream says of itself wherever its bytes come from."""

    _position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position


class HashingReader(_SeekableReader):
    """A seekable stream, or one from an offset on, that takes the SHA-256 of what is read.

    Args:
        handle: the stream below; closed by `finish`.
        offset: where this one starts in it.
        length: so many bytes are the unit's and are hashed; what follows can be read all the same.
            None for all.
    """

    def __init__(self, handle: BinaryIO, offset: int = 0, length: int | None = None) -> None:
        super().__init__()
        self._handle = handle
        self._offset = offset
        self._length = length
        self._hash = hashlib.sha256()
        self._hashed = 0
        self.failure: Exception | None = None
        handle.seek(offset)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END:
            offset += self._handle.seek(0, os.SEEK_END) - self._offset
        self._handle.seek(self._offset + offset)
        self._position = offset
        return offset

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = self._read(len(view)) if view else b""
        view[: len(data)] = data
        start, self._position = self._position, self._position + len(data)
        end = self._position if self._length is None else min(self._position, self._length)
        if start <= self._hashed < end:
            self._hash.update(memoryview(data)[self._hashed - start : end - start])
            self._hashed = end
        return len(data)

    def _read(self, size: int) -> bytes:
        """Read from below; what fails there is no fault of the input, and is remembered."""
        try:
            return self._handle.read(size)
        except Exception as error:
            self.failure = error
            raise

    def finish(self) -> tuple[int, str]:
        """Size in bytes and SHA-256 of all that is the unit's, reading what has not been read.

        Closes the stream below; a reader that closes this stream leaves that one open.
        """
        self.seek(self._hashed)
        buffer = bytearray(1 << 20)
        while self._hashed != self._length and self.readinto(buffer):
            pass
        self._handle.close()
        return self._hashed, self._hash.hexdigest()


class JoinedReader(_SeekableReader):
    """Files as one seekable stream, one after another; one of them is open at a time.

    Args:
        parts: the files, with the sizes that the stream relies on.
    """

    def __init__(self, parts: Sequence[FileInfo]) -> None:
        super().__init__()
        self._parts = parts
        self._starts = [0, *accumulate(part.size for part in parts)]
        self._open: tuple[int, BinaryIO] | None = None

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._starts[-1]}
        self._position = base[whence] + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer from one file at most.

        Raises:
            InputError: a file has not the size that it was listed with.
        """
        if self._position >= self._starts[-1]:
            return 0
        index = bisect_right(self._starts, self._position) - 1
        end = self._starts[index + 1]
        handle = self._part(index)
        handle.seek(self._position - self._starts[index])
        data = handle.read(min(len(buffer), end - self._position))
        self._position += len(data)
        if not data or (self._position == end and handle.read(1)):
            raise InputError(f"{self._parts[index].path} was changed while it was read")
        buffer[: len(data)] = data
        return len(data)

    def _part(self, index: int) -> BinaryIO:
        if self._open is None or self._open[0] != index:
            self._close_part()
            self._open = index, open_read(self._parts[index].path)
        return self._open[1]

    def _close_part(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def close(self) -> None:
        self._close_part()
        super().close()


class AtomicFile(io.RawIOBase):
    """A file being written that nobody sees before `commit`; knows its size and checksums."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        self._sums = Checksums()
        folder, name = split(path)
        self._temporary = join(folder, f".{name}{TEMPORARY_MARK}{uuid.uuid4().hex[:12]}")
        self._handle: IO[bytes]
        if is_local(path):
            with writing(path):
                Path(folder).mkdir(parents=True, exist_ok=True)
                self._handle = Path(self._temporary).open("wb")  # noqa: SIM115  (closed on commit)
        else:
            self._handle = FileSystems.create(
                self._temporary, compression_type=CompressionTypes.UNCOMPRESSED
            )

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data)
        with writing(self.path):
            self._handle.write(view)
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

    def sync(self) -> None:
        """Put everything on the disk, under the temporary name still."""
        if is_local(self.path):
            with writing(self.path):
                self._handle.flush()
                os.fsync(self._handle.fileno())

    def commit(self) -> None:
        """Make the file visible under its name."""
        self.sync()
        with writing(self.path):
            if is_local(self.path):
                self._handle.close()
                Path(self._temporary).replace(self.path)
            else:
                self._handle.close()
                FileSystems.rename([self._temporary], [self.path])

    def discard(self) -> None:
        """Give up the file: nothing stays behind, and what has its name stays as it is."""
        with suppress(OSError):
            self._handle.close()  # a full disk cannot take what is still buffered
        delete([self._temporary])


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
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutputError(
                f"no space left for {path}; make room and run the same command again"
            ) from None
        if error.errno in _NOT_ALLOWED:
            raise OutputError(f"cannot write {path}: {error.strerror}") from None
        raise


@contextmanager
def atomic_write(path: str) -> Iterator[AtomicFile]:
    """Write a file that appears under its name only if the block ends without an exception."""
    file = AtomicFile(path)
    try:
        yield file
    except BaseException:
        file.discard()
        raise
    file.commit()


def delete(paths: list[str]) -> None:
    """Delete files; those already gone are fine."""
    for path in paths:
        if is_local(path):
            Path(path).unlink(missing_ok=True)
        elif exists(path):
            FileSystems.delete([path])


def delete_temporary(folder: str) -> None:
    """Delete what killed runs left half written below a local folder."""
    if not is_local(folder) or not Path(folder).is_dir():
        return
    for path in Path(folder).rglob(f".*{TEMPORARY_MARK}*"):
        path.unlink(missing_ok=True)
