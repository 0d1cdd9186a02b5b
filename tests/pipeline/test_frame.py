"""The frame on a tiny source of its own: accounting, commit, take-over, resume, determinism."""

from __future__ import annotations

import hashlib
import os
import shutil
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
from pipeline.errors import RunFailed
from pipeline.passes import shards
from pipeline.passes.batch import Batch
from pipeline.passes.documents_pass import DocumentsPass
from pipeline.passes.engine import Engine, execute
from pipeline.passes.progress import counted
from pipeline.passes.run import Result, running
from pipeline.passes.shards import Columns
from pipeline.passes.stages import Batching, ReadUnit
from pipeline.passes.writer import UnitWriter, WriterSettings
from pipeline.readers.document_shards import DocumentShard
from pipeline.readers.records import BadRecord, Records, SkippedRecord
from pipeline.store.commit import Attempt, Place
from pipeline.store.files import list_files
from pipeline.store.local import half_written
from pipeline.store.records import UnitInput
from pipeline.store.units import Unit, unit_of

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


def find_units(folder: Path) -> list[Unit]:
    return [unit_of(file) for file in list_files(str(folder))]


def make_input(folder: Path, units: int = 6, lines: int = 40) -> list[Unit]:
    folder.mkdir(exist_ok=True)
    for unit in range(units):
        texts = [f"{'word ' * (line % 9)}{unit}-{line}" for line in range(lines + unit)]
        texts[3:3] = ["bad", "skip", "explode"]
        (folder / f"lines-{unit}.txt").write_text("\n".join(texts) + "\n")
    return find_units(folder)


def make_pass(place: Place, slow: float = 0.0, minimum: int = 12) -> DocumentsPass:
    writer = WriterSettings(Columns(), (), rows_per_group=10)
    stages = (DropShort(minimum), Slow(slow)) if slow else (DropShort(minimum),)
    read = ReadUnit(read_lines, BATCHING)
    return DocumentsPass("lines", place, read, stages, BATCHING, writer, 600)


def run(
    folder: Path,
    units: list[Unit],
    engine: Engine | None = None,
    *,
    slow: float = 0.0,
    minimum: int = 12,
) -> Result:
    with running(engine or Engine(), str(folder)) as one:
        place = one.place(str(folder), "lines", is_last=True)
        return one.run_units(make_pass(place, slow, minimum), units)


def contents(result: Result) -> dict[str, str]:
    """SHA-256 of the bytes of every file, by kind and unit."""
    found = {}
    for record in result.records():
        for file in record.files:
            data = Path(result.place.full(file.name)).read_bytes()
            found[f"{file.kind}/{record.unit}"] = hashlib.sha256(data).hexdigest()
            assert found[f"{file.kind}/{record.unit}"] == file.sha256
    return found


def names(result: Result) -> list[str]:
    return sorted(file.name for record in result.records() for file in record.files)


def test_every_record_is_kept_dropped_or_failed_with_its_reason(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in")
    funnel = run(tmp_path / "out", units).summary.funnel
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
    result = run(tmp_path / "out", units)
    (record,) = result.records()
    with open(result.place.full(record.of_kind("documents").name), "rb") as file:
        kept = list(DocumentShard("a shard", file).documents())
    rejected = list(shards.read_rejected(result.place.full(record.of_kind("rejected").name)))
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
    records = run(tmp_path / "out", find_units(tmp_path / "in")).records()
    found = {record.unit: record.funnel["stages"][0] for record in records}
    broken = found[units[0].name]
    assert broken["reasons"] == {"bad_line": 1, "error:ValueError": 1}
    assert broken["documents_in"] == 20
    assert "error:ValueError" not in found[units[1].name]["reasons"]


def test_input_checksum_is_that_of_the_whole_file(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in", units=1)
    (record,) = run(tmp_path / "out", units).records()
    content = Path(units[0].path).read_bytes()
    assert record.input.sha256 == hashlib.sha256(content).hexdigest()
    assert record.input.bytes == len(content)
    assert record.input.identity == units[0].identity


def test_two_workers_write_the_same_bytes_as_one(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in")
    # So slow that the worker that starts last still finds units.
    one = run(tmp_path / "one", units, slow=0.01)
    two = run(tmp_path / "two", units, Engine(workers=2), slow=0.01)
    assert contents(one) == contents(two)
    assert one.summary.funnel == two.summary.funnel
    assert len(two.summary.tables) == 2


def test_replayed_bundles_write_the_same_bytes_and_count_once(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in")
    once = run(tmp_path / "once", units)
    twice = run(tmp_path / "twice", units, Engine(options=("--direct_runner_bundle_repeat=2",)))
    assert contents(once) == contents(twice)
    assert once.summary.funnel == twice.summary.funnel
    # The second attempt at a unit found the first's record, and left no file of its own.
    written = {path.name for path in (tmp_path / "twice" / "documents").iterdir()}
    assert written == {Path(name).name for name in names(twice) if name.startswith("documents/")}


def test_finished_units_are_taken_over_unless_the_recipe_changed(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in")
    first = run(tmp_path / "out", units)
    assert names(run(tmp_path / "out", units)) == names(first)
    other = run(tmp_path / "out", units, minimum=13)
    assert not set(names(other)) & set(names(first))
    # Nothing of the first recipe was overwritten: back to it, nothing is to be done.
    assert names(run(tmp_path / "out", units)) == names(first)


def test_one_input_more_or_less_changes_that_unit_alone(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in", units=4)
    first = run(tmp_path / "out", units)
    grown = run(tmp_path / "out", make_input(tmp_path / "in", units=5))
    assert set(names(first)) < set(names(grown))
    assert grown.summary.units == 5
    shrunk = run(tmp_path / "out", units[:2])
    assert set(names(shrunk)) < set(names(first))
    assert shrunk.summary.units == 2


def test_a_file_of_the_same_size_with_other_content_is_read_again(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in", units=2)
    first = run(tmp_path / "out", units)
    path = Path(units[0].path)
    path.write_text(path.read_text().replace("word", "wurd"))
    again = run(tmp_path / "out", find_units(tmp_path / "in"))
    changed = {key for key, value in contents(again).items() if contents(first)[key] != value}
    assert changed == {f"{kind}/{units[0].name}" for kind in ("documents", "rejected")}


def test_a_copy_of_the_input_is_hashed_once_and_nothing_is_redone(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in", units=2)
    first = run(tmp_path / "out", units)
    shutil.copytree(tmp_path / "in", tmp_path / "copy", copy_function=shutil.copy)
    copies = find_units(tmp_path / "copy")
    assert all(a.identity != b.identity for a, b in zip(units, copies, strict=True))
    again = run(tmp_path / "out", copies)
    assert names(again) == names(first)
    assert [one.input.identity for one in again.records()] == [one.identity for one in copies]
    # The identity is noted: another time the file is not even opened.
    for unit in copies:
        Path(unit.path).chmod(0)
        os.truncate(unit.path, 0)
    assert names(run(tmp_path / "out", copies)) == names(first)


def test_a_record_whose_file_is_gone_or_cut_does_not_count(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in", units=2)
    first = run(tmp_path / "out", units)
    before = contents(first)
    gone, cut = (first.place.full(one.of_kind("documents").name) for one in first.records())
    Path(gone).unlink()
    os.truncate(cut, 10)
    again = run(tmp_path / "out", units)
    assert contents(again) == before
    assert not set(names(again)) & set(names(first))


def test_a_second_attempt_never_touches_a_committed_unit(tmp_path: Path) -> None:
    """The loser may be killed at any point: the unit stays as the first left it."""
    (unit,) = make_input(tmp_path / "in", units=1)
    place = Place(str(tmp_path / "out"), "lines", True, "0" * 8)
    attempts = [Attempt(place, unit) for _ in range(2)]
    for number, attempt in enumerate(attempts):
        attempt.write("documents", "parquet", f"{number}".encode())
    read = UnitInput(unit.relative, unit.identity, unit.size)
    funnel = {"skipped": {}, "stages": []}
    key = unit.key("f1")
    first = attempts[0].commit(key, read, funnel, {})
    second = attempts[1].commit(key, read, funnel, {})
    assert second == first
    assert [path.read_text() for path in (tmp_path / "out" / "documents").iterdir()] == ["0"]


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_frame import find_units, run
from pipeline.passes.engine import Engine
if __name__ == "__main__":
    run(Path({output!r}), find_units(Path({input!r})), Engine(workers={workers}), slow={slow})
"""


def start(tmp_path: Path, output: Path, workers: int, slow: float) -> subprocess.Popen[bytes]:
    script = tmp_path / "script.py"
    script.write_text(
        SCRIPT.format(
            tests=str(Path(__file__).parent),
            input=str(tmp_path / "in"),
            output=str(output),
            workers=workers,
            slow=slow,
        )
    )
    return subprocess.Popen([sys.executable, script], stderr=subprocess.DEVNULL)


def wait_until(found: object) -> None:
    deadline = time.monotonic() + 60
    while not found() and time.monotonic() < deadline:  # type: ignore[operator]
        time.sleep(0.005)


@pytest.mark.engines
@pytest.mark.parametrize("after_units", [0, 2])
def test_a_killed_run_leaves_nothing_partial_and_resumes_to_the_same_bytes(
    tmp_path: Path, after_units: int
) -> None:
    units = make_input(tmp_path / "in")
    output = tmp_path / "killed"
    process = start(tmp_path, output, 1, 0.01)
    done = output / "work" / "lines" / "done"
    wait_until(
        lambda: len(list(done.glob("*.json"))) >= after_units and list(half_written(str(output)))
    )
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    committed = len(list(done.glob("*.json")))
    assert after_units <= committed < len(units)
    resumed = run(output, units, slow=0.01)
    assert contents(resumed) == contents(run(tmp_path / "whole", units, slow=0.01))


@pytest.mark.engines
def test_workers_do_not_outlive_a_killed_run(tmp_path: Path) -> None:
    make_input(tmp_path / "in")
    output = tmp_path / "out"
    process = start(tmp_path, output, 2, 0.5)
    wait_until(lambda: len(list(half_written(str(output)))) >= 4)
    workers = psutil.Process(process.pid).children(recursive=True)
    assert len(workers) >= 2
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=10)
    for worker in alive:
        worker.kill()
    assert not alive


def test_units_count_while_others_are_still_to_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(Slow, "__call__", lambda _, document: seen.append(counted()[0]) or document)
    units = make_input(tmp_path / "in")
    run(tmp_path / "out", units, slow=1e-9)
    assert set(seen) == set(range(len(units)))


def test_a_run_waits_for_all_that_it_started(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in")
    run(tmp_path / "out", units, Engine(workers=2))
    left = [one.cmdline() for one in psutil.Process().children(recursive=True)]
    assert not [line for line in left if "forkserver" in " ".join(line)]


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_ends_a_run_in_order(tmp_path: Path, workers: int) -> None:
    make_input(tmp_path / "in")
    output = tmp_path / "out"
    process = start(tmp_path, output, workers, 0.05)
    wait_until(lambda: list(half_written(str(output / "documents"))))
    process.terminate()
    assert process.wait(timeout=30) != 0
    runs = list((output / "work" / "runs").iterdir())
    assert [(one / "ended.json").exists() for one in runs] == [True]


def test_runners_known_to_lose_data_are_refused() -> None:
    with pytest.raises(RunFailed, match="known to lose data"):
        Engine("apache_beam.runners.dask.dask_runner.DaskRunner")


def test_an_unknown_runner_is_refused_with_those_there_are() -> None:
    with pytest.raises(RunFailed, match=r"NopeRunner.*DataflowRunner"):
        execute(Engine("NopeRunner"), "nothing", lambda root: root)


def test_a_batch_out_of_order_is_an_error(tmp_path: Path) -> None:
    unit = make_input(tmp_path / "in", units=1)[0]
    place = Place(str(tmp_path / "out"), "lines")
    writer = UnitWriter(unit, place, make_pass(place).writer)
    with pytest.raises(RunFailed, match="does not keep the batches of a unit together"):
        writer.add(Batch(unit, 1))
    writer.discard()
    assert not any(path.is_file() for path in (tmp_path / "out").rglob("*"))


@pytest.fixture(autouse=True)
def importable_in_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes unpickle this module's classes by name."""
    folder = str(Path(__file__).parent)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))


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
