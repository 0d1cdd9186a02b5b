"""What every model folder has in common: it appears whole or not at all, with a card beside it.

A card is `card.json`: counts, settings, checksums of what went in and came out, versions of what
made it. It holds no time, path or host: the same input makes the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from pipeline.errors import RovingError
from pipeline.store.accounting import write_json
from pipeline.store.dataset import Dataset
from pipeline.store.local import writing

CARD = "card.json"
_BUILDING = ".tmp-"


class ModelError(RovingError):
    """A model cannot be made or fetched; the message says what to do."""


class TooLittleData(ModelError):
    """There is not enough input for a model that means anything."""

    # So that a script may go on without the model.
    exit_status = 3


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_card(folder: Path, card: dict[str, Any]) -> None:
    """Write a card; keys are sorted, so that equal cards are equal files."""
    write_json(str(folder / CARD), card)


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a model folder."""
    card: dict[str, Any] = orjson.loads((folder / CARD).read_bytes())
    return card


def file_entries(folder: Path, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Size in bytes and SHA-256 of the model's files, for its card."""
    return {
        name: {"bytes": (folder / name).stat().st_size, "sha256": sha256_of(folder / name)}
        for name in names
    }


def package_versions(*packages: str) -> dict[str, str]:
    """Installed versions of the packages that made a model."""
    return {package: version(package) for package in packages}


def dataset_origin(folder: str) -> dict[str, Any]:
    """What identifies a dataset that a model was made from.

    Raises:
        InputError: the dataset is not complete.
    """
    manifest = Dataset(folder).manifest
    return {name: manifest[name] for name in ("content", "source", "documents")}


@contextmanager
def building(final: Path) -> Iterator[Path]:
    """A hidden folder beside `final` that takes its place if the block ends without an exception.

    An existing model stays until the new one is whole. What a killed run left behind is deleted.
    """
    prefix = f".{final.name}{_BUILDING}"
    work = final.parent / f"{prefix}{uuid.uuid4().hex[:12]}"
    with writing(str(final)):
        final.parent.mkdir(parents=True, exist_ok=True)
        for stale in final.parent.glob(f"{prefix}*"):
            shutil.rmtree(stale)
        work.mkdir()
    try:
        yield work
        _sync(work)
        if final.exists():
            old = final.parent / f"{prefix}old"
            final.replace(old)
            work.replace(final)
            shutil.rmtree(old)
        else:
            work.replace(final)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as handle:
                os.fsync(handle.fileno())
