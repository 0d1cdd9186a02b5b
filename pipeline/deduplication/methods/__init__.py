"""The methods of deduplication: each is one module of this package, or registered from outside.

A module holds the method's settings, with default and origin, its keys, and what it decides, and
names them in its METHOD; the first sentence of its text is what `roving dedup --help` says. With
equal keys alone, settings and keys are all that is needed. The recipe's section
[deduplication.NAME] follows from the settings.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from filters.document import Settings
    from pipeline.deduplication.decision_files import Decisions
    from pipeline.deduplication.deduplicator import Deduplicator
    from pipeline.deduplication.keys import KeyMaker


def decide_clusters(work: Deduplicator, _: Any, fingerprint: str) -> Decisions:
    """Of documents with equal keys the preferred one stays."""
    # NumPy, which `--help` does not need.
    from dedup.components import MEMBER_ROW  # noqa: PLC0415
    from dedup.decisions import cluster_rows  # noqa: PLC0415

    return work.compare(cluster_rows, MEMBER_ROW, fingerprint)


@dataclass(frozen=True)
class Method:
    """A method of deduplication.

    Attributes:
        name: as the recipe and the command line have it; also that of its keys.
        settings: of the recipe's section [deduplication.NAME].
        keys: the maker of keys of such settings.
        decide: what follows from the keys, under a fingerprint.
        removes: whole documents, of which clusters tell, or lines of them.
        summary: for `--help`; where it is empty, the first sentence of the method's module.
    """

    name: str
    settings: type[Settings]
    keys: Callable[[Any], KeyMaker]
    decide: Callable[[Deduplicator, Any, str], Decisions] = decide_clusters
    removes: Literal["documents", "lines"] = "documents"
    summary: str = ""


_registered: dict[str, Method] = {}


def register(method: Method) -> None:
    """Add a method from outside, before a recipe is read.

    Raises:
        ValueError: there is one of that name.
    """
    if method.name in names():
        raise ValueError(f"there is a method of deduplication called {method.name} already")
    _registered[method.name] = method


def names() -> tuple[str, ...]:
    """Names of all methods; ours first."""
    return (*_OURS, *_registered)


def method_of(name: str) -> Method:
    """A method, by its name.

    Raises:
        KeyError: there is none of that name.
    """
    if name not in _OURS:
        return _registered[name]
    found: Method = importlib.import_module(f"{__name__}.{name}").METHOD
    return found


def summary_of(name: str) -> str:
    """What a method takes for equal; nothing is imported for it."""
    if name not in _OURS:
        return _registered[name].summary
    source = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    text = ast.get_docstring(ast.parse(source)) or ""
    return text.split("\n", 1)[0].removesuffix(".")


_OURS = tuple(sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py")))
