"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sentencepiece
from hypothesis import settings
from object_store import ObjectFolder

from tokenizer.flags import llama_flags

REPOSITORY = Path(__file__).resolve().parent.parent

# No test fails because a machine is slow; in CI, none because of what was drawn this time.
settings.register_profile("roving", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("roving")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real inputs; tests that use it are skipped where it is absent."""
    folder = Path(os.environ.get("ROVING_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real inputs at {folder} (set ROVING_REAL_DATA)")
    return folder


@pytest.fixture(scope="session")
def lid_model() -> Path:
    """fastText's language identifier, which `make setup` fetches."""
    path = REPOSITORY / "models" / "lid.176.ftz"
    if not path.is_file():
        pytest.skip(f"no language identifier at {path} (make setup)")
    return path


@pytest.fixture(scope="session")
def samples() -> Path:
    """The embedded sample inputs."""
    return REPOSITORY / "samples"


@pytest.fixture(scope="session")
def small_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SentencePiece model of 700 pieces with LLaMA's flags, trained on the README."""
    prefix = tmp_path_factory.mktemp("tokenizer") / "tokenizer"
    lines = (REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()
    flags = llama_flags(700, 1).trainer.stated() | {"minloglevel": 2}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for line in lines if line]),
        model_prefix=str(prefix),
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        **{name: value for name, value in flags.items() if name != "input_format"},
    )
    return prefix.with_suffix(".model")


@pytest.fixture
def object_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectFolder:
    """obj://, an object store in a folder, for this process and those that it starts."""
    folder = ObjectFolder(tmp_path / "objects")
    for name, value in folder.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(tmp_path / "objects" / "plugin"))
    return folder
