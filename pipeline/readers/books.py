"""Books in any of their packages: text files, zip and tar archives of them, JSON Lines.

A text file is a document whose `raw` is the file; a JSON line one whose `text` is its field. A
file's path, below the input and inside its archive, is the document's id and its metadata `path`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import BinaryIO

from filters.books.header import LANGUAGES
from filters.document import Document
from pipeline.readers.archive_members import ArchiveSettings, Member, read_members
from pipeline.readers.jsonl import JsonLine, read_jsonl
from pipeline.readers.records import BadRecord, Record, Records, SkippedRecord
from pipeline.store.base import FileInfo

SOURCE = "books"
JSON_LINES = re.compile(r"\.(jsonl|ndjson)(\.(gz|bz2|zst))?$", re.IGNORECASE)
ARCHIVE = re.compile(r"\.(zip|tar|tgz|tar\.(gz|bz2|zst))$", re.IGNORECASE)
TEXT = re.compile(r"\.(txt|text)$", re.IGNORECASE)
# Lists of files, notices and instructions that stand among books.
_NO_BOOK = re.compile(
    r"^(readme|00?-?index|index|gutindex.*|licen[cs]e|copying|ls-lr|donate-howto|robots|.*-readme)$",
    re.IGNORECASE,
)
_JSON_METADATA = ("title", "author", "language", "url", "timestamp", "licence")


def is_text_of_book(path: str) -> bool:
    """Whether a path is named like a text that is a book, not like a list or a notice."""
    return bool(TEXT.search(path)) and not _NO_BOOK.match(PurePosixPath(path).stem)


def read_books(stream: BinaryIO, parts: Sequence[FileInfo], settings: ArchiveSettings) -> Records:
    """Every book of some files; never raises for bad input.

    Reasons: `empty_file`, `too_large`, `unsafe_name`, and those of the readers of archives and
    JSON Lines. Members of an archive that are no text, or are named like a list, are skipped.

    Args:
        stream: the files' own bytes, one file after another, seekable.
        parts: the files, in that order.
        settings: the limits; a text file and a line count as members.
    """
    start = 0
    for part in parts:
        if TEXT.search(part.relative):
            yield _text_file(stream, part, settings.maximum_member_bytes)
        elif len(parts) == 1:
            yield from _package(stream, part, settings)
        else:
            for record in _package(io.BytesIO(stream.read(part.size)), part, settings):
                if isinstance(record, BadRecord) and record.lost is not None:
                    yield replace(record, lost=record.lost.within(start, part.size))
                else:
                    yield record
        start += part.size


def _text_file(stream: BinaryIO, part: FileInfo, limit: int) -> Record:
    if part.size > limit:
        stream.seek(part.size, io.SEEK_CUR)
        detail = f"{part.size} bytes > {limit}"
        return BadRecord(part.relative, "", "too_large", detail)
    content = stream.read(part.size)
    return _document(part.relative, content)


def _document(path: str, content: bytes) -> Record:
    if not content:
        return BadRecord(path, "", "empty_file")
    return Document(path, SOURCE, metadata={"path": path}, raw=content)


def _package(stream: BinaryIO, part: FileInfo, settings: ArchiveSettings) -> Records:
    path = part.relative
    if part.size == 0:
        yield BadRecord(path, "", "empty_file")
    elif JSON_LINES.search(path):
        limit = settings.maximum_member_bytes
        for line in read_jsonl(stream, name=path, maximum_line_bytes=limit):
            yield line if isinstance(line, BadRecord) else _json_book(line)
    else:
        for member in read_members(stream, path, part.size, settings):
            yield member if isinstance(member, BadRecord) else _member(member, path)


def _member(member: Member, archive: str) -> Record:
    if not TEXT.search(member.name):
        return SkippedRecord("not_txt")
    if not is_text_of_book(member.name):
        return SkippedRecord("not_named_like_a_book")
    return _document(f"{archive}/{member.name}", member.content)


def _json_book(line: JsonLine) -> Record:
    text = line.text("text")
    if not text:
        return BadRecord(line.id, line.text("url"), "no_text", "no string in the field text")
    metadata = {name: value for name in _JSON_METADATA if (value := line.text(name))}
    if "licence" not in metadata and (licence := line.text("license")):
        metadata["licence"] = licence
    if language := LANGUAGES.get(metadata.get("language", "").lower()):
        metadata["language"] = language
    own = line.fields.get("id")
    if isinstance(own, (str, int)) and str(own):
        metadata["given_id"] = str(own)
    return Document(line.id, SOURCE, text, {**metadata, "path": line.id})
