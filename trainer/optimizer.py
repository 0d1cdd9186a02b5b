"""AdamW as LLaMA used it, and its learning rate as a pure function of the step."""

from __future__ import annotations

import math

import torch
from torch import nn

from trainer.config import Config, OptimizerConfig
from trainer.errors import TrainerError


def decay_groups(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Parameters with weight decay (matrices, embeddings among them), and without (norms)."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    decayed = [parameter for parameter in parameters if parameter.dim() >= 2]
    return decayed, [parameter for parameter in parameters if parameter.dim() < 2]


def make_optimizer(model: nn.Module, config: Config) -> torch.optim.AdamW:
    """AdamW, fused into one kernel."""
    decayed, others = decay_groups(model)
    settings = config.optimizer
    return torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": settings.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
        betas=(settings.beta1, settings.beta2),
        eps=settings.eps,
        fused=True,
    )


def learning_rate_share(step: int, steps: int, settings: OptimizerConfig) -> float:
    """The share of the peak at an optimizer step, counted from 0.

    The first step has 1 / warmup_steps of it, step `warmup_steps` all, the last `final_share`.
    The warm-up is LLaMA's 2000 steps, or a tenth of a shorter run, if none is given.

    Raises:
        TrainerError: the warm-up is as long as the run.
    """
    given = settings.warmup_steps
    warmup = min(2000, steps // 10) if given is None else given
    if warmup >= steps:
        raise TrainerError(
            f"optimizer.warmup_steps = {warmup} does not fit into training.steps = {steps}"
        )
    if step < warmup:
        return (step + 1) / warmup
    last = steps - 1
    final = settings.final_share
    if settings.schedule == "wsd":
        begin = max(warmup, round(steps * (1 - settings.decay_share)))
        passed = 1.0 - (last - step) / max(1, last - begin)
        return 1.0 - (1.0 - final) * max(0.0, passed)
    passed = min(1.0, (step - warmup) / max(1, last - warmup))
    return final + (1.0 - final) * 0.5 * (1.0 + math.cos(math.pi * passed))
