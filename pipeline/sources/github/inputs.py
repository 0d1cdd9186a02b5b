"""What lies in an input folder: BigQuery's tables, or repositories as folders and archives."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import orjson
import xxhash

from pipeline.errors import InputError
from pipeline.sources.github.tables import Kind
from pipeline.store import files
from pipeline.store.inputs import Inputs
from pipeline.store.names import escape_name
from pipeline.store.units import Unit, unit_name, unit_of, write_list

_TABLE = re.compile(
    r"(?:^|/)(contents|files|licenses)(?:[-_.][^/]*|/[^/]*)?\.(?:parquet|avro|jsonl?|ndjson)"
    r"(?:\.gz|\.bz2)?$"
)
_ARCHIVE = re.compile(r"\.(?:tar|tar\.gz|tgz|tar\.bz2)$")
LOOKED_FOR = (
    "BigQuery's contents-*, files-* and licenses-* as .parquet, .avro or .jsonl(.gz), or "
    "repositories as folders or .tar(.gz)"
)


def find_tables(inputs: Inputs) -> list[Unit]:
    """The files of the tables; none if there is none of contents.

    Args:
        inputs: that hold them.

    Raises:
        InputError: some of the three tables are there and others not.
    """
    tables: dict[Kind, list[Unit]] = {"files": [], "licenses": [], "contents": []}
    for file in inputs.files():
        kind = _table(file.relative)
        if kind is not None and "/.git/" not in file.relative:
            tables[kind].append(unit_of(file))
    if not tables["contents"]:
        return []
    missing = [kind for kind, units in tables.items() if not units]
    if missing:
        raise InputError(
            f"{inputs} has the table contents but not {' and '.join(missing)}; all three "
            "are needed: contents-*, files-*, licenses-*"
        )
    return [unit for units in tables.values() for unit in units]


def units_by_table(units: Sequence[Unit]) -> dict[Kind, list[Unit]]:
    """The units of BigQuery's tables by their table; empty where there is none of contents."""
    tables: dict[Kind, list[Unit]] = {}
    for unit in units:
        kind = _table(unit.relative)
        if kind is not None:
            tables.setdefault(kind, []).append(unit)
    return tables if "contents" in tables else {}


def is_parquet(unit: Unit) -> bool:
    """Whether a unit of a table is a Parquet file, by its name."""
    return unit.relative.endswith(".parquet")


def _table(relative: str) -> Kind | None:
    match = _TABLE.search(relative)
    return cast(Kind, match[1]) if match else None


@dataclass(frozen=True)
class Repository:
    """A repository.

    Attributes:
        name: `owner/name`, or `name` where no owner is known; what is no UTF-8 in it escaped
            (`pipeline.store.names`).
        path: of the archive, or of the folder, as it can be opened.
        is_folder: whether it is a folder.
        size: bytes of an archive.
    """

    name: str
    path: str
    is_folder: bool
    size: int = 0


def find_repositories(folder: str) -> list[Repository]:
    """Repositories: the folder itself or archive given, or those one or two levels below.

    A folder is a repository if it has a `.git` or a file other than archives; a folder that has
    only folders and archives is an owner.

    Raises:
        InputError: there is none.
    """
    if not files.is_local(folder):
        found = [
            Repository(_ARCHIVE.sub("", file.relative), file.path, False, file.size)
            for file in files.list_files(folder)
            if _ARCHIVE.search(file.relative)
        ]
    elif Path(folder).is_file():
        one = Path(folder)
        name = escape_name(_ARCHIVE.sub("", one.name))
        found = [Repository(name, folder, False, one.stat().st_size)]
        found = found if _ARCHIVE.search(one.name) else []
    else:
        found = list(_below(Path(folder), "", 2))
    if not found:
        raise InputError(f"there is no input in {folder!r}; looked for {LOOKED_FOR}")
    return sorted(found, key=lambda repository: repository.name)


def _below(folder: Path, name: str, levels: int) -> Iterator[Repository]:
    children = sorted(child for child in folder.iterdir() if not child.is_symlink())
    archives = [child for child in children if child.is_file() and _ARCHIVE.search(child.name)]
    others = [child for child in children if child.is_file() and child not in archives]
    prefix = f"{name}/" if name else ""
    if others or (folder / ".git").is_dir() or not levels:
        yield Repository(name or escape_name(folder.resolve().name), str(folder), True)
        return
    for archive in archives:
        inner = prefix + escape_name(_ARCHIVE.sub("", archive.name))
        yield Repository(inner, str(archive), False, archive.stat().st_size)
    for child in children:
        if child.is_dir():
            yield from _below(child, prefix + escape_name(child.name), levels - 1)


def unit_of_repository(repository: Repository, lists: str) -> Unit:
    """The unit; the files of a folder are listed first, and are read and hashed in that order."""
    name = unit_name(repository.name)
    if not repository.is_folder:
        path = escape_name(repository.path)
        relative = files.split(path)[1]
        found = files.stat(path)
        identity = found.identity if found else ""
        return Unit(name, path, relative, repository.size, identity, group=repository.name)
    entries, folder = list(_walk(Path(repository.path))), escape_name(repository.path)
    listing = [
        [relative, size, files.join(folder, relative), kind] for relative, size, kind, _ in entries
    ]
    path = write_list(lists, listing)
    names = orjson.dumps([[relative, kind] for relative, _, kind, _ in entries])
    identity = xxhash.xxh3_128_hexdigest(orjson.dumps(entries))
    size = sum(entry[1] for entry in entries)
    return Unit(
        name,
        folder,
        repository.name,
        max(1, size),
        identity,
        group=repository.name,
        version=xxhash.xxh3_64_hexdigest(names),
        members=path,
    )


def _walk(folder: Path) -> Iterator[tuple[str, int, str, int]]:
    """Path, size, kind and modification time of every file, in order of path.

    Links are named and not followed.
    """
    found = []
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        for name in [*names, *(name for name in folders if Path(root, name).is_symlink())]:
            path = Path(root, name)
            relative = escape_name(path.relative_to(folder).as_posix())
            if path.is_symlink():
                found.append((relative, 0, "symlink", 0))
            elif path.is_file():
                status = path.stat()
                found.append((relative, status.st_size, "file", status.st_mtime_ns))
            else:
                found.append((relative, 0, "not_a_file", 0))
    yield from sorted(found)
