"""Key blocks: round trip, order, partitions, ranges of a file, and files that are damaged."""

from __future__ import annotations

import io
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.key_blocks import MAGIC, KeyBlock, read_range

HEADER_BYTES = 24
LARGEST = 2**64 - 1
KEY = st.integers(0, LARGEST) | st.integers(0, 5) | st.integers(LARGEST - 5, LARGEST)
KEYS = st.lists(KEY, max_size=60)
Rows = list[tuple[int, int, int | None]]


def block_of(keys: list[int], *, ranked: bool = False) -> KeyBlock:
    """A block whose rows count from 0; the rank of a row is odd and falls."""
    rows = np.arange(len(keys), dtype=np.uint32)
    ranks = np.uint32(2**32 - 1) - rows if ranked else None
    return KeyBlock.of(np.array(keys, np.uint64), rows, ranks)


def rows_of(block: KeyBlock) -> Rows:
    ranks = [None] * len(block) if block.ranks is None else block.ranks.tolist()
    return list(zip(block.keys.tolist(), block.rows.tolist(), ranks, strict=True))


def expected(keys: list[int], partitions: range, bits: int, *, ranked: bool = False) -> Rows:
    """The rows of the keys in some partitions, by a plain filter."""
    return sorted(
        (key, row, 2**32 - 1 - row if ranked else None)
        for row, key in enumerate(keys)
        if key >> (64 - bits) in partitions
    )


@given(KEYS, st.booleans(), st.booleans())
def test_a_block_is_sorted_and_survives_a_round_trip(
    keys: list[int], ranked: bool, fenced: bool
) -> None:
    data = block_of(keys, ranked=ranked).to_bytes(fenced=fenced)
    assert rows_of(KeyBlock.from_bytes(data)) == expected(keys, range(1), 0, ranked=ranked)


def test_the_file_is_as_described() -> None:
    """The format of the module's description, taken apart by hand."""
    data = block_of([7, 2**63, 7], ranked=True).to_bytes()
    assert data[:8] == b"ROVKEYS2"
    assert np.frombuffer(data, "<u8", 1, 8).tolist() == [3]
    assert np.frombuffer(data, "<u4", 2, 16).tolist() == [0, 1]
    assert np.frombuffer(data, "<u8", 2, 24).tolist() == [0, 3]
    assert np.frombuffer(data, "<u8", 3, 40).tolist() == [7, 7, 2**63]
    assert np.frombuffer(data, "<u4", 3, 64).tolist() == [0, 2, 1]
    assert np.frombuffer(data, "<u4", 3, 76).tolist() == [2**32 - 1, 2**32 - 3, 2**32 - 2]
    assert len(data) == 88


@given(KEYS, st.integers(0, 6), st.booleans())
def test_partitions_cover_a_block_once_by_the_top_bits(
    keys: list[int], bits: int, ranked: bool
) -> None:
    block = block_of(keys, ranked=ranked)
    parts = [block.partition(number, bits) for number in range(1 << bits)]
    assert [row for part in parts for row in rows_of(part)] == rows_of(block)
    for number, part in enumerate(parts):
        assert all(key >> (64 - bits) == number for key, _, _ in rows_of(part))


@given(KEYS, st.integers(0, 9), st.booleans(), st.booleans(), st.data())
def test_a_range_of_a_file_is_what_a_filter_leaves(
    keys: list[int], bits: int, ranked: bool, fenced: bool, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, (1 << bits) - 1))
    partitions = range(first, data.draw(st.integers(first, 1 << bits)))
    file = io.BytesIO(block_of(keys, ranked=ranked).to_bytes(fenced=fenced))
    found = read_range(file, partitions, bits)
    assert rows_of(found) == expected(keys, partitions, bits, ranked=ranked)


def many_keys(count: int) -> list[int]:
    """Keys over the whole space, crowded at some places and empty at others."""
    generator = np.random.default_rng(count)
    spread = generator.integers(0, 2**64, size=count, dtype=np.uint64)
    spread[: count // 3] >>= np.uint64(9)
    spread[count // 3 : count // 2] = spread[count // 3]
    spread[:4] = [0, 2**64 - 1, 2**63, 2**63 - 1]
    return [int(key) for key in spread]


# Up to 4,095 keys there is one fence, then twice as many whenever the count doubles.
@pytest.mark.parametrize(
    ("count", "fence_bits"), [(4095, 0), (4096, 1), (8191, 1), (8192, 2), (40_000, 4)]
)
@pytest.mark.parametrize("ranked", [False, True])
def test_ranges_of_blocks_with_fences(count: int, fence_bits: int, ranked: bool) -> None:
    keys = many_keys(count)
    file = io.BytesIO(block_of(keys, ranked=ranked).to_bytes())
    assert np.frombuffer(file.getvalue(), "<u4", 1, 16).tolist() == [fence_bits]
    ordered = expected(keys, range(1), 0, ranked=ranked)
    for bits in (0, 1, 3, 4, 5, 8):
        for low, high in ((0, 1), (0, 1 << bits), ((1 << bits) - 1, 1 << bits), (1, 3), (5, 14)):
            partitions = range(low, min(high, 1 << bits))
            if not partitions:
                continue
            found = read_range(file, partitions, bits)
            assert rows_of(found) == [row for row in ordered if row[0] >> (64 - bits) in partitions]


class CountingFile(io.BytesIO):
    """A file that counts the bytes read."""

    bytes_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.bytes_read += len(data)
        return data


def test_a_small_range_reads_little_of_a_large_file() -> None:
    generator = np.random.default_rng(1)
    keys = generator.integers(0, 2**64, size=200_000, dtype=np.uint64)
    data = KeyBlock.of(keys, np.arange(len(keys), dtype=np.uint32)).to_bytes()
    file = CountingFile(data)
    found = read_range(file, range(17, 18), 6)
    assert len(found) == np.count_nonzero(keys >> np.uint64(58) == 17)
    assert file.bytes_read < len(data) / 50


@pytest.mark.parametrize("length", [0, 5, 8, 12, HEADER_BYTES - 1, HEADER_BYTES, 30, 60, -4, -1])
def test_a_cut_off_file_is_refused(length: int) -> None:
    data = block_of([1, 2, LARGEST], ranked=True).to_bytes()[:length]
    for read in (KeyBlock.from_bytes, lambda cut: read_range(io.BytesIO(cut), range(1), 0)):
        with pytest.raises(ValueError, match=r"(cut off|wrong magic)") as caught:
            read(data)
        assert "key block" in str(caught.value)


def test_a_range_of_a_cut_off_file_is_refused_wherever_the_range_is() -> None:
    """What is missing at the end may be the rows of the first keys."""
    data = block_of(many_keys(10_000)).to_bytes()
    for partitions in (range(1), range(14, 16)):
        with pytest.raises(ValueError, match="cut off or damaged"):
            read_range(io.BytesIO(data[:-4]), partitions, 4)


def test_another_format_or_version_is_refused() -> None:
    data = block_of([1, 2, 3]).to_bytes()
    assert data.startswith(MAGIC)
    for start in (b"ROVKEYS1", b"ROVKEYS3", b"PAR1\x00\x00\x00\x00"):
        other = start + data[8:]
        for read in (KeyBlock.from_bytes, lambda raw: read_range(io.BytesIO(raw), range(1), 0)):
            with pytest.raises(ValueError, match="not a key block of this version"):
                read(other)


@given(st.integers(8, 39), st.integers(0, 255), st.integers(0, 15))
@settings(max_examples=300)
def test_a_damaged_header_is_a_value_error_or_harmless(place: int, value: int, number: int) -> None:
    """Whatever stands in the header or the fences, nothing huge is read and nothing else raised."""
    data = bytearray(block_of([0, 1, 2**63, LARGEST]).to_bytes())
    data[place] = value
    with suppress(ValueError):
        found = read_range(io.BytesIO(bytes(data)), range(number, number + 1), 4)
        assert set(rows_of(found)) <= set(rows_of(block_of([0, 1, 2**63, LARGEST])))
    with suppress(ValueError):
        assert len(KeyBlock.from_bytes(bytes(data))) == 4
