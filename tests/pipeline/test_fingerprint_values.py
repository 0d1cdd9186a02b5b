"""What decides a step: equal objects give equal parts, any change another, in every process."""

from __future__ import annotations

import enum
import functools
import operator
import pickle
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.bad_words import BadWordFilter, BadWordSettings
from filters.length import LengthFilter
from filters.paths import Location, Model
from filters.perplexity import PerplexityFilter
from pipeline.errors import InputError, RunFailed
from pipeline.fingerprints import parts_of
from pipeline.passes.shards import Columns
from pipeline.passes.stages import Batching, RunStage
from pipeline.recipe import RECIPES, load_recipe

LLAMA = load_recipe(str(RECIPES / "llama1.toml"))


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


@dataclass(frozen=True)
class Limits:
    lowest: int
    name: str = ""


@dataclass
class Counter:
    limit: int
    seen: int = field(init=False, default=0)


@dataclass(frozen=True, slots=True)
class Compact:
    limits: Any


@dataclass(frozen=True)
class Reduced:
    limit: int
    cache: Any

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.limit, None)


class Stage:
    """With state that is no argument of its constructor."""

    name = "stage"

    def __init__(self, limits: Limits, words: frozenset[str]) -> None:
        self.limits = limits
        self.words = words
        self._opened: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.limits, self.words)

    def open(self) -> None:
        self._opened = threading.Lock()


class Holder:
    def __init__(self, value: Any) -> None:
        self.value = value


def adder(amount: int) -> Callable[[int], int]:
    def add(number: int) -> int:
        """Docstring."""
        return number + amount

    return add


def fingerprint(*objects: Any) -> str:
    return parts_of(*objects).fingerprint


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False).filter(bool)
    | st.text()
    | st.binary()
    | st.sampled_from(Colour)
    | st.builds(Limits, st.integers(), st.text())
    | st.sampled_from([pa.string(), pa.list_(pa.int32()), np.dtype("<u4"), np.dtype("<f8"), len])
)
_KEYS = st.integers() | st.text() | st.tuples(st.text(), st.integers())
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(_KEYS, inner)
        | st.sets(_KEYS)
        | st.builds(Holder, inner)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(_VALUES)
def test_a_copy_has_the_same_fingerprint(value: Any) -> None:
    assert fingerprint(pickle.loads(pickle.dumps(value))) == fingerprint(value)


@settings(deadline=None)
@given(_VALUES, _SCALARS, _SCALARS)
def test_a_change_within_a_value_gives_another(around: Any, one: Any, other: Any) -> None:
    def wrap(scalar: Any) -> Any:
        return [around, {"key": (Holder(scalar), around)}]

    is_same = type(one) is type(other) and one == other
    assert (fingerprint(wrap(one)) == fingerprint(wrap(other))) == is_same


@settings(deadline=None)
@given(st.dictionaries(_KEYS, st.integers()), st.sets(_KEYS))
def test_the_order_of_sets_and_dictionaries_is_nothing(found: dict[Any, int], keys: Any) -> None:
    turned = dict(reversed(found.items()))
    assert fingerprint(turned, {*reversed(list(keys))}) == fingerprint(found, keys)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (1, 1.0),
        ("1", 1),
        (b"a", "a"),
        ([1], (1,)),
        ({"a": 1}, [["a", 1]]),
        (0.1, 0.2),
        (10**30, 10**30 + 1),
        (Limits(1), Limits(2)),
        (Colour.RED, Colour.BLUE),
        (re.compile("a"), re.compile("a", re.IGNORECASE)),
        (functools.partial(Limits, 1), functools.partial(Limits, name="1")),
        (adder(1), adder(2)),
        (lambda number: number + 1, lambda number: number + 2),
        ("a".join, "b".join),
        (str.lower, str.upper),
        (operator.itemgetter(1), operator.itemgetter(2)),
        (np.arange(3), np.arange(3, dtype="<i2")),
        (np.arange(4), np.arange(4).reshape(2, 2)),
        (np.zeros(3), np.ones(3)),
        (np.dtype([("a", "<u4")]), np.dtype([("b", "<u4")])),
        (pa.int32(), pa.int64()),
        (pa.schema({"a": pa.string()}), pa.schema({"b": pa.string()})),
        (pa.field("a", pa.string()), pa.field("a", pa.string(), nullable=False)),
        (Columns({"a": pa.string()}), Columns({"a": pa.int32()})),
        (Holder(1), Holder(2)),
        (LengthFilter, Holder),
        (Location(""), Location("a")),
    ],
)
def test_what_differs(one: Any, other: Any) -> None:
    assert fingerprint(one) == fingerprint(one)
    assert fingerprint(one) != fingerprint(other)


def test_what_does_not_differ() -> None:
    columns = np.asfortranarray(np.arange(6).reshape(2, 3))
    assert fingerprint(columns) == fingerprint(np.arange(6).reshape(2, 3))
    assert fingerprint(np.arange(6)[::2]) == fingerprint(np.array([0, 2, 4]))
    assert fingerprint(Location("/here")) == fingerprint(Location("/there"))
    assert fingerprint(adder(1)) == fingerprint(adder(1))


def test_state_of_dataclasses_is_nothing() -> None:
    counter = Counter(1)
    counter.seen = 5
    assert fingerprint(counter) == fingerprint(Counter(1)) != fingerprint(Counter(2))
    assert fingerprint(Reduced(1, threading.Lock())) == fingerprint(Reduced(1, None))
    assert fingerprint(Reduced(2, None)) != fingerprint(Reduced(1, None))
    with pytest.raises(RunFailed, match=r"Compact\.limits\(lock\) cannot be read"):
        parts_of(Compact(threading.Lock()))


def test_what_is_opened_is_as_before() -> None:
    stage = Stage(Limits(1), frozenset({"a", "b"}))
    before = parts_of(stage)
    stage.open()
    assert parts_of(stage) == before
    assert fingerprint(Stage(Limits(1), frozenset({"b", "a"}))) == before.fingerprint
    assert fingerprint(Stage(Limits(1), frozenset({"a"}))) != before.fingerprint


def test_what_cannot_be_read_is_named() -> None:
    value = Holder({"lock": [1, threading.Lock()]})
    with pytest.raises(RunFailed, match=r"Holder\.value\['lock'\]\[1\]\(lock\) cannot be read"):
        parts_of(value)
    value.value = value
    with pytest.raises(RunFailed, match=r"Holder\.value refers to itself"):
        parts_of(value)


def test_a_class_within_a_function_is_refused() -> None:
    class Local:
        pass

    with pytest.raises(RunFailed, match=r"Holder\.value\(Local\) is of .*<locals>\.Local, a class"):
        parts_of(Holder(Local()))


def test_what_an_engine_notes_is_nothing() -> None:
    stage = RunStage(Stage(Limits(1), frozenset()), Batching(1, 1, 0.0))
    before = parts_of(stage)
    stage.with_output_types(int)
    assert "_type_hints" in vars(stage)
    assert parts_of(stage) == before


def test_a_path_says_what_it_is() -> None:
    with pytest.raises(RunFailed, match=r"Holder\.value is the path a/b; make it a Model or a Loc"):
        parts_of(Holder(Path("a/b")))


def test_the_content_of_a_model_counts_and_its_path_does_not(tmp_path: Path) -> None:
    for name, content in (("a", b"one"), ("b", b"one"), ("c", b"two")):
        (tmp_path / name).write_bytes(content)
    a, b, c = (parts_of(Holder(Model(tmp_path / name))) for name in "abc")
    assert a.fingerprint == b.fingerprint != c.fingerprint
    assert a.named["settings"] == c.named["settings"]
    assert c.differences(parts_of(Holder(Model(tmp_path / "c")))) == []
    (tmp_path / "a").write_bytes(b"other")
    changed = parts_of(Holder(Model(tmp_path / "a")))
    assert changed.differences(a) == [f"the model {tmp_path / 'a'} is another one here"]
    exchanged = parts_of(Model(tmp_path / "c"), Model(tmp_path / "b"))
    found = exchanged.differences(parts_of(Model(tmp_path / "b"), Model(tmp_path / "c")))
    assert found == ["models are used for other things here"]


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"there is no model at {tmp_path / 'none'}"):
        parts_of(Model(tmp_path / "none"))
    assert parts_of(Model("")).fingerprint == parts_of(Model("")).fingerprint


def test_names_in_a_folder_count(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a").write_bytes(b"x")
    before = fingerprint(Model(tmp_path / "one"))
    (tmp_path / "one" / "a").rename(tmp_path / "one" / "b")
    assert fingerprint(Model(tmp_path / "one")) != before


def test_a_folder_that_links_to_itself(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a").write_bytes(b"x")
    (tmp_path / "linked").symlink_to(tmp_path / "one")
    (tmp_path / "one" / "again").symlink_to(tmp_path / "one")
    assert fingerprint(Model(tmp_path / "one")) == fingerprint(Model(tmp_path / "linked"))


def test_only_models_of_wanted_languages_count(tmp_path: Path) -> None:
    for language in ("en", "de"):
        (tmp_path / language).mkdir()
        (tmp_path / language / "card.json").write_text(language)
    settings = LLAMA.commoncrawl.perplexity

    def both() -> list[str]:
        english = PerplexityFilter(settings, tmp_path, ("en",))
        return [fingerprint(english), fingerprint(PerplexityFilter(settings, str(tmp_path)))]

    before = both()
    (tmp_path / "de" / "card.json").write_text("other")
    after = both()
    assert after[0] == before[0]
    assert after[1] != before[1]
    restored = pickle.loads(pickle.dumps(PerplexityFilter(settings, tmp_path, ("en",))))
    assert fingerprint(restored) == after[0]
    assert f"model {tmp_path / 'en'}" in parts_of(restored).named


def test_a_list_of_bad_words_counts_by_its_content(tmp_path: Path) -> None:
    settings = replace(LLAMA.c4.bad_words, enabled=True, sha256="")
    assert isinstance(settings, BadWordSettings)
    for name in "ab":
        (tmp_path / name).write_text("word\n")
    a, b = (BadWordFilter(replace(settings, list=str(tmp_path / name))) for name in "ab")
    assert fingerprint(a) == fingerprint(pickle.loads(pickle.dumps(b)))
    (tmp_path / "b").write_text("other\n")
    assert fingerprint(a) != fingerprint(b)
    b.open()
    assert b.find("an other word") == "other"
