"""Walking tars of every format and compression, and hostile ones."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import tarfile
import tracemalloc
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.dump_file import UnreadableDumpError, open_dump
from pipeline.readers.tar_members import walk_tar

BLOCK = tarfile.BLOCKSIZE
CONTENTS = {"a/one.txt": b"x" * 700, "empty": b"", "b" * 180: b"y" * 512, "é.tex": b"z"}
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "x.tar": bytes,
    "x.tar.gz": gzip.compress,
    "x.tar.bz2": bz2.compress,
    "x.tar.zst": lambda data: bytes(pa.Codec("zstd").compress(data)),
}


def info(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.size, member.linkname = kind, size, "x" if kind in b"12" else ""
    return member


def tarred(contents: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form) as archive:
        archive.addfile(info("folder", tarfile.DIRTYPE))
        for name, content in contents.items():
            archive.addfile(info(name, size=len(content)), io.BytesIO(content))
    return packed.getvalue()


def header(name: str, kind: bytes, content: bytes = b"", size: int | None = None) -> bytes:
    """A header of its own, whose size may lie, and its content in whole blocks."""
    member = info(name, kind, len(content) if size is None else size)
    return member.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % BLOCK)


def with_checksum(block: bytes) -> bytes:
    total = sum(block[:148]) + sum(block[156:BLOCK]) + 8 * 32
    return block[:148] + b"%06o\0 " % total + block[156:]


def walk(
    data: bytes, name: str = "x.tar", maximum_bytes: int = 1 << 30, maximum_members: int = 1000
) -> list[tuple[str, bytes]]:
    """Names and contents; instead of a content why there is none, at last why the rest is lost."""
    found = []
    try:
        stream = open_dump(io.BytesIO(data), name, is_text=False)
        for member in walk_tar(stream, maximum_bytes, maximum_members):
            found.append((member.name, member.problem.encode() or member.read()))
    except UnreadableDumpError as problem:
        found.append(("#rest", problem.reason.encode()))
    return found


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_format_and_compression(name: str, form: int) -> None:
    contents = {key: value for key, value in CONTENTS.items() if form or len(key) < 100}
    data = PACKED[name](tarred(contents, form))
    assert walk(data, name) == list(contents.items())


def test_members_are_passed_over_unread() -> None:
    stream = io.BytesIO(tarred(CONTENTS))
    last = list(walk_tar(stream, maximum_bytes=None))[-1]
    assert (last.name, last.size) == ("é.tex", 1)


@pytest.mark.parametrize("name", ["BZh9.txt", "BZhang/a.txt"])
def test_a_name_is_not_taken_for_a_magic_number(name: str) -> None:
    assert walk(header(name, b"0", b"1") + bytes(1024)) == [(name, b"1")]


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        (tarfile.SYMTYPE, b"symlink"),
        (tarfile.LNKTYPE, b"hard_link"),
        (tarfile.CHRTYPE, b"not_a_file"),
        (tarfile.FIFOTYPE, b"not_a_file"),
        (b"Z", b"not_a_file"),
    ],
)
def test_what_is_no_file(kind: bytes, problem: bytes) -> None:
    data = header("x", kind) + tarred(CONTENTS)
    assert walk(data) == [("x", problem), *CONTENTS.items()]


def test_sparse_files_are_no_files() -> None:
    old_gnu = bytearray(info("x", tarfile.GNUTYPE_SPARSE, 512).tobuf(tarfile.GNU_FORMAT))
    old_gnu[386:410] = b"00000000000\0" + b"00000001000\0"
    old_gnu[483:495] = b"77777777777\0"  # the size it would have
    assert walk(with_checksum(bytes(old_gnu)) + bytes(512) + tarred(CONTENTS)) == [
        ("x", b"sparse_file"),
        *CONTENTS.items(),
    ]


def test_names_that_are_no_utf8() -> None:
    named = header("x", b"0", b"1")
    data = with_checksum(b"\xff\xfe".ljust(100, b"\0") + named[100:BLOCK]) + named[BLOCK:]
    assert walk(data + bytes(1024)) == [("\ufffdFF\ufffdFE", b"1")]


NO_END = tarred(CONTENTS).rstrip(b"\0")
NEGATIVE = with_checksum(
    info("x").tobuf(tarfile.GNU_FORMAT)[:124]
    + b"\xff" * 4
    + struct.pack(">q", -(1 << 20))
    + info("x").tobuf(tarfile.GNU_FORMAT)[136:]
)
PAX_NEGATIVE = header("x", tarfile.XHDTYPE, b"17 size=-1048576\n") + header("y", b"0")
MANY_HEADERS = b"".join(header("x", tarfile.XHDTYPE, b"") for _ in range(1500))
LARGE_PAX = b"1000000 comment=".ljust(999_999, b"x") + b"\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", b"truncated_tar"),
        (b"x" * 300, b"truncated_tar"),
        (b"nonsense" * 200, b"malformed_tar"),
        (header("x", b"0", size=5000), b"truncated_tar"),
        (header("x", tarfile.GNUTYPE_LONGNAME, size=5000), b"truncated_tar"),
        (header("x", tarfile.GNUTYPE_LONGNAME, size=5 << 30), b"malformed_tar"),
        (header("x", tarfile.XHDTYPE, size=2 << 30), b"malformed_tar"),
        (NEGATIVE + bytes(1024), b"malformed_tar"),
        (PAX_NEGATIVE + bytes(1024), b"malformed_tar"),
        (MANY_HEADERS + header("y", b"0") + bytes(1024), b"malformed_tar"),
        (header("x", tarfile.XHDTYPE, LARGE_PAX) * 2 + header("y", b"0"), b"malformed_tar"),
    ],
)  # fmt: skip
def test_nothing_but_damage(data: bytes, reason: bytes) -> None:
    assert walk(data) == [("#rest", reason)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (NO_END + bytes(-len(NO_END) % BLOCK), b"truncated_tar"),
        (NO_END + bytes(-len(NO_END) % BLOCK) + b"\xff" * BLOCK, b"malformed_tar"),
        (NO_END + bytes(-len(NO_END) % BLOCK) + b"\xff" * 90, b"truncated_tar"),
    ],
)
def test_damage_behind_members_keeps_them(data: bytes, reason: bytes) -> None:
    assert walk(data) == [*CONTENTS.items(), ("#rest", reason)]


def test_global_headers_do_not_pile_up() -> None:
    headers = b"".join(
        header("g", tarfile.XGLTYPE, b"500012 key%03d=" % n + b"x" * 499_997 + b"\n")
        + header(f"{n}", b"0")
        for n in range(100)
    )
    tracemalloc.start()
    found = walk(headers)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [("0", b""), ("1", b""), ("#rest", b"malformed_tar")]
    assert peak < 20_000_000


def test_limits() -> None:
    first, *_ = CONTENTS.items()
    data = tarred(CONTENTS)
    assert walk(data, maximum_bytes=2500) == [first, ("#rest", b"archive_too_large")]
    assert walk(data, maximum_members=2) == [first, ("#rest", b"too_many_members")]


def test_memory_does_not_grow_with_members() -> None:
    stream = io.BytesIO(header("x" * 90, b"0", b"1") * 20_000 + bytes(1024))
    tracemalloc.start()
    number = sum(1 for _ in walk_tar(stream, None))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert number == 20_000
    assert peak < 1_000_000


@given(st.sampled_from(list(PACKED)), st.data())
def test_any_damage_ends_in_a_reason(name: str, data: st.DataObject) -> None:
    whole = bytearray(PACKED[name](tarred(CONTENTS)))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    for member, content in walk(bytes(whole[:cut]), name):
        assert member != "#rest" or content
