"""What a filter that recipes name is made of, and which there are."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar

import filters.optional
from filters.document import Document, Rejected, Settings

AnySettings = TypeVar("AnySettings", bound=Settings)
AnyFilter = TypeVar("AnyFilter", bound="type[OptionalFilter[Any]]")

_registered: dict[str, type[OptionalFilter[Any]]] = {}


class OptionalFilter(ABC, Generic[AnySettings]):
    """Base of a filter that recipes name: `register` makes it known.

    Attributes:
        name: of its section below [filters], and of the stage in which it drops documents.
        settings_type: its section; every key has a default, so that `TheFilter()` works.
        signals: Arrow types of the columns that it measures, by name (`"double"`, `"int32"`).
    """

    name: str
    settings_type: ClassVar[type[Settings]]
    signals: ClassVar[Mapping[str, str]] = {}

    def __init__(self, settings: AnySettings | None = None) -> None:
        self.settings: AnySettings = settings or self.settings_type()  # type: ignore[assignment]

    def open(self) -> None:
        """Load what is expensive. Called once per process before the first document."""

    @abstractmethod
    def __call__(self, document: Document) -> Document | Rejected:
        """Return the document to keep it, or the reason it is dropped."""


def register(kind: AnyFilter) -> AnyFilter:
    """Make a filter known by its name; a class decorator.

    Raises:
        ValueError: another filter has the name.
    """
    if not kind.__module__.startswith("filters.optional."):
        _import_ours()  # whoever comes second is told
    other = _registered.setdefault(kind.name, kind)
    if (other.__module__, other.__qualname__) != (kind.__module__, kind.__qualname__):
        raise ValueError(f"two filters are called {kind.name!r}: {other!r} and {kind!r}")
    return kind


def known_filters() -> dict[str, type[OptionalFilter[Any]]]:
    """All filters that a recipe can name, by name."""
    _import_ours()
    return dict(sorted(_registered.items()))


@cache
def _import_ours() -> None:
    for module in pkgutil.iter_modules(filters.optional.__path__, "filters.optional."):
        importlib.import_module(module.name)
