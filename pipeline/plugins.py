"""Plugins: filters, sources and deduplication methods from outside the repository.

A file given with `--plugin` is imported as a module of its own name, and registers what it has. Its
source goes first in everything that is sent to workers (`Travels`), so that these need no copy of
it, and counts in fingerprints as code of ours does. A package that is installed names its module in
the entry point group `roving.plugins`; on workers it must be installed, too.
"""

from __future__ import annotations

import atexit
import importlib.metadata
import importlib.util
import pickle
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, SupportsIndex

from pipeline.errors import InputError, RunFailed

GROUP = "roving.plugins"

# Source of every file that was loaded, by the name of its module.
_sources: dict[str, str] = {}


def load_plugins(paths: Sequence[str]) -> None:
    """Load the plugins of installed packages, then files.

    Raises:
        InputError: one cannot be loaded.
    """
    for entry in importlib.metadata.entry_points(group=GROUP):
        try:
            entry.load()
        except Exception as error:
            raise InputError(f"plugin {entry.name} ({entry.value}): {_what(error)}") from error
    for path in map(Path, paths):
        try:
            source = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"--plugin {path} cannot be read: {error}") from None
        if path.suffix != ".py" or not path.stem.isidentifier():
            raise InputError(f"--plugin {path}: give a Python file, named as a module can be")
        try:
            _load(path.stem, source, path)
        except RunFailed:
            raise
        except Exception as error:
            raise InputError(f"--plugin {path}: {_what(error)}") from error


def _what(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _load(name: str, source: str, path: Path) -> None:
    """Import a file as a module, once.

    Raises:
        RunFailed: there is another module of that name.
    """
    known = _sources.get(name)
    if known == source:
        return
    if known is not None or name in sys.modules or importlib.util.find_spec(name) is not None:
        raise RunFailed(f"the plugin {name} would hide another module of that name; rename it")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    _sources[name] = source


class Travels:
    """Base of what goes to workers with objects of plugins in it: their source goes first."""

    def __reduce_ex__(self, protocol: SupportsIndex) -> str | tuple[Any, ...]:
        if not _sources:
            return super().__reduce_ex__(protocol)
        return _arrive, (tuple(_sources.items()), pickle.dumps((type(self), self.__dict__)))


def _arrive(sources: tuple[tuple[str, str], ...], pickled: bytes) -> Any:
    """On a worker: load what is not there, then the object."""
    for name, source in sources:
        if _sources.get(name) != source:
            path = Path(_folder(), f"{name}.py")
            path.write_text(source, encoding="utf-8")
            _load(name, source, path)
    kind, attributes = pickle.loads(pickled)
    made = object.__new__(kind)
    made.__dict__.update(attributes)
    return made


def _folder() -> str:
    """A new folder that ends with the process."""
    folder = tempfile.mkdtemp(prefix="roving-plugin-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
