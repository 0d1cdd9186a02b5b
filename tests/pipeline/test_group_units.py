"""Units of many small files: the same files, the same units; their bytes are the files' bytes."""

from __future__ import annotations

import hashlib
import io
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.passes.stages import Batching, read_unit
from pipeline.readers.records import BadRecord, Records
from pipeline.store import files
from pipeline.store.streams import JoinedReader
from pipeline.store.units import Unit, group_units, members, open_unit

BATCHING = Batching(documents=100, characters=1000, rejected_text_share=0.0)


def folder_of(tmp_path: Path, contents: dict[str, bytes]) -> str:
    folder = tmp_path / "in"
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return str(folder)


def grouped(
    folder: str, tmp_path: Path, most_files: int = 1000, most_bytes: int = 10**6
) -> list[Unit]:
    lists = str(tmp_path / "out" / "inputs")
    found = files.list_files(folder)
    return group_units(found, lists, most_files=most_files, most_bytes=most_bytes)


def names_of(units: list[Unit]) -> list[tuple[str, ...]]:
    return [tuple(file.relative for file in members(unit)) for unit in units]


def test_groups_keep_to_files_and_bytes_and_lose_nothing(tmp_path: Path) -> None:
    sizes = {f"b/{number:03}.txt": number % 7 for number in range(300)}
    sizes |= {"a": 95, "c": 300, "d": 100}
    folder = folder_of(tmp_path, {name: b"x" * size for name, size in sizes.items()})
    units = grouped(folder, tmp_path, most_files=20, most_bytes=100)
    names = names_of(units)
    assert sorted(name for group in names for name in group) == sorted(sizes)
    assert len({unit.name for unit in units}) == len(units)
    assert 15 < len(units) < 100
    for unit, group in zip(units, names, strict=True):
        assert list(group) == sorted(group)
        assert unit.size == sum(sizes[name] for name in group)
        assert len(group) <= 20
        assert unit.size <= 100 or group == ("c",)
    # A file by itself is a unit as any other source has it.
    (alone,) = (unit for unit, group in zip(units, names, strict=True) if group == ("c",))
    assert not alone.members
    assert alone.path.endswith("/in/c")


def test_the_same_files_give_the_same_units_and_others_do_not(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {f"{number:02}": bytes(number) for number in range(40)})
    before = grouped(folder, tmp_path, most_files=8)
    assert grouped(folder, tmp_path, most_files=8) == before
    Path(folder, "20").write_bytes(b"333")
    after = grouped(folder, tmp_path, most_files=8)
    assert names_of(after) == names_of(before)
    for one, other in zip(before, after, strict=True):
        if "20" in [file.relative for file in members(one)]:
            # What was made of it is under the same key, but of another input.
            assert one.key("pass") == other.key("pass")
            assert one.identity != other.identity
            assert one.members != other.members
        else:
            assert one == other


def test_a_file_more_or_less_changes_the_groups_around_it_only(tmp_path: Path) -> None:
    names = [f"{number:04}.txt" for number in range(0, 600, 2)]
    folder = folder_of(tmp_path, dict.fromkeys(names, b"x"))
    before = {unit.name: unit for unit in grouped(folder, tmp_path, most_files=10)}
    for number in range(0, 600, 23):
        path = Path(folder, f"{number:04}.txt")
        if number % 2:
            path.write_bytes(b"x")
        else:
            path.unlink()
        after = grouped(folder, tmp_path, most_files=10)
        same = [unit for unit in after if before.get(unit.name) == unit]
        changed = [unit for unit in after if before.get(unit.name) != unit]
        assert len(changed) <= 4
        assert all(unit.key("pass") == before[unit.name].key("pass") for unit in same)
        assert len(same) > 50
        if number % 2:
            path.unlink()
        else:
            path.write_bytes(b"x")
        before = {unit.name: unit for unit in grouped(folder, tmp_path, most_files=10)}


def test_a_unit_stays_small_however_many_files_it_has(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {f"folder/book-{n:04}.txt": b"x" for n in range(500)})
    units = grouped(folder, tmp_path)
    assert max(len(pickle.dumps(unit)) for unit in units) < 1000
    assert sum(len(members(unit)) for unit in units) == 500
    assert max(len(members(unit)) for unit in units) > 100


def test_its_input_is_hashed_as_one_file(tmp_path: Path) -> None:
    contents = {"a": b"one", "b": b"", "c": b"three" * 1000}
    folder = folder_of(tmp_path, contents)
    (unit,) = grouped(folder, tmp_path)

    def read(stream: object, unit: Unit) -> Records:
        yield BadRecord("a", "", "read_no_further")

    *_, last = read_unit(unit, read, BATCHING)  # type: ignore[arg-type]
    joined = b"".join(contents.values())
    assert last.input.bytes == len(joined)
    assert last.input.sha256 == hashlib.sha256(joined).hexdigest()


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
    stream = JoinedReader(files.list_files(str(folder)))
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
