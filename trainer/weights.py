"""A model in memory, from a run or a checkpoint; and a checkpoint from a model of others."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch

from trainer.checkpoint import Checkpoint, Checkpointer, checkpoints, latest, read_checkpoint
from trainer.config import CheckpointConfig
from trainer.convert import import_weights, settings_from
from trainer.errors import TrainerError
from trainer.model import Llama
from trainer.parallel import Ranks


def find_checkpoint(path: str) -> Checkpoint:
    """A checkpoint, given itself or the folder of its run.

    Raises:
        TrainerError: there is none.
    """
    folder = Path(path)
    if (folder / "checkpoints").is_dir():
        return latest(folder / "checkpoints")
    if not folder.is_dir():
        raise TrainerError(f"there is no run or checkpoint {path}")
    return read_checkpoint(folder)


def load_model(checkpoint: Checkpoint) -> Llama:
    """The model of a checkpoint, fp32, on the CPU."""
    model = Llama.without_memory(settings_from(checkpoint.state["model"]))
    model.materialize(torch.device("cpu"))
    checkpoint.load(model, None)
    return model


def import_model(folder: str, output: str, context: int | None = None) -> Path:
    """Make a checkpoint, of step 0, from a folder of Hugging Face's or Meta's layout.

    Raises:
        TrainerError: it cannot be read, or the output holds a run.
    """
    target = Path(output) / "checkpoints"
    if checkpoints(target):
        raise TrainerError(f"{output} holds checkpoints; choose another --output")
    model = import_weights(Path(folder), context)
    ranks = Ranks(0, 1, torch.device("cpu"))
    state = {"step": 0, "model": asdict(model.settings), "imported_from": folder}
    checkpointer = Checkpointer(target, CheckpointConfig(), ranks)
    checkpointer.save(model, None, state)
    checkpointer.finish()
    return latest(target).folder
