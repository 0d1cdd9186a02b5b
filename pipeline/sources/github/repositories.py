"""Repositories as folders or tar archives: their files as documents, under the licences found.

Nothing is unpacked to disk; a member's name is an identity and never a path to write to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import orjson

from filters.document import Document
from pipeline.readers.dump_file import UnreadableDumpError, open_dump
from pipeline.readers.records import BadRecord, Record, Records, SkippedRecord
from pipeline.readers.tar_members import walk_tar
from pipeline.sources.github.blobs import blob_id
from pipeline.sources.github.licence_files import LicenceFiles, wants
from pipeline.sources.github.licences import LicencePolicy, LicenceText, read_licence
from pipeline.sources.github.settings import GithubInputSettings, LicenceSettings
from pipeline.store import files
from pipeline.store.names import escape_name, unescape_name
from pipeline.store.units import Unit


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a repository, or what stands in its place.

    Attributes:
        path: below the repository, or with the archive's own folder before it; what is no UTF-8 in
            it escaped (`pipeline.store.names`).
        size: in bytes.
        kind: `file`, or the reason why it is none.
        read: gives the content; once, and before the next entry is asked for. `UnreadableFileError`
            where it is not there any more, or its rights do not allow it.
        target: where a symbolic link points; empty where that is not known.
    """

    path: str
    size: int
    kind: str
    read: Callable[[], bytes]
    target: str = ""


class UnreadableFileError(Exception):
    """A file that cannot be opened; others of the repository can."""


Entries: TypeAlias = Callable[[], Iterable[Entry]]


@dataclass(frozen=True)
class ReadRepository:
    """Reads a unit that is a repository.

    Attributes:
        input: limits.
        licences: which are kept.
    """

    input: GithubInputSettings
    licences: LicenceSettings

    def __call__(self, stream: BinaryIO, unit: Unit) -> Records:
        name = unit.group
        if unit.members:
            listing = orjson.loads(files.read_bytes(unit.members))
            yield from self._read(name, lambda: _listed(listing), "")
            return
        stream.seek(0)

        def members() -> Iterator[Entry]:
            stream.seek(0)
            return _members(stream, unit.relative, self.input.maximum_archive_bytes)

        try:
            top = _top_folder(members())
            yield from self._read(name, members, top)
        except UnreadableDumpError as problem:
            yield problem.row(unit.relative)

    def _read(self, name: str, entries: Entries, top: str) -> Records:
        found = self._find_licences(entries(), top)
        for entry in entries():
            yield self._record(name, entry, entry.path[len(top) :], found)

    def _find_licences(self, entries: Iterable[Entry], top: str) -> LicenceFiles:
        found = LicenceFiles(LicencePolicy(self.licences.allowed))
        for entry in entries:
            path = entry.path[len(top) :]
            if not wants(path):
                continue
            if entry.kind == "symlink":
                found.add_link(path, entry.target)
            elif entry.kind == "file":
                found.add(path, *self._licence_text(entry))
        return found

    def _licence_text(self, entry: Entry) -> tuple[str, LicenceText]:
        """A licence file's text and what it holds; nothing, where it cannot be read."""
        if entry.size > self.input.maximum_file_bytes:
            return "", LicenceText()
        try:
            text = entry.read().decode("utf-8", "replace")
        except UnreadableFileError:
            return "", LicenceText()
        return text, read_licence(text, self.licences.minimum_coverage)

    def _record(self, name: str, entry: Entry, path: str, found: LicenceFiles) -> Record:
        if path.startswith(".git/"):
            return SkippedRecord("git_folder")
        identifier = f"{name}@{path}"
        if ".." in path.split("/") or path.startswith("/"):
            return BadRecord(identifier, "", "unsafe_name", path)
        if entry.kind != "file":
            return BadRecord(identifier, "", entry.kind)
        verdict = found.verdict(path)
        if verdict.reason:
            return BadRecord(identifier, "", verdict.reason, verdict.licence)
        metadata = {
            "repository": name,
            "path": path,
            "licence": verdict.licence,
            "licence_files": found.above(path),
        }
        return self._document(identifier, entry, metadata)

    def _document(self, identifier: str, entry: Entry, metadata: dict[str, Any]) -> Record:
        if entry.size > self.input.maximum_file_bytes:
            return BadRecord(identifier, "", "too_large", f"{entry.size} bytes")
        try:
            data = entry.read()
        except UnreadableFileError as problem:
            return BadRecord(identifier, "", "unreadable_file", str(problem))
        return Document(identifier, "github", "", {**metadata, "digest": blob_id(data)}, raw=data)


def _listed(listing: Sequence[Sequence[Any]]) -> Iterator[Entry]:
    """The files of a folder as they were listed."""
    for path, size, full, kind in listing:
        target = _link_target(full) if kind == "symlink" else ""
        yield Entry(path, size, kind, _Reader(full), target)


def _link_target(path: str) -> str:
    """Where a link of a folder points, unfollowed; empty if it is gone."""
    try:
        return escape_name(str(Path(unescape_name(path)).readlink()))
    except OSError:
        return ""


@dataclass(frozen=True)
class _Reader:
    path: str

    def __call__(self) -> bytes:
        try:
            return files.read_bytes(self.path)
        except (FileNotFoundError, PermissionError, NotADirectoryError, IsADirectoryError) as error:
            raise UnreadableFileError(error.strerror) from None


def _members(stream: BinaryIO, name: str, maximum_bytes: int) -> Iterator[Entry]:
    """The members of an archive, in order, without its folders."""
    for member in walk_tar(open_dump(stream, name, is_text=False), maximum_bytes):
        path = member.name.removeprefix("./")
        yield Entry(path, member.size, member.problem or "file", member.read, member.target)


def _top_folder(entries: Iterable[Entry]) -> str:
    """The one folder that holds everything, as in GitHub's archives; empty if there is none."""
    tops = {entry.path.partition("/")[0] if "/" in entry.path else "" for entry in entries}
    top = tops.pop() if len(tops) == 1 else ""
    return f"{top}/" if top not in ("", "..", ".") else ""
