"""Every benchmark starts: its imports resolve, and a peer that is missing is named."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
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


def run(name: str, *arguments: str) -> str:
    """What a script prints."""
    command = [sys.executable, BENCHMARKS / name, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    ).stdout


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


def test_beam_and_a_plain_loop_take_the_same_pass(
    samples: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--input", str(samples / "wikipedia"), "--copies", "1", "--rounds", "1"]
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setattr(sys, "argv", ["beam_tax.py", *options])
    importlib.import_module("beam_tax").main()
    assert re.search(r"^Beam / plain: \d", capsys.readouterr().out, re.MULTILINE)


def test_comparisons_of_any_size_decide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    key_scale, minhash_scale = map(importlib.import_module, ("key_scale", "minhash_scale"))
    key_scale.write_blocks(tmp_path / "keys", 2000, 4, 0.3, 0.0)
    key_scale.decide(tmp_path / "keys")
    # Each unit has a hundred copies of one key, of which one stays.
    assert json.loads(capsys.readouterr().out)["removed"] > 399
    minhash_scale.write_units(tmp_path / "signatures", 400, 4)
    minhash_scale.decide(tmp_path / "signatures")
    assert json.loads(capsys.readouterr().err.splitlines()[-1])["clusters"] > 0


def test_near_duplicates_are_those_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(REPOSITORY))
    near_duplicates = importlib.import_module("benchmarks.near_duplicates")
    texts = {f"d{n}": " ".join(f"w{word}" for word in range(n, n + 60)) for n in (0, 1, 500)}
    documents, output = tmp_path / "documents.jsonl", tmp_path / "output.json"
    rows = [json.dumps({"id": name, "text": text}) for name, text in texts.items()]
    documents.write_text("\n".join(rows) + "\n")
    for side in (near_duplicates.run_ours, near_duplicates.run_our_chain):
        side(documents, output, [])
        found = json.loads(output.read_text())
        assert found["removed"] == ["d0"], side.__name__  # d1 is longer
        assert [sorted(cluster) for cluster in found["clusters"]] == [["d0", "d1"]]


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
    made = run("ccnet_wet_ours.py", str(tmp_path / "config.json"))
    assert json.loads(made)["documents"] == 39
    decisions = (tmp_path / "decisions.jsonl").read_text().splitlines()
    assert len(decisions) == 37  # two have no paragraph of their own
    assert {json.loads(line)["bucket"] for line in decisions} == {"all"}


def test_whole_commands_run_without_their_peer(samples: Path, lid_model: Path) -> None:
    options = ["--warc", str(samples / "commoncrawl"), "--lid", str(lid_model)]
    said = run("whole_commands.py", *options)
    assert "datatrove is left out: --peer-python names" in said
    assert re.search(r"^warc, roving: \d+\.\d+ s CPU .*; 111 documents, ", said, re.MULTILINE)
