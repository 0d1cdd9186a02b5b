"""Key blocks: round trip, order, partitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.key_blocks import KeyBlock

KEYS = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 5), max_size=60)


def block_of(keys: list[int]) -> KeyBlock:
    builder = KeyBlock.builder()
    builder.extend([np.array(keys, dtype=np.uint64)])
    return builder.build()


@given(KEYS)
def test_a_block_is_sorted_and_survives_a_round_trip(keys: list[int]) -> None:
    block = KeyBlock.from_bytes(block_of(keys).to_bytes())
    pairs = list(zip(block.keys.tolist(), block.rows.tolist(), strict=True))
    assert pairs == sorted((key, row) for row, key in enumerate(keys))


@given(KEYS, st.integers(0, 6))
def test_partitions_cover_a_block_once_by_the_top_bits(keys: list[int], bits: int) -> None:
    block = block_of(keys)
    parts = [block.partition(number, bits) for number in range(1 << bits)]
    assert np.concatenate([part.keys for part in parts]).tolist() == block.keys.tolist()
    assert np.concatenate([part.rows for part in parts]).tolist() == block.rows.tolist()
    for number, part in enumerate(parts):
        assert all(key >> (64 - bits) == number for key in part.keys.tolist() if bits)


def test_a_damaged_block_is_refused() -> None:
    data = block_of([1, 2, 3]).to_bytes()
    with pytest.raises(ValueError, match="cut off or damaged"):
        KeyBlock.from_bytes(data[:-1])
    with pytest.raises(ValueError, match="wrong magic"):
        KeyBlock.from_bytes(b"PAR1" + data[4:])
