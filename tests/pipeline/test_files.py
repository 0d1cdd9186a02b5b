"""Files: whole or not at all, also on an object store, and storage failures told from bad input."""

from __future__ import annotations

import errno
import hashlib
import io
from pathlib import Path
from typing import BinaryIO

import apache_beam.io.filesystem as beam_files
import pytest
from apache_beam.io.localfilesystem import LocalFileSystem
from pipeline.units import Unit

from pipeline import files
from pipeline.errors import OutputError
from pipeline.readers.records import Records
from pipeline.stages import Batching, read_unit


class ObjectStore(LocalFileSystem):
    """`store://` paths below a folder, with a remote store's ways: no rename in place of close."""

    root = ""

    @classmethod
    def scheme(cls) -> str:
        return "store"

    def _local(self, path: str) -> str:
        return path.replace("store://", f"{self.root}/")

    def join(self, basepath: str, *paths: str) -> str:
        return "/".join([basepath.rstrip("/"), *paths])

    def split(self, path: str) -> tuple[str, str]:
        head, _, tail = path.rpartition("/")
        return head, tail

    def create(self, path: str, *arguments: object, **options: object) -> BinaryIO:
        local = Path(self._local(path))
        local.parent.mkdir(parents=True, exist_ok=True)
        return local.open("wb")

    def open(self, path: str, *arguments: object, **options: object) -> BinaryIO:
        return Path(self._local(path)).open("rb")

    def exists(self, path: str) -> bool:
        return Path(self._local(path)).exists()

    def rename(self, sources: list[str], destinations: list[str]) -> None:
        for source, destination in zip(sources, destinations, strict=True):
            Path(self._local(source)).replace(self._local(destination))

    def delete(self, paths: list[str]) -> None:
        for path in paths:
            Path(self._local(path)).unlink()


@pytest.fixture
def store(tmp_path: Path) -> str:
    ObjectStore.root = str(tmp_path / "bucket")
    assert ObjectStore in beam_files.FileSystem.get_all_subclasses()
    return "store://b"


def write_and_fail(path: str) -> None:
    with files.atomic_write(path) as file:
        file.write(b"hal")
        raise ZeroDivisionError


@pytest.mark.parametrize("place", ["local", "store"])
def test_giving_up_leaves_the_committed_file_as_it_is(
    tmp_path: Path, store: str, place: str
) -> None:
    path = files.join(store if place == "store" else str(tmp_path), "part.bin")
    with files.atomic_write(path) as file:
        file.write(b"whole")
    second = files.AtomicFile(path)
    second.write(b"hal")
    second.discard()
    assert files.read_bytes(path) == b"whole"
    with pytest.raises(ZeroDivisionError):
        write_and_fail(path)
    assert files.read_bytes(path) == b"whole"
    assert [found.name for found in tmp_path.rglob("*") if found.is_file()] == ["part.bin"]


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    file = files.AtomicFile(str(tmp_path / "x"))

    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    file._handle = Full()
    with pytest.raises(OutputError, match="make room and run the same command again"):
        file.write(b"x")


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
    stream = files.HashingReader(files.open_read(str(tmp_path / "f")), 2, 5)
    assert stream.read(2) == b"23"
    stream.seek(-1, io.SEEK_END)
    assert stream.read() == b"9"
    stream.seek(0)
    assert stream.read() == b"23456789"
    size, digest = stream.finish()
    assert size == 5
    assert digest == hashlib.sha256(b"23456").hexdigest()
