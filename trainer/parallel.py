"""Ranks, and the model spread over them: DDP or FSDP2, activation checkpointing, compilation.

Started by `torchrun`, ranks find each other by its environment; without it there is one.
The order is fixed: activation checkpointing, then compilation, then sharding.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper
from torch.distributed.device_mesh import init_device_mesh
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import CheckpointPolicy, create_selective_checkpoint_contexts

from trainer.config import TrainingConfig
from trainer.errors import TrainerError
from trainer.model import Attention, Llama, attend_documents

# Outputs of matrix products and of attention: dear to compute, kept. All else is computed again.
_KEPT = {
    torch.ops.aten.mm.default,
    torch.ops.aten._scaled_dot_product_flash_attention.default,
    torch.ops.aten._scaled_dot_product_efficient_attention.default,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu.default,
    torch.ops.aten._scaled_dot_product_cudnn_attention.default,
    torch.ops.higher_order.flex_attention,
}

# Parameters below which threads wait for each other more than they compute: at 1 M two threads take
# 2.1 to 2.7 times the CPU time of one, and no fewer seconds.
SMALL_MODEL = 5_000_000


@dataclass(frozen=True)
class Ranks:
    """Which of how many processes this is, and its device."""

    rank: int
    number: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def sum(self, values: Tensor) -> Tensor:
        """The sum of a tensor over all ranks, in place."""
        if self.number > 1:
            dist.all_reduce(values)
        return values

    def barrier(self) -> None:
        """Wait for all ranks."""
        if self.number > 1:
            dist.barrier()


@contextmanager
def fitting_threads(parameters: int, device: torch.device) -> Iterator[None]:
    """Torch's threads for a model of so many parameters: one for a small model on a CPU.

    Else, and where OMP_NUM_THREADS says how many, those that torch chose.
    """
    before = torch.get_num_threads()
    is_small = device.type == "cpu" and parameters < SMALL_MODEL
    if is_small and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def join_ranks(device: str) -> Iterator[Ranks]:
    """Join the other ranks, and leave them at the end.

    Args:
        device: "cpu", "cuda", or "auto".

    Raises:
        TrainerError: there is no such device.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise TrainerError("device = 'cuda', but torch sees no GPU; set device = 'cpu'")
    kind = device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    number = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0"))
    where = torch.device(kind)
    if kind == "cuda":
        where = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(where)
    if number == 1:
        yield Ranks(0, 1, where)
        return
    # Gloo besides NCCL: asynchronous checkpoints talk on the CPU.
    dist.init_process_group("cpu:gloo,cuda:nccl" if kind == "cuda" else "gloo")
    try:
        yield Ranks(rank, number, where)
    finally:
        dist.destroy_process_group()


def spread(model: Llama, config: TrainingConfig, ranks: Ranks) -> nn.Module:
    """The model on its device, ready to train."""
    if config.checkpointing != "none":
        for index, block in enumerate(model.blocks):
            model.blocks[index] = recomputed(block, config.checkpointing)
    if config.compile:
        for module in model.modules():
            if isinstance(module, Attention):
                # Lengths change from batch to batch: each would be compiled anew.
                module.attend_documents = torch.compiler.disable(attend_documents)
        for block in model.blocks:
            block.compile()
    if config.parallel == "fsdp":
        return _sharded(model, config, ranks)
    model.materialize(ranks.device)
    if ranks.number > 1:
        devices = [ranks.device.index] if ranks.device.type == "cuda" else None
        # The rotary table, the only buffer, is the same everywhere already.
        return DistributedDataParallel(
            model, device_ids=devices, gradient_as_bucket_view=True, broadcast_buffers=False
        )
    return model


def recomputed(block: nn.Module, how: str) -> nn.Module:
    """A layer that keeps less than its backward pass needs: see training.checkpointing."""
    if how == "full":
        return checkpoint_wrapper(block, preserve_rng_state=False)

    def policy(_context: Any, operation: Any, *_: Any, **__: Any) -> CheckpointPolicy:
        if operation in _KEPT:
            return CheckpointPolicy.MUST_SAVE
        return CheckpointPolicy.PREFER_RECOMPUTE

    contexts = partial(create_selective_checkpoint_contexts, policy)
    return checkpoint_wrapper(block, context_fn=contexts, preserve_rng_state=False)


def _sharded(model: Llama, config: TrainingConfig, ranks: Ranks) -> nn.Module:
    if ranks.number == 1:
        raise TrainerError("training.parallel = 'fsdp' needs several ranks; start it by torchrun")
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard  # noqa: PLC0415  (SymPy)

    mesh = init_device_mesh(ranks.device.type, (ranks.number,))
    narrow = torch.bfloat16 if config.precision == "bf16" else torch.float32
    # Inputs are not cast: the rotary table stays fp32.
    policy = MixedPrecisionPolicy(
        param_dtype=narrow, reduce_dtype=torch.float32, cast_forward_inputs=False
    )
    # Before they are on the device: all of them at once would not fit there.
    for block in model.blocks:
        fully_shard(block, mesh=mesh, mp_policy=policy)
    fully_shard(model, mesh=mesh, mp_policy=policy)
    model.materialize(ranks.device)
    return model


def fill(parameter: Tensor, whole: Tensor) -> None:
    """Put a weight into a parameter, or this rank's part of it into this rank's part."""
    from torch.distributed.tensor import DTensor, distribute_tensor  # noqa: PLC0415  (SymPy)

    if isinstance(parameter, DTensor):
        whole = whole.to(parameter.device)
        mesh, placements = parameter.device_mesh, parameter.placements
        # Every rank has the whole: nothing is sent.
        whole = distribute_tensor(whole, mesh, placements, src_data_rank=None)
    parameter.copy_(whole)


def synchronize_on(model: nn.Module, last: bool) -> None:
    """Have DDP sum gradients over the ranks after the last micro-batch of a step only.

    FSDP sums them every time: until it does, each rank holds the gradients of the whole model.
    """
    if isinstance(model, DistributedDataParallel):
        model.require_backward_grad_sync = last
