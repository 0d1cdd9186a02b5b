"""Engines end, and say why: signals, broken workers, late writers, workers of another kind."""

from __future__ import annotations

import io
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from apache_beam.runners.dataflow.dataflow_runner import DataflowRuntimeException
from dataset_files import contents
from engine_servers import ROOT, SERVERS, environment_of_workers, job_server, prism

from pipeline.cli.main import main
from pipeline.errors import InputError, JobFailed
from pipeline.passes.engine import Engine, explained
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
    """`roving run`, as a process of its own.

    Attributes:
        input: folder.
        output: folder.
        options: beside.
        path: where modules are looked for before ours.
        folder: in which it runs.
        source: of `roving run`.
    """

    input: Path
    output: Path
    options: Sequence[str] = ()
    path: tuple[str, ...] = ()
    folder: Path = ROOT
    source: str = "arxiv"
    process: subprocess.Popen[str] = field(init=False)

    def start(self) -> Command:
        named = ["--input", str(self.input), "--output", str(self.output), *self.options]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "run", self.source, *named],
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

    def uncommitted(self) -> list[str]:
        """Names of input files whose units are not committed, in order."""
        done = {path.name.rsplit("-", 1)[0] for path in self.output.glob("work/*/done/*.json")}
        return sorted({path.stem for path in self.input.iterdir()} - done)

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


# What the writer does when the file of trouble is there, by trouble: statement, what is said of it.
TROUBLES = {
    "a fault of ours": (
        'raise KeyError("boom")',
        r"arxiv: the job( on \w+)? failed: KeyError: ['\"]boom['\"][ ;]",
    ),
    "a sentence": ('raise RunFailed("the moon is full")', r"error: the moon is full$"),
    "no memory": (
        "raise MemoryError",
        r"arxiv: out of memory; what is committed is kept|died at no record \(out of memory\)",
    ),
    "killed": (
        "os.kill(os.getpid(), 9)",
        r"arxiv: .*(lost a worker|a worker process died) \(killed, or|died at no record \(",
    ),
}
HOOK = """\
    def add(self, batch: Batch) -> None:
        import os
        trouble = {trouble!r}
        if os.path.exists(trouble) and batch.unit.name.startswith(open(trouble).readline().strip()):
            exec(open(trouble).read().split("\\n", 1)[1])
"""


def breakable(folder: Path, trouble: Path) -> tuple[str, ...]:
    """Our packages with a writer that breaks while the file of trouble is there."""
    for name in ("pipeline", "recipes"):
        shutil.copytree(ROOT / name, folder / name)
    writer = folder / "pipeline" / "passes" / "writer.py"
    head = HOOK.splitlines()[0] + "\n"
    code = writer.read_text()
    assert code.count(head) == 1
    writer.write_text(code.replace(head, HOOK.format(trouble=str(trouble))))
    return (str(folder),)


@contextmanager
def engine_of(name: str, folder: Path, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Options of an engine whose workers look for modules in `path` first."""
    if name in SERVERS:
        with SERVERS[name](folder, path) as server:
            yield server.options
    else:
        yield ("--workers", "2") if name == "two workers here" else ()


@pytest.mark.parametrize("engine", ["here", "two workers here", *SERVERS])
def test_whatever_breaks_is_one_sentence_and_the_same_command_continues(
    tmp_path: Path, samples: Path, engine: str
) -> None:
    troubles = {name: TROUBLES[name] for name in TROUBLES if (engine, name) != ("here", "killed")}
    folder, trouble = make_input(tmp_path / "in", samples, 3 * len(troubles)), tmp_path / "trouble"
    path = breakable(tmp_path / "code", trouble)
    with engine_of(engine, tmp_path / "code", path) as options:
        command = Command(folder, tmp_path / "out", options, path, tmp_path / "code")
        committed = 0
        for statement, sentence in troubles.values():
            trouble.write_text(f"{command.uncommitted()[1]}\n{statement}")
            status, said = command.start().end()
            assert status == 2, said
            assert "Traceback" not in said
            errors = [line for line in said.splitlines() if line.startswith("roving: error:")]
            assert errors == said.splitlines()[-1:]
            assert re.search(sentence, errors[0]), said
            kept = re.search(r"\(its traceback is in (.*)\)$", errors[0])
            if kept is not None:
                assert "Traceback (most recent call last)" in Path(kept[1]).read_text()
            else:  # a sentence needs none, and who was killed has left none
                ended = "raise" not in statement or "died at no record" in errors[0]
                assert ended or "RunFailed" in statement
            assert command.committed() >= committed
            committed = command.committed()
        assert committed > 0
        trouble.unlink()
        status, said = command.start().end()
    assert status == 0, said
    assert f"{committed} committed before" in said
    plain = Command(folder, tmp_path / "plain").start()
    assert plain.end()[0] == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "plain")


def test_a_second_command_is_refused_while_the_first_lives(tmp_path: Path, samples: Path) -> None:
    folder = make_input(tmp_path / "in", samples, 10, 20)
    first = Command(folder, tmp_path / "out").start()
    first.wait_for_units(1)
    first.process.send_signal(signal.SIGSTOP)  # it lives for as long as it is asked to
    status, said = Command(folder, tmp_path / "out").start().end()
    assert status == 2
    assert said == (
        f"roving: error: another run is writing to {tmp_path / 'out'}; wait for it to end\n"
    )
    first.process.kill()
    first.process.wait()
    committed = first.committed()
    status, said = Command(folder, tmp_path / "out").start().end()
    assert status == 0, said
    assert f"{committed} committed before" in said


def test_workers_with_another_model_or_other_code_are_refused_by_name(
    tmp_path: Path, samples: Path, lid_model: Path
) -> None:
    here, there, code = (tmp_path / name for name in ("here", "there", "code"))
    for folder in (here, there):
        (folder / "models").mkdir(parents=True)
    shutil.copy(lid_model, here / "models" / "my.ftz")
    model = bytearray(lid_model.read_bytes())
    model[-1] ^= 1
    (there / "models" / "my.ftz").write_bytes(model)
    shutil.copytree(ROOT / "filters", code / "filters")
    edited = code / "filters" / "length.py"
    edited.write_text(edited.read_text().replace("if length < minimum", "if length <= minimum"))
    options = ("--set", "models.language_identifier='models/my.ftz'")
    for stage in ("perplexity", "reference_quality"):
        options += ("--set", f"commoncrawl.{stage}.enabled=false")
    troubles = {
        "the model models/my.ftz is another one here": (there, ()),
        "filters/length.py is other code here": (here, (str(code),)),
    }
    for number, (trouble, (folder, path)) in enumerate(troubles.items()):
        output = tmp_path / f"out{number}"
        with job_server(folder, path) as server:
            command = Command(samples / "commoncrawl", output, (*server.options, *options))
            command.source, command.folder = "commoncrawl", here
            status, said = command.start().end()
        assert status == 2, said
        assert said.splitlines()[-1] == (
            f"roving: error: a worker would make other text: {trouble}. Give every worker the "
            "models, libraries and code of the machine that starts the run"
        )
        assert not (output / MANIFEST).exists()


def test_prism_writes_the_same_bytes(tmp_path: Path, samples: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    with prism() as server:
        for output, options in ((here, ()), (there, server.options)):
            command = Command(samples / "arxiv", output / "arxiv", options)
            status, said = command.start().end()
            assert status == 0, said
            argv = ["dedup", "minhash", "--input", str(here / "arxiv"), *options]
            assert main([*argv, "--output", str(output / "clean")]) == 0
    assert contents(here / "arxiv") == contents(there / "arxiv")
    assert contents(here / "clean" / "arxiv") == contents(there / "clean" / "arxiv")


def test_what_dataflow_raises_is_a_sentence() -> None:
    """Its exception is no RuntimeError, and has the worker's traceback in its text."""
    engine = Engine("DataflowRunner")
    text = "Dataflow pipeline failed. State: FAILED, Error:\n"
    raised = """Traceback (most recent call last):
  File "apache_beam/runners/common.py", line 1498, in apache_beam.runners.common.DoFnRunner.process
  File "/opt/roving/pipeline/store/files.py", line 10, in read
"""
    lost = "The worker lost contact with the service.\n"
    causes = {
        "pipeline.errors.InputError: in/a.tar is gone [while running 'read-ptransform-41']": (
            InputError,
            "in/a.tar is gone",
        ),
        "KeyError: \"boom [while running 'write']\"": (JobFailed, 'failed: KeyError: "boom"; what'),
        "RuntimeError: MemoryError [while running 'encode']": (
            JobFailed,
            "tokens: out of memory; what is",
        ),
    }
    for line, (kind, sentence) in causes.items():
        error = DataflowRuntimeException(f"{text}{raised}{line}\n", None)
        found = explained(error, "tokens", engine)
        assert type(found) is kind
        assert sentence in str(found)
        assert "\n" not in str(found)
    for said, sentence in (
        (lost, "tokens: DataflowRunner lost a worker (killed, or out of memory)"),
        ("The zone has\nno machines.", "DataflowRuntimeException: Dataflow pipeline failed. State"),
        ("The zone has\nno machines.", "FAILED, Error: The zone has no machines.; what is"),
    ):
        found = explained(DataflowRuntimeException(text + said, None), "tokens", engine)
        assert type(found) is JobFailed
        assert sentence in str(found)
