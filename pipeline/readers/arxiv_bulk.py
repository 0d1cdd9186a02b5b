"""Read arXiv's bulk source files: a tar of submissions, or one submission as a file of its own.

Layout (arXiv, "Full Text via S3"): `arXiv_src_YYMM_NNN.tar` holds `YYMM/ID.gz`, each a gzipped tar
or a single gzipped TeX file, and `YYMM/ID.pdf` where PDF is all there is. The outer tar is walked
member by member; a member is held as the compressed bytes it is, and unpacked by the filter.
"""

from __future__ import annotations

import io
import re
import tarfile
from typing import BinaryIO

from filters.document import Document
from pipeline.readers.records import BadRecord, Record, Records, SkippedRecord

# 1406.2692, 0704.0001, astro-ph0001001, math0512345; versions occur in files fetched one by one.
_NAME = re.compile(
    r"(?:^|/)(?:(?P<new>\d{4}\.\d{4,5})|(?P<archive>[a-z]+(?:-[a-z]+)*)_?(?P<old>\d{7}))"
    r"(?P<version>v\d+)?\.(?P<ending>gz|tgz|tar\.gz|pdf|tex|tar)$",
    re.IGNORECASE,
)
_CHUNK_BYTES = 1 << 20
_MAXIMUM_HEADER_BYTES = 1 << 20


class _HeaderTooLargeError(Exception):
    """A tar header claims more than a header has."""


class _Guarded:
    """The stream below a tar; reading more at once than headers need is refused."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.tell = stream.tell
        self.seek = stream.seek

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > _MAXIMUM_HEADER_BYTES:
            raise _HeaderTooLargeError(f"a header of {size} bytes")
        return self._stream.read(size)


def read_arxiv(stream: BinaryIO, relative: str, maximum_member_bytes: int) -> Records:
    """Submissions as documents whose `raw` is their compressed bytes.

    Args:
        stream: seekable bytes of a bulk tar, or of one submission.
        relative: path of the file, whose name tells what it is.
        maximum_member_bytes: larger submissions are rejected unread.
    """
    if _NAME.search(relative):
        data = stream.read(maximum_member_bytes + 1)
        yield _record(relative, data, len(data), maximum_member_bytes)
        return
    yield from _read_tar(stream, relative, maximum_member_bytes)


def _read_tar(stream: BinaryIO, relative: str, maximum: int) -> Records:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    try:
        with tarfile.open(fileobj=_Guarded(stream), mode="r:") as archive:  # type: ignore[call-overload]
            # Every member is asked for by hand: tarfile would keep a list of all of them.
            while (member := archive.next()) is not None:
                archive.members.clear()
                if member.isdir():
                    continue
                if not member.isfile():
                    yield SkippedRecord("not_a_file")
                elif member.offset_data + member.size > size:
                    yield BadRecord(member.name[:200], "", "truncated_tar", "ends inside a member")
                    return
                else:
                    data = _read_member(stream, member, maximum)
                    yield _record(member.name, data, member.size, maximum)
            # tarfile takes a damaged header for the end.
            stream.seek(archive.offset)
            block = stream.read(tarfile.BLOCKSIZE)
            if len(block) < tarfile.BLOCKSIZE:
                yield BadRecord(f"{relative}#rest", "", "truncated_tar", "no end of archive")
            elif any(block):
                where = f"no header at byte {archive.offset}"
                yield BadRecord(f"{relative}#rest", "", "malformed_tar", where)
    except (tarfile.TarError, _HeaderTooLargeError, ValueError) as problem:
        yield BadRecord(f"{relative}#rest", "", "malformed_tar", str(problem)[:200])


def _read_member(stream: BinaryIO, member: tarfile.TarInfo, maximum: int) -> bytes:
    if member.size > maximum:
        return b""
    position = stream.tell()
    stream.seek(member.offset_data)
    data = stream.read(member.size)
    stream.seek(position)
    return data


def _record(name: str, data: bytes, size: int, maximum: int) -> Record:
    """The submission in a file, or why it is none."""
    match = _NAME.search(name)
    if match is None:
        return BadRecord(name[-200:], "", "not_a_submission", "not named like an arXiv source")
    identifier = match["new"] or f"{match['archive'].lower()}/{match['old']}"
    url = f"https://arxiv.org/abs/{identifier}"
    if size > maximum:
        return BadRecord(identifier, url, "member_too_large", f"{size} bytes")
    digits = match["new"] or match["old"]
    metadata = {"url": url, "timestamp": _month(digits), "language": None, "licence": None}
    return Document(identifier, "arxiv", "", metadata, raw=data)


def _month(digits: str) -> str | None:
    """The year and month in an id; arXiv's years run from 1991."""
    year, month = int(digits[:2]), int(digits[2:4])
    if not 1 <= month <= 12:
        return None
    return f"{(1900 if year >= 91 else 2000) + year}-{month:02}"
