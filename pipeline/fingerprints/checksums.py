"""Checksums of models on this machine: the content of a file, or of all files of a folder."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

from pipeline.errors import InputError


def model_checksum(path: str) -> str:
    """SHA-256 of a file, or over the names, sizes and contents of a folder's files.

    A file is read once per process, and again when its size or modification time is another.

    Raises:
        InputError: it is not there.
    """
    model = Path(path)
    if model.is_file():
        return _file_checksum(model)
    found = sorted((file.relative_to(model).as_posix(), file) for file in _files(model))
    if not found:
        raise InputError(
            f"there is no model at {path}; models must be at the recipe's paths on every machine "
            "of a run, and on the one that starts it, too"
        )
    digest = hashlib.sha256()
    for name, file in found:
        entry = f"{name} {file.stat().st_size} {_file_checksum(file)}\n"
        digest.update(entry.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    found, seen = list[Path](), set[str]()
    for root, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [one for one in folders if os.path.realpath(Path(root, one)) not in seen]
        seen.update(os.path.realpath(Path(root, one)) for one in folders)
        found += [path for path in (Path(root, name) for name in names) if path.is_file()]
    return found


def _file_checksum(path: Path) -> str:
    status = path.stat()
    return _content_checksum(str(path.resolve()), status.st_size, status.st_mtime_ns)


@cache
def _content_checksum(path: str, size: int, modified: int) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
