"""Keys of whole documents: equal for equal text, and for equal words."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from dedup.exact import normalized_keys, raw_keys

TEXTS = st.lists(
    st.text(max_size=12)
    | st.lists(st.sampled_from(["Wool", "wool", "spun", ",", "…", "\n", " "]), max_size=6).map(
        "".join
    ),
    max_size=8,
)


@given(TEXTS)
def test_raw_keys_are_hashes_of_the_text(texts: list[str]) -> None:
    keys = raw_keys(texts)
    assert keys.dtype == np.uint64
    assert keys.tolist() == [
        xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass")) for text in texts
    ]


@given(TEXTS)
def test_normalized_keys_are_equal_where_the_words_are(texts: list[str]) -> None:
    forms = []
    for text in texts:
        words = re.findall(r"\w+", text.replace("İ", "i").lower())
        forms.append(("words", *words) if words else ("text", text))
    keys = normalized_keys(texts).tolist()
    assert len(keys) == len(texts)
    for one, form in enumerate(forms):
        for other, other_form in enumerate(forms):
            assert (keys[one] == keys[other]) == (form == other_form)


@given(TEXTS, TEXTS)
def test_batches_do_not_change_keys(some: list[str], more: list[str]) -> None:
    for keys_of in (raw_keys, normalized_keys):
        apart = [*keys_of(some).tolist(), *keys_of(more).tolist()]
        assert keys_of([*some, *more]).tolist() == apart


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Wool is spun.", "wool IS\n\nspun", True),
        ("Wool is spun", "Wool spun is", False),
        ("Wool is spun", "Woolis spun", False),
        ("a b", "a b b", False),
        ("Straße", "STRASSE", False),
        ("…", "…", True),
        ("…", "...", False),
        ("", "", True),
        ("", " ", False),
    ],
)
def test_what_counts(one: str, other: str, same: bool) -> None:
    first, second = normalized_keys([one, other]).tolist()
    assert (first == second) is same


def test_a_lone_surrogate_has_a_key() -> None:
    assert len(set(raw_keys(["\ud800", "\ud801", "?"]).tolist())) == 3
    assert len(set(normalized_keys(["a\ud800b", "a b", "ab"]).tolist())) == 2


def test_no_texts() -> None:
    assert raw_keys([]).shape == normalized_keys([]).shape == (0,)
