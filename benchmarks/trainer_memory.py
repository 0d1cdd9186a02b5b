"""Memory that `roving train plan` says, against what a step of layers of a 7B model takes.

    python benchmarks/trainer_memory.py [--layers 2] [--preset llama1-7b]

Two layers of the preset's width, its embeddings and head, one window, AdamW; on a CPU, each setting
in a process of its own, whose largest resident size is compared with the plan. What the process had
before the model was made is taken off. Goal: 0.9 to 1.05, as the plan warns from nine tenths of a
device on. Two layers of 7B need 14 GB.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import resource
import subprocess
import sys

import torch

from trainer.config import Config, TrainingConfig
from trainer.loss import targets_of
from trainer.model import Llama
from trainer.optimizer import make_optimizer
from trainer.parallel import Ranks, spread
from trainer.plan import GIB, memory
from trainer.presets import PRESETS
from trainer.train import autocast

SETTINGS = [("fp32", "none"), ("bf16", "none"), ("bf16", "selective"), ("bf16", "full")]


def resident() -> int:
    """Largest resident size of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(preset: str, layers: int, precision: str, checkpointing: str) -> None:
    """Two steps, the second of two micro-batches; prints planned and taken bytes."""
    settings = dataclasses.replace(PRESETS[preset].model, layers=layers)
    training = TrainingConfig(micro_batch=1, precision=precision, checkpointing=checkpointing)
    planned = memory(settings, training, 1)
    config = Config(training=training)
    before = resident()
    model = spread(Llama(settings), training, Ranks(0, 1, torch.device("cpu")))
    optimizer = make_optimizer(model, config)
    for micro_batches in (1, 2):
        for _ in range(micro_batches):
            tokens = torch.randint(3, settings.vocabulary_size, (1, settings.context + 1))
            with autocast(config, torch.device("cpu")):
                nats = model(tokens[:, :-1], None, targets_of(tokens, 1))
            (nats / settings.context).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    print(json.dumps([planned.total, resident() - before]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="llama1-7b", choices=PRESETS)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--only", nargs=2, metavar=("PRECISION", "CHECKPOINTING"))
    parsed = parser.parse_args()
    if parsed.only:
        measure(parsed.preset, parsed.layers, *parsed.only)
        return
    print(f"{parsed.layers} layers of {parsed.preset}, one window, GiB")
    print(f"{'':<18}{'planned':>10}{'taken':>10}{'taken / planned':>18}")
    for only in SETTINGS:
        command = [sys.executable, __file__, "--preset", parsed.preset]
        done = subprocess.run(
            [*command, "--layers", str(parsed.layers), "--only", *only],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        planned, taken = json.loads(done.stdout)
        ratio = taken / planned
        print(f"{' '.join(only):<18}{planned / GIB:>10.2f}{taken / GIB:>10.2f}{ratio:>18.3f}")


if __name__ == "__main__":
    main()
