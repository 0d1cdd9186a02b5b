"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


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
