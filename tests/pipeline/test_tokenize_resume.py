"""`roving tokenize` killed with SIGKILL at several moments: the same bytes after another run."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tokens_data import TEXTS, contents, write_documents

from pipeline.cli.main import main

pytestmark = pytest.mark.engines

ROOT = Path(__file__).resolve().parents[2]
# What is there when the kill comes: nothing, half a unit, a unit.
MOMENTS = ("set/work/runs/*", "set/train/*", "set/work/tokens/done/*.json")


def command(documents: Path, tokenizer: Path, output: Path) -> list[str]:
    arguments = ["tokenize", "--documents", str(documents), "--tokenizer", str(tokenizer)]
    return [*arguments, "--output", str(output), "--set", "tokens.validation_share=0.2"]


def wait_for_lock(arguments: list[str]) -> int:
    """Run it in this process; workers of the killed run may hold the lock for a moment."""
    status = 2
    for _ in range(50):
        status = main(arguments)
        if status != 2:
            break
        time.sleep(0.1)
    return status


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    units = {
        f"u{unit}": [f"{text} {unit} {number}" for number in range(100) for text in TEXTS]
        for unit in range(6)
    }
    return write_documents(tmp_path_factory.mktemp("documents") / "set", units)


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, documents: Path, small_tokenizer: Path
) -> dict[str, Any]:
    """What an undisturbed run makes of it."""
    output = tmp_path_factory.mktemp("whole") / "out"
    assert main(command(documents, small_tokenizer, output)) == 0
    return contents(output)


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_and_run_again_gives_the_same_bytes(
    tmp_path: Path, documents: Path, small_tokenizer: Path, whole: dict[str, Any], moment: str
) -> None:
    for attempt in range(5):  # a busy machine may look too late
        output = tmp_path / f"out-{attempt}"
        arguments = command(documents, small_tokenizer, output)
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", *arguments, "--workers", "2"],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None and next(output.glob(moment), None) is None:
            time.sleep(0.002)
        process.kill()
        if process.wait() == -signal.SIGKILL and not (output / "set" / "manifest.json").exists():
            break
    else:
        pytest.fail("the run was always done before it could be killed")
    assert wait_for_lock(arguments) == 0
    assert contents(output) == whole
