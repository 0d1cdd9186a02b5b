"""`verify_tokens`: each kind of damage is found, named, and located."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from token_data import ATTEMPT, BOS, EOS, TOKENIZER, documents, write_dataset

from pipeline.store.records import OutputFile, UnitInput, UnitRecord
from pipeline.store.tables import write_table
from tokenizer.shards.checksums import BLOCK_BYTES, Checksums, Damage
from tokenizer.shards.manifest import FileRecord, Manifest, TokenizerIdentity, read_manifest
from tokenizer.shards.verify import verify_tokens

TABLE = "tables/tokens.0-0000.parquet"
FIRST, SECOND = f"unit-000.{ATTEMPT}", f"unit-001.{ATTEMPT}"
SOUND = [[[BOS, 5, EOS], [BOS, 6, 7, EOS]], [[BOS, *[9] * 700_000, EOS]]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound dataset of two shards, one of several blocks, with the table of a run."""
    write_dataset(tmp_path / "set", SOUND)
    write_units(tmp_path / "set")
    return tmp_path / "set"


def write_units(folder: Path) -> None:
    """The table of units, which has the checksums of blocks."""
    found = []
    for file in read_manifest(str(folder)).files:
        sums = Checksums()
        sums.update((folder / file.path).read_bytes())
        found.append(
            OutputFile("train", file.path, sums.size, sums.sha256(), 0, tuple(sums.blocks()))
        )
    record = UnitRecord("unit", "key", "", UnitInput("unit", "", 0), tuple(found), {})
    table = write_table(str(folder), TABLE, [record])
    manifest = read_manifest(str(folder))
    tables = [FileRecord(TABLE, table.bytes, table.sha256)]
    write_manifest(folder, replace(manifest, tables=tables))
    assert read_manifest(str(folder)).fingerprint == manifest.fingerprint


def write_manifest(folder: Path, manifest: Manifest) -> None:
    (folder / "manifest.json").write_text(json.dumps(manifest.to_json()))


def record_again(folder: Path) -> None:
    """A manifest that vouches for the files as they are now."""
    old = read_manifest(str(folder))
    records = []
    for file in old.files:
        sums = Checksums()
        sums.update((folder / file.path).read_bytes())
        records.append(FileRecord(file.path, sums.size, sums.sha256()))
    write_manifest(folder, replace(old, files=records))


def places(damage: Sequence[Damage]) -> list[tuple[str, int, int]]:
    return [(Path(one.path).name, one.first, one.last) for one in damage]


def test_a_sound_dataset_is_sound(folder: Path) -> None:
    report = verify_tokens(str(folder), TOKENIZER)
    assert report.damage == ()
    assert report.manifest is not None


@pytest.mark.parametrize("at", [0, BLOCK_BYTES - 1, BLOCK_BYTES, 1_400_003])
def test_a_flipped_byte_is_located_to_its_block(folder: Path, at: int) -> None:
    path = folder / "train" / f"{SECOND}.bin"
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)
    (found,) = verify_tokens(str(folder)).damage
    first = at // BLOCK_BYTES * BLOCK_BYTES
    assert places([found]) == [(f"{SECOND}.bin", first, min(first + BLOCK_BYTES, len(data)) - 1)]
    assert "not the bytes that were written" in str(found)


@pytest.mark.parametrize("name", [f"{FIRST}.idx", f"{FIRST}.docs.parquet", f"{SECOND}.bin"])
def test_a_truncated_file_says_where_it_ends(folder: Path, name: str) -> None:
    path = folder / "train" / name
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-3])
    (found,) = verify_tokens(str(folder)).damage
    assert places([found]) == [(name, size - 3, size - 1)]
    assert f"the file ends at byte {size - 3:,} of {size:,}" in str(found)


def test_a_missing_file(folder: Path) -> None:
    (folder / "train" / f"{FIRST}.idx").rename(folder / "train" / "unit-009.idx")
    found = verify_tokens(str(folder)).damage
    assert [(Path(one.path).name, one.problem) for one in found] == [
        (f"{FIRST}.idx", "the file is missing; the manifest lists it"),
    ]


def test_files_of_another_attempt_are_no_part_of_the_dataset(folder: Path) -> None:
    (folder / "train" / f"unit-001.{ATTEMPT[::-1]}.bin").write_bytes(b"half a shard")
    assert verify_tokens(str(folder), TOKENIZER).damage == ()


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (Path.unlink, "the file is missing; the manifest lists it"),
        (lambda table: table.write_bytes(b"wool"), "the file ends at byte 4 of"),
    ],
)
def test_damage_without_the_table_is_the_whole_file(
    folder: Path, spoil: Callable[[Path], None], problem: str
) -> None:
    spoil(folder / TABLE)
    path = folder / "train" / f"{SECOND}.bin"
    path.write_bytes(path.read_bytes()[:-2] + b"\x07\x00")
    table, shard = verify_tokens(str(folder)).damage
    assert (table.path, problem in table.problem) == (str(folder / TABLE), True)
    assert places([shard]) == [(f"{SECOND}.bin", 0, 1_400_003)]


def test_a_manifest_that_was_changed(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"source": "books"', '"source": "c4"'))
    report = verify_tokens(str(folder))
    assert report.manifest is None
    assert "was changed or damaged" in str(report.damage[0])


def test_a_dataset_of_another_tokenizer(folder: Path) -> None:
    other = TokenizerIdentity("cd" * 32, 512, BOS, EOS)
    (found,) = verify_tokens(str(folder), other).damage
    assert "made by the tokenizer abababababab..., not by cdcdcdcdcdcd..." in str(found)


def test_a_manifest_from_another_tokenizer(folder: Path) -> None:
    old = read_manifest(str(folder))
    smaller = TokenizerIdentity("cd" * 32, 8, BOS, EOS)
    write_manifest(folder, replace(old, tokenizer=smaller))
    (found,) = verify_tokens(str(folder)).damage
    assert places([found]) == [(f"{SECOND}.bin", 2, 3)]
    assert "not in a vocabulary of 8, and 699,999 more" in str(found)


def set_token(path: Path, at: int, value: int) -> None:
    tokens = np.fromfile(path, "<u2")
    tokens[at] = value
    tokens.tofile(path)


@pytest.mark.parametrize(
    ("at", "value", "problems"),
    [
        (1, BOS, [("BOS is not just where a document starts", 2, 3)]),
        (0, 5, [("BOS is not just where a document starts", 0, 1)]),
        (4, EOS, [("EOS is not just where a document ends", 8, 9)]),
        (6, 9, [("EOS is not just where a document ends", 12, 13)]),
        (5, 600, [("this id is not in a vocabulary of 512", 10, 11)]),
    ],
)
def test_tokens_that_make_no_documents(
    folder: Path, at: int, value: int, problems: list[tuple[str, int, int]]
) -> None:
    set_token(folder / "train" / f"{FIRST}.bin", at, value)
    record_again(folder)
    found = verify_tokens(str(folder)).damage
    assert [(one.problem, one.first, one.last) for one in found] == problems


def change_rows(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    pq.write_table(change(pq.read_table(path)), path)


def test_rows_that_do_not_fit_the_index(folder: Path) -> None:
    path = folder / "train" / f"{FIRST}.docs.parquet"
    change_rows(path, lambda table: table.slice(0, 1))
    record_again(folder)
    found = [one.problem for one in verify_tokens(str(folder)).damage]
    assert found == [
        "1 rows, where the index has 2 documents",
        "3 bytes of text, where the manifest says 9",
    ]


def test_rows_of_other_lengths(folder: Path) -> None:
    path = folder / "train" / f"{FIRST}.docs.parquet"
    change_rows(path, lambda table: table.take([1, 0]))
    record_again(folder)
    (found,) = verify_tokens(str(folder)).damage
    assert found.problem == "row 0 says 4 tokens, the index says 3"


def test_counts_that_do_not_fit_the_manifest(folder: Path, tmp_path: Path) -> None:
    other = write_dataset(tmp_path / "other", [documents(1, 4)])
    for suffix in (".bin", ".idx", ".docs.parquet"):
        data = Path(other.shards[0].stem + suffix).read_bytes()
        (folder / "train" / f"{FIRST}{suffix}").write_bytes(data)
    record_again(folder)
    found = [one.problem for one in verify_tokens(str(folder)).damage]
    assert any("where the manifest says 7 in 2" in problem for problem in found)
