"""Streams over stored bytes: hashed as they are read, or several files as one."""

from __future__ import annotations

import hashlib
import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, BinaryIO

from pipeline.errors import InputError
from pipeline.store.base import FileInfo
from pipeline.store.files import open_read


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

    @property
    def bytes_read(self) -> int:
        """Bytes of the unit's that have been read, from its beginning on."""
        return self._hashed

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
