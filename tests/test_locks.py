"""The locks: `make test` adds to what `make setup` has installed, and replaces nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^([\w.-]+)==(\S+)([^\\]*)\\?$", re.MULTILINE)


def pins(name: str) -> set[tuple[str, str, str]]:
    """Name, version and marker of everything in a lock."""
    found = PIN.findall((REPOSITORY / name).read_text(encoding="utf-8"))
    assert found
    return {(package, version, marker.strip(" ;")) for package, version, marker in found}


def test_tests_replace_nothing_that_runs_need() -> None:
    versions = {(package, version) for package, version, _ in pins("requirements-dev.lock")}
    assert {(package, version) for package, version, _ in pins("requirements.lock")} <= versions


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_locks_are_of_the_oldest_python(name: str) -> None:
    """One that was resolved for an older Python has pins for that alone."""
    markers = {marker for _, _, marker in pins(name)}
    assert not [marker for marker in markers if "< '3.11'" in marker]
    assert "tomli" not in {package for package, _, _ in pins(name)}


def test_torch_is_installed_by_itself() -> None:
    """Its builds differ by machine; so no lock names one, nor what CUDA's brings."""
    for name in ("requirements.lock", "requirements-dev.lock"):
        packages = {package for package, _, _ in pins(name)}
        assert not {package for package in packages if re.match(r"torch$|nvidia|triton", package)}
