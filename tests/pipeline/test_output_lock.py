"""One run at a time per output folder, as a courtesy that harms nobody."""

from __future__ import annotations

import errno
from functools import partial
from pathlib import Path

import pytest

from pipeline.errors import OutputError
from pipeline.store import claim as claims
from pipeline.store.claim import claim
from pipeline.store.clean import find_orphans
from pipeline.store.local import LocalUpload


def test_a_second_run_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    folder = str(tmp_path / "out")
    with (
        claim(folder) as held,
        pytest.raises(OutputError, match="another run is writing to"),
        claim(folder),
    ):
        pass
    assert held.holds()
    with claim(folder):
        pass


def test_a_file_system_without_locks_is_written_to_and_never_cleaned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(number: int, *_: object) -> None:
        raise OSError(number, "flock")

    for number in (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK):
        monkeypatch.setattr(claims.fcntl, "flock", partial(fail, number))
        with claim(str(tmp_path)) as held:
            assert not held.holds()
    monkeypatch.setattr(claims.fcntl, "flock", partial(fail, errno.EIO))
    with pytest.raises(OSError, match="flock"), claim(str(tmp_path)):
        pass


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".lock").symlink_to(precious)
    with pytest.raises(OutputError, match="is a link"), claim(str(tmp_path / "out")):
        pass
    assert precious.read_text() == "precious"


def test_a_file_in_the_place_of_the_lock_keeps_its_content(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("a user's")
    with claim(str(tmp_path)):
        pass
    assert (tmp_path / ".lock").read_text() == "a user's"


def test_cleaning_a_folder_above_a_live_run_leaves_it_alone(tmp_path: Path) -> None:
    """And what hidden files a user has among the dataset's own."""
    inner = tmp_path / "inner"
    with claim(str(inner)):
        upload = LocalUpload(str(inner / "documents" / f"u.{'0' * 14}.parquet"))
        notes = tmp_path / "documents" / ".my.tmp-notes"
        notes.parent.mkdir()
        notes.write_text("notes")
        with claim(str(tmp_path)):
            assert list(find_orphans(str(tmp_path), set())) == []
        upload.write(b"x")
        assert upload.publish()
    assert notes.read_text() == "notes"
