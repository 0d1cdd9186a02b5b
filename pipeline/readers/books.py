"""Books in any of their packages: text, HTML and EPUB files, archives of them, JSON Lines.

A file is a document whose `raw` is the file; a JSON line one whose `text` is its field. A file's
path, below the input and inside its archive, is the document's id and its metadata `path`; `form`
is `text`, `html` or `epub`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from filters.books.header import LANGUAGES
from filters.document import Document
from pipeline.readers.archive_members import ArchiveSettings, Member, read_members
from pipeline.readers.dump_file import UnreadableDumpError, open_dump
from pipeline.readers.epub import read_epub
from pipeline.readers.jsonl import JsonLine, read_jsonl
from pipeline.readers.records import BadRecord, Record, Records, SkippedRecord
from pipeline.store.base import FileInfo

SOURCE = "books"
JSON_LINES = re.compile(r"\.(jsonl|ndjson)(\.(gz|bz2|zst))?$", re.IGNORECASE)
ARCHIVE = re.compile(r"\.(zip|tar|tgz|tar\.(gz|bz2|zst))$", re.IGNORECASE)
TEXT = re.compile(r"\.(txt|text)(\.utf-?8)?(\.(gz|bz2|zst))?$", re.IGNORECASE)
HTML = re.compile(r"\.x?html?(\.utf-?8)?(\.(gz|bz2|zst))?$", re.IGNORECASE)
EPUB = re.compile(r"\.epub3?(\.\w+)?$", re.IGNORECASE)
_COMPRESSED = re.compile(r"\.(gz|bz2|zst)$", re.IGNORECASE)
# Forms of books that are not read, and are named among the refused.
UNREAD = re.compile(
    r"\.(pdf|mobi|azw3?|kf8|djvu|docx?|odt|rtf|lit|fb2|tei|tex|7z|rar|xz)(\.\w+)?$", re.IGNORECASE
)
# Lists of files, notices and instructions that stand among books.
_NO_BOOK = re.compile(
    r"^(readme|00?-?index|index|gutindex.*|licen[cs]e|copying|ls-lr|donate-howto|robots|.*-readme)$",
    re.IGNORECASE,
)
_JSON_METADATA = ("title", "author", "language", "url", "timestamp", "licence")


# The same book in another of its forms: what Project Gutenberg adds to a number.
_EDITION = re.compile(
    r"^(?:pg)?(\d+)(?:-(?:0|5|8|h|images(?:-3|-kf8)?|noimages(?:-3)?))?$", re.IGNORECASE
)
# The better source first: markup says what a text leaves to be guessed.
_FORMS = (("html", HTML), ("epub", EPUB), ("text", TEXT))


def form_of(path: str) -> str:
    """`html`, `epub` or `text` by a file's name; empty for anything else."""
    return next((form for form, pattern in _FORMS if pattern.search(path)), "")


def is_named_like_a_book(path: str) -> bool:
    """Whether a file is named like a book, not like a list or a notice."""
    return bool(form_of(path)) and not _NO_BOOK.match(_stem(path))


def _stem(path: str) -> str:
    """A file's name without what says how it is packed."""
    name = PurePosixPath(path).name
    for pattern in (TEXT, HTML, EPUB, ARCHIVE):
        name = pattern.sub("", name)
    return name


def refusals(paths: Iterable[str]) -> dict[str, str]:
    """The paths that are no books, or are books that another of the paths has in a better form.

    Reasons: `not_named_like_a_book`; `same_book_as_html`, `same_book_as_epub`, `same_book_as_txt`
    (a zip beside its text, too); `form_not_read`.
    """
    reasons: dict[str, str] = {}
    best: dict[tuple[str, str], str] = {}
    for path in paths:
        form = form_of(path)
        if UNREAD.search(path):
            reasons[path] = "form_not_read"
        elif form and not is_named_like_a_book(path):
            reasons[path] = "not_named_like_a_book"
        elif form:
            key = _book(path)
            better = min(best.get(key, form), form, key=_rank)
            best[key] = better
    for path in paths:
        form = form_of(path) or ("zip" if path.lower().endswith(".zip") else "")
        found = best.get(_book(path), "") if form and path not in reasons else ""
        if found and _rank(found) < _rank(form):
            reasons[path] = f"same_book_as_{'txt' if found == 'text' else found}"
    return reasons


def _rank(form: str) -> int:
    return [*(name for name, _ in _FORMS), "zip"].index(form)


def _book(path: str) -> tuple[str, str]:
    """What the forms of one book have in common: their folder, and their name or number."""
    stem, folder = _stem(path), PurePosixPath(path).parent
    edition = _EDITION.match(stem)
    if not edition:
        return str(folder), stem
    # 11-h/11-h.htm, beside 11.txt
    if folder.name == stem and stem.lower() != edition[1]:
        folder = folder.parent
    return str(folder), edition[1]


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
        if form_of(part.relative):
            yield _file(stream, part, settings.maximum_member_bytes)
        elif len(parts) == 1:
            yield from _package(stream, part, settings)
        else:
            for record in _package(io.BytesIO(stream.read(part.size)), part, settings):
                if isinstance(record, BadRecord) and record.lost is not None:
                    yield replace(record, lost=record.lost.within(start, part.size))
                else:
                    yield record
        start += part.size


def _file(stream: BinaryIO, part: FileInfo, limit: int) -> Record:
    if part.size > limit:
        stream.seek(part.size, io.SEEK_CUR)
        detail = f"{part.size} bytes > {limit}"
        return BadRecord(part.relative, "", "too_large", detail)
    return _document(part.relative, stream.read(part.size), limit)


def _document(path: str, content: bytes, limit: int) -> Record:
    if not content:
        return BadRecord(path, "", "empty_file")
    form = form_of(path)
    if form == "epub":
        return read_epub(path, content, SOURCE, limit)
    if _COMPRESSED.search(path):
        try:
            content = io.BufferedReader(_unpacked(content, path)).read(limit + 1)
        except UnreadableDumpError as problem:
            return BadRecord(path, "", problem.reason, problem.detail)
        if len(content) > limit:
            return BadRecord(path, "", "too_large", f"more than {limit} bytes")
    return Document(path, SOURCE, metadata={"path": path, "form": form}, raw=content)


def _unpacked(content: bytes, path: str) -> io.RawIOBase:
    return cast(io.RawIOBase, open_dump(io.BytesIO(content), path, is_text=False))


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
            if isinstance(member, BadRecord):
                yield member
            else:
                yield _member(member, path, settings.maximum_member_bytes)


def _member(member: Member, archive: str, limit: int) -> Record:
    if UNREAD.search(member.name):
        return SkippedRecord("form_not_read")
    if not form_of(member.name):
        return SkippedRecord("not_txt")
    if not is_named_like_a_book(member.name):
        return SkippedRecord("not_named_like_a_book")
    return _document(f"{archive}/{member.name}", member.content, limit)


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
    return Document(line.id, SOURCE, text, {**metadata, "path": line.id, "form": "text"})
