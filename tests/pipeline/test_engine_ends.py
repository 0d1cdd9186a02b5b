"""Engines end, and say why: signals, broken workers, late writers, workers of another kind."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from dataset_files import contents
from engine_servers import ROOT, SERVERS, environment_of_workers, job_server

from pipeline.cli.main import main
from pipeline.store.dataset import MANIFEST, Dataset

pytestmark = pytest.mark.engines

# What an interrupted command may take: the cancel of an engine, on a busy machine.
BOUND = 90.0


def make_input(folder: Path, samples: Path, units: int = 6, copies: int = 1) -> Path:
    """Bulk files of arXiv, each with the sample's submissions so many times."""
    with tarfile.open(samples / "arxiv" / "arXiv_src_2401_001.tar") as bulk:
        found = [(member.name[-4:], bulk.extractfile(member)) for member in bulk]
        papers = [(end.partition(".")[2], file.read()) for end, file in found if file is not None]
    folder.mkdir()
    for unit in range(units):
        with tarfile.open(folder / f"arXiv_src_2401_{unit:03}.tar", "w") as bulk:
            for number, (end, data) in enumerate(papers * copies):
                member = tarfile.TarInfo(f"2401/2401.{number:05}.{end}")
                member.size = len(data)
                bulk.addfile(member, io.BytesIO(data))
    return folder


@dataclass
class Command:
    """`roving run arxiv`, as a process of its own.

    Attributes:
        input: folder.
        output: folder.
        options: beside.
        path: where modules are looked for before ours.
        folder: in which it runs.
    """

    input: Path
    output: Path
    options: Sequence[str] = ()
    path: tuple[str, ...] = ()
    folder: Path = ROOT
    process: subprocess.Popen[str] = field(init=False)

    def start(self) -> Command:
        named = ["--input", str(self.input), "--output", str(self.output), *self.options]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "run", "arxiv", *named],
            cwd=self.folder,
            env=environment_of_workers(self.path),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return self

    def end(self, bound: float = BOUND) -> tuple[int, str]:
        """Its exit status, and what it said."""
        try:
            said, _ = self.process.communicate(timeout=bound)
        finally:
            self.process.kill()
        return self.process.returncode, said

    def committed(self) -> int:
        return len(list(self.output.glob("work/*/done/*.json")))

    def wait_for_units(self, number: int) -> None:
        """Wait until so many units are committed, and the command still runs."""
        wait_until(lambda: self.committed() >= number or self.process.poll() is not None)
        assert self.process.poll() is None, self.end()


def wait_until(found: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def run_of(output: Path) -> str:
    """The only run that has left a trace."""
    (run,) = (output / "work" / "runs").iterdir()
    return run.name


def settled(command: Command, seconds: float = 3) -> int:
    """How many units are committed when none came for some seconds."""
    number, since = command.committed(), time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(0.1)
        if command.committed() != number:
            number, since = command.committed(), time.monotonic()
    return number


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
@pytest.mark.parametrize("engine", SERVERS)
def test_an_interrupted_command_has_the_engine_cancel(
    tmp_path: Path, samples: Path, engine: str, number: signal.Signals
) -> None:
    units = 20
    folder = make_input(tmp_path / "in", samples, units, 20)
    with SERVERS[engine]() as server:
        command = Command(folder, tmp_path / "out", server.options).start()
        command.wait_for_units(2)
        command.process.send_signal(number)
        status, said = command.end()
        at_end = command.committed()
        later = settled(command)
    assert status == 130, said
    assert "asking PortableRunner to cancel the job\nPortableRunner says: CANCELLED\n" in said
    assert "interrupted; run the same command again to continue" in said
    assert "Traceback" not in said
    # Beam's own job server says so and goes on to the end.
    assert (later == at_end < units) if engine == "prism" else (later == units)
    run = tmp_path / "out" / "work" / "runs" / run_of(tmp_path / "out")
    assert not (run / "ended.json").exists()


@dataclass(frozen=True)
class Snapshot:
    """What a reader of a dataset sees."""

    manifest: bytes
    contents: dict[str, str]
    files: dict[str, int]


def snapshot(output: Path) -> Snapshot:
    listed = {
        file.name: (output / file.name).stat().st_mtime_ns for file in Dataset(str(output)).files()
    }
    return Snapshot((output / MANIFEST).read_bytes(), contents(output), listed)


def everything(output: Path) -> set[str]:
    return {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}


def test_what_an_old_job_still_writes_harms_nothing_and_can_be_removed(
    tmp_path: Path, samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    units = 12
    folder, output = make_input(tmp_path / "in", samples, units, 10), tmp_path / "out"
    with job_server() as server:
        old = Command(folder, output, server.options).start()
        old.wait_for_units(2)
        old.process.send_signal(signal.SIGINT)
        (worker,) = server.workers()
        worker.suspend()
        status, said = old.end()
        assert status == 130, said
        before = old.committed()
        assert before < units
        old_run = run_of(output)
        # Shorter texts go, so that every unit has other documents.
        other = ("--set", "arxiv.latex.minimum_characters=1000")
        status, said = Command(folder, output, (*server.options, *other)).start().end()
        assert status == 0, said
        assert f"run {old_run} on another engine has not said that it ended" in said
        left = snapshot(output)
        worker.resume()
        wait_until(lambda: old.committed() == units + units)
        settled(old)
    assert snapshot(output) == left
    late = {name for name in everything(output) if f".{old_run}" in name}
    assert len([name for name in late if name.startswith("documents/")]) == units
    capsys.readouterr()
    assert main(["shards", "verify", str(output)]) == 0
    assert "sound" in capsys.readouterr().out
    assert main(["shards", "files", str(output)]) == 0
    assert old_run not in capsys.readouterr().out
    # Not a file goes while the old job may go on.
    there = everything(output)
    assert main(["clean", str(output)]) == 0
    assert f"run {old_run} has not said that it ended" in capsys.readouterr().out
    assert everything(output) == there
    assert main(["clean", str(output), "--ended", old_run]) == 0
    gone = there - everything(output)
    assert late <= gone
    assert {name for name in gone if not name.startswith("work/")} == {
        name for name in late if not name.startswith("work/")
    }
    assert snapshot(output) == left
    # And what stays is all that a rerun needs.
    status, said = Command(folder, output, other).start().end()
    assert status == 0, said
    assert f"{units} committed before" in said
    assert snapshot(output).files == left.files
