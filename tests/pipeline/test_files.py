"""Files: whole or not at all, and storage failures told from bad input."""

from __future__ import annotations

import errno
import hashlib
import io
from pathlib import Path
from typing import BinaryIO

import pytest

from pipeline.errors import InputError, OutputError
from pipeline.passes.stages import Batching, read_unit
from pipeline.readers.records import Records
from pipeline.store import files
from pipeline.store.local import LocalUpload
from pipeline.store.streams import HashingReader
from pipeline.store.units import Unit


def write_and_fail(path: str) -> None:
    with files.new_file(path) as file:
        file.write(b"hal")
        raise ZeroDivisionError


def test_giving_up_leaves_the_published_file_as_it_is(tmp_path: Path) -> None:
    path = str(tmp_path / "part.bin")
    with files.new_file(path) as file:
        file.write(b"whole")
    second = files.NewFile(path)
    second.write(b"hal")
    second.discard()
    assert files.read_bytes(path) == b"whole"
    with pytest.raises(ZeroDivisionError):
        write_and_fail(path)
    assert files.read_bytes(path) == b"whole"
    assert [found.name for found in tmp_path.rglob("*") if found.is_file()] == ["part.bin"]


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    upload = LocalUpload(str(tmp_path / "x"))

    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    upload._handle = Full()  # type: ignore[assignment]  # a disk cannot be filled here
    with pytest.raises(OutputError, match="make room and run the same command again"):
        upload.write(b"x")


def test_a_scheme_without_a_store_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match="there is no store for hdfs://"):
        files.read_bytes("hdfs://host/path")


class Failing(io.BytesIO):
    """Storage that breaks off in the middle."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > 0:
            raise ConnectionResetError("storage went away")
        return super().read(10)


def test_storage_that_fails_is_not_taken_for_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "open_read", lambda path: Failing(b"line\n" * 100))

    def read(stream: BinaryIO, unit: Unit) -> Records:
        try:
            stream.read()
        except ConnectionResetError:
            return  # a reader that swallows it must not hide it either
        yield from ()

    batches = read_unit(Unit("u", "x", "x", 500), read, Batching(10, 1000, 0.0))
    with pytest.raises(ConnectionResetError, match="storage went away"):
        list(batches)


def test_of_a_slice_and_what_follows_the_slice_is_hashed(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"0123456789")
    stream = HashingReader(files.open_read(str(tmp_path / "f")), 2, 5)
    assert stream.read(2) == b"23"
    stream.seek(-1, io.SEEK_END)
    assert stream.read() == b"9"
    stream.seek(0)
    assert stream.read() == b"23456789"
    size, digest = stream.finish()
    assert size == 5
    assert digest == hashlib.sha256(b"23456").hexdigest()
