"""Units of many small files: the same files, the same units; their bytes are the files' bytes."""

from __future__ import annotations

import hashlib
import io
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline.units import Unit, group_units, members, open_unit

from pipeline import files
from pipeline.errors import InputError
from pipeline.readers.records import BadRecord, Records
from pipeline.stages import Batching, read_unit

BATCHING = Batching(documents=100, characters=1000, rejected_text_share=0.0)


def folder_of(tmp_path: Path, contents: dict[str, bytes]) -> str:
    folder = tmp_path / "in"
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return str(folder)


def grouped(folder: str, tmp_path: Path, most_files: int = 3, most_bytes: int = 100) -> list[Unit]:
    lists = str(tmp_path / "out" / "inputs")
    found = files.list_files(folder)
    return group_units(folder, found, lists, most_files=most_files, most_bytes=most_bytes)


def test_groups_close_at_files_and_at_bytes(tmp_path: Path) -> None:
    sizes = {"a": 10, "b": 10, "c": 10, "d": 10, "e": 95, "f": 300, "g/h": 1, "g/i": 0, "j": 100}
    folder = folder_of(tmp_path, {name: b"x" * size for name, size in sizes.items()})
    units = grouped(folder, tmp_path)
    names = [[file.relative for file in members(unit)] for unit in units]
    assert names == [["a", "b", "c"], ["d"], ["e"], ["f"], ["g/h", "g/i"], ["j"]]
    assert [unit.size for unit in units] == [30, 10, 95, 300, 1, 100]
    assert len({unit.name for unit in units}) == len(units)
    # A file by itself is a unit as any other source has it.
    assert not units[1].members
    assert units[1].path.endswith("/in/d")


def test_the_same_files_give_the_same_units_and_others_do_not(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"a": b"1", "b": b"22", "c": b"3", "d": b"4"})
    before = grouped(folder, tmp_path, most_files=2)
    assert grouped(folder, tmp_path, most_files=2) == before
    Path(folder, "b").write_bytes(b"333")
    after = grouped(folder, tmp_path, most_files=2)
    assert after[0].version != before[0].version
    assert after[0].fingerprint("pass") != before[0].fingerprint("pass")
    assert after[1] == before[1]


def test_a_unit_stays_small_however_many_files_it_has(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {f"folder/book-{n:04}.txt": b"x" for n in range(500)})
    (unit,) = grouped(folder, tmp_path, most_files=500, most_bytes=10**6)
    assert len(pickle.dumps(unit)) < 1000
    assert len(members(unit)) == 500


def test_its_input_is_hashed_as_one_file(tmp_path: Path) -> None:
    contents = {"a": b"one", "b": b"", "c": b"three" * 1000}
    folder = folder_of(tmp_path, contents)
    (unit,) = grouped(folder, tmp_path, most_bytes=10**6)

    def read(stream: object, unit: Unit) -> Records:
        yield BadRecord("a", "", "read_no_further")

    *_, last = read_unit(unit, read, BATCHING)  # type: ignore[arg-type]
    joined = b"".join(contents.values())
    assert last.input_size == len(joined)
    assert last.input_sha256 == hashlib.sha256(joined).hexdigest()


def test_a_file_that_changes_while_it_is_read_stops_the_run(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"a": b"12345", "b": b"678"})
    (unit,) = grouped(folder, tmp_path)
    for changed in (b"1234", b"123456"):
        Path(folder, "a").write_bytes(changed)
        with pytest.raises(InputError, match="was changed while it was read"):
            open_unit(unit).finish()


@given(st.lists(st.binary(max_size=9), min_size=1, max_size=6), st.data())
def test_joined_files_read_like_their_bytes(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("joined")
    for number, part in enumerate(parts):
        (folder / str(number)).write_bytes(part)
    stream = files.JoinedReader(files.list_files(str(folder)))
    expected = io.BytesIO(b"".join(parts))
    for _ in range(5):
        offset = data.draw(st.integers(0, 60))
        size = data.draw(st.integers(0, 20))
        assert stream.seek(offset) == expected.seek(offset)
        found = b""
        while len(found) < size and (more := stream.read(size - len(found))):
            found += more
        assert found == expected.read(size)
    stream.close()
