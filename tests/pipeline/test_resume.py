"""The real command killed with SIGKILL at several moments, with two workers: same bytes after."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def command(source: Path, output: Path, workers: int) -> list[str]:
    arguments = [sys.executable, "-m", "pipeline", "run", "commoncrawl"]
    arguments += ["--input", str(source), "--output", str(output), "--workers", str(workers)]
    arguments += ["--set", "commoncrawl.perplexity.enabled=false"]
    arguments += ["--set", "commoncrawl.reference_quality.enabled=false"]
    return [*arguments, "--set", "run.partition_bytes=4000"]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "logs" not in path.parts and path.name != ".lock"
    }


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Path:
    """The sample crawl in several snapshots, so that there are units to be killed between."""
    folder = tmp_path_factory.mktemp("crawl")
    for snapshot in ("CC-MAIN-2024-10", "CC-MAIN-2024-18", "CC-MAIN-2024-22"):
        (folder / snapshot).mkdir()
        for path in (samples / "commoncrawl").glob("*.gz"):
            (folder / snapshot / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, crawl: Path) -> dict[str, bytes]:
    output = tmp_path_factory.mktemp("whole") / "out"
    subprocess.run(command(crawl, output, 1), cwd=ROOT, check=True, capture_output=True)
    return contents(output)


# What is there when the kill comes: nothing, a unit extracted, decisions, a unit finished.
MOMENTS = ("extract", "extract/stats/*.json", "extract/decisions/*/*.rows", "stats/*.json")


def kill_at(arguments: list[str], output: Path, moment: str) -> bool:
    """Start the command and kill it when a file matches; False if it was done by then."""
    process = subprocess.Popen(
        arguments, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and next(output.glob(moment), None) is None:
        time.sleep(0.002)
    process.kill()
    return process.wait() == -signal.SIGKILL and not (output / "manifest.json").exists()


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_and_started_again(
    tmp_path: Path, crawl: Path, whole: dict[str, bytes], moment: str
) -> None:
    for attempt in range(5):  # a busy machine may look too late
        output = tmp_path / f"out-{attempt}"
        if kill_at(command(crawl, output, 2), output, moment):
            break
    else:
        pytest.fail("five runs ended before they could be killed")
    subprocess.run(command(crawl, output, 2), cwd=ROOT, check=True, capture_output=True)
    assert contents(output) == whole
