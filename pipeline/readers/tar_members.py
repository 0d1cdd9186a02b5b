"""Walk a tar forward, as a stream: arXiv's bulk files, archives of books, repositories.

Nothing is extracted: a member's name is only a name. `tarfile` parses the headers; what it is given
keeps it from going back, from headers larger than a megabyte and from more than is allowed in all,
and tells a damaged or missing end, which `tarfile` takes for the end of the archive.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from pipeline.readers.dump_file import ChunkStream, UnreadableDumpError
from pipeline.readers.records import LostInput
from pipeline.store.names import escape_name

_CHUNK_BYTES = 1 << 20
_MAXIMUM_HEADER_BYTES = 1 << 20
_MAXIMUM_MEMBERS = 10_000_000
_NOT_TAR = (tarfile.TarError, ValueError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class TarMember:
    """A member that is no folder.

    Attributes:
        name: as the tar has it, what is no UTF-8 escaped (`pipeline.store.names`).
        size: of its content, in bytes.
        problem: why it has no content to read: `symlink`, `hard_link`, `sparse_file` or
            `not_a_file`; empty for a regular file.
        read: gives the content; once, and before the next member is asked for.
        target: where a symbolic link points, as the tar has it; empty for anything else.
    """

    name: str
    size: int
    problem: str
    read: Callable[[], bytes]
    target: str = ""


def is_safe(name: str) -> bool:
    """Whether a member's name is a plain path below the archive."""
    path = PurePosixPath(name)
    return bool(name) and not (
        path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or ":" in name[:3]
    )


def walk_tar(
    stream: BinaryIO, maximum_bytes: int | None, maximum_members: int = _MAXIMUM_MEMBERS
) -> Iterator[TarMember]:
    """Every member that is no folder, in order; memory is bounded by the one that is read.

    Args:
        stream: the tar, decompressed (`open_dump`); read forward only.
        maximum_bytes: so much of it is read; None for all.
        maximum_members: so many are given.

    Raises:
        UnreadableDumpError: here or from a member's `read`, where the rest is lost:
            `truncated_tar`, `malformed_tar`, `archive_too_large`, `too_many_members`, and what
            the stream raises.
    """
    forward = _Forward(stream, maximum_bytes)
    try:
        with tarfile.TarFile(fileobj=cast(Any, forward), mode="r") as archive:
            for number in count():
                forward.allow_header()
                info = archive.next()
                if info is None:
                    break
                if number == maximum_members:
                    raise forward.error("too_many_members", f"over {maximum_members}")
                _check(archive, info)
                if not info.isdir():
                    yield _member(info, forward)
    except _NOT_TAR as problem:
        reason = "truncated_tar" if forward.is_at_end else "malformed_tar"
        raise forward.error(reason, f"{type(problem).__name__}: {problem}"[:200]) from None
    if forward.is_at_end:
        raise forward.error("truncated_tar", "no end of archive")
    if any(forward.block):
        position = forward.tell() - tarfile.BLOCKSIZE
        raise forward.error("malformed_tar", f"no header at byte {position}")


def _check(archive: tarfile.TarFile, info: tarfile.TarInfo) -> None:
    """Keep tarfile from holding every member and global header of the archive."""
    cast(Any, archive).members.clear()
    if info.size < 0:
        raise tarfile.ReadError(f"a member of {info.size} bytes")
    known = sum(len(name) + len(value) for name, value in archive.pax_headers.items())
    if known > _MAXIMUM_HEADER_BYTES:
        raise tarfile.ReadError(f"global headers of {known} bytes")


def _member(info: tarfile.TarInfo, forward: _Forward) -> TarMember:
    name = escape_name(info.name)
    if info.issym():
        problem = "symlink"
    elif info.islnk():
        problem = "hard_link"
    elif info.issparse():
        problem = "sparse_file"
    else:
        problem = "" if info.isreg() else "not_a_file"
    read = partial(forward.read_at, info.offset_data, info.size)
    return TarMember(name, info.size, problem, read, info.linkname if info.issym() else "")


class _Forward:
    """What tarfile needs of a file: it reads headers and goes forward, never back.

    Attributes:
        block: what tarfile read last.
        is_at_end: the stream ended before all that was asked for.
    """

    def __init__(self, stream: BinaryIO, maximum_bytes: int | None) -> None:
        self._stream = stream
        self._maximum = maximum_bytes
        self._position = 0
        self.block = b""
        self.is_at_end = False
        self.allow_header()

    def allow_header(self) -> None:
        """A next header may come, with the extended ones before it."""
        self._header_bytes = _MAXIMUM_HEADER_BYTES
        # Of a member before only the content has been read, not what fills its last block.
        self._member = -(-self._position // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE

    def error(self, reason: str, detail: str) -> UnreadableDumpError:
        """Why nothing from the current member on is read."""
        before = self._member
        compressed = self._stream.input_bytes if isinstance(self._stream, ChunkStream) else None
        lost = LostInput(before if compressed is None else min(before, compressed))
        return UnreadableDumpError(reason, detail, lost)

    def tell(self) -> int:
        return self._position

    def read(self, size: int) -> bytes:
        """A header, or a piece of one."""
        if not 0 <= size <= self._header_bytes:
            raise tarfile.ReadError(f"a header of {size} bytes")
        self._header_bytes -= size
        self.block = self._take(size)
        return self.block

    def seek(self, offset: int) -> int:
        if offset < self._position:
            raise tarfile.ReadError("a header points backwards")
        while self._position < offset and self._take(min(_CHUNK_BYTES, offset - self._position)):
            pass
        return self._position

    def read_at(self, offset: int, size: int) -> bytes:
        """The content of a member.

        Raises:
            UnreadableDumpError: the stream ends before.
        """
        self.seek(offset)
        content = self._take(size)
        if self.is_at_end:
            raise self.error("truncated_tar", f"{len(content)} of a member's {size} bytes")
        return content

    def _take(self, size: int) -> bytes:
        pieces = []
        while size > 0 and (piece := self._stream.read(min(size, _CHUNK_BYTES))):
            size -= len(piece)
            pieces.append(piece)
            self._position += len(piece)
            if self._maximum is not None and self._position > self._maximum:
                raise self.error("archive_too_large", f"over {self._maximum} bytes")
        self.is_at_end = size > 0
        return b"".join(pieces)
