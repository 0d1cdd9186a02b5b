"""Records that kill a worker, or never end: what is skipped, with what reason, what is kept."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import pytest
from test_frame import BATCHING, find_units, names

from filters.document import Document, Rejected
from pipeline.errors import RunFailed
from pipeline.passes import guard, shards
from pipeline.passes.batch import Batch
from pipeline.passes.documents_pass import DocumentsPass
from pipeline.passes.engine import Engine
from pipeline.passes.guard import MakeGuarded, make_unit
from pipeline.passes.run import Result, running
from pipeline.passes.shards import Columns
from pipeline.passes.stages import Batching, ReadUnit, apply_function
from pipeline.passes.watch import SIZE, Slot, Watcher
from pipeline.passes.writer import WriterSettings
from pipeline.readers.records import BadRecord, Records, SkippedRecord
from pipeline.store import attempts
from pipeline.store.commit import Place
from pipeline.store.units import Unit

SECONDS = 2
HANG = re.compile(r"(a|aa)+$")


def read_lines(stream: BinaryIO, unit: Unit) -> Records:
    """One document a line; `abort` lines end the process, `bad` and `skip` lines are such."""
    for number, line in enumerate(stream):
        text = line.decode().rstrip("\n")
        if text == "abort":
            os.kill(os.getpid(), signal.SIGABRT)
        if text == "bad":
            yield BadRecord(f"{unit.name}/{number}", "", "bad_line", text)
        elif text == "skip":
            yield SkippedRecord("skip_line")
        else:
            yield Document(f"{unit.name}/{number}", "lines", text)


@dataclass
class Hostile:
    """Kills its process, never ends, or runs out of memory, as a text says."""

    name: str = "hostile"

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        if document.text.startswith("crash"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if document.text.startswith("hang"):
            HANG.match("a" * 100 + "b")
        if document.text.startswith("memory"):
            raise MemoryError
        if document.text.startswith("drop"):
            return Rejected("dropped")
        return document


class DiesAtOpen(Hostile):
    """As of a model that does not fit into memory."""

    def open(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class Whole:
    """A stage over batches that dies before it comes to single documents."""

    name = "whole"

    def open(self) -> None:
        """Nothing to load."""

    def apply(self, batch: Batch, batching: Batching) -> None:
        skips = batch.unit.skips_of(self.name)
        for row, document in zip(batch.rows, batch.documents, strict=True):
            if document.text.startswith("whole") and row not in skips:
                os.kill(os.getpid(), signal.SIGSEGV)
        apply_function(self.name, self._decide, batch, batching)

    def _decide(self, document: Document) -> Document | Rejected:
        return Rejected("odd") if document.text.endswith("7") else document


def make_pass(place: Place) -> DocumentsPass:
    writer = WriterSettings(Columns(), (), rows_per_group=10)
    read = ReadUnit(read_lines, BATCHING)
    stages = (Hostile(), Whole())
    return DocumentsPass("lines", place, read, stages, BATCHING, writer, SECONDS)


def run(folder: Path, units: list[Unit], engine: Engine | None = None) -> Result:
    with running(engine or Engine(), str(folder)) as one:
        place = one.place(str(folder), "lines", is_last=True)
        return one.run_units(make_pass(place), units)


def make_input(folder: Path, *hostile: str, units: int = 3) -> list[Unit]:
    """Units of 30 lines; the hostile ones stand in the middle of the second."""
    folder.mkdir()
    for unit in range(units):
        lines = [f"drop {line}" if line % 4 == 0 else f"text {line}" for line in range(30)]
        lines[5:5] = ["bad", "skip"]
        if unit == 1:
            lines[20:20] = hostile
        (folder / f"lines-{unit}.txt").write_text("\n".join(lines) + "\n")
    return find_units(folder)


def rejected(result: Result, unit: Unit) -> list[tuple[str, str, str]]:
    """Stage, reason and id of what was rejected of a unit because nothing gets past it."""
    (record,) = (one for one in result.records() if one.unit == unit.name)
    rows = shards.read_rejected(result.place.full(record.of_kind("rejected").name))
    reasons = (attempts.KILLED, attempts.TOO_LONG)
    return [(row.stage, row.reason, row.id) for row in rows if row.reason in reasons]


def kept(result: Result) -> int:
    result.summary.funnel.check("test")
    return result.summary.funnel.kept


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_guard import find_units, run
from pipeline.passes.engine import Engine
if __name__ == "__main__":
    run(Path({output!r}), find_units(Path({input!r})), Engine(workers={workers}))
"""


def start(tmp_path: Path, workers: int = 1) -> subprocess.Popen[str]:
    script = tmp_path / "script.py"
    tests = str(Path(__file__).parent)
    values = {"input": str(tmp_path / "in"), "output": str(tmp_path / "out")}
    script.write_text(SCRIPT.format(tests=tests, workers=workers, **values))
    return subprocess.Popen([sys.executable, script], stderr=subprocess.PIPE, text=True)


def command(tmp_path: Path, workers: int = 1) -> tuple[int, str]:
    """Exit status and messages of a run in a process of its own."""
    process = start(tmp_path, workers)
    _, said = process.communicate(timeout=120)
    return process.returncode, said


@pytest.fixture(autouse=True)
def importable_in_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))


def unit_and_place(tmp_path: Path, *hostile: str) -> tuple[Unit, Place]:
    units = make_input(tmp_path / "in", *hostile)
    return units[1], Place(str(tmp_path / "out"), "lines", True, "0" * 8)


def test_a_guarded_unit_has_the_bytes_of_any_other(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in")
    result = run(tmp_path / "out", units)
    place = Place(str(tmp_path / "guarded"), "lines", True, "0" * 8)
    found = [record for unit in units for record in MakeGuarded(make_pass(place)).process(unit)]
    assert [one.content for one in found] == [one.content for one in result.records()]
    assert [one.funnel for one in found] == [one.funnel for one in result.records()]
    assert [one.key for one in found] == [one.key for one in result.records()]


@pytest.mark.parametrize(
    ("text", "stage", "reason"),
    [
        ("crash", "hostile", attempts.KILLED),
        ("memory", "hostile", attempts.KILLED),
        ("hang", "hostile", attempts.TOO_LONG),
        ("whole", "whole", attempts.KILLED),
    ],
)
def test_a_guarded_unit_loses_the_hostile_record_alone(
    tmp_path: Path, text: str, stage: str, reason: str
) -> None:
    unit, place = unit_and_place(tmp_path, text)
    work = make_pass(place)
    (record,) = MakeGuarded(work).process(unit)
    rows = list(shards.read_rejected(place.full(record.of_kind("rejected").name)))
    assert [row.id for row in rows if (row.stage, row.reason) == (stage, reason)] == [
        f"{unit.name}/20"
    ]
    # All others are as in the same input with a line there that is dropped anyway.
    other = make_input(tmp_path / "mild", "drop")[1]
    elsewhere = Place(str(tmp_path / "mild-out"), "lines", True, "0" * 8)
    mild = make_unit(make_pass(elsewhere), other)
    assert record.of_kind("documents").sha256 == mild.of_kind("documents").sha256
    assert len(rows) == mild.of_kind("rejected").rows


def test_what_follows_an_aborting_reader_is_lost_input(tmp_path: Path) -> None:
    unit, place = unit_and_place(tmp_path, "abort")
    (record,) = MakeGuarded(make_pass(place)).process(unit)
    rows = list(shards.read_rejected(place.full(record.of_kind("rejected").name)))
    (lost,) = (row for row in rows if row.reason == attempts.KILLED)
    assert (lost.stage, lost.id, lost.detail) == (
        "read",
        f"{unit.relative}#rest",
        "the process died: SIGABRT",
    )
    assert record.input.lost == attempts.KILLED
    assert record.funnel["stages"][0]["documents_in"] == 20


def test_with_too_many_skips_the_rest_of_the_unit_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "MAXIMUM_SKIPS", 1)
    unit, place = unit_and_place(tmp_path, "crash 1", "text", "crash 2", "text")
    (record,) = MakeGuarded(make_pass(place)).process(unit)
    rows = list(shards.read_rejected(place.full(record.of_kind("rejected").name)))
    found = [(row.stage, row.id) for row in rows if row.reason == attempts.KILLED]
    assert sorted(found) == [("hostile", f"{unit.name}/20"), ("read", f"{unit.relative}#rest")]


def test_a_process_that_dies_at_no_record_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    unit, place = unit_and_place(tmp_path)
    work = replace(make_pass(place), stages=(DiesAtOpen(),))
    with pytest.raises(RunFailed, match=r"died at no record \(SIGKILL\)"):
        list(MakeGuarded(work).process(unit))


@pytest.mark.parametrize("workers", [1, 2])
def test_what_kills_is_skipped_at_the_third_attempt(tmp_path: Path, workers: int) -> None:
    units = make_input(tmp_path / "in", "crash")
    for attempt in range(2):
        status, said = command(tmp_path, workers)
        # The second time no other unit may be left, and one needs no workers.
        if status == 1 and workers > 1:
            assert "a worker process died" in said
        else:
            assert status == -signal.SIGSEGV
            assert attempt == 1 or workers == 1
            assert f"record 19 ({units[1].name}/20) of {units[1].path}, stage hostile" in said
    before = {path.name for path in (tmp_path / "out" / "documents").glob("*.parquet")}
    status, said = command(tmp_path, workers)
    assert status == 0, said
    result = run(tmp_path / "out", units)
    assert rejected(result, units[1]) == [("hostile", attempts.KILLED, f"{units[1].name}/20")]
    assert kept(result) == kept_of_mild(tmp_path, "drop")
    others = {name for name in before if not name.startswith(units[1].name)}
    assert others <= {Path(name).name for name in names(result)}
    # Nothing is to be done any more, and nothing is left of the attempts.
    assert names(run(tmp_path / "out", units)) == names(result)


def kept_of_mild(tmp_path: Path, *lines: str) -> int:
    return kept(run(tmp_path / "mild-out", make_input(tmp_path / "mild", *lines)))


@pytest.mark.parametrize("workers", [1, 2])
def test_what_never_ends_is_named_and_skipped_by_the_next_run(tmp_path: Path, workers: int) -> None:
    units = make_input(tmp_path / "in", "hang")
    status, said = command(tmp_path, workers)
    assert status == (-signal.SIGKILL if workers == 1 else 1)
    assert f"record 19 ({units[1].name}/20) of {units[1].path}, stage hostile, took more" in said
    result = run(tmp_path / "out", units, Engine(workers=workers))
    assert rejected(result, units[1]) == [("hostile", attempts.TOO_LONG, f"{units[1].name}/20")]
    assert kept(result) == kept_of_mild(tmp_path, "drop")


@pytest.mark.engines
@pytest.mark.parametrize(
    ("text", "reason"), [("crash", attempts.KILLED), ("hang", attempts.TOO_LONG)]
)
def test_a_job_whose_worker_dies_is_submitted_again(
    tmp_path: Path,
    job_server: tuple[int, int],
    capfd: pytest.CaptureFixture[str],
    text: str,
    reason: str,
) -> None:
    units = make_input(tmp_path / "in", text)
    options = (
        f"--job_endpoint=localhost:{job_server[0]}",
        "--environment_type=EXTERNAL",
        f"--environment_config=localhost:{job_server[1]}",
    )
    result = run(tmp_path / "out", units, Engine("PortableRunner", 1, options))
    assert rejected(result, units[1]) == [("hostile", reason, f"{units[1].name}/20")]
    assert kept(result) == kept_of_mild(tmp_path, "drop")
    assert "submitting the rest" in capfd.readouterr().err


def test_a_skip_does_not_hold_for_another_input(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in")
    place = Place(str(tmp_path / "out"), "lines", True, "0" * 8)
    fingerprint = make_pass(place).fingerprint
    prefix = attempts.skips_prefix(place, fingerprint, units[1])
    attempts.put_skip(prefix, 19, "hostile", attempts.KILLED, "the process died")
    result = run(tmp_path / "out", units)
    assert [row[1] for row in rejected(result, units[1])] == [attempts.KILLED]
    path = Path(units[1].path)
    path.write_text(path.read_text() + "text more\n")
    changed = find_units(tmp_path / "in")
    assert rejected(run(tmp_path / "out", changed), changed[1]) == []


def test_cleaning_keeps_the_skips_of_what_stands(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in")
    output = str(tmp_path / "out")
    with running(Engine(), output) as one:
        work = make_pass(one.place(output, "lines", is_last=True))
        for fingerprint in (work.fingerprint, "0" * 16):
            prefix = attempts.skips_prefix(work.place, fingerprint, units[1])
            attempts.put_skip(prefix, 19, "hostile", attempts.KILLED, "the process died")
        attempts.mark(work.place, "0" * 16, units[1])
        one.kept.append(one.run_units(work, units))
        one.clean(output)
    assert [path.name for path in Path(work.place.folder("skips")).rglob("*.json")] == [
        Path(f"{attempts.skips_prefix(work.place, work.fingerprint, units[1])}.19.json").name
    ]
    assert not list(Path(work.place.folder("attempts")).iterdir())


def test_marks_go_when_a_unit_is_committed(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in")
    place = run(tmp_path / "out", units).place
    assert list(Path(place.folder("attempts")).iterdir()) == []


def test_a_run_that_a_person_ends_leaves_no_marks(tmp_path: Path) -> None:
    make_input(tmp_path / "in", "hang")
    process = start(tmp_path)
    folder = tmp_path / "out" / "work" / "lines" / "attempts"
    deadline = time.monotonic() + 60
    while not list(folder.glob("*.1")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert list(folder.iterdir()) == []


def test_attempts_are_counted_per_unit_up_to_the_guarded_one(tmp_path: Path) -> None:
    units = make_input(tmp_path / "in")
    place = Place(str(tmp_path / "out"), "lines", True, "0" * 8)
    assert [attempts.mark(place, "f", units[0]) for _ in range(4)] == [1, 2, 3, 3]
    assert attempts.mark(place, "f", units[1]) == 1
    attempts.forget(Place(place.root, "lines", True, "1" * 8))
    assert attempts.mark(place, "f", units[0]) == 3
    attempts.forget(place)
    assert attempts.mark(place, "f", units[0]) == 1


def test_a_watcher_sees_cpu_and_not_time_and_forgets_what_moves_on() -> None:
    memory = memoryview(bytearray(SIZE))
    slot = Slot(memory[:2048])
    slot.claim(threading.get_native_id())
    slot.record(2)
    watcher = Watcher(memory, os.getpid())
    assert watcher.stuck() is None
    burn(0.1)
    assert watcher.stuck() is None  # no unit, no limit
    slot.unit("in.txt", "skips/u", 0.05)
    slot.stage("hostile")
    slot.record(3, "u/3")
    assert watcher.stuck() is None
    time.sleep(0.1)
    assert watcher.stuck() is None
    burn(0.1)
    position = watcher.stuck()
    assert position is not None
    assert str(position) == "record 3 (u/3) of in.txt, stage hostile"
    slot.record(4, "u/4")
    assert watcher.stuck() is None
    slot.idle()
    burn(0.1)
    assert watcher.stuck() is None
    assert watcher.positions() == []


def burn(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
