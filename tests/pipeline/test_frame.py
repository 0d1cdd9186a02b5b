"""The frame on a tiny source of its own: accounting, atomic commit, resume, determinism."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import psutil
import pytest

from filters.document import Document, Rejected
from pipeline import shards
from pipeline.accounting import read_json, sum_funnels
from pipeline.batch import Batch
from pipeline.dataset import Dataset
from pipeline.errors import OutputError, RunFailed
from pipeline.files import list_files
from pipeline.readers.records import BadRecord, Records, SkippedRecord
from pipeline.runner import Engine, MapPass, Workers, run_unit_pass
from pipeline.shards import Columns
from pipeline.stages import Batching, ReadUnit
from pipeline.units import Unit, unit_of
from pipeline.writer import UnitWriter, WriterSettings

BATCHING = Batching(documents=7, characters=10_000, rejected_text_share=0.5)


def read_lines(stream: BinaryIO, unit: Unit) -> Records:
    """One document a line; `bad`, `skip` and `raise` lines are what they say."""
    for number, line in enumerate(stream):
        text = line.decode().rstrip("\n")
        if text == "bad":
            yield BadRecord(f"{unit.name}/{number}", "", "bad_line", text)
        elif text == "skip":
            yield SkippedRecord("skip_line")
        elif text == "raise":
            raise ValueError("reader broke")
        else:
            yield Document(f"{unit.name}/{number}", "lines", text, {"url": f"u{number}"})


@dataclass
class DropShort:
    """Drops texts below a length; breaks on `explode`."""

    minimum: int
    name: str = "drop_short"

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        if document.text == "explode":
            raise KeyError("boom")
        document.signals["length"] = len(document.text)
        if len(document.text) < self.minimum:
            return Rejected("too_short", f"{len(document.text)} < {self.minimum}")
        return document


@dataclass
class Slow:
    """Lets a run be killed in the middle."""

    seconds: float
    name: str = "slow"

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        time.sleep(self.seconds)
        return document


def make_input(folder: Path, units: int = 6, lines: int = 40) -> list[Unit]:
    folder.mkdir(exist_ok=True)
    for unit in range(units):
        texts = [f"{'word ' * (line % 9)}{unit}-{line}" for line in range(lines + unit)]
        texts[3:3] = ["bad", "skip", "explode"]
        (folder / f"lines-{unit}.txt").write_text("\n".join(texts) + "\n")
    return [unit_of(file) for file in list_files(str(folder))]


def make_pass(folder: Path, slow: float = 0.0, fingerprint: str = "f1") -> MapPass:
    writer = WriterSettings(str(folder), fingerprint, Columns(), (), rows_per_group=10)
    stages = (DropShort(12), Slow(slow)) if slow else (DropShort(12),)
    return MapPass("lines", ReadUnit(read_lines, BATCHING), stages, BATCHING, writer)


def run(work: MapPass, units: list[Unit], engine: Engine | None = None) -> None:
    with Workers(engine or Engine()) as workers:
        run_unit_pass(work, units, workers)


def digest(folder: Path) -> dict[str, str]:
    """Checksums of everything that must not differ between runs."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "logs" not in path.parts
    }


def test_every_record_is_kept_dropped_or_failed_with_its_reason(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in")
    run(make_pass(tmp_path / "out"), units)
    funnel = sum_funnels(Dataset(str(tmp_path / "out")).committed())
    funnel.check("test")
    reasons: Counter[str] = Counter()
    for stage in funnel.stages.values():
        reasons.update(stage.reasons)
    lines = sum(40 + unit for unit in range(6)) + 2 * 6
    assert funnel.records == lines
    assert funnel.skipped == {"skip_line": 6}
    assert reasons["bad_line"] == 6
    assert reasons["error:KeyError"] == 6
    assert reasons["too_short"] > 0
    assert funnel.kept + sum(reasons.values()) == lines


def test_shards_hold_documents_with_signals_and_rejects_with_reasons(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in", units=1)
    run(make_pass(tmp_path / "out"), units)
    dataset = Dataset(str(tmp_path / "out"))
    with open(dataset.part("documents", units[0].name), "rb") as file:
        kept = list(shards.read_documents(file))
    rejected = list(shards.read_rejected(dataset.part("rejected", units[0].name)))
    assert all(document.signals["length"] >= 12 for document in kept)
    assert kept[0].metadata["url"].startswith("u")
    exploded = [row for row in rejected if row.reason == "error:KeyError"]
    assert [row.stage for row in exploded] == ["drop_short"]
    short = [row for row in rejected if row.reason == "too_short"]
    assert all(row.detail.endswith("< 12") and row.signals["length"] < 12 for row in short)
    with_text = [row for row in short if row.text is not None]
    assert 0 < len(with_text) < len(short)


def test_a_broken_reader_costs_the_rest_of_its_unit_only(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in", units=2)
    path = Path(units[0].path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:20], "raise", *lines[20:]]))
    units = [unit_of(file) for file in list_files(str(tmp_path / "in"))]
    run(make_pass(tmp_path / "out"), units)
    stats = {s["unit"]: s for s in Dataset(str(tmp_path / "out")).committed()}
    broken = stats[units[0].name]["funnel"]["stages"][0]
    assert broken["reasons"] == {"bad_line": 1, "error:ValueError": 1}
    assert broken["documents_in"] == 20
    whole = stats[units[1].name]["funnel"]["stages"][0]
    assert "error:ValueError" not in whole["reasons"]


def test_input_checksum_is_that_of_the_whole_file(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in", units=1)
    run(make_pass(tmp_path / "out"), units)
    stats = read_json(Dataset(str(tmp_path / "out")).stats_path(units[0].name))
    content = Path(units[0].path).read_bytes()
    assert stats["input"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert stats["input"]["bytes"] == len(content)


def test_two_workers_write_the_same_bytes_as_one(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in")
    run(make_pass(tmp_path / "one"), units)
    run(make_pass(tmp_path / "two"), units, Engine(workers=2))
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_replayed_bundles_write_the_same_bytes(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in")
    run(make_pass(tmp_path / "once"), units)
    run(make_pass(tmp_path / "twice"), units, Engine(options=("--direct_runner_bundle_repeat=2",)))
    assert digest(tmp_path / "once") == digest(tmp_path / "twice")


def test_committed_units_are_not_done_again_unless_the_recipe_changed(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in")
    run(make_pass(tmp_path / "out"), units)
    stats = Path(Dataset(str(tmp_path / "out")).stats_path(units[0].name))
    before = stats.stat().st_mtime_ns
    run(make_pass(tmp_path / "out"), units)
    assert stats.stat().st_mtime_ns == before
    run(make_pass(tmp_path / "out", fingerprint="f2"), units)
    assert stats.stat().st_mtime_ns > before


def test_output_of_another_input_is_refused(tmp_path: Path) -> None:
    run(make_pass(tmp_path / "out"), make_input(tmp_path / "in", units=3))
    (tmp_path / "other").mkdir()
    with pytest.raises(OutputError, match="not in this input"):
        run(make_pass(tmp_path / "out"), make_input(tmp_path / "other", units=1))


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_frame import make_pass, run
from pipeline.files import list_files
from pipeline.units import unit_of
if __name__ == "__main__":
    units = [unit_of(file) for file in list_files({input!r})]
    run(make_pass(Path({output!r}), slow=0.01), units)
"""


@pytest.mark.engines
@pytest.mark.parametrize("after_units", [0, 2])
def test_a_killed_run_leaves_nothing_partial_and_resumes_to_the_same_bytes(
    tmp_path: Path, after_units: int
) -> None:
    units = make_input(tmp_path / "in")
    output = tmp_path / "killed"
    script = KILLED.format(
        tests=str(Path(__file__).parent), input=str(tmp_path / "in"), output=str(output)
    )
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        committed = list((output / "stats").glob("part-*.json"))
        started = list((output / "documents").glob(".*"))
        if len(committed) >= after_units and started:
            break
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    committed = list((output / "stats").glob("part-*.json"))
    assert after_units <= len(committed) < len(units)
    for path in committed:
        for kind, entry in json.loads(path.read_bytes())["outputs"].items():
            part = output / kind / f"{path.stem}.parquet"
            assert hashlib.sha256(part.read_bytes()).hexdigest() == entry["sha256"]
    for path in output.rglob(".*.tmp-*"):
        path.unlink()
    run(make_pass(output, slow=0.0001), units)
    run(make_pass(tmp_path / "whole", slow=0.0001), units)
    assert digest(output) == digest(tmp_path / "whole")


ORPHANED = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_frame import make_pass, run
from pipeline.files import list_files
from pipeline.runner import Engine
from pipeline.units import unit_of
if __name__ == "__main__":
    units = [unit_of(file) for file in list_files({input!r})]
    run(make_pass(Path({output!r}), slow=0.5), units, Engine(workers=2))
"""


@pytest.mark.engines
def test_workers_do_not_outlive_a_killed_run(tmp_path: Path) -> None:
    make_input(tmp_path / "in")
    output = tmp_path / "out"
    script = tmp_path / "orphaned.py"
    script.write_text(
        ORPHANED.format(
            tests=str(Path(__file__).parent), input=str(tmp_path / "in"), output=str(output)
        )
    )
    process = subprocess.Popen([sys.executable, script], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(list(output.glob("documents/.*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = psutil.Process(process.pid).children(recursive=True)
    assert len(workers) >= 2
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=10)
    for worker in alive:
        worker.kill()
    assert not alive


def test_old_stats_never_vouch_for_files_of_another_recipe(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in", units=1)
    output = tmp_path / "out"
    run(make_pass(output), units)
    blocked = output / "rejected" / f"part-{units[0].name}.parquet"
    blocked.unlink()
    blocked.mkdir()
    with pytest.raises(RuntimeError, match="IsADirectoryError"):
        run(make_pass(output, fingerprint="f2"), units)
    assert Dataset(str(output)).pending(units, "f1") == units


def test_runners_known_to_lose_data_are_refused() -> None:
    with pytest.raises(RunFailed, match="known to lose data"):
        Engine("apache_beam.runners.dask.dask_runner.DaskRunner")


def test_an_unknown_runner_is_refused_with_those_there_are() -> None:
    with pytest.raises(RunFailed, match=r"NopeRunner.*DataflowRunner"):
        Engine("NopeRunner").pipeline()


def test_a_batch_out_of_order_is_an_error(tmp_path: Path) -> None:
    unit = make_input(tmp_path / "in", units=1)[0]
    writer = UnitWriter(unit, make_pass(tmp_path / "out").writer)
    with pytest.raises(RunFailed, match="does not keep the batches of a unit together"):
        writer.add(Batch(unit, 1))
    writer.discard()
    assert not any(path.is_file() for path in (tmp_path / "out").rglob("*"))


@pytest.fixture(autouse=True)
def importable_in_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes unpickle this module's classes by name."""
    folder = str(Path(__file__).parent)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", folder)


def test_links_are_followed_once_and_never_in_circles(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep er").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    for path in ("in/a.txt", "in/deep er/ü.txt", "other/c.txt"):
        (tmp_path / path).write_text("x")
    for link, target in (("loop", "."), ("deep er/up", ".."), ("linked", "../other")):
        (tmp_path / "in" / link).symlink_to(target)
    (tmp_path / "in" / "nothing.txt").symlink_to("nowhere")
    (tmp_path / "in" / "itself.txt").symlink_to("itself.txt")
    found = [file.relative for file in list_files(str(tmp_path / "in"))]
    assert found == ["a.txt", "deep er/ü.txt", "linked/c.txt"]
