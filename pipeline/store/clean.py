"""Removal of what nobody needs any more: files of attempts that a finished dataset does not name.

Only under the folder's claim, only after the manifest has been replaced, and only what runs wrote
that have said that they ended. Records go before the files that they name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.store import files
from pipeline.store.accounting import read_json
from pipeline.store.base import FileInfo
from pipeline.store.claim import Claim
from pipeline.store.commit import ATTEMPT_DIGITS, RUN_DIGITS
from pipeline.store.local import half_written
from pipeline.store.records import UnitRecord

_ATTEMPT = re.compile(rf"\.([0-9a-f]{{{RUN_DIGITS}}})[0-9a-f]{{{ATTEMPT_DIGITS}}}\.[a-z.]+$")
_DONE = re.compile(r"work/.+/done/[^/]+\.json$")
_TRACE = re.compile(r"work/.+/(attempts|skips)/")
_RUN = re.compile(rf"work/runs/([0-9a-f]{{{RUN_DIGITS}}})/")

# Folders of a dataset that are all its own; another dataset may stand beside them.
OWN = ("documents", "rejected", "train", "validation", "tables", "work")


@dataclass(frozen=True)
class Orphans:
    """What can go.

    Attributes:
        records: of units, that nothing finished is made of.
        files: of attempts, that nothing names.
        half_written: local files that were never published.
        traces: of ended runs, and of attempts at units.
        waiting: runs that have not said that they ended: while there are some, nothing goes.
    """

    records: list[FileInfo]
    files: list[FileInfo]
    half_written: list[FileInfo]
    traces: list[FileInfo]
    waiting: list[str]

    def __iter__(self) -> Iterator[FileInfo]:
        """In the order in which they may be deleted."""
        yield from self.records
        yield from self.files
        yield from self.half_written
        yield from self.traces

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(file.size for file in self)


def find_orphans(root: str, named: Collection[str], own: Sequence[str] = ()) -> Orphans:
    """What of a dataset's folder no finished dataset needs.

    Args:
        root: the folder.
        named: paths below it that stay: what the manifest names, and records and files that a
            rerun would take over.
        own: runs that have ended, whatever they left.
    """
    found = [file for name in OWN for file in _below(root, name)]
    ended = {*own, *_ended(root, found)}
    waiting = {match[1] for file in found if (match := _RUN.match(file.relative))} - ended
    if waiting:
        return Orphans([], [], [], [], sorted(waiting))
    records, orphans, traces = [], [], []
    for file in found:
        if file.relative in named:
            continue
        if _RUN.match(file.relative) or _TRACE.match(file.relative):
            traces.append(file)
        elif _DONE.match(file.relative):
            records.append(file)
        elif _ATTEMPT.search(file.relative):
            orphans.append(file)
    return Orphans(records, orphans, _half_written(root), traces, [])


def _below(root: str, name: str) -> Iterator[FileInfo]:
    for file in files.list_files(files.join(root, name)):
        yield replace(file, relative=f"{name}/{file.relative}")


def _half_written(root: str) -> list[FileInfo]:
    if not files.is_local(root):
        return []
    paths = [path for name in OWN for path in half_written(files.join(root, name))]
    return [FileInfo(path, path, Path(path).stat().st_size) for path in paths]


def _ended(root: str, found: Sequence[FileInfo]) -> set[str]:
    """Runs that said that they ended, and local ones: under the claim no other is alive."""
    ended = set()
    for file in found:
        match = _RUN.match(file.relative)
        if (match and file.relative.endswith("/ended.json")) or (
            match
            and file.relative.endswith("/started.json")
            and files.is_local(root)
            and read_json(file.path).get("local")
        ):
            ended.add(match[1])
    return ended


# Files that are deleted before the claim is looked at again.
BATCH = 1000


def delete(orphans: Orphans, claim: Claim) -> None:
    """Delete them while the claim holds."""
    found = [file.path for file in orphans]
    for first in range(0, len(found), BATCH):
        if not claim.holds():
            return
        files.delete(found[first : first + BATCH])


def named_by_records(
    root: str, superseded: Collection[str] = (), finished: Collection[str] = ()
) -> set[str]:
    """Records of finished units, the files that they name, and what is known of attempts.

    As paths below the folder.

    Args:
        root: the folder.
        superseded: runs of which the dataset's own units are left out (`superseded_runs`).
        finished: names of records that stay all the same: the dataset is made of them.
    """
    named = set()
    for file in _below(root, "work"):
        if _DONE.match(file.relative):
            record = UnitRecord.from_bytes(files.read_bytes(file.path))
            paths = [one.name for one in record.files]
            if record.name in finished or not any(_is_own_of(path, superseded) for path in paths):
                named |= {file.relative, *paths}
        elif _TRACE.match(file.relative):
            named.add(file.relative)
    return named


def _is_own_of(path: str, runs: Collection[str]) -> bool:
    """Whether a file is the dataset's, not an earlier step's, and one of these runs wrote it."""
    match = _ATTEMPT.search(path)
    return not path.startswith("work/") and match is not None and match[1] in runs


def superseded_runs(root: str, by: str) -> set[str]:
    """Runs that had begun before one did that has finished the dataset since.

    Args:
        root: the folder.
        by: the run that finished it.
    """
    began = {
        match[1]: float(read_json(file.path)["time"])
        for file in _below(root, "work/runs")
        if (match := _RUN.match(file.relative)) and file.relative.endswith("/started.json")
    }
    return {run for run, time in began.items() if time < began.get(by, 0.0)}
