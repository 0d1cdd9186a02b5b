"""File names that are no UTF-8."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.store.names import escape_name, unescape_name

NAMES = st.binary(max_size=12).filter(lambda raw: b"\0" not in raw)
# What a name may hold that looks like an escape.
TRICKY = st.lists(
    st.sampled_from(
        [b"\xef\xbf\xbd", b"\xef", b"\xbf", b"\xbd", b"\xe9", b"E9", b"EF", b"%E9", b"\\"]
    )
).map(b"".join)


@pytest.mark.parametrize(
    ("raw", "escaped"),
    [
        (b"caf\xe9.txt", "caf\ufffdE9.txt"),
        ("café 20%.txt".encode(), "café 20%.txt"),
        (b"a/m\xff\xfe.py", "a/m\ufffdFF\ufffdFE.py"),
        ("\ufffdE9".encode(), "\ufffdEF\ufffdBF\ufffdBDE9"),
        (b"line\nbreak\\n", "line\nbreak\\n"),
    ],
)
def test_escapes(raw: bytes, escaped: str) -> None:
    assert escape_name(os.fsdecode(raw)) == escaped
    assert os.fsencode(unescape_name(escaped)) == raw


@given(st.one_of(NAMES, TRICKY))
def test_every_name_is_valid_utf8_and_comes_back(raw: bytes) -> None:
    escaped = escape_name(os.fsdecode(raw))
    escaped.encode("utf-8")
    assert os.fsencode(unescape_name(escaped)) == raw


@given(TRICKY, TRICKY)
def test_no_two_names_meet(first: bytes, second: bytes) -> None:
    met = escape_name(os.fsdecode(first)) == escape_name(os.fsdecode(second))
    assert met == (first == second)


def test_a_surrogate_that_is_no_byte() -> None:
    assert escape_name("a\ud83d") == "a\ufffdED\ufffdA0\ufffdBD"
