"""The work unit: one input file, or a stated slice of a large one.

It is the unit of parallelism, of atomic output, of resume, of progress and of memory. What a unit
becomes depends on its input and the recipe alone, never on workers, bundles or time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

import orjson
import xxhash

from pipeline import files
from pipeline.errors import InputError


@dataclass(frozen=True, slots=True)
class Unit:
    """One work unit.

    Attributes:
        name: unique in a dataset and safe as a file name; output files are `part-<name>.*`.
        path: full path of the input file.
        relative: path below the input folder, for reports.
        size: bytes of input, for progress and for handing out the largest first.
        group: scope label of deduplication (a snapshot), empty where there is none.
        offset: where a slice starts, in bytes.
        length: bytes of a slice, whose last record may end behind it; 0 for a whole file.
        version: what else decides the unit's result: a hash of the decisions on it, or of the
            names and sizes of its members.
        members: path of the list of the files that the unit is made of, below the folder `path`;
            empty for a unit that is one file. Its bytes are theirs, one file after another.
    """

    name: str
    path: str
    relative: str
    size: int
    group: str = ""
    offset: int = 0
    length: int = 0
    version: str = ""
    members: str = ""

    def fingerprint(self, of_pass: str) -> str:
        """Under which the unit is committed: the pass's, and what concerns this unit alone."""
        return f"{of_pass}-{self.version}" if self.version else of_pass


def unit_name(relative: str, offset: int = 0) -> str:
    """A readable, file-system safe and unique name for a file (or a slice of it)."""
    where = relative if not offset else f"{relative}@{offset}"
    stem = re.sub(r"\.(gz|bz2|zst|7z|xz|xml|parquet|txt|tar)\b", "", relative)
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", stem).strip("._")[-80:]
    return f"{safe}-{xxhash.xxh3_64_hexdigest(where.encode())[:8]}"


def unit_of(file: files.FileInfo, group: str = "", part: tuple[int, int] = (0, 0)) -> Unit:
    """The unit that is a whole file, or a slice of it given as (offset, length)."""
    offset, length = part
    name = unit_name(file.relative, offset)
    return Unit(name, file.path, file.relative, length or file.size, group, offset, length)


def group_units(
    folder: str, found: Sequence[files.FileInfo], lists: str, *, most_files: int, most_bytes: int
) -> list[Unit]:
    """Units of many small files each, in the order of listing; a large file is one by itself.

    The names of a group's files are written to `lists`, so that a unit stays small however many
    they are. The same files give the same units; one more or one less moves the borders.

    Args:
        folder: that was listed.
        found: files below it.
        lists: folder for the lists, below the output.
        most_files, most_bytes: of a group.
    """
    groups: list[list[files.FileInfo]] = [[]]
    size = 0
    for file in found:
        if groups[-1] and (len(groups[-1]) >= most_files or size + file.size > most_bytes):
            groups.append([])
            size = 0
        groups[-1].append(file)
        size += file.size
    return [
        unit_of(group[0]) if len(group) == 1 else _group_unit(folder, group, lists)
        for group in groups
        if group
    ]


def _group_unit(folder: str, group: list[files.FileInfo], lists: str) -> Unit:
    first = group[0].relative
    name = unit_name(first)
    listing = orjson.dumps([[file.relative, file.size] for file in group])
    path = files.join(lists, f"part-{name}.json")
    with files.atomic_write(path) as output:
        output.write(listing)
    return Unit(
        name,
        folder,
        f"{first} and {len(group) - 1} more",
        sum(file.size for file in group),
        version=xxhash.xxh3_64_hexdigest(listing),
        members=path,
    )


def members(unit: Unit) -> list[files.FileInfo]:
    """The files that a unit is made of."""
    if not unit.members:
        return [files.FileInfo(unit.path, unit.relative, unit.size)]
    listing = orjson.loads(files.read_bytes(unit.members))
    return [
        files.FileInfo(files.join(unit.path, relative), relative, size)
        for relative, size in listing
    ]


def open_unit(unit: Unit) -> files.HashingReader:
    """The unit's bytes: a file, a slice of it and what follows, or its members one by one."""
    if unit.members:
        return files.HashingReader(cast(BinaryIO, files.JoinedReader(members(unit))))
    return files.HashingReader(files.open_read(unit.path), unit.offset, unit.length or None)


def find_inputs(folder: str, pattern: str, looked_for: str) -> list[files.FileInfo]:
    """Files below `folder` whose relative path matches a regular expression.

    Args:
        folder: a folder, or one file.
        pattern: searched in the relative path, ignoring case.
        looked_for: the pattern in words a person understands, for the error.

    Raises:
        InputError: nothing is there, or nothing matches.
    """
    found = files.list_files(folder)
    if not found:
        raise InputError(f"there is no file at or below {folder!r}; looked for {looked_for}")
    expression = re.compile(pattern, re.IGNORECASE)
    matching = [file for file in found if expression.search(file.relative)]
    if not matching:
        examples = ", ".join(file.relative for file in found[:3])
        raise InputError(
            f"none of the {len(found)} files below {folder!r} is input for this source; "
            f"looked for {looked_for}; found for example {examples}"
        )
    return matching
