"""Runs KenLM's `lmplz` (text to n-gram model) and `build_binary` (model to what `kenlm` loads)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from pipeline.models.cards import ModelError

BUILT = Path(__file__).resolve().parents[2] / "build" / "kenlm" / "bin"
ENVIRONMENT = "ROVING_KENLM"


def find_program(name: str) -> Path:
    """Path of a KenLM program: in $ROVING_KENLM, in build/kenlm/bin, or on the PATH.

    Raises:
        ModelError: it is in none of them.
    """
    folders = [Path(os.environ[ENVIRONMENT])] if ENVIRONMENT in os.environ else [BUILT]
    for folder in folders:
        if os.access(folder / name, os.X_OK):
            return folder / name
    found = shutil.which(name)
    if found is None:
        raise ModelError(
            f"KenLM's {name} is not here: build KenLM (https://github.com/kpu/kenlm), and put the "
            f"folder of its programs on the PATH or into {ENVIRONMENT}"
        )
    return Path(found)


def estimate(
    pieces: Path, arpa: Path, scratch: Path, *, order: int, memory: str, vocabulary: int
) -> None:
    """Estimate an n-gram model with modified Kneser-Ney smoothing, as CCNet calls lmplz.

    Args:
        pieces: text, one sentence per line, tokens separated by spaces.
        arpa: file to write.
        scratch: folder for temporary files.
        order: n of the longest n-gram.
        memory: how much lmplz may sort in memory, as for GNU sort (`1G`).
        vocabulary: estimate of the number of distinct tokens.
    """
    options = ["-o", str(order), "-S", memory, "-T", f"{scratch}/", "--discount_fallback"]
    # Text may spell `<unk>`; as a token it would end the program.
    options += ["--vocab_estimate", str(vocabulary), "--skip_symbols"]
    _run([str(find_program("lmplz")), *options, "--text", str(pieces), "--arpa", str(arpa)])


def compile_binary(arpa: Path, binary: Path, structure: str, scratch: Path) -> None:
    """Turn an ARPA file into KenLM's `probing` or `trie` structure."""
    program = str(find_program("build_binary"))
    _run([program, "-T", f"{scratch}/", structure, str(arpa), str(binary)])


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        said = " / ".join(done.stderr.strip().splitlines()[-3:])
        raise ModelError(f"{Path(command[0]).name} failed (exit {done.returncode}): {said}")
