"""Help costs no import of Beam or torch, and looking at a dataset only what that needs."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.cli.main import COMMANDS, build_parser, main
from pipeline.cli.options import Deferred
from pipeline.cli.parsers.shards import FORMS
from pipeline.tokens.export import EXPORTS

PLANNED = Path(__file__).resolve().parents[2] / "recipes" / "training" / "125m.toml"
HEAVY = (
    "apache_beam",
    "datasketch",
    "google.cloud.storage",
    "matplotlib",
    "pandas",
    "phonenumbers",
    "pyarrow",
    "pydantic",
    "scipy",
    "torch",
    "trafilatura",
)
RUN = """\
import sys
from pipeline.cli.main import main
try:
    status = main(sys.argv[2:])
except SystemExit as stopped:
    status = stopped.code
assert not status, status
print("LOADED", *[name for name in sys.argv[1].split(",") if name in sys.modules])
"""


def loaded(names: tuple[str, ...], *arguments: str) -> list[str]:
    """Which of the modules are imported when the command has run."""
    command = [sys.executable, "-c", RUN, ",".join(names), *arguments]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return output.splitlines()[-1].split()[1:]


@pytest.mark.parametrize(
    "command",
    [
        "",
        *(name for name in COMMANDS if name != "train"),
        "shards ls",
        "shards convert",
        "tokenizer encode",
        "mixture plan",
        "models reference",
        "train",
        "train plan",
    ],
)
def test_help_imports_nothing_heavy(command: str) -> None:
    assert loaded(HEAVY, *command.split(), "--help") == []


def test_a_plan_imports_no_statistics_no_checkpoints_no_plots() -> None:
    names = ("torch", "torch.distributed.checkpoint", "scipy", "matplotlib", "pandas")
    assert loaded(names, "train", "plan", str(PLANNED)) == ["torch"]


def test_looking_imports_no_engine_and_no_filter(
    tmp_path: Path, samples: Path, small_tokenizer: Path
) -> None:
    names = ("apache_beam", "datasketch", "scipy", "torch", "trafilatura")
    dataset = str(tmp_path / "out")
    assert main(["run", "arxiv", "--input", str(samples / "arxiv"), "--output", dataset]) == 0
    for command in (
        *(["shards", action, dataset] for action in ("ls", "head", "stats", "files", "verify")),
        ["recipe", "show"],
        ["tokenizer", "encode", "--model", str(small_tokenizer), "wool"],
    ):
        assert loaded(names, *command) == [], command


def test_the_collector_leaves_modules_alone_and_goes_on() -> None:
    then = "import gc; print(gc.isenabled(), gc.get_freeze_count() > 100_000)"
    script = f"from pipeline.cli.options import Deferred; Deferred('run').load(); {then}"
    made = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    assert made.stdout.split() == [b"True", b"True"]


def actions(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parser and all below it."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from actions(below)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "train"])
def test_what_a_command_runs_is_there(command: str) -> None:
    found = [
        parser.get_default("execute")
        for parser in actions(build_parser(command))
        if parser.get_default("execute") is not None
    ]
    assert found
    for execute in found:
        assert isinstance(execute, Deferred)
        assert callable(execute.load())


def test_forms_of_tokens_are_those_that_are_written() -> None:
    assert set(FORMS) == set(EXPORTS)
