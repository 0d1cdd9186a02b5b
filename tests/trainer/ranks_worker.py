"""Carries out runs one after another within one group of ranks, for `torchrun`.

Argument: a JSON file, a list of [configuration, whether to resume, step in which rank 1 gets a
SIGTERM or null].
"""

import json
import signal
import sys
from functools import partial
from pathlib import Path

from trainer.checkpoint import latest
from trainer.config import config_from
from trainer.model import Block
from trainer.parallel import join_ranks
from trainer.train import Run


def terminate(run: Run, stop_in: int, *_: object) -> None:
    """Send this process a SIGTERM in a step, counted from 1."""
    if run.progress.step + 1 == stop_in:
        signal.raise_signal(signal.SIGTERM)


with join_ranks("cpu") as ranks:
    for data, resume, stop_in in json.loads(Path(sys.argv[1]).read_text()):
        config = config_from(data, "a test")
        start = latest(Path(config.output) / "checkpoints") if resume else None
        run = Run(config, ranks, start)
        seen: set[str] = set()
        layer = next(module for module in run.model.modules() if isinstance(module, Block))
        layer.register_forward_pre_hook(
            lambda _, inputs: seen.add(f"{inputs[0].dtype} {inputs[1].dtype}")  # noqa: B023
        )
        if ranks.rank == 1 and stop_in:
            layer.register_forward_pre_hook(partial(terminate, run, stop_in))
        run.loop()
        if ranks.is_first:
            Path(config.output, "layer_inputs").write_text(" ".join(seen))
