"""Megatron's index: what is written is read, and what is damaged is refused with its place."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenizer.errors import TokenizerError
from tokenizer.shards.index import check_ids, read_index, token_type, write_index


@given(
    lengths=st.lists(st.integers(0, 10_000), max_size=50),
    vocabulary_size=st.sampled_from([300, 65_536, 65_537, 200_000]),
)
def test_round_trip(lengths: list[int], vocabulary_size: int) -> None:
    dtype = token_type(vocabulary_size)
    read_type, starts = read_index(write_index(np.array(lengths, np.int64), dtype), "x.idx")
    assert read_type == dtype
    assert starts.tolist() == [0, *np.cumsum(lengths, dtype=np.int64).tolist()]


def test_the_layout_is_megatrons() -> None:
    data = write_index(np.array([3, 2], np.int64), np.dtype("<u2"))
    assert data[:9] == b"MMIDIDX\x00\x00"
    assert struct.unpack_from("<QBQQ", data, 9) == (1, 8, 2, 3)
    assert struct.unpack_from("<2i2q3q", data, 34) == (3, 2, 0, 6, 0, 1, 2)
    assert len(data) == 34 + 8 + 16 + 24


def test_ids_of_65535_fit_in_16_bits_and_65536_do_not() -> None:
    assert token_type(65_536) == np.dtype("<u2")
    assert token_type(65_537) == np.dtype("<i4")
    with pytest.raises(TokenizerError, match="beyond int32"):
        token_type(2**31 + 1)


@pytest.mark.parametrize("wrong", [-1, 500, 70_000])
def test_an_id_outside_the_vocabulary_is_named(wrong: int) -> None:
    check_ids(np.array([0, 499]), 500, "here")
    with pytest.raises(TokenizerError, match=f"here: token 1 has id {wrong}, .* of 500 pieces"):
        check_ids(np.array([0, wrong]), 500, "here")


def test_a_document_of_two_billion_tokens_is_refused() -> None:
    with pytest.raises(TokenizerError, match="longer than an index can say"):
        write_index(np.array([2**31], np.int64), np.dtype("<u2"))


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0, b"X", "no Megatron index: bytes 0 to 8"),
        (9, b"\x02", r"version 2 .* is not supported \(bytes 9 to 17\)"),
        (17, b"\x07", "type code 7"),
        (18, b"\x09", "has 82 bytes where 9 sequences"),
        (42, b"\x01", r"sequence 0 starts at byte 1 where .* 0 \(bytes 42 to 49\)"),
        (34, b"\x04", r"sequence 1 starts at byte 6 where .* 8 \(bytes 50 to 57\)"),
        (66, b"\x07", r"document index .* \(bytes 58 to 81\)"),
    ],
)
def test_damage_is_named(at: int, value: bytes, message: str) -> None:
    data = bytearray(write_index(np.array([3, 2], np.int64), np.dtype("<u2")))
    data[at : at + 1] = value
    with pytest.raises(TokenizerError, match=message):
        read_index(bytes(data), "x.idx")


@pytest.mark.parametrize("kept", [0, 8, 33, 60, 81])
def test_a_truncated_index_is_refused(kept: int) -> None:
    data = write_index(np.array([3, 2], np.int64), np.dtype("<u2"))[:kept]
    with pytest.raises(TokenizerError, match=r"is no Megatron index|has .* bytes where"):
        read_index(data, "x.idx")
