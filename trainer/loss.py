"""Cross-entropy of the model's head, a part of the logits at a time.

The logits of a micro-batch, batch x length x vocabulary, would be the largest tensor of training.
Here some rows of them are made, become loss and gradients at once, and are dropped, as in Liger
Kernel (arXiv 2410.10989).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# A target that does not count.
IGNORED = -100
# At a time: on CPUs their logits stay in the cache, on GPUs they keep the device busy. With fewer,
# the whole head would be read, and its gradient written, too often.
ROWS = {"cpu": 256, "cuda": 2048}


def targets_of(tokens: Tensor, bos_id: int) -> Tensor:
    """What each token but the last should be followed by, (batch, length - 1).

    BOS does not count: which document comes next is not in the text.
    """
    targets = tokens[:, 1:]
    return targets.masked_fill(targets == bos_id, IGNORED)


def nats_each(x: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of every target, 0 where ignored; no gradients.

    Args:
        x: (batch, length, dim), what the head gets.
        weight: (vocabulary, dim), of the head.
        targets: (batch, length).

    Returns:
        (batch, length), fp32.
    """
    x = _narrow(x)
    with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
        parts = _parts(x, weight.to(x.dtype), targets, ROWS[x.device.type])
        found = [nats for _, _, nats, _ in parts]
    return torch.cat(found).view_as(targets)


def nats_sum(x: Tensor, weight: Tensor, targets: Tensor, rows: int | None = None) -> Tensor:
    """The sum of the same, with gradients; so many rows at a time, or as suits the device."""
    x = _narrow(x)
    with torch.autocast(x.device.type, enabled=False):
        total: Tensor = _NatsSum.apply(x, weight, targets, rows or ROWS[x.device.type])
    return total


def _narrow(x: Tensor) -> Tensor:
    """In the type that autocast would multiply in."""
    kind = x.device.type
    return x.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else x


def _parts(
    x: Tensor, weight: Tensor, targets: Tensor, rows: int
) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Rows of x; their targets, IGNORED as they are; their nats; all log-probabilities; fp32."""
    pairs = zip(x.flatten(0, 1).split(rows), targets.flatten().split(rows), strict=True)
    for some, wanted in pairs:
        logs = torch.log_softmax(some @ weight.T, -1, dtype=torch.float32)
        nats = -logs.gather(1, wanted.clamp_min(0)[:, None])[:, 0]
        yield some, wanted, nats.masked_fill_(wanted == IGNORED, 0), logs


class _NatsSum(torch.autograd.Function):
    """The gradients are made with the loss, of which they are a multiple."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, targets: Tensor, rows: int) -> Tensor:
        narrow = weight.to(x.dtype)
        total = x.new_zeros((), dtype=torch.float32)
        x_gradient = []
        weight_gradient = torch.zeros_like(weight, dtype=torch.float32)
        for some, wanted, nats, logs in _parts(x, narrow, targets, rows):
            total += nats.sum()
            counted = (wanted != IGNORED)[:, None].float()
            slope = logs.exp_().mul_(counted)
            slope = slope.scatter_add_(1, wanted.clamp_min(0)[:, None], -counted).to(x.dtype)
            x_gradient.append(slope @ narrow)
            weight_gradient += slope.T @ some
        ctx.save_for_backward(torch.cat(x_gradient).view_as(x), weight_gradient)
        ctx.weight_type = weight.dtype
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        x_gradient, weight_gradient = ctx.saved_tensors
        # In place: they are as large as weights, and used once.
        x_gradient.mul_(gradient)
        weight_gradient.mul_(gradient)
        return x_gradient, weight_gradient.to(ctx.weight_type), None, None
