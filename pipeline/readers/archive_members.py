"""Members of zip and tar archives (`.tar`, `.tar.gz`, `.tar.bz2`, `.tar.zst`), read in memory.

A tar in a zip is read as a stream, its members named below it.

Nothing is extracted: a member's name is only a name. Memory is bounded by one member, by a zip's
directory and by tar headers of at most a megabyte; time is bounded by how much an archive may grow.
"""

from __future__ import annotations

import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, TypeAlias, cast

from filters.document import Settings, setting
from pipeline.readers.dump_file import UnreadableDumpError, open_dump
from pipeline.readers.records import BadRecord, LostInput
from pipeline.readers.tar_members import is_safe, walk_tar

_TAR = re.compile(r"\.(tar|tgz|tar\.(gz|bz2|zst))$", re.IGNORECASE)
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

    maximum_member_bytes: int = setting(
        50_000_000, "ours: the longest work at Project Gutenberg has some 30 MB"
    )
    maximum_growth: int = setting(50, "ours: text is packed to a third; more is a bomb")
    maximum_directory_bytes: int = setting(
        16_000_000, "ours: bounds memory; some hundred thousand members"
    )


@dataclass(frozen=True, slots=True)
class Member:
    """A regular file in an archive: its name there, and its content."""

    name: str
    content: bytes


Members: TypeAlias = Iterator[Member | BadRecord]


def read_members(stream: BinaryIO, name: str, size: int, settings: ArchiveSettings) -> Members:
    """Every regular file of an archive, in its order; never raises for bad input.

    Reasons: `unsafe_name`, `member_too_large`, `encrypted`, `malformed_member` and a `TarMember`'s;
    and, where the rest of the archive is lost, `archive_too_large`, `malformed_zip`,
    `directory_too_large` and those of `walk_tar`.

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


def _zip_members(stream: BinaryIO, name: str, size: int, settings: ArchiveSettings) -> Members:
    directory = _directory_bytes(stream, size)
    if directory > settings.maximum_directory_bytes:
        detail = f"{directory} bytes > {settings.maximum_directory_bytes}"
        yield BadRecord(f"{name}#rest", "", "directory_too_large", detail, LostInput())
        return
    left = settings.maximum_growth * size + settings.maximum_member_bytes
    try:
        archive = zipfile.ZipFile(stream)
    except (*_DAMAGED, NotImplementedError) as problem:
        yield BadRecord(f"{name}#rest", "", "malformed_zip", str(problem)[:200], LostInput())
        return
    with archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            if _TAR.search(info.filename) and not info.flag_bits & 1:
                yield from _inner_tar(archive, info, name, settings)
                continue
            member = _zip_member(archive, info, name, settings.maximum_member_bytes)
            if isinstance(member, Member):
                left -= len(member.content)
            elif member.reason == "member_too_large" and not member.detail.startswith("said"):
                left -= settings.maximum_member_bytes
            if left < 0:
                where, lost = f"at {info.filename[:200]}", LostInput(info.header_offset)
                yield BadRecord(f"{name}#rest", "", "archive_too_large", where, lost)
                return
            yield member


def _inner_tar(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, settings: ArchiveSettings
) -> Members:
    """Members of a tar in a zip, as a stream, as Project Gutenberg packs all of its texts."""
    inner = f"{name}/{info.filename[:200]}"
    start, size = info.header_offset, info.compress_size
    try:
        with archive.open(info) as opened:
            for member in _tar_members(cast(BinaryIO, opened), inner, size, settings):
                if isinstance(member, Member):
                    yield Member(f"{info.filename}/{member.name}", member.content)
                elif member.lost is not None:
                    yield replace(member, lost=LostInput(start, size))
                else:
                    yield member
    except (*_DAMAGED, NotImplementedError, RuntimeError) as problem:
        lost = LostInput(start, size)
        yield BadRecord(f"{inner}#rest", "", "malformed_member", str(problem)[:200], lost)


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
    try:
        for member in walk_tar(open_dump(stream, name, is_text=False), growth):
            identifier = f"{name}#{member.name[:200]}"
            if member.problem:
                yield BadRecord(identifier, "", member.problem)
            elif member.size > limit:
                detail = f"{member.size} bytes > {limit}"
                yield BadRecord(identifier, "", "member_too_large", detail)
            else:
                yield Member(member.name, member.read())
    except UnreadableDumpError as problem:
        yield problem.row(f"{name}#rest")
