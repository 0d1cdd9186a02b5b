"""Reads a distributed checkpoint as data: what is pickled in it may name torch's own records only.

torch reads the index of a checkpoint (`.metadata`), and each value in it that is no tensor, with
all of pickle, which lets whoever wrote the folder run any command. Here the index is unpickled with
a list of what it may name, and values with torch's own restricted unpickler.
"""

from __future__ import annotations

import io
import pathlib
import pickle
from pathlib import Path
from typing import Any

import torch
from torch.distributed.checkpoint import filesystem, metadata
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.default_planner import DefaultLoadPlanner
from torch.distributed.checkpoint.planner import ReadItem
from torch.distributed.checkpoint.state_dict_loader import load

from trainer.errors import TrainerError

INDEX = ".metadata"

_ALLOWED: dict[tuple[str, str], Any] = {
    **{
        (metadata.__name__, name): getattr(metadata, name)
        for name in (
            *("Metadata", "MetadataIndex", "StorageMeta", "TensorStorageMetadata"),
            *("BytesStorageMetadata", "ChunkStorageMetadata", "TensorProperties"),
            "_MEM_FORMAT_ENCODING",
        )
    },
    (filesystem.__name__, "_StorageInfo"): filesystem._StorageInfo,
    ("torch", "Size"): torch.Size,
    ("torch.serialization", "_get_layout"): torch.serialization._get_layout,
    **{
        ("torch", name): value
        for name, value in vars(torch).items()
        if isinstance(value, torch.dtype)
    },
    # Where it was saved; Python 3.13 has the classes in another module.
    **{
        (module, name): getattr(pathlib, name)
        for module in ("pathlib", "pathlib._local")
        for name in ("PosixPath", "PurePosixPath", "PureWindowsPath")
    },
}


def _memory_format(kind: type, name: str) -> metadata._MEM_FORMAT_ENCODING:
    """What stands in for `getattr`, by which Python 3.11.2 and older pickle a member of an enum."""
    if kind is not metadata._MEM_FORMAT_ENCODING or name not in kind.__members__:
        raise pickle.UnpicklingError(f"it asks {kind!r} for {name!r}, which is no part of an index")
    return kind[name]


_ALLOWED["builtins", "getattr"] = _memory_format


class _IndexUnpickler(pickle.Unpickler):
    """Admits what torch writes into an index, and nothing that could do anything."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is no part of an index")
        return _ALLOWED[module, name]


def read_index(folder: Path) -> metadata.Metadata:
    """What a distributed checkpoint holds, and where.

    Raises:
        TrainerError: there is no index, or it is damaged, or names anything but torch's records.
    """
    path = folder / INDEX
    try:
        with path.open("rb") as file:
            found = _IndexUnpickler(file).load()
    except Exception as error:  # damaged pickles fail with any of a dozen types
        raise TrainerError(
            f"{path} is not loaded: {error}; a checkpoint is written by `roving train`, this one "
            "was changed or is damaged"
        ) from None
    if not isinstance(found, metadata.Metadata):
        raise TrainerError(f"{path} is not loaded: it holds {type(found).__name__}, no index")
    return found


class _Reader(filesystem.FileSystemReader):
    """torch's reader, with an index that was read as data."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._index = read_index(folder)

    def read_metadata(self, *_: Any, **__: Any) -> metadata.Metadata:
        return self._index


class _Planner(DefaultLoadPlanner):
    """torch's planner, which gets no value that is more than numbers, text and tensors."""

    def load_bytes(self, read_item: ReadItem, value: io.BytesIO) -> None:
        plain = io.BytesIO()
        torch.save(torch.load(value, weights_only=True), plain)
        plain.seek(0)
        super().load_bytes(read_item, plain)


def load_data(state: dict[str, Any], folder: Path) -> None:
    """Fill a state dictionary from a distributed checkpoint, in place, on all ranks at once.

    Raises:
        TrainerError: the checkpoint holds something other than data.
    """
    try:
        load(state, storage_reader=_Reader(folder), planner=_Planner())
    except CheckpointException as error:
        problems = [problem for problem, _ in error.failures.values()]
        for problem in problems:
            if isinstance(problem, pickle.UnpicklingError):
                raise TrainerError(
                    f"{folder} is not loaded, a value in it is no plain data: "
                    f"{str(problem).splitlines()[0]}"
                ) from None
        raise
