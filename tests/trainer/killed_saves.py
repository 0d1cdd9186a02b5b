"""Runs that are killed while they save step 6, each in a process of its own.

Arguments: a JSON file with the configuration; a folder for one run per moment.
"""

import json
import os
import signal
import sys
from pathlib import Path

import torch
from torch.distributed.checkpoint import state_dict_saver

import trainer.checkpoint
from trainer.config import config_from
from trainer.train import train

STEP = "step-00000006"
MOMENTS = ("writing", "written", "marked", "renamed")
async_save, sync = state_dict_saver.async_save, trainer.checkpoint._sync


def kill_at(moment: str) -> None:
    """Have this process killed then."""

    def killing_save(contents: object, **options: object) -> object:
        saving = async_save(contents, **options)
        if moment == "writing" and STEP in str(options["checkpoint_id"]):
            os.kill(os.getpid(), signal.SIGKILL)
        return saving

    def killing_sync(path: Path) -> None:
        found = {
            "written": path.name == ".metadata" and STEP in str(path),
            "marked": path.name == "COMPLETE" and STEP in str(path),
            "renamed": path.name == "checkpoints" and (path / STEP).exists(),
        }
        if found.get(moment):
            os.kill(os.getpid(), signal.SIGKILL)
        sync(path)

    state_dict_saver.async_save, trainer.checkpoint._sync = killing_save, killing_sync


if __name__ == "__main__":
    torch.set_num_threads(1)
    data = json.loads(Path(sys.argv[1]).read_text())
    for name in MOMENTS:
        child = os.fork()
        if not child:
            kill_at(name)
            train(config_from({**data, "output": f"{sys.argv[2]}/{name}"}, "a test"))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL, f"{name} was not killed: {status}"
