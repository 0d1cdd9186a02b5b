"""The GitHub sample: built from its source, and each stage keeps some and drops some of it."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

from dataset_files import rows

from pipeline.cli.main import main

REPOSITORY = Path(__file__).resolve().parent.parent
BUILD = "from pathlib import Path; import sys; from sample_github import build_github; \
build_github(Path(sys.argv[1]), Path(sys.argv[2]))"


def test_committed_files_are_what_their_source_builds(tmp_path: Path, samples: Path) -> None:
    command = [sys.executable, "-c", BUILD, str(samples / "source" / "github"), str(tmp_path)]
    subprocess.run(command, check=True, cwd=REPOSITORY / "tools", timeout=60)
    built = sorted(path.name for path in tmp_path.iterdir())
    assert built == sorted(path.name for path in (samples / "github").iterdir())
    for name in built:
        committed = gzip.decompress((samples / "github" / name).read_bytes())
        assert committed == gzip.decompress((tmp_path / name).read_bytes()), name


def test_every_stage_drops_some(tmp_path: Path, samples: Path) -> None:
    source, output = str(samples / "github"), str(tmp_path / "out")
    assert main(["run", "github", "--input", source, "--output", output]) == 0
    assert {row["id"] for row in rows(output)} == {
        "ada/heron@README.md",
        "ada/heron@heron/fish.py",
        "ada/heron@heron/pond.py",
        "ada/heron@include/pond.h",
        "ada/heron@old/shared.rb",
    }
    assert {row["stage"] for row in rows(output, "rejected")} == {
        *("read", "path", "decode", "generated", "header", "quality")
    }
