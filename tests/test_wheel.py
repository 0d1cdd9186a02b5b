"""The wheel alone is enough: built, installed and run from a folder that holds nothing else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = ("filters", "dedup", "tokenizer", "trainer", "pipeline", "recipes")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content, in a folder of its own."""
    pytest.importorskip("setuptools", reason="builds the wheel")
    source = tmp_path_factory.mktemp("source")
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / package, source / package, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    wheels = tmp_path_factory.mktemp("wheels")
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w"]
    subprocess.run([*build, wheels, source], check=True, capture_output=True)
    target = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
        wheel.extractall(target)
    return target


def roving(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`roving` of the wheel, called in a folder."""
    code = "import sys; from pipeline.cli.main import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_has_every_file(installed: Path) -> None:
    for package in PACKAGES:
        files = {
            path.relative_to(REPOSITORY)
            for path in (REPOSITORY / package).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert files == {path.relative_to(installed) for path in (installed / package).rglob("*.*")}


def test_a_source_runs_by_the_default_recipe(
    installed: Path, samples: Path, tmp_path: Path
) -> None:
    where = ["--input", str(samples / "arxiv"), "--output", "out"]
    done = roving(installed, tmp_path, "run", "arxiv", *where)
    assert done.returncode == 0, done.stderr
    assert "4 of 7 documents kept" in done.stdout


def test_a_training_is_planned_by_name(installed: Path, tmp_path: Path) -> None:
    done = roving(installed, tmp_path, "train", "plan", "125m")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("model 125m: 134,105,856 parameters")
    done = roving(installed, tmp_path, "train", "plan", "126m")
    assert done.returncode == 2
    assert "one of ours: 125m, ablation, llama1-7b, sample" in done.stderr


def test_a_missing_model_names_the_command(installed: Path, samples: Path, tmp_path: Path) -> None:
    where = ["--input", str(samples / "commoncrawl"), "--output", "out"]
    done = roving(installed, tmp_path, "run", "commoncrawl", *where)
    assert done.returncode == 2
    assert "`roving models fetch --output models/lid.176.ftz`" in done.stderr


def test_no_hint_names_what_only_a_checkout_has(installed: Path) -> None:
    only_here = re.compile(r"`make |\btools/|pip install '?(?:roving)?\.?\[")
    found = [
        f"{path.relative_to(installed)}: {line.strip()}"
        for path in sorted(installed.rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if only_here.search(line)
    ]
    assert found == []
