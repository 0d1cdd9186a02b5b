"""The work unit: one input file, or a stated slice of a large one.

It is the unit of parallelism, of atomic output, of resume, of progress and of memory. What a unit
becomes depends on its input and the recipe alone, never on workers, bundles or time.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, cast

import orjson
import xxhash

from pipeline.store import files
from pipeline.store.base import NEW, FileInfo
from pipeline.store.streams import HashingReader, JoinedReader

# Kind of a unit's input that is the record of an earlier step.
RECORD = "record"


@dataclass(frozen=True, slots=True)
class Skip:
    """A record that is not to be tried again, because it ends the process or never ends.

    Attributes:
        record: number among the unit's records, those that carry no document by design apart.
        stage: that does not get past it; the reader's means that all that follows is lost.
        reason: of its rejection.
        detail: for people.
        identity: hash of that of the unit's input (`identity_hash`).
    """

    record: int
    stage: str
    reason: str
    detail: str
    identity: str


@dataclass(frozen=True, slots=True)
class Unit:
    """One work unit.

    Attributes:
        name: unique in a dataset and safe as a file name; output files are `<name>.<attempt>.*`.
        path: full path of the input file.
        relative: path below the input folder, for reports, and for what is told from names.
        size: bytes of input, for progress and for handing out the largest first; 0 where the
            listing does not say.
        identity: of the input as it was listed: another one whenever the content may be another;
            empty where whoever reads it looks.
        group: what the unit belongs to: a snapshot, a repository; empty where there is none.
        offset: where a slice starts, in bytes.
        length: bytes of a slice, whose last record may end behind it; 0 for a whole file.
        version: what else decides the unit's result: a hash of the decisions on it, or of the
            names of its members.
        members: path of the list of the files that the unit is made of; empty for a unit that is
            one file. Its bytes are theirs, one file after another.
        inputs: what earlier steps made for the unit, kind -> path: their records, decisions.
        earlier: names of records of the same key, made of an input with another identity.
        skipped: records that are not to be tried again, in order.
    """

    name: str
    path: str
    relative: str
    size: int
    identity: str = ""
    group: str = ""
    offset: int = 0
    length: int = 0
    version: str = ""
    members: str = ""
    inputs: tuple[tuple[str, str], ...] = ()
    earlier: tuple[str, ...] = ()
    skipped: tuple[Skip, ...] = ()

    def key(self, fingerprint: str) -> str:
        """Under which the unit is committed: the step, the unit's declaration, what concerns it."""
        return self._key(fingerprint, self.skipped)

    def first_key(self, fingerprint: str) -> str:
        """The key before any record of the unit was skipped."""
        return self._key(fingerprint, ())

    def _key(self, fingerprint: str, skipped: tuple[Skip, ...]) -> str:
        parts = [fingerprint, self.relative, self.offset, self.length, self.group, self.version]
        encoded = orjson.dumps([*parts, skipped])
        return hashlib.sha256(encoded).hexdigest()[:16]

    def skips_of(self, stage: str) -> dict[int, Skip]:
        """What a stage is to skip, by number of record."""
        return {skip.record: skip for skip in self.skipped if skip.stage == stage}

    def of_this_input(self) -> Unit:
        """The unit without skips that were found with another input, as far as that is known."""
        if not self.skipped or not self.identity:
            return self
        identity = identity_hash(self.identity)
        return replace(self, skipped=tuple(s for s in self.skipped if s.identity == identity))

    def made(self, kind: str) -> list[str]:
        """Paths of what earlier steps made for the unit."""
        return [path for name, path in self.inputs if name == kind]


def identity_hash(identity: str) -> str:
    """Short hash of the identity of an input, for names."""
    return xxhash.xxh3_64_hexdigest(identity.encode())[:8]


def unit_name(relative: str, offset: int = 0) -> str:
    """A readable, file-system safe and unique name for a file (or a slice of it)."""
    where = relative if not offset else f"{relative}@{offset}"
    stem = re.sub(r"\.(gz|bz2|zst|7z|xz|xml|parquet|txt|tar)\b", "", relative)
    safe = re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_")[-80:]
    return f"{safe}-{xxhash.xxh3_64_hexdigest(where.encode())[:8]}"


def unit_of(file: FileInfo, group: str = "") -> Unit:
    """The unit that is a whole file."""
    name = unit_name(file.relative)
    return Unit(name, file.path, file.relative, file.size, file.identity, group)


def part_of(unit: Unit, part: tuple[int, int]) -> Unit:
    """A slice, given as (offset, length), of a unit that is a whole file."""
    offset, length = part
    name = unit_name(unit.relative, offset)
    return replace(unit, name=name, size=length, offset=offset, length=length)


def group_units(
    found: Sequence[FileInfo], lists: str, *, most_files: int, most_bytes: int
) -> list[Unit]:
    """Units of many small files each; a large file is one by itself.

    Where a group ends follows from the names in it: one file more or less changes its own group.
    The files of a group are listed in `lists`, so that a unit stays small however many they are.

    Args:
        found: files, in order.
        lists: folder for the lists, below the output.
        most_files, most_bytes: of a group.
    """
    small = [file for file in found if file.size <= most_bytes]
    groups = [[file] for file in found if file.size > most_bytes]
    for run in _runs(small, max(1, most_files // 2)):
        groups += _cut(run, most_files, most_bytes)
    units = [
        unit_of(group[0]) if len(group) == 1 else _group_unit(group, lists) for group in groups
    ]
    return sorted(units, key=lambda unit: unit.relative)


def border(relative: str) -> int:
    """A number that a name alone decides, by which groups of files begin and end."""
    return xxhash.xxh3_64_intdigest(relative.encode())


def _runs(found: Sequence[FileInfo], typical: int) -> Iterator[list[FileInfo]]:
    """Consecutive files up to one whose name says that a run ends, one in `typical` of all."""
    run: list[FileInfo] = []
    for file in found:
        run.append(file)
        if border(file.relative) % typical == 0:
            yield run
            run = []
    if run:
        yield run


def _cut(run: list[FileInfo], most_files: int, most_bytes: int) -> list[list[FileInfo]]:
    """A run that is too large is cut in front of the name with the smallest hash, again and again.

    So where it is cut does not depend on how many names stand before.
    """
    done, left = [], [run]
    while left:
        group = left.pop()
        if len(group) <= most_files and sum(file.size for file in group) <= most_bytes:
            done.append(group)
            continue
        at = min(range(1, len(group)), key=lambda index: border(group[index].relative))
        left += [group[at:], group[:at]]
    return done


def _group_unit(group: list[FileInfo], lists: str) -> Unit:
    first = group[0].relative
    path = write_list(lists, [[file.relative, file.size, file.path] for file in group])
    names = orjson.dumps([file.relative for file in group])
    return Unit(
        unit_name(first),
        files.split(group[0].path)[0],
        f"{first} and {len(group) - 1} more",
        sum(file.size for file in group),
        identity_of(group),
        version=xxhash.xxh3_64_hexdigest(names),
        members=path,
    )


def identity_of(found: Sequence[FileInfo]) -> str:
    """The identity of several files together."""
    listed = orjson.dumps([[file.relative, file.identity] for file in found])
    return xxhash.xxh3_128_hexdigest(listed)


def write_list(folder: str, entries: list[list[object]]) -> str:
    """Write a list under a name that its content decides; returns the path."""
    listing = orjson.dumps(entries)
    path = files.join(folder, f"{xxhash.xxh3_128_hexdigest(listing)}.json")
    if not files.exists(path):
        files.write_bytes(path, listing, NEW)
    return path


def members(unit: Unit) -> list[FileInfo]:
    """The files that a unit is made of."""
    if not unit.members:
        return [FileInfo(unit.path, unit.relative, unit.size, unit.identity)]
    listing = orjson.loads(files.read_bytes(unit.members))
    return [FileInfo(path, relative, size) for relative, size, path, *_ in listing]


def open_unit(unit: Unit) -> HashingReader:
    """The unit's bytes: a file, a slice of it and what follows, or its members one by one."""
    if unit.members:
        return HashingReader(cast(BinaryIO, JoinedReader(members(unit))))
    return HashingReader(files.open_read(unit.path), unit.offset, unit.length or None)
