"""Parts of bzip2 files: together the whole text, whatever the borders; and damaged ones."""

from __future__ import annotations

import bz2
import io
import random
import re
import tracemalloc
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.document import Document
from pipeline.readers.bzip2_slices import cut, open_slice
from pipeline.readers.dump_file import UnreadableDumpError, open_dump
from pipeline.readers.mediawiki import read_mediawiki
from pipeline.readers.records import Record

PAGE = re.compile(rb"<page[\s>]")
BLOCK, END = f"{0x314159265359:048b}", f"{0x177245385090:048b}"


def made(pages: int, characters: int, seed: int = 1) -> bytes:
    """A dump whose text does not compress well, so that it has many blocks."""
    draw = random.Random(seed)
    text = (
        b"<page><title>%d</title><ns>0</ns><id>%d</id><revision><text>%s</text></revision></page>\n"
        % (number, number, draw.randbytes(draw.randrange(characters)).hex().encode())
        for number in range(pages)
    )
    return b"<mediawiki>\n" + b"".join(text) + b"</mediawiki>\n"


TEXT = made(60, 12_000)  # some 700 kB: eight blocks at level 1
WHOLE = bz2.compress(TEXT, 1)
STREAMS = b"".join(bz2.compress(TEXT[at : at + 150_000], 1) for at in range(0, len(TEXT), 150_000))
FORMS = {"one stream": WHOLE, "streams": STREAMS, "an empty one": bz2.compress(b"") + STREAMS}


def bits_of(data: bytes) -> str:
    return "".join(f"{byte:08b}" for byte in data)


def places(data: bytes, mark: str) -> list[int]:
    """The bits at which a mark stands."""
    return [found.start() for found in re.finditer(mark, bits_of(data))]


def part(data: bytes, start: int, end: int) -> bytes:
    opened = open_slice(io.BytesIO(data[start:]), end - start, PAGE, is_first=start == 0)
    return b"".join(iter(lambda: opened.read(1 << 16), b""))


def parts(data: bytes, borders: list[int]) -> list[bytes]:
    return [part(data, *pair) for pair in pairwise(sorted({0, *borders, len(data)}))]


def all_of(found: list[bytes]) -> bytes:
    """The parts' text; what stands before all pages is lost where the first part has no block."""
    return b"<mediawiki>\n" + b"".join(found).removeprefix(b"<mediawiki>\n")


@given(st.sampled_from(list(FORMS)), st.lists(st.floats(0, 1), max_size=8))
def test_all_parts_together_are_the_whole(form: str, shares: list[float]) -> None:
    data = FORMS[form]
    found = parts(data, [int(share * len(data)) for share in shares])
    assert all_of(found) == TEXT
    assert all(PAGE.match(text) for text in found[1:] if text)


@pytest.mark.parametrize("form", FORMS)
def test_borders_at_and_about_every_mark(form: str) -> None:
    data = FORMS[form]
    for bit in places(data, BLOCK)[1:3] + places(data, END)[:1]:
        for border in range(bit // 8 - 1, bit // 8 + 8):
            assert all_of(parts(data, [border])) == TEXT


def test_marks_at_every_bit_of_a_byte() -> None:
    shifts = set()
    for seed in range(30):
        text = made(12, 20_000, seed)
        data = bz2.compress(text, 1)
        shifts |= {bit % 8 for bit in places(data, BLOCK)}
        assert b"".join(parts(data, list(range(0, len(data), 9_000)))) == text
    assert shifts == set(range(8))


def test_a_beginning_that_stands_across_two_blocks() -> None:
    """The first 99,981 bytes of a text without runs are the first block at level 1."""
    size = 100_000 - 19
    for before in range(size - 8, size + 3):
        text = (made(1, 1)[:-14] + random.Random(2).randbytes(60_000).hex().encode())[:before]
        text += b"<page>second</page>" + b"<page>third</page>" * 9_000
        data = bz2.compress(text, 1)
        _, second, *_ = places(data, BLOCK)
        for border in (second // 8, second // 8 + 1):
            first, rest = parts(data, [border])
            assert first + rest == text
            assert first.endswith((b"</page>", text[:before]))
            assert rest.startswith(b"<page>")


def test_a_record_larger_than_parts() -> None:
    text = b"<page>" + random.Random(3).randbytes(300_000).hex().encode() + b"</page><page>2</page>"
    data = bz2.compress(text, 1)
    found = parts(data, list(range(0, len(data), 40_000)))
    assert [text for text in found if text] in ([text], [text[:-14], text[-14:]])


def test_cut() -> None:
    assert cut(100, 30) == [(0, 33), (33, 33), (66, 34)]
    assert cut(100, 100) == [(0, 100)]
    assert cut(10, 100) == [(0, 10)]


def reason(data: bytes, start: int = 0, end: int = 0) -> str:
    with pytest.raises(UnreadableDumpError) as caught:
        part(data, start, end or len(data))
    return caught.value.reason


def changed(data: bytes, byte: int) -> bytes:
    return data[:byte] + bytes([data[byte] ^ 0x55]) + data[byte + 1 :]


def test_damage_in_a_block_is_of_the_part_that_meets_it() -> None:
    third = places(WHOLE, BLOCK)[2] // 8
    damaged = changed(WHOLE, third + 5_000)
    middle = third + 2_000
    assert reason(damaged, 0, middle) == "malformed_bz2"
    after = part(damaged, middle, len(WHOLE))
    assert TEXT.endswith(after)
    assert len(after) > len(TEXT) / 3


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (WHOLE[:-1], "truncated_bz2"),
        (WHOLE[:-8], "truncated_bz2"),
        (WHOLE[:-5000], "truncated_bz2"),
        (STREAMS + STREAMS[:2], "truncated_bz2"),
        (STREAMS + STREAMS[:7], "truncated_bz2"),
        (STREAMS + STREAMS[:20], "truncated_bz2"),
        (WHOLE[:4] + b"1AY&SY" + b"\x17rE8P\x90" + WHOLE[4:], "malformed_bz2"),
        (WHOLE[:4] + b"1AY&SY" * 4 + WHOLE[4:], "malformed_bz2"),
        (STREAMS + b"junk" * 10, "malformed_bz2"),
        (STREAMS + b"junk" + STREAMS, "malformed_bz2"),
        (STREAMS + b"BZx" + STREAMS[3:], "malformed_bz2"),
        (changed(WHOLE, places(WHOLE, BLOCK)[3] // 8 + 3), "malformed_bz2"),
        (changed(WHOLE, places(WHOLE, END)[0] // 8 + 3), "truncated_bz2"),
        (WHOLE[:30_000] + bytes(3_000_000) + WHOLE[30_000:], "malformed_bz2"),
    ],
)
def test_damage_has_a_reason(data: bytes, expected: str) -> None:
    assert reason(data) == expected


def test_a_part_without_any_block() -> None:
    data = WHOLE + bytes(9_000_000)
    assert reason(data, len(WHOLE), len(data)) == "malformed_bz2"
    first, second, *_ = (bit // 8 for bit in places(WHOLE, BLOCK))
    assert part(WHOLE, first + 1, second) == b""


@pytest.mark.parametrize("words", [(0x3141, 0x5926, 0x5359), (0x1772, 0x4538, 0x5090)])
def test_a_mark_that_is_none_does_not_end_a_block(words: tuple[int, int, int]) -> None:
    """The map of the bytes that are used has the bits of a mark if the right ones are used."""
    used = [
        16 * group + place
        for group, word in enumerate(words, 8)
        for place in range(16)
        if word >> 15 - place & 1
    ]
    text = b"<page>" + bytes(used) + bytes(random.Random(4).choices(used, k=500_000))
    data = bz2.compress(text, 1)
    assert len(places(data, BLOCK) + places(data, END)) > 10
    assert part(data, 0, len(data)) == text


@given(st.lists(st.tuples(st.integers(0, len(STREAMS) - 1), st.integers(0, 255)), max_size=3),
       st.integers(1, len(STREAMS)), st.integers(0, len(STREAMS)))  # fmt: skip
def test_any_damage_ends_in_a_reason_and_never_in_another_text(
    changes: list[tuple[int, int]], size: int, border: int
) -> None:
    data = bytearray(STREAMS)
    for place, byte in changes:
        data[place] = byte
    for start, end in pairwise(sorted({0, min(border, size), size})):
        assert part_or_reason(bytes(data[:size]), start, end)


def part_or_reason(data: bytes, start: int, end: int) -> bool:
    """Whether the text is a piece of the undamaged one, or the damage is known for one."""
    try:
        return part(data, start, end) in TEXT
    except UnreadableDumpError as problem:
        return problem.reason in ("truncated_bz2", "malformed_bz2")


def test_memory_is_of_a_block(tmp_path: Path) -> None:
    one = bz2.compress(bytes(5_000_000)) + bz2.compress(random.Random(5).randbytes(900_000))
    (tmp_path / "x").write_bytes(one * 12)
    with (tmp_path / "x").open("rb") as stream:
        tracemalloc.start()
        opened = open_slice(stream, 12 * len(one), PAGE, is_first=True)
        size = sum(map(len, iter(lambda: opened.read(1 << 20), b"")))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert size == 12 * 5_900_000
    assert peak < 40_000_000


@pytest.mark.real
def test_real_dumps_give_the_same_pages_in_parts(real_data: Path) -> None:
    for path in sorted((real_data / "wikipedia").glob("*.bz2")):
        data = path.read_bytes()
        whole = list(
            read_mediawiki(
                open_dump(io.BytesIO(data), path.name), wiki="enwiki", maximum_page_bytes=10**8
            )
        )
        found: list[Record] = []
        for start, length in cut(len(data), len(data) // 7):
            stream = io.BytesIO(data[start:])
            opened = open_slice(stream, length, PAGE, is_first=start == 0)
            found += read_mediawiki(
                opened, wiki="enwiki", maximum_page_bytes=10**8, slice_start=start
            )
        assert texts(found) == texts(whole)


def texts(records: list[Record]) -> list[tuple[str, str]]:
    return [(record.id, record.text) for record in records if isinstance(record, Document)]
