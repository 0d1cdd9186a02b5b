"""The samples of books are what their sources build."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def contents(folder: Path) -> dict[str, bytes]:
    """Name -> bytes, uncompressed, as compressors differ."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".gz":
            found[name] = gzip.decompress(path.read_bytes())
        elif path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                found |= {f"{name}/{member}": archive.read(member) for member in archive.namelist()}
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


def test_committed_samples_are_what_their_sources_build(samples: Path, tmp_path: Path) -> None:
    command = [sys.executable, "tools/make_samples.py", "--output", str(tmp_path)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, timeout=120)
    committed = contents(samples / "books")
    assert committed == contents(tmp_path / "books")
    assert len(committed) == 14
    assert sum(map(len, committed.values())) < 200_000
