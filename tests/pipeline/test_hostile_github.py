"""Damaged, lying and oversized inputs of the GitHub source end as reasons."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
import zlib
from pathlib import Path

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from github_data import CODE, MIT, avro_bytes, content_row, json_lines, write_parquet, write_tar
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.readers.records import BadRecord, Record
from pipeline.readers.tables import DamagedRows, read_rows
from pipeline.sources.github.licences import LicencePolicy, Verdict, identify, is_licence_file
from pipeline.sources.github.repositories import ReadRepository
from pipeline.sources.github.settings import GithubInputSettings, LicenceSettings
from pipeline.sources.github.tables import read_range
from pipeline.store.units import Unit

COLUMNS = ("id", "content", "size")
LIMIT = 10_000
ROWS = [content_row(f"{CODE}# {number}\n") for number in range(40)]


def read(data: bytes, name: str) -> tuple[dict[int, object], list[DamagedRows]]:
    """Contents by row, and what is damaged."""
    rows, damaged = {}, []
    for row in read_rows(io.BytesIO(data), Unit("a", name, name, len(data)), COLUMNS, LIMIT):
        if isinstance(row, DamagedRows):
            damaged.append(row)
        else:
            rows[row[0]] = row[1]["content"]
    return rows, damaged


def parquet_bytes(tmp_path: Path) -> bytes:
    write_parquet(tmp_path / "a.parquet", "contents", ROWS, row_group_size=10)
    return (tmp_path / "a.parquet").read_bytes()


EXPECTED = {number: row["content"] for number, row in enumerate(ROWS)}


def test_whole_tables(tmp_path: Path) -> None:
    for codec in ("null", "deflate"):
        assert read(avro_bytes("contents", ROWS, codec), "a.avro") == (EXPECTED, [])
    assert read(parquet_bytes(tmp_path), "a") == (EXPECTED, [])
    assert read(json_lines(ROWS), "a.json") == (EXPECTED, [])
    assert read(gzip.compress(json_lines(ROWS)), "a.jsonl.gz") == (EXPECTED, [])


def snappy_file(size: int, payload: bytes) -> bytes:
    """An Avro file with one block of literals and the size it claims."""
    data = avro_bytes("contents", ROWS[:1], "null")
    at = data.index(b"null", data.index(b"avro.codec"))
    data = data[: at - 1] + b"\x0csnappy" + data[at + 4 :]
    sync = data[-16:]
    header = data[: data.index(sync) + 16]
    block = _varint(size) + payload + b"\0\0\0\0"
    return header + _varint(2) + _varint(2 * len(block)) + block + sync


def _varint(number: int) -> bytes:
    result = bytearray()
    while number > 0x7F:
        result.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*result, number])


def test_snappy_that_claims_much() -> None:
    rows, damaged = read(snappy_file(1 << 31, b"abc"), "a.avro")
    assert rows == {}
    assert [one.reason for one in damaged] == ["block_too_large"]


def test_snappy_of_pyarrow() -> None:
    schema = {
        "type": "record",
        "name": "Root",
        "fields": [
            {"name": name, "type": ["null", of]}
            for name, of in (
                ("id", "string"),
                ("size", "long"),
                ("content", "string"),
                ("binary", "boolean"),
                ("copies", "long"),
            )
        ],
    }
    record = io.BytesIO()
    fastavro.schemaless_writer(record, fastavro.parse_schema(schema), ROWS[0])
    data = record.getvalue()
    size, packed = len(data), pa.compress(data, "snappy", asbytes=True)
    # `snappy_file` writes the size itself; pyarrow's output begins with it.
    rows, damaged = read(snappy_file(size, packed[len(_varint(size)) :]), "a.avro")
    assert (rows, damaged) == ({0: ROWS[0]["content"]}, [])


def test_deflate_bomb() -> None:
    data = avro_bytes("contents", ROWS[:1], "deflate")
    sync = data[-16:]
    header = data[: data.index(sync) + 16]
    packer = zlib.compressobj(9, wbits=-15)
    bomb = packer.compress(bytes(50_000_000)) + packer.flush()
    block = _varint(2) + _varint(2 * len(bomb)) + bomb + sync
    rows, damaged = read(header + block + data[len(header) :], "a.avro")
    assert [one.reason for one in damaged] == ["block_too_large"]
    # The block declared one row; the good one after it keeps its number.
    assert rows == {1: ROWS[0]["content"]}


def test_a_damaged_avro_block_costs_itself() -> None:
    data = bytearray(avro_bytes("contents", ROWS, "null"))
    whole, _ = read(bytes(data), "a.avro")
    at = data.index(b"# 20\n")
    data[at - 60 : at] = b"\xff" * 60
    rows, damaged = read(bytes(data), "a.avro")
    assert [one.reason for one in damaged] == ["malformed_avro"]
    assert 20 not in rows
    assert rows.items() <= whole.items()
    assert {0, 39} <= set(rows)


@pytest.mark.parametrize("cut", [3, 200, 900, -20, -1])
def test_truncated_avro(cut: int) -> None:
    rows, damaged = read(avro_bytes("contents", ROWS)[:cut], "a.avro")
    assert damaged[-1].reason in ("truncated_avro", "not_avro", "malformed_avro")
    assert rows.items() <= EXPECTED.items()


def test_parquet_with_a_damaged_group(tmp_path: Path) -> None:
    data = bytearray(parquet_bytes(tmp_path))
    group = pq.ParquetFile(io.BytesIO(bytes(data))).metadata.row_group(1)
    start = group.column(2).dictionary_page_offset or group.column(2).data_page_offset
    data[start : start + 40] = b"\xff" * 40
    rows, damaged = read(bytes(data), "a.parquet")
    assert [(one.reason, 10 <= one.row < 20) for one in damaged] == [("malformed_parquet", True)]
    assert set(range(10)) | set(range(20, 40)) <= set(rows)
    assert all(rows[number] == EXPECTED[number] for number in rows)


def test_truncated_parquet(tmp_path: Path) -> None:
    assert [one.reason for one in read(parquet_bytes(tmp_path)[:-5], "a.parquet")[1]] == [
        "not_parquet"
    ]


def test_a_parquet_group_that_holds_too_much(tmp_path: Path) -> None:
    rows = [content_row(CODE), content_row("x" * 3 * LIMIT)]
    write_parquet(tmp_path / "a.parquet", "contents", [*rows, rows[0]], row_group_size=2)
    found, damaged = read((tmp_path / "a.parquet").read_bytes(), "a.parquet")
    assert found == {2: CODE}
    assert [(one.row, one.reason) for one in damaged] == [(0, "malformed_parquet")]


def test_json_lines() -> None:
    huge = b'{"id": "' + b"x" * 7 * LIMIT + b'"}\n'
    data = b'{"id": "a", "content": "1"}\n\n[]\nnothing\n' + huge + b'{"content": "5"}\n'
    rows, damaged = read(data, "a.jsonl")
    assert rows == {0: "1", 4: "5"}
    assert [(one.row, one.reason) for one in damaged] == [
        (1, "not_object"),
        (2, "not_json"),
        (3, "line_too_long"),
    ]


def test_truncated_gzip() -> None:
    data = gzip.compress(json_lines(ROWS))
    rows, damaged = read(data[: len(data) // 2], "a.jsonl.gz")
    assert damaged[-1].reason == "truncated_gzip"
    assert all(EXPECTED[number] == content for number, content in rows.items())


@settings(max_examples=60)
@given(st.integers(0, 3000), st.binary(min_size=1, max_size=12), st.sampled_from(["avro", "jsonl"]))
def test_no_damage_raises(at: int, noise: bytes, form: str) -> None:
    data = avro_bytes("contents", ROWS) if form == "avro" else json_lines(ROWS)
    at %= len(data)
    rows, _ = read(data[:at] + noise + data[at + len(noise) :], f"a.{form}")
    assert len(rows) <= len(ROWS) + 12


INPUT = GithubInputSettings(
    maximum_row_bytes=LIMIT,
    slice_bytes=100_000,
    maximum_file_bytes=5_000,
    maximum_archive_bytes=100_000,
)
LICENCES = LicenceSettings(allowed=("MIT",), minimum_coverage=75.0)


def records_of(data: bytes, name: str = "a.tar") -> list[Record]:
    unit = Unit("u", name, name, len(data), group="ada/heron")
    return list(ReadRepository(INPUT, LICENCES)(io.BytesIO(data), unit))


def reasons_of(data: bytes, name: str = "a.tar") -> dict[str, str]:
    return {
        record.id: record.reason if isinstance(record, BadRecord) else ""
        for record in records_of(data, name)
        if hasattr(record, "id")
    }


def tar_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        licence = tarfile.TarInfo("LICENSE")
        licence.size = len(MIT)
        archive.addfile(licence, io.BytesIO(MIT.encode()))
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        info.linkname = "/etc/passwd"
    return info


def test_members_that_are_no_files_of_the_repository() -> None:
    data = tar_of(
        (member("../../etc/cron.py"), b"x = 1\n"),
        (member("/top/b.py"), b"x = 2\n"),
        (member("src/../../c.py"), b"x = 3\n"),
        (member("link.py", tarfile.SYMTYPE), b""),
        (member("hard.py", tarfile.LNKTYPE), b""),
        (member("pipe", tarfile.FIFOTYPE), b""),
        (member("device", tarfile.CHRTYPE), b""),
        (member("big.py"), b"x" * 6_000),
        (member(".git/config"), b"[core]\n"),
        (member("good.py"), CODE.encode()),
    )
    reasons = reasons_of(data)
    assert reasons == {
        "ada/heron@LICENSE": "",
        "ada/heron@../../etc/cron.py": "unsafe_name",
        "ada/heron@/top/b.py": "unsafe_name",
        "ada/heron@src/../../c.py": "unsafe_name",
        "ada/heron@link.py": "symlink",
        "ada/heron@hard.py": "hard_link",
        "ada/heron@pipe": "not_a_file",
        "ada/heron@device": "not_a_file",
        "ada/heron@big.py": "too_large",
        "ada/heron@good.py": "",
    }


@pytest.mark.parametrize("cut", [100, 700, 1500, 2000])
def test_a_truncated_archive_gives_nothing(cut: int) -> None:
    """A licence that is not allowed might have come in the part that is lost."""
    reasons = reasons_of(tar_of((member("good.py"), CODE.encode()))[:cut])
    assert list(reasons) == ["a.tar"]
    assert reasons["a.tar"] in ("malformed_tar", "truncated_tar")


def test_truncated_and_malformed_compression() -> None:
    data = gzip.compress(tar_of((member("good.py"), CODE.encode())))
    assert reasons_of(data[:200], "a.tar.gz") == {"a.tar.gz": "truncated_gzip"}
    assert reasons_of(data[:100] + b"\xff" * 50, "a.tar.gz") == {"a.tar.gz": "malformed_gzip"}


def test_an_archive_that_grows_without_end() -> None:
    data = gzip.compress(tar_of((member("zeros.bin"), bytes(5_000_000))))
    assert reasons_of(data, "a.tar.gz") == {"a.tar.gz": "archive_too_large"}


def test_a_header_that_claims_much() -> None:
    info = tarfile.TarInfo("long")
    info.type = tarfile.GNUTYPE_LONGNAME
    info.size = 1 << 35
    data = info.tobuf(tarfile.GNU_FORMAT) + bytes(2048)
    started = time.process_time()
    assert reasons_of(data)["a.tar"] in ("malformed_tar", "archive_too_large")
    assert time.process_time() - started < 2


def test_no_archive_at_all() -> None:
    assert reasons_of(b"<html>not here</html>" * 100) == {"a.tar": "malformed_tar"}


@settings(max_examples=60)
@given(st.integers(0, 3500), st.binary(min_size=1, max_size=12))
def test_no_damaged_archive_raises(at: int, noise: bytes) -> None:
    data = tar_of((member("good.py"), CODE.encode()))
    records_of(data[:at] + noise + data[at + len(noise) :])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("LICENSE", True),
        ("licence.md", True),
        ("COPYING.LESSER", True),
        ("LICENSE-APACHE", True),
        ("MIT-LICENSE.txt", True),
        ("UNLICENSE", True),
        ("lib/LICENSE", True),
        ("lib/license.txt", True),
        ("docs/license.rst", False),
        ("LICENSE.APACHE2", True),
        ("LICENSE.BSD-3", True),
        ("license.py", False),
        ("license.kt", False),
        ("license-header.txt", False),
        ("license_test.go", False),
        ("licensing_guide", False),
        ("relicense", False),
    ],
)
def test_names_of_licence_files(path: str, expected: bool) -> None:
    assert is_licence_file(path) == expected


def test_licences_are_recognised_and_not_guessed() -> None:
    assert identify(MIT, 75.0) == ("MIT",)
    assert identify("This project is under the MIT license.", 75.0) == ()
    assert identify(MIT + "More words that are none of its. " * 40, 75.0) == ()
    clause = (
        '"Commons Clause" License Condition v1.0\n\nThe Software is provided to you by the '
        "Licensor under the License, as defined below, subject to the following condition.\n\n"
        "Without limiting other conditions in the License, the grant of rights under the License "
        "will not include, and the License does not grant to you, the right to Sell the "
        "Software.\n\n"
    )
    assert identify(clause + MIT, 75.0) != ("MIT",)


@pytest.mark.parametrize(
    ("licences", "verdict"),
    [
        ((), Verdict("", "no_licence")),
        (("mit",), Verdict("MIT", "")),
        (("Apache-2.0", "mit", "MIT"), Verdict("Apache-2.0 AND MIT", "")),
        (("gpl-3.0",), Verdict("gpl-3.0", "licence_not_allowed")),
        (("mit", "gpl-3.0"), Verdict("MIT AND gpl-3.0", "one_licence_not_allowed")),
        # What `LIKE 'bsd%'` lets pass.
        (("bsd-protection",), Verdict("bsd-protection", "licence_not_allowed")),
        (("mitnfa",), Verdict("mitnfa", "licence_not_allowed")),
    ],
)
def test_verdicts(licences: tuple[str, ...], verdict: Verdict) -> None:
    assert LicencePolicy(("MIT", "Apache-2.0", "BSD-3-Clause")).verdict(licences) == verdict


def test_ranges_of_a_sorted_table(tmp_path: Path) -> None:
    """Also with an empty row group, as a chunk without rows leaves it."""
    path = tmp_path / "keys.parquet"
    keys = [0, 5, 5, 1 << 63, (1 << 64) - 1]
    table = pa.table({"key": pa.array(keys, pa.uint64()), "row": list(range(5))})
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table, row_group_size=2)
        writer.write_table(table.slice(0, 0))
    for low, high in ((0, 1 << 64), (5, 6), (0, 5), (6, 1 << 63), (1 << 63, 1 << 64)):
        found = read_range(str(path), low, high).column("key").to_pylist()
        assert found == [key for key in keys if low <= key < high]


def test_a_tar_of_files_can_be_read_from_disk(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar.gz", {"LICENSE": MIT, "x.py": CODE})
    reasons = reasons_of((tmp_path / "a.tar.gz").read_bytes(), "a.tar.gz")
    assert reasons == {"ada/heron@LICENSE": "", "ada/heron@x.py": ""}
