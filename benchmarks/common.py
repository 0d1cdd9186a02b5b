"""What the benchmarks share: growing an input, and the resources a child process used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Used:
    """Wall and CPU seconds of a command with all its children, and its largest process in MB."""

    wall: float
    cpu: float
    peak: float


def grow_input(folder: Path, pattern: str, copies: int, target: Path) -> int:
    """Copy the files that match `copies` times under other names; returns bytes."""
    size = 0
    for number in range(copies):
        for path in sorted(folder.glob(pattern)):
            copy = target / f"copy{number:03}" / path.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
            size += copy.stat().st_size
    return size


def measure(command: Sequence[str]) -> Used:
    """Run a command to its end.

    Raises:
        CalledProcessError: it failed.
    """
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    code = os.waitstatus_to_exitcode(status)
    if code:
        sys.stderr.buffer.write(errors)
        raise subprocess.CalledProcessError(code, command)
    return Used(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000)
