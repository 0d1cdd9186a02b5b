"""Checkpoints that somebody forged: nothing in them is run, each is refused with what is wrong."""

from __future__ import annotations

import os
import pickle
import shutil
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.distributed.checkpoint.filesystem import FileSystemReader
from torch.distributed.checkpoint.metadata import _MEM_FORMAT_ENCODING
from torch.distributed.checkpoint.state_dict_saver import save

from trainer.checkpoint_data import INDEX, load_data, read_index
from trainer.errors import TrainerError


class Command:
    """Unpickled, it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    state = {"weight": torch.arange(6.0).reshape(2, 3), "step": 7, "betas": (0.9, 0.95)}
    save(state, checkpoint_id=folder)
    return folder


def empty_state() -> dict[str, Any]:
    return {"weight": torch.zeros(2, 3), "step": 0, "betas": (0.0, 0.0)}


def test_a_checkpoint_of_torch_is_read_as_torch_reads_it(saved: Path) -> None:
    state = empty_state()
    load_data(state, saved)
    assert torch.equal(state["weight"], torch.arange(6.0).reshape(2, 3))
    assert (state["step"], state["betas"]) == (7, (0.9, 0.95))
    expected = FileSystemReader(saved).read_metadata()
    found = read_index(saved)
    assert found.state_dict_metadata == expected.state_dict_metadata
    assert found.storage_data == expected.storage_data


def test_an_index_that_is_a_command_is_refused_and_not_run(saved: Path, tmp_path: Path) -> None:
    (saved / INDEX).write_bytes(pickle.dumps(Command(tmp_path / "ran")))
    with pytest.raises(TrainerError, match=r"\.metadata is not loaded: it names posix\.mkdir"):
        load_data(empty_state(), saved)
    assert not (tmp_path / "ran").exists()


def test_a_command_inside_a_true_index_is_refused(saved: Path, tmp_path: Path) -> None:
    index = FileSystemReader(saved).read_metadata()
    index.planner_data = Command(tmp_path / "ran")
    (saved / INDEX).write_bytes(pickle.dumps(index))
    with pytest.raises(TrainerError, match=r"it names posix\.mkdir"):
        read_index(saved)
    assert not (tmp_path / "ran").exists()


class ByName:
    """Pickled as Python 3.11.2 pickles a member of an enum: by `getattr`."""

    def __init__(self, kind: type, name: str) -> None:
        self.kind, self.name = kind, name

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self.kind, self.name)


def test_an_index_of_an_older_python_is_read(saved: Path) -> None:
    index = FileSystemReader(saved).read_metadata()
    index.planner_data = ByName(_MEM_FORMAT_ENCODING, "TORCH_CONTIGUOUS_FORMAT")
    (saved / INDEX).write_bytes(pickle.dumps(index))
    assert read_index(saved).planner_data is _MEM_FORMAT_ENCODING.TORCH_CONTIGUOUS_FORMAT


@pytest.mark.parametrize("name", ["__subclasses__", "mro", "__class__"])
def test_nothing_else_is_asked_of_it(saved: Path, name: str) -> None:
    index = FileSystemReader(saved).read_metadata()
    index.planner_data = ByName(_MEM_FORMAT_ENCODING, name)
    (saved / INDEX).write_bytes(pickle.dumps(index))
    with pytest.raises(TrainerError, match="which is no part of an index"):
        read_index(saved)


def test_a_command_as_a_value_is_refused(saved: Path, tmp_path: Path) -> None:
    shutil.rmtree(saved)
    state = {**empty_state(), "step": Command(tmp_path / "ran")}
    save(state, checkpoint_id=saved)
    with pytest.raises(TrainerError, match="a value in it is no plain data"):
        load_data(empty_state(), saved)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Ran out of input"),
        (b"\x80\x04garbage", "is not loaded"),
        (pickle.dumps({"a": 1}), "it holds dict, no index"),
        (pickle.dumps(OrderedDict()), r"it names collections\.OrderedDict"),
        # A path into an allowed module, as protocol 4 can spell it.
        (b"\x80\x04\x8c\x05torch\x8c\x0dhub.os.system\x93.", r"it names torch\.hub\.os\.system"),
    ],
)
def test_what_is_no_index(saved: Path, content: bytes, reason: str) -> None:
    (saved / INDEX).write_bytes(content)
    with pytest.raises(TrainerError, match=reason):
        read_index(saved)


def test_a_missing_index(tmp_path: Path) -> None:
    with pytest.raises(TrainerError, match="No such file"):
        read_index(tmp_path)
