"""Which sources there are: the folders in `pipeline/sources`, and what plugins register.

A source is imported when it is asked for: its name and what it reads cost no Beam.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.sources.base_settings import SourceSettings
    from pipeline.sources.declaration import Source

_registered: dict[str, Source[Any]] = {}


def register(source: Source[Any]) -> Source[Any]:
    """Make a source known that is none of the folders.

    Raises:
        ValueError: another source has the name.
    """
    other = _registered.get(source.name, source)
    if source.name in _folders() or other.settings is not source.settings:
        raise ValueError(f"two sources are called {source.name!r}")
    _registered[source.name] = source
    return source


def _folders() -> list[str]:
    found = pkgutil.iter_modules([str(Path(__file__).with_name("sources"))])
    return sorted(module.name for module in found if module.ispkg)


def source_names() -> list[str]:
    """All names of sources."""
    return sorted([*_folders(), *_registered])


def summaries() -> dict[str, str]:
    """What each source reads, in a line, by its name: the docstring of its folder."""
    modules = {name: importlib.import_module(f"pipeline.sources.{name}") for name in _folders()}
    return {name: (module.__doc__ or "").strip() for name, module in modules.items()}


def sections() -> dict[str, type[SourceSettings]]:
    """The recipe section of each source."""
    ours: dict[str, type[SourceSettings]] = {
        name: importlib.import_module(f"pipeline.sources.{name}.settings").SECTION
        for name in _folders()
    }
    return {**ours, **{name: source.settings for name, source in _registered.items()}}


def find_source(name: str) -> Source[Any]:
    """The source of a name.

    Raises:
        InputError: there is none.
    """
    if name in _registered:
        return _registered[name]
    if name not in _folders():
        raise InputError(f"there is no source {name!r}; there are: {', '.join(source_names())}")
    found: Source[Any] = importlib.import_module(f"pipeline.sources.{name}.source").SOURCE
    return found
