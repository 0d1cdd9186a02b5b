"""One run at a time per output folder."""

from __future__ import annotations

import errno
from functools import partial
from pathlib import Path

import pytest
from pipeline.locking import lock_output

from pipeline import locking
from pipeline.errors import OutputError


def test_a_second_run_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    folder = str(tmp_path / "out")
    with (
        lock_output(folder),
        pytest.raises(OutputError, match="another run is writing to"),
        lock_output(folder),
    ):
        pass
    with lock_output(folder):
        pass


def test_a_file_system_without_locks_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(number: int, *_: object) -> None:
        raise OSError(number, "flock")

    for number in (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK):
        monkeypatch.setattr(locking.fcntl, "flock", partial(fail, number))
        with lock_output(str(tmp_path)):
            pass
    monkeypatch.setattr(locking.fcntl, "flock", partial(fail, errno.EIO))
    with pytest.raises(OSError, match="flock"), lock_output(str(tmp_path)):
        pass
