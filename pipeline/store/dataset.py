"""A dataset: what its `manifest.json` says, and nothing else that lies in its folder.

    manifest.json                    the head, the only name that is written more than once
    tables/<run>.<step>.<number>.*.parquet    a row a unit: its input, key, files, counts
    documents/<unit>.<attempt>.parquet        what was kept
    rejected/<unit>.<attempt>.parquet         what was dropped, with stage and reason
    work/                            what earlier steps made, and records of finished units

The manifest appears when everything it names is there. Whoever reads the dataset reads the files
that it names; a folder without one is no dataset yet, or none of ours.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import orjson

from pipeline.errors import InputError, OutputError
from pipeline.store import files
from pipeline.store.accounting import json_bytes
from pipeline.store.base import NEW, FileInfo
from pipeline.store.records import OutputFile, UnitRecord
from pipeline.store.tables import TableFile, read_records, read_table
from pipeline.store.units import unit_name
from tokenizer.shards.manifest import KIND as TOKENS

FORMAT_VERSION = 2
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Shard:
    """A document shard of a dataset.

    Attributes:
        unit: that it is of.
        path: where it is.
        size: in bytes.
        sha256: of its content; empty for a file that no manifest names.
        rows: documents in it; -1 for a file that no manifest names.
        content: hash of the unit's documents and rejects.
    """

    unit: str
    path: str
    size: int
    sha256: str
    rows: int
    content: str


class Dataset:
    """A finished documents dataset.

    Raises:
        InputError: the folder holds none.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.manifest = read_head(folder)
        if self.manifest.get("kind") == TOKENS:
            raise InputError(f"{folder} holds tokens, not documents")
        if self.manifest.get("format_version") != FORMAT_VERSION or "tables" not in self.manifest:
            raise InputError(
                f"{folder} was written by another version of Roving; run the command that made it "
                "again, into another folder"
            )
        self.tables = tuple(TableFile(**table) for table in self.manifest["tables"])

    def records(self) -> Iterator[UnitRecord]:
        """The records of all units, in order of unit."""
        yield from sorted(read_records(self.folder, self.tables), key=lambda record: record.unit)

    @cached_property
    def shards(self) -> list[Shard]:
        """The document shards, in order of unit."""
        found = []
        for table in self.tables:
            read = read_table(self.folder, table, ["unit", "content", "files"])
            for row in read.to_pylist():
                for file in row["files"]:
                    if file["kind"] == "documents":
                        path = files.join(self.folder, file["name"])
                        size, sha256, rows = file["bytes"], file["sha256"], file["rows"]
                        found.append(Shard(row["unit"], path, size, sha256, rows, row["content"]))
        return sorted(found, key=lambda shard: shard.unit)

    def files(self, kind: str | None = None) -> Iterator[OutputFile]:
        """The files that the manifest names, of one kind or of all, in order of unit."""
        for record in self.records():
            for file in record.files:
                if kind in (None, file.kind):
                    yield file

    def full(self, name: str) -> str:
        """Full path of a file that a record names."""
        return files.join(self.folder, name)


def read_head(folder: str) -> dict[str, Any]:
    """The manifest of a folder, whatever it is of.

    Raises:
        InputError: there is none, or it is damaged.
    """
    path = files.join(folder, MANIFEST)
    try:
        head = orjson.loads(files.read_bytes(path))
    except FileNotFoundError:
        raise InputError(no_manifest(folder)) from None
    except (ValueError, NotADirectoryError) as error:
        raise InputError(f"{path} is damaged: {error}") from None
    if not isinstance(head, dict):
        raise InputError(f"{path} is damaged: it holds no object")
    return head


def no_manifest(folder: str) -> str:
    """What to say of a folder that is no finished dataset."""
    found = next(iter(files.list_files(files.join(folder, "work"))), None)
    if found is not None:
        return (
            f"{folder} has no {MANIFEST}: the run that makes it has not ended; run the same "
            "command again to finish it"
        )
    if any(file.relative.endswith(".parquet") for file in files.list_files(folder)):
        return (
            f"{folder} has no {MANIFEST}: it is no dataset of ours. Its Parquet files are taken "
            "as they are by `roving dedup`, `decontaminate` and `tokenize` if --foreign is given"
        )
    return f"{folder} is no dataset: there is no {MANIFEST} in it"


def foreign_shards(folder: str) -> list[Shard]:
    """The Parquet files of a folder that is not ours, in order of name.

    Those below `documents/`, if there is such a folder. A file's identity stands for its content.

    Raises:
        InputError: there are none.
    """
    inner = files.list_files(files.join(folder, "documents"))
    found = [
        file
        for file in inner or files.list_files(folder)
        if file.relative.endswith(".parquet") and not file.relative.startswith(".")
    ]
    if not found:
        raise InputError(f"there is no *.parquet in {folder}")
    return [
        Shard(foreign_name(file), file.path, file.size, "", -1, file.identity) for file in found
    ]


def foreign_name(file: FileInfo) -> str:
    """The unit that a foreign file is: its own name, or, where that is no unit's, one like it."""
    stem = file.relative.removesuffix(".parquet")
    return stem if re.fullmatch(r"[A-Za-z0-9_-]+", stem) else unit_name(file.relative)


def check_named(folder: str, tables: Sequence[TableFile]) -> None:
    """Fail if a file that tables name is not there, or has another size; one listing a kind.

    Raises:
        OutputError: it is so.
    """
    named = {
        file["name"]: file["bytes"]
        for table in tables
        for files_of in read_table(folder, table, ["files"])["files"].to_pylist()
        for file in files_of or ()
    }
    for kind in sorted({files.split(name)[0] for name in named}):
        for file in files.store_of(folder).list(files.join(folder, kind)):
            if named.get(f"{kind}/{file.relative}") == file.size:
                del named[f"{kind}/{file.relative}"]
    if named:
        raise OutputError(
            f"{folder}: {len(named):,} files that were written are gone (for example "
            f"{min(named)}): something else removes files there; run the same command again"
        )


def put_manifest(
    folder: str, content: Mapping[str, Any], seen: str, tables: Sequence[TableFile]
) -> None:
    """Replace the head of a dataset, when all that it names is there.

    Args:
        folder: the dataset's.
        content: of the manifest.
        seen: identity of the manifest when the run began, empty if there was none.
        tables: of the dataset.

    Raises:
        OutputError: a file is gone, or another run has finished the dataset since.
    """
    check_named(folder, tables)
    path = files.join(folder, MANIFEST)
    if not files.write_bytes(path, json_bytes(content), seen or NEW):
        raise OutputError(
            f"another run finished {folder} while this one was under way; its dataset stands. "
            "Run the same command again to make it anew"
        )


def manifest_identity(folder: str) -> str:
    """The identity of the manifest that is there now; empty if there is none."""
    found = files.stat(files.join(folder, MANIFEST))
    return found.identity if found else ""


def content_of(units: Sequence[tuple[str, str]]) -> str:
    """SHA-256 of a dataset's content: of each unit its name and the hash of its content."""
    listed = "\n".join(f"{unit} {content}" for unit, content in sorted(units))
    return hashlib.sha256(listed.encode()).hexdigest()


def plain_tables(tables: Sequence[TableFile]) -> list[dict[str, Any]]:
    """Tables as a manifest names them."""
    return [asdict(table) for table in tables]
