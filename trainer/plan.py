"""What a run needs, before it starts: parameters, operations, tokens and epochs, time, memory.

Memory is not estimated by formula: one layer and the head of the configured shape run on tensors
without storage, and what is alive at each moment is counted. It is that of eager mode on a CPU;
fused and compiled kernels on a GPU keep less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tokenizer.errors import TokenizerError
from tokenizer.mixture import plan as mixture_plan
from tokenizer.mixture.datasets import find_datasets
from trainer.config import Config, TrainingConfig
from trainer.data import Steps, mixture_shares, open_mixture
from trainer.errors import TrainerError
from trainer.loss import ROWS, nats_sum
from trainer.model import Block, ModelSettings, RMSNorm, rope_table
from trainer.optimizer import learning_rate_share
from trainer.parallel import Ranks, recomputed
from trainer.presets import PRESETS
from trainer.record import DEVICES
from trainer.train import check_tokenizer, model_settings

# Kernels, communication buffers and the allocator's gaps take the rest.
USABLE_MEMORY = 0.9
# Up to here repeated tokens teach almost as much as new ones (arXiv 2305.16264).
MAXIMUM_EPOCHS = 4.0
GIB = 2**30


def plan_lines(config: Config, gpus: int, device: str, mfu: float) -> list[str]:
    """What the run needs, as text.

    Args:
        config: of the run.
        gpus: how many devices.
        device: a name of `DEVICES`.
        mfu: share of the device's peak that training reaches.

    Raises:
        TrainerError: the device is not known, or the batch cannot be cut for so many.
    """
    names = {name.lower(): name for name in DEVICES}
    if device.lower() not in names:
        raise TrainerError(f"no peak is known for device {device!r}, only for {', '.join(DEVICES)}")
    if gpus < 1 or not 0 < mfu <= 1:
        raise TrainerError(f"gpus = {gpus} must be at least 1, mfu = {mfu} within 0 and 1")
    device = names[device.lower()]
    has_tokenizer = Path(config.data.tokenizer, "tokenizer.model").is_file()
    vocabulary_size = PRESETS[config.model.preset].model.vocabulary_size
    settings = model_settings(config) if has_tokenizer else config.model.settings(vocabulary_size)
    steps = Steps(config, settings.context, Ranks(0, gpus, torch.device("cpu")))
    tokens = steps.windows(config.steps - 1).stop * settings.context
    lines = [f"model {config.model.preset}: {settings.parameters:,} parameters"]
    if not has_tokenizer:
        lines[0] += f" with {vocabulary_size:,} tokens, for want of {config.data.tokenizer}"
    operations = settings.training_flops_per_token
    lines += [
        f"steps  {config.steps:,} of up to {config.batch_tokens:,} tokens: {tokens:,} tokens, "
        f"{tokens / settings.parameters:.1f} a parameter",
        f"FLOPs  {operations:,} a token, {operations * tokens:.3g} in all",
    ]
    peak = config.logging.peak_teraflops or DEVICES[device].teraflops
    seconds = operations * tokens / (gpus * peak * 1e12 * mfu)
    lines.append(
        f"time   {_duration(seconds)} on {gpus} x {device} at {mfu:.0%} of {peak:,.0f} bf16 "
        f"teraflops, {tokens / seconds:,.0f} tokens/s"
    )
    if config.training.parallel == "fsdp" and gpus == 1:
        lines.append("warning: training would not start: training.parallel = 'fsdp' on one device")
    try:
        learning_rate_share(0, config.steps, config.optimizer)
    except TrainerError as error:
        lines.append(f"warning: training would not start: {error}")
    lines += _data_lines(config, tokens, settings, has_tokenizer)
    return lines + memory(settings, config.training, gpus).lines(device, DEVICES[device].gib)


def _data_lines(
    config: Config, tokens: int, settings: ModelSettings, has_tokenizer: bool
) -> list[str]:
    try:
        datasets = find_datasets(config.data.tokens)
        shares = mixture_shares(config.data, datasets)
        rows = mixture_plan.plan(datasets, shares, tokens, settings.context)
    except TokenizerError as error:
        return [f"data   not planned: {error}"]
    lines = mixture_plan.plan_lines(rows, MAXIMUM_EPOCHS)
    try:
        mixture = open_mixture(config.data, settings.context)
        if has_tokenizer:
            check_tokenizer(config, mixture)
    except (TokenizerError, TrainerError) as error:
        lines.append(f"warning: training would not start: {error}")
    return lines


@dataclass(frozen=True)
class Memory:
    """Bytes on each device at the moment that needs most.

    Attributes:
        weights, gradients, moments: fp32; shards of them under fsdp.
        copies: weights in the precision of the matrix products, and gathered shards; the head's
            gradient while it is made.
        activations: kept by all layers for a micro-batch.
        working: of the one layer that is computed backward, or of a part of the logits.
    """

    weights: int
    gradients: int
    moments: int
    copies: int
    activations: int
    working: int

    @property
    def total(self) -> int:
        return sum(vars(self).values())

    def lines(self, device: str, gib: int) -> list[str]:
        """As text, with a warning where it does not fit."""
        parts = ", ".join(f"{name} {size / GIB:.2f}" for name, size in vars(self).items())
        lines = [f"memory {self.total / GIB:.2f} GiB a device at most: {parts}"]
        if self.total > gib * USABLE_MEMORY * GIB:
            lines.append(
                f"warning: {device} has {gib} GiB; set a smaller training.micro_batch, "
                'training.checkpointing = "selective" or "full", or training.parallel = "fsdp" on '
                "more devices"
            )
        return lines


def memory(settings: ModelSettings, training: TrainingConfig, gpus: int) -> Memory:
    """Memory of each device; the largest model is counted in a second, without its weights."""
    windows = training.micro_batch
    narrow = 2 if training.precision == "bf16" else 4
    # What grows with the windows are activations, what does not are copies of the weights.
    one, two = (layer_memory(settings, training, number * windows) for number in (1, 2))
    tail_one, tail_two = (_head_memory(settings, training, number * windows) for number in (1, 2))
    layer = two.kept - one.kept
    tail_copies = 2 * tail_one.kept - tail_two.kept
    working = max(one.peak - one.kept, tail_one.peak - tail_copies)
    copies = settings.layers * (one.kept - layer) + tail_copies
    shard = 1
    if training.parallel == "fsdp":
        shard = gpus
        # The layer at work and the next are whole, and so is what is in no layer; gradients of one
        # layer are whole until they are summed, in fp32.
        alone = replace(settings, layers=0).parameters
        block = (settings.parameters - alone) // settings.layers
        copies = narrow * (2 * block + alone) + 4 * max(block, alone)
    fp32 = 4 * settings.parameters // shard
    return Memory(fp32, fp32, 2 * fp32, copies, settings.layers * layer, working)


@dataclass(frozen=True)
class Measured:
    """Bytes after a forward pass, and at most during forward and backward pass."""

    kept: int
    peak: int


def layer_memory(settings: ModelSettings, training: TrainingConfig, windows: int) -> Measured:
    """Of one layer with so many windows: its input and what it keeps; its output is the next's."""
    with FakeTensorMode(), _weights_type(training):
        block: nn.Module = Block(settings)
        table = rope_table(settings, settings.context)
        if training.checkpointing != "none":
            block = recomputed(block, training.checkpointing)
        known = [*block.parameters(), table]
        return _measure(settings, training, windows, known, lambda x: block(x, table, None))


def _head_memory(settings: ModelSettings, training: TrainingConfig, windows: int) -> Measured:
    with FakeTensorMode(), _weights_type(training):
        norm = RMSNorm(settings.dim, settings.norm_eps)
        head = nn.Linear(settings.dim, settings.vocabulary_size, bias=False)
        targets = torch.zeros(windows, settings.context, dtype=torch.int64)
        known = [*norm.parameters(), *head.parameters(), targets]

        def loss(x: Tensor) -> Tensor:
            return nats_sum(norm(x), head.weight, targets, ROWS["cuda"])

        return _measure(settings, training, windows, known, loss)


@contextmanager
def _weights_type(training: TrainingConfig) -> Iterator[None]:
    """Under fsdp the weights come in bf16, and with them what passes between layers."""
    before = torch.get_default_dtype()
    is_narrow = training.precision == "bf16" and training.parallel == "fsdp"
    torch.set_default_dtype(torch.bfloat16 if is_narrow else torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _measure(
    settings: ModelSettings,
    training: TrainingConfig,
    windows: int,
    known: Sequence[Tensor],
    compute: Callable[[Tensor], Tensor],
) -> Measured:
    narrow = training.precision == "bf16"
    x = torch.zeros(windows, settings.context, settings.dim, requires_grad=True)
    # Gradients are there already, as they are from the second micro-batch on, and are added to.
    for weight in (tensor for tensor in known if tensor.requires_grad):
        weight.grad = torch.zeros_like(weight)
    gradients = [tensor.grad for tensor in known if tensor.grad is not None]
    with AliveStorages([*known, *gradients]) as alive:
        alive.add(x)
        with torch.autocast("cpu", torch.bfloat16, enabled=narrow):
            output = compute(x)
        kept = alive.bytes() - output.untyped_storage().nbytes()
        output.backward(torch.ones_like(output))
    return Measured(kept, alive.peak)


class AliveStorages(TorchDispatchMode):
    """Counts bytes of the tensors that operations made and that something still holds.

    Args:
        known: tensors that are not counted.
    """

    def __init__(self, known: Iterable[Tensor]) -> None:
        super().__init__()
        self._known = {tensor.untyped_storage()._cdata for tensor in known}
        self._found: dict[int, tuple[StorageWeakRef, int]] = {}
        self.peak = 0

    def add(self, tensor: Tensor) -> None:
        """Count a tensor."""
        storage = tensor.untyped_storage()
        if storage._cdata not in self._known:
            self._found[storage._cdata] = StorageWeakRef(storage), storage.nbytes()

    def bytes(self) -> int:
        """Of what is alive now."""
        self._found = {key: item for key, item in self._found.items() if not item[0].expired()}
        return sum(size for _, size in self._found.values())

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self.add(leaf)
        self.peak = max(self.peak, self.bytes())
        return result


def _duration(seconds: float) -> str:
    if seconds < 3600:
        return f"{seconds / 60:.1f} minutes"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} hours"
    return f"{seconds / 86_400:.1f} days"
