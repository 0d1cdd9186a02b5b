"""Which copies of a paragraph go, against a plain dictionary."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.key_blocks import KeyBlock
from dedup.paragraphs import Policy, duplicate_rows

UNITS = st.lists(st.lists(st.integers(0, 12), max_size=20), min_size=1, max_size=5)


def decide(units: list[list[int]], policy: Policy) -> list[list[int]]:
    blocks = []
    for keys in units:
        builder = KeyBlock.builder()
        builder.extend([np.array(keys, dtype=np.uint64)])
        blocks.append(builder.build())
    return [rows.tolist() for rows in duplicate_rows(blocks, policy)]


@given(UNITS)
def test_keep_first_leaves_the_smallest_unit_and_row(units: list[list[int]]) -> None:
    seen: set[int] = set()
    expected = []
    for keys in units:
        rows = []
        for row, key in enumerate(keys):
            if key in seen:
                rows.append(row)
            seen.add(key)
        expected.append(rows)
    assert decide(units, "keep_first") == expected


@given(UNITS)
def test_remove_all_leaves_only_what_occurs_once(units: list[list[int]]) -> None:
    counts = Counter(key for keys in units for key in keys)
    expected = [[row for row, key in enumerate(keys) if counts[key] > 1] for keys in units]
    assert decide(units, "remove_all") == expected


def test_what_two_documents_share_goes_from_both() -> None:
    """[A,A,B,blank,C], [B,blank,D], [x,x,x] -> [A,C], [D], [x]; repeats and blanks went before."""
    a, b, c, d, x = range(1, 6)
    removed = decide([[a, b, c, b, d, x]], "remove_all")
    assert removed == [[1, 3]]
