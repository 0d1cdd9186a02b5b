"""Every benchmark starts: its imports resolve, and a peer that is missing is named."""

from __future__ import annotations

import ast
import importlib
import json
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
BENCHMARKS = REPOSITORY / "benchmarks"
SCRIPTS = sorted(path.name for path in BENCHMARKS.glob("*.py"))
OURS = ("filters", "dedup", "tokenizer", "trainer", "pipeline", "benchmarks")
# Started by another script, with a configuration rather than with options.
WORKERS = {name for name in SCRIPTS if "argparse" not in (BENCHMARKS / name).read_text()}


def start(name: str) -> object:
    """What a script asked for help ends with: nothing, a status, or a sentence."""
    try:
        runpy.run_path(str(BENCHMARKS / name), run_name="worker" if name in WORKERS else "__main__")
    except SystemExit as ended:
        return ended.code
    return None


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_starts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (REPOSITORY, BENCHMARKS):
        monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    said = start(name)
    assert not said or ("peer" in name and " is not installed: " in str(said))


def imports(name: str) -> Iterator[tuple[str, str | None]]:
    """Modules of ours, and what is taken from them, that a script imports anywhere."""
    for node in ast.walk(ast.parse((BENCHMARKS / name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in OURS:
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] in OURS:
                    yield alias.name, None


def test_what_is_imported_later_is_there_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (REPOSITORY, BENCHMARKS):
        monkeypatch.syspath_prepend(str(folder))
    found = {pair for name in SCRIPTS for pair in imports(name)}
    assert ("trainer.train", "Run") in found  # inside a function
    for module, attribute in found:
        imported = importlib.import_module(module)
        if attribute is not None and not hasattr(imported, attribute):
            importlib.import_module(f"{module}.{attribute}")


def test_the_wet_path_runs(samples: Path, lid_model: Path, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    wets = [str(path) for path in (samples / "commoncrawl").glob("*.wet.gz")]
    config = {
        "wets": wets,
        "lid": str(lid_model),
        "models": str(tmp_path / "models"),
        "minimum_characters": 300,
        "minimum_score": 0.5,
        "mode": "ccnet",
        "output": str(tmp_path / "output.parquet"),
        "decisions": str(tmp_path / "decisions.jsonl"),
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    command = [sys.executable, BENCHMARKS / "ccnet_wet_ours.py", tmp_path / "config.json"]
    environment = {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)["documents"] == 39
    decisions = (tmp_path / "decisions.jsonl").read_text().splitlines()
    assert len(decisions) == 37  # two have no paragraph of their own
    assert {json.loads(line)["bucket"] for line in decisions} == {"all"}
