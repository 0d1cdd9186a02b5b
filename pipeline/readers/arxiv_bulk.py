"""Read arXiv's bulk source files: a tar of submissions, or one submission as a file of its own.

Layout (arXiv, "Full Text via S3"): `arXiv_src_YYMM_NNN.tar` holds `YYMM/ID.gz`, each a gzipped tar
or a single gzipped TeX file, and `YYMM/ID.pdf` where PDF is all there is. The outer tar is walked
member by member; a member is held as the compressed bytes it is, and unpacked by the filter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import BinaryIO

from filters.document import Document
from pipeline.readers.dump_file import UnreadableDumpError
from pipeline.readers.records import BadRecord, Record, Records
from pipeline.readers.tar_members import is_safe, walk_tar

# 1406.2692, 0704.0001, astro-ph0001001, math0512345; versions occur in files fetched one by one.
_NAME = re.compile(
    r"(?:^|/)(?:(?P<new>\d{4}\.\d{4,5})|(?P<archive>[a-z]+(?:-[a-z]+)*)_?(?P<old>\d{7}))"
    r"(?P<version>v\d+)?\.(?P<ending>gz|tgz|tar\.gz|pdf|tex|tar)$",
    re.IGNORECASE,
)


def read_arxiv(stream: BinaryIO, relative: str, maximum_member_bytes: int) -> Records:
    """Submissions as documents whose `raw` is their compressed bytes.

    Args:
        stream: seekable bytes of a bulk tar, or of one submission.
        relative: path of the file, whose name tells what it is.
        maximum_member_bytes: larger submissions are rejected unread.
    """
    if _NAME.search(relative):
        data = stream.read(maximum_member_bytes + 1)
        yield _record(relative, len(data), lambda: data, maximum_member_bytes)
        return
    try:
        for member in walk_tar(stream, maximum_bytes=None):
            if member.problem:
                yield BadRecord(member.name[-200:], "", member.problem)
            elif not is_safe(member.name):
                yield BadRecord(member.name[-200:], "", "unsafe_name")
            else:
                yield _record(member.name, member.size, member.read, maximum_member_bytes)
    except UnreadableDumpError as problem:
        yield problem.row(f"{relative}#rest")


def _record(name: str, size: int, read: Callable[[], bytes], maximum: int) -> Record:
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
    return Document(identifier, "arxiv", "", metadata, raw=read())


def _month(digits: str) -> str | None:
    """The year and month in an id; arXiv's years run from 1991."""
    year, month = int(digits[:2]), int(digits[2:4])
    if not 1 <= month <= 12:
        return None
    return f"{(1900 if year >= 91 else 2000) + year}-{month:02}"
