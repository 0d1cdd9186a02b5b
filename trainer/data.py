"""Which windows an optimizer step reads: a pure function of the step, whatever the ranks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from tokenizer.mixture.datasets import find_datasets
from tokenizer.mixture.windows import Mixture
from tokenizer.shards.reader import TokenDataset
from trainer.config import Config, DataConfig
from trainer.errors import TrainerError
from trainer.parallel import Ranks


def open_mixture(config: DataConfig, length: int) -> Mixture:
    """The mixture that the configuration names, over the training splits."""
    datasets = find_datasets(config.tokens)
    return Mixture(datasets, mixture_shares(config, datasets), length, config.seed)


def mixture_shares(config: DataConfig, datasets: Mapping[str, TokenDataset]) -> dict[str, float]:
    """Shares of the sources: those of the configuration, or else the natural ones."""
    tokens = {source: dataset.tokens for source, dataset in datasets.items()}
    return config.shares or natural_shares(tokens)


def natural_shares(tokens: Mapping[str, int]) -> dict[str, float]:
    """Shares as large as the sources are, to a thousandth."""
    total = sum(tokens.values())
    return {name: max(0.001, round(size / total, 3)) for name, size in tokens.items() if size}


class Steps:
    """The windows of each optimizer step.

    Args:
        config: of the run.
        length: tokens of a window.
        ranks: who shares them.

    Raises:
        TrainerError: a batch cannot be cut into equal micro-batches for the ranks.
    """

    def __init__(self, config: Config, length: int, ranks: Ranks) -> None:
        self.length = length
        self._ranks = ranks
        self._micro_batch = config.training.micro_batch
        ramp = sorted(config.training.batch_ramp)
        self._starts = np.array([0, *(until for until, _ in ramp)])
        sizes = [*(tokens for _, tokens in ramp), config.batch_tokens]
        self._windows = np.array([self._in_windows(tokens) for tokens in sizes])

    def _in_windows(self, tokens: int) -> int:
        pass_windows = self._micro_batch * self._ranks.number
        windows = round(tokens / self.length)
        if not windows or windows % pass_windows:
            nearest = max(1, round(windows / pass_windows)) * pass_windows * self.length
            raise TrainerError(
                f"a batch of {tokens:,} tokens is {windows} windows of {self.length}, which "
                f"{self._ranks.number} ranks cannot take in micro-batches of {self._micro_batch}; "
                f"set training.batch_tokens = {nearest}, or another training.micro_batch"
            )
        return windows

    def windows(self, step: int) -> range:
        """The global windows of a step, of all ranks."""
        before = np.clip(step - self._starts, 0, np.append(np.diff(self._starts), step + 1))
        first = int((before * self._windows).sum())
        size = int(self._windows[np.searchsorted(self._starts, step, side="right") - 1])
        return range(first, first + size)

    def own_windows(self, step: int) -> range:
        """Those of this rank."""
        windows = self.windows(step)
        size = len(windows) // self._ranks.number
        return windows[self._ranks.rank * size : (self._ranks.rank + 1) * size]

    def micro_batches(self, mixture: Mixture, step: int, device: torch.device) -> Iterator[Tensor]:
        """Tokens of this rank, int64 (micro batch, length + 1) each."""
        tokens = torch.from_numpy(mixture.read(list(self.own_windows(step))).astype(np.int64))
        if device.type == "cuda":
            tokens = tokens.pin_memory()
        for first in range(0, len(tokens), self._micro_batch):
            micro = tokens[first : first + self._micro_batch]
            yield micro.to(device, non_blocking=True)
