"""`roving tokenize` killed with SIGKILL at several moments: the same bytes after another run."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tokens_data import TEXTS, contents, write_documents

ROOT = Path(__file__).resolve().parents[2]
# What is there when the kill comes: nothing, half a unit, a unit.
MOMENTS = ("set/*", "set/train/*", "set/stats/*.json")


def command(documents: Path, tokenizer: Path, output: Path) -> list[str]:
    arguments = [sys.executable, "-m", "pipeline", "tokenize", "--documents", str(documents)]
    arguments += ["--tokenizer", str(tokenizer), "--output", str(output), "--workers", "2"]
    return [*arguments, "--set", "tokens.validation_share=0.2"]


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
) -> dict[str, bytes]:
    """What an undisturbed run makes of it."""
    output = tmp_path_factory.mktemp("whole") / "out"
    arguments = command(documents, small_tokenizer, output)
    subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True)
    return contents(output)


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_and_run_again_gives_the_same_bytes(
    tmp_path: Path, documents: Path, small_tokenizer: Path, whole: dict[str, bytes], moment: str
) -> None:
    for attempt in range(5):  # a busy machine may look too late
        output = tmp_path / f"out-{attempt}"
        arguments = command(documents, small_tokenizer, output)
        process = subprocess.Popen(
            arguments, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None and next(output.glob(moment), None) is None:
            time.sleep(0.002)
        process.kill()
        if process.wait() == -signal.SIGKILL and not (output / "set" / "manifest.json").exists():
            break
    else:
        pytest.fail("the run was always done before it could be killed")
    subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True)
    assert contents(output) == whole
