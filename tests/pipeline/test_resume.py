"""The real command killed with SIGKILL at several moments, with two workers: same bytes after."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from dataset_files import contents, leftovers

from pipeline.store.accounting import read_json

pytestmark = pytest.mark.engines

ROOT = Path(__file__).resolve().parents[2]


def command(source: Path, output: Path, workers: int) -> list[str]:
    arguments = [sys.executable, "-m", "pipeline", "run", "commoncrawl"]
    arguments += ["--input", str(source), "--output", str(output), "--workers", str(workers)]
    arguments += ["--set", "commoncrawl.perplexity.enabled=false"]
    arguments += ["--set", "commoncrawl.reference_quality.enabled=false"]
    return [*arguments, "--set", "run.partition_bytes=4000"]


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
def dataset(tmp_path_factory: pytest.TempPathFactory, crawl: Path) -> Path:
    """What an undisturbed run makes of it."""
    output = tmp_path_factory.mktemp("whole") / "out"
    subprocess.run(command(crawl, output, 1), cwd=ROOT, check=True, capture_output=True)
    return output


# What is there when the kill comes: nothing, a unit extracted, decisions, a unit finished.
MOMENTS = (
    "work/extract",
    "work/extract/done/*.json",
    "work/paragraphs/decisions/*.npy",
    "documents/*.parquet",
)


# The same for a deduplication: candidates, clusters, the first dataset written.
DEDUPLICATION_MOMENTS = (
    "work/minhash.keys.one/done/*.json",
    "work/minhash.candidates/decisions/*.npy",
    "work/minhash.decisions/decisions/*.npy",
    "*/documents/*.parquet",
)


def kill_at(arguments: list[str], output: Path, moment: str, last: str) -> bool:
    """Start the command and kill it when a file matches; False if it was done by then."""
    process = subprocess.Popen(
        arguments, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and next(output.glob(moment), None) is None:
        time.sleep(0.002)
    process.kill()
    return process.wait() == -signal.SIGKILL and not (output / last).exists()


def killed(tmp_path: Path, make: Callable[[Path], list[str]], moment: str, last: str) -> Path:
    """The output of a command after it was killed at a moment and run again."""
    for attempt in range(5):  # a busy machine may look too late
        output = tmp_path / f"out-{attempt}"
        if kill_at(make(output), output, moment, last):
            break
    else:
        pytest.fail("five runs ended before they could be killed")
    subprocess.run(make(output), cwd=ROOT, check=True, capture_output=True)
    return output


def assert_same(output: Path, undisturbed: Path) -> None:
    """The same bytes and counts, and nothing of the killed run left over."""
    assert contents(output) == contents(undisturbed)
    assert leftovers(output) == []
    one, other = (read_json(str(folder / "manifest.json")) for folder in (output, undisturbed))
    for manifest in (one, other):
        manifest.pop("run")
        for table in manifest.pop("tables"):
            assert (table["rows"] > 0) == bool(manifest["units"])
    assert one == other


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_and_started_again(tmp_path: Path, crawl: Path, dataset: Path, moment: str) -> None:
    output = killed(tmp_path, lambda out: command(crawl, out, 2), moment, "manifest.json")
    assert_same(output, dataset)


def deduplication(dataset: Path, output: Path, workers: int) -> list[str]:
    arguments = [sys.executable, "-m", "pipeline", "dedup", "minhash", "--output", str(output)]
    arguments += ["--input", f"one={dataset}", "--input", f"two={dataset}"]
    return [*arguments, "--workers", str(workers), "--set", "run.partition_bytes=4000"]


@pytest.fixture(scope="module")
def deduplicated(tmp_path_factory: pytest.TempPathFactory, dataset: Path) -> Path:
    output = tmp_path_factory.mktemp("deduplicated") / "out"
    command = deduplication(dataset, output, 1)
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return output


@pytest.mark.parametrize("moment", DEDUPLICATION_MOMENTS)
def test_deduplication_killed_and_started_again(
    tmp_path: Path, dataset: Path, deduplicated: Path, moment: str
) -> None:
    last = "two/manifest.json"
    output = killed(tmp_path, lambda out: deduplication(dataset, out, 2), moment, last)
    for label in ("one", "two"):
        assert_same(output / label, deduplicated / label)
