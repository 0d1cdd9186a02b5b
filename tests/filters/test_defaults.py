"""Every filter can be made, and used, without a recipe: with the defaults of its settings."""

from __future__ import annotations

import importlib
import inspect
import pickle
import pkgutil

import pytest

import filters
from filters.document import Document, Filter, Rejected
from filters.length import LengthFilter, LengthSettings

# Bases, and rules that C4 has two of each: what they look for is said by who uses them.
NO_STAGES = {"Filter", "OptionalFilter", "LineFilter", "PhraseLineFilter", "PhrasePageFilter"}


def filter_classes() -> list[type]:
    found = []
    for module in pkgutil.walk_packages(filters.__path__, "filters."):
        members = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
        found += [one for _, one in members if one.__module__ == module.name]
    return [
        one
        for one in found
        if "open" in dir(one) and "__call__" in dir(one) and one.__name__ not in NO_STAGES
    ]


@pytest.mark.parametrize("kind", filter_classes(), ids=lambda kind: kind.__name__)
def test_made_without_arguments(kind: type) -> None:
    stage = kind()
    assert isinstance(stage, Filter)
    if "settings" in inspect.signature(kind).parameters:
        settings = getattr(stage, "settings", None) or stage._settings
        assert settings == type(settings)()
    assert isinstance(pickle.loads(pickle.dumps(stage)), kind)


def test_all_are_found() -> None:
    assert len(filter_classes()) >= 30


def test_the_defaults_decide() -> None:
    assert LengthFilter()(Document("a", "x", "a" * 300)) == Document("a", "x", "a" * 300)
    assert LengthFilter()(Document("a", "x", "a" * 299)) == Rejected(
        "too_short", "299 characters < 300"
    )
    short = LengthFilter(LengthSettings(minimum_characters=1))
    assert isinstance(short(Document("a", "x", "a")), Document)
