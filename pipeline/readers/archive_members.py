"""Members of zip and tar archives (`.tar`, `.tar.gz`, `.tar.bz2`, `.tar.zst`), read in memory.

Nothing is extracted: a member's name is only a name. Memory is bounded by one member, by a zip's
directory and by tar headers of at most a megabyte; time is bounded by how much an archive may grow.
"""

from __future__ import annotations

import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, BinaryIO, TypeAlias, cast

from filters.document import Settings
from pipeline.readers.dump_file import UnreadableDumpError, open_dump
from pipeline.readers.records import BadRecord

_MAXIMUM_HEADER_BYTES = 1 << 20
_SKIP_BYTES = 1 << 20
_END_OF_DIRECTORY = b"PK\5\6"
# What zipfile and the decompressors below it raise for damaged members.
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)


@dataclass(frozen=True, kw_only=True)
class ArchiveSettings(Settings):
    """How far an archive is trusted.

    Attributes:
        maximum_member_bytes: larger members are rejected unread.
        maximum_growth: an archive whose members are more than this many times its own size is left
            where that is noticed.
        maximum_directory_bytes: a zip with a larger directory of members is rejected.
    """

    maximum_member_bytes: int
    maximum_growth: int
    maximum_directory_bytes: int


@dataclass(frozen=True, slots=True)
class Member:
    """A regular file in an archive: its name there, and its content."""

    name: str
    content: bytes


Members: TypeAlias = Iterator[Member | BadRecord]


class _TooMuchError(Exception):
    """The archive grows beyond its limit."""


def read_members(stream: BinaryIO, name: str, size: int, settings: ArchiveSettings) -> Members:
    """Every regular file of an archive, in its order; never raises for bad input.

    Reasons: `unsafe_name`, `member_too_large`, `encrypted`, `malformed_member`; and, where the rest
    of the archive is lost, `grows_too_much`, `malformed_zip`, `directory_too_large`,
    `malformed_tar`, `truncated_tar` and those of `UnreadableDumpError`.

    Args:
        stream: the archive's own bytes, seekable.
        name: of the archive, for ids and for how it is compressed.
        size: of the archive, in bytes.
        settings: the limits.
    """
    is_zip = name.lower().endswith(".zip")
    members = (
        _zip_members(stream, name, size, settings)
        if is_zip
        else _tar_members(stream, name, size, settings)
    )
    for member in members:
        if isinstance(member, Member) and not is_safe(member.name):
            yield BadRecord(f"{name}#{member.name[:200]}", "", "unsafe_name", member.name[:200])
        else:
            yield member


def is_safe(name: str) -> bool:
    """Whether a member's name is a plain path below the archive."""
    path = PurePosixPath(name)
    return bool(name) and not (
        path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or ":" in name[:3]
    )


def _zip_members(stream: BinaryIO, name: str, size: int, settings: ArchiveSettings) -> Members:
    directory = _directory_bytes(stream, size)
    if directory > settings.maximum_directory_bytes:
        detail = f"{directory} bytes > {settings.maximum_directory_bytes}"
        yield BadRecord(f"{name}#rest", "", "directory_too_large", detail)
        return
    left = settings.maximum_growth * size + settings.maximum_member_bytes
    try:
        archive = zipfile.ZipFile(stream)
    except (*_DAMAGED, NotImplementedError) as problem:
        yield BadRecord(f"{name}#rest", "", "malformed_zip", str(problem)[:200])
        return
    with archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            member = _zip_member(archive, info, name, settings.maximum_member_bytes)
            if isinstance(member, Member):
                left -= len(member.content)
            elif member.reason == "member_too_large" and not member.detail.startswith("said"):
                left -= settings.maximum_member_bytes
            if left < 0:
                yield BadRecord(f"{name}#rest", "", "grows_too_much", f"at {info.filename[:200]}")
                return
            yield member


def _zip_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, limit: int
) -> Member | BadRecord:
    identifier = f"{name}#{info.filename[:200]}"
    if info.flag_bits & 1:
        return BadRecord(identifier, "", "encrypted", "a password is needed")
    if info.file_size > limit:
        return BadRecord(identifier, "", "member_too_large", f"said {info.file_size} > {limit}")
    try:
        with archive.open(info) as opened:
            content = opened.read(limit + 1)
    except (*_DAMAGED, NotImplementedError, RuntimeError) as problem:
        return BadRecord(identifier, "", "malformed_member", str(problem)[:200])
    if len(content) > limit:
        return BadRecord(identifier, "", "member_too_large", f"more than {limit} bytes")
    return Member(info.filename, content)


def _directory_bytes(stream: BinaryIO, size: int) -> int:
    """How large a zip says its directory is, which zipfile reads at once; 0 if it is no zip."""
    start = max(0, size - 65_557)  # the longest comment behind the end record
    stream.seek(start)
    tail = stream.read(size - start)
    stream.seek(0)
    found = tail.rfind(_END_OF_DIRECTORY)
    said = int.from_bytes(tail[found + 12 : found + 16], "little") if found >= 0 else 0
    # Zip64 says it elsewhere; the directory is not larger than what is in front of the end record.
    return said if said != 0xFFFFFFFF else max(0, start + found)


def _tar_members(stream: BinaryIO, name: str, size: int, settings: ArchiveSettings) -> Members:
    limit = settings.maximum_member_bytes
    growth = settings.maximum_growth * size + limit
    forward = _ForwardStream(open_dump(stream, name), growth)
    rest = f"{name}#rest"
    try:
        with tarfile.TarFile(fileobj=cast(IO[bytes], forward), mode="r") as archive:
            while (info := archive.next()) is not None:
                # tarfile would keep a list of all of them
                archive.members.clear()  # type: ignore[attr-defined]
                if not info.isreg() or info.issparse():
                    continue  # folders, links, devices: nothing is in them
                if info.size > limit:
                    detail = f"{info.size} bytes > {limit}"
                    yield BadRecord(f"{name}#{info.name[:200]}", "", "member_too_large", detail)
                    continue
                forward.seek(info.offset_data)
                content = forward.take(info.size)
                if len(content) < info.size:
                    yield BadRecord(rest, "", "truncated_tar", f"ends inside {info.name[:200]}")
                    return
                yield Member(info.name, content)
    except UnreadableDumpError as problem:
        yield BadRecord(rest, "", problem.reason, problem.detail)
    except _TooMuchError as problem:
        yield BadRecord(rest, "", "grows_too_much", str(problem))
    except (tarfile.TarError, ValueError) as problem:
        yield BadRecord(rest, "", "malformed_tar", str(problem)[:200])


class _ForwardStream:
    """What tarfile needs of a file: it reads headers and goes forward, never back."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream = io.BufferedReader(cast(io.RawIOBase, stream), _SKIP_BYTES)
        self._limit = limit
        self._position = 0

    def tell(self) -> int:
        return self._position

    def read(self, size: int) -> bytes:
        """Read a header.

        Raises:
            tarfile.ReadError: it claims to be larger than headers are.
        """
        if size > _MAXIMUM_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self.take(size)

    def take(self, size: int) -> bytes:
        """Read so many bytes, or what is left.

        Raises:
            _TooMuchError: more has been read than the archive may grow to.
        """
        data = self._stream.read(size)
        self._position += len(data)
        if self._position > self._limit:
            raise _TooMuchError(f"more than {self._limit} bytes")
        return data

    def seek(self, offset: int) -> int:
        if offset < self._position:
            raise tarfile.StreamError("a header points backwards")
        while self._position < offset:
            if not self.take(min(_SKIP_BYTES, offset - self._position)):
                break
        return self._position
