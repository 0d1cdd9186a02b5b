"""Checkpoints: a folder per step, whole or not there.

    step-00001000/
      model/         distributed checkpoint: weights and optimizer, fp32, for any number of ranks
      trainer.json   step, windows consumed, configuration, what data and tokenizer it was
      COMPLETE       written last: names and sizes of all files

A folder is written under another name and renamed; one without COMPLETE, or whose files have other
sizes, does not count. Training goes on while the files are written, from a copy in CPU memory. What
is read back is data and never code, whoever wrote it (`trainer.checkpoint_data`).
"""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from trainer.config import CheckpointConfig
from trainer.errors import TrainerError
from trainer.parallel import Ranks

# It is said of every checkpoint that one process saves or loads.
warnings.filterwarnings("ignore", message="torch.distributed is disabled, unavailable or uninit")

COMPLETE = "COMPLETE"
STATE = "trainer.json"


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint.

    Attributes:
        folder: where it is.
        state: what `trainer.json` holds.
    """

    folder: Path
    state: dict[str, Any]

    @property
    def step(self) -> int:
        return int(self.state["step"])

    def check_fits(self, identity: Mapping[str, Any]) -> None:
        """Fail if the run is about other data, another tokenizer or another model.

        Raises:
            TrainerError: it is; the message says what differs.
        """
        changed = _differences("", self.state["identity"], identity)
        if changed:
            raise TrainerError(
                f"{self.folder} does not fit this run: {'; '.join(changed)}; give what it was made "
                "with, or start a new run from it (training.start_from)"
            )

    def check_tokenizer(self, sha256: str) -> None:
        """Fail if the model was trained with another; of an imported model it is not known.

        Raises:
            TrainerError: it was. As large a vocabulary does not make it the same.
        """
        had = self.state.get("identity", {}).get("tokenizer", sha256)
        if had != sha256:
            raise TrainerError(
                f"{self.folder} was trained with tokenizer {had[:12]}, this one is {sha256[:12]}; "
                "name the one it was trained with"
            )

    def load(self, model: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
        """Put weights (and the optimizer's moments) where they belong, for any number of ranks.

        Settings of the optimizer, weight decay among them, stay those of this run.

        Raises:
            TrainerError: the checkpoint holds something other than data.
        """
        # Imported here: it takes a second, and what only reads `trainer.json` does without.
        from torch.distributed.checkpoint.state_dict import (  # noqa: PLC0415
            get_state_dict,
            set_state_dict,
        )

        from trainer.checkpoint_data import load_data  # noqa: PLC0415

        optimizers = [optimizer] if optimizer is not None else []
        options = [
            {name: value for name, value in group.items() if name != "params"}
            for each in optimizers
            for group in each.param_groups
        ]
        weights, moments = get_state_dict(model, optimizers)
        state = {"model": weights, **({"optimizer": moments} if optimizers else {})}
        load_data(state, self.folder / "model")
        set_state_dict(model, optimizers, model_state_dict=weights, optim_state_dict=moments)
        if optimizer is not None:
            for group, given in zip(optimizer.param_groups, options, strict=True):
                group.update(given)


def _differences(name: str, had: Any, has: Any) -> list[str]:
    """What differs between two pieces of plain data, as `name: old then, new now`."""
    if isinstance(had, Mapping) and isinstance(has, Mapping):
        keys = [*had, *(key for key in has if key not in had)]
        return [
            line
            for key in keys
            for line in _differences(f"{name} {key}".strip(), had.get(key), has.get(key))
        ]
    return [] if had == has else [f"{name} was {had}, is {has}"]


def read_checkpoint(folder: Path) -> Checkpoint:
    """A checkpoint, checked to be complete.

    Raises:
        TrainerError: it is not.
    """
    try:
        listed: dict[str, int] = json.loads((folder / COMPLETE).read_text())
        for name, size in listed.items():
            if (folder / name).stat().st_size != size:
                raise TrainerError(f"{folder / name} has not the {size:,} bytes it was saved with")
        return Checkpoint(folder, json.loads((folder / STATE).read_text()))
    except (OSError, ValueError) as error:
        raise TrainerError(f"{folder} is no complete checkpoint: {error}") from None


def checkpoints(folder: Path) -> list[Checkpoint]:
    """The complete checkpoints of a run, the oldest first."""
    found = []
    for path in sorted(folder.glob("step-*")):
        try:
            found.append(read_checkpoint(path))
        except TrainerError:
            continue
    return found


def latest(folder: Path) -> Checkpoint:
    """The newest complete checkpoint of a run.

    Raises:
        TrainerError: there is none.
    """
    found = checkpoints(folder)
    if not found:
        raise TrainerError(f"there is no complete checkpoint in {folder}")
    return found[-1]


class Checkpointer:
    """Saves checkpoints of a run. All ranks call `save` and `finish` at the same steps.

    Args:
        folder: of the run's checkpoints.
        config: how many are kept.
        ranks: who saves together.
    """

    def __init__(self, folder: Path, config: CheckpointConfig, ranks: Ranks) -> None:
        self._folder = folder
        self._config = config
        self._ranks = ranks
        self._pending: tuple[Future[Any], Path, dict[str, Any]] | None = None
        # The writing threads talk among themselves while training does.
        self._group = dist.new_group(backend="gloo") if ranks.number > 1 else None
        if ranks.is_first:
            for partial in folder.glob(".step-*.tmp"):
                shutil.rmtree(partial)

    def save(
        self, model: nn.Module, optimizer: torch.optim.Optimizer | None, state: dict[str, Any]
    ) -> None:
        """Begin to save; it is a checkpoint after `poll`, `finish` or the next save."""
        from torch.distributed.checkpoint.state_dict import get_state_dict  # noqa: PLC0415
        from torch.distributed.checkpoint.state_dict_saver import async_save  # noqa: PLC0415

        self.finish()
        target = self._folder / f"step-{state['step']:08}"
        partial = _partial(target)
        if self._ranks.is_first:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
        self._ranks.barrier()
        weights, moments = get_state_dict(model, [optimizer] if optimizer is not None else [])
        saving = async_save(
            {"model": weights, **({"optimizer": moments} if optimizer is not None else {})},
            checkpoint_id=partial / "model",
            process_group=self._group,
        )
        assert isinstance(saving, Future)
        self._pending = saving, target, state

    def poll(self) -> None:
        """Make a checkpoint of what is written by now. The first rank's thread ends last."""
        if self._ranks.is_first and self._pending is not None and self._pending[0].done():
            self._complete()

    def finish(self) -> None:
        """Wait for a checkpoint that is still being written."""
        self.wait()
        self._ranks.barrier()

    def wait(self) -> None:
        """The same without the other ranks, which may be gone."""
        if self._pending is not None:
            self._complete()

    def _complete(self) -> None:
        """Write what makes it a checkpoint, last, and drop those that are not kept."""
        assert self._pending is not None
        saving, target, state = self._pending
        self._pending = None
        saving.result()
        if not self._ranks.is_first:
            return
        partial = _partial(target)
        (partial / STATE).write_text(json.dumps(state, indent=1))
        files = sorted(path for path in partial.rglob("*") if path.is_file())
        sizes = {str(path.relative_to(partial)): path.stat().st_size for path in files}
        for path in files:
            _sync(path)
        (partial / COMPLETE).write_text(json.dumps(sizes, indent=1))
        for path in (partial / COMPLETE, partial / "model", partial):
            _sync(path)
        # A folder of that name is one that was not complete, or of the same step of a rerun.
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
        _sync(target.parent)
        self._drop_old()

    def _drop_old(self) -> None:
        every = self._config.keep_every
        for old in checkpoints(self._folder)[: -self._config.keep]:
            if not every or old.step % every:
                # Without its mark it is no checkpoint any more, even if deleting is interrupted.
                (old.folder / COMPLETE).unlink()
                shutil.rmtree(old.folder)


def _partial(target: Path) -> Path:
    """Where it is written."""
    return target.with_name(f".{target.name}.tmp")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
