"""The code that a step runs: the syntax trees of its modules, and its libraries' versions.

From the classes and functions that run, what they refer to is followed through our modules: a
definition refers to the names in it, and a name to its statements, or to what it was imported from.
A module that is reached counts whole; what it imports for definitions that are not reached is not
followed. What is imported by a computed name is not seen.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.collector import without_collector
from pipeline.errors import RunFailed
from pipeline.fingerprints.modules import find_source, is_code, is_there, library_of
from pipeline.fingerprints.syntax import EVERYTHING, Import, Syntax, parse, references

# Modules of ours that are not followed, with what lies below them: everything imports them, and no
# text depends on them.
NEUTRAL = frozenset(
    {
        "pipeline.cli",  # reads options; what they decide comes as settings
        "pipeline.errors",  # messages
        "pipeline.fingerprints",  # compares what decides the text, and decides none
        "pipeline.job",  # puts passes together; the stages of a pass count by themselves
        "pipeline.losses",  # counts what was lost
        "pipeline.passes",  # runs passes
        "pipeline.recipe",  # reads recipes, whose values count
        "pipeline.store",  # lists, opens, names and commits files; a unit's key says which it is
    }
)

# What reads, changes or writes documents counts all the same.
COUNTED = frozenset(
    f"pipeline.passes.{name}"
    for name in ("batch", "shard_units", "shards", "stages", "watch", "writable", "writer")
)

# Libraries that move, measure or check, and make no text.
ENGINE_LIBRARIES = frozenset(
    {
        "apache_beam",  # moves batches from stage to stage
        "psutil",  # measures memory
        "pydantic",  # checks settings, whose values count
    }
)

# Names through which a definition may reach any other of its module.
_DYNAMIC = frozenset({"globals", "vars", "eval", "exec"})


@dataclass(frozen=True)
class Code:
    """What a step runs.

    Attributes:
        modules: digest of each module's syntax tree, by the module's path below its folder.
        libraries: version of each distribution.
    """

    modules: dict[str, str]
    libraries: dict[str, str]


def code_of(definitions: Iterable[tuple[str, str]]) -> Code:
    """All that classes and functions run.

    Args:
        definitions: module and qualified name of each; those of libraries and of Python itself may
            be among them.

    Raises:
        RunFailed: a module cannot be found, or has no source and is of no distribution.
    """
    search = _Search()
    for module, qualified_name in definitions:
        if not is_there(module):
            raise RunFailed(
                f"the module {module} of {qualified_name} cannot be found by its name; "
                "put its folder on PYTHONPATH"
            )
        search.follow(module, qualified_name.partition(".")[0])
    with without_collector():  # trees hold no cycles
        search.run()
    modules = {_label(name): syntax.digest for name, syntax in search.modules.items()}
    return Code(modules, search.libraries)


class _Search:
    """Follows references until there are no new ones."""

    def __init__(self) -> None:
        self.modules: dict[str, Syntax] = {}
        self.libraries: dict[str, str] = {}
        self._seen: set[tuple[str, str]] = set()
        self._waiting: list[tuple[str, str]] = []
        self._referred: set[int] = set()

    def follow(self, module: str, name: str = EVERYTHING) -> None:
        """Note that something of a module is used."""
        if (module, name) not in self._seen:
            self._seen.add((module, name))
            self._waiting.append((module, name))

    def run(self) -> None:
        while self._waiting:
            module, name = self._waiting.pop()
            top = module.partition(".")[0]
            if is_code(module):
                if not _is_neutral(module):
                    self._visit(module, name)
            elif top not in sys.stdlib_module_names | ENGINE_LIBRARIES:
                distribution, version = library_of(top)
                self.libraries[distribution] = version

    def _visit(self, module: str, name: str) -> None:
        """Follow what a name of a module stands for."""
        syntax = self._load(module)
        if name in syntax.bound or name in syntax.imports:
            self._refer(module, syntax.bound.get(name, []))
            for target in syntax.imports.get(name, []):
                self._import(target, "")
        elif name != EVERYTHING and find_source(f"{module}.{name}") is not None:
            self.follow(f"{module}.{name}")
        else:  # all of it is asked for, or a name that is made when it runs
            self._refer(module, syntax.body)
            for targets in syntax.imports.values():
                for target in targets:
                    self._import(target, "")

    def _load(self, module: str) -> Syntax:
        """A module's syntax; at its first visit, what the module does by itself is followed."""
        if module not in self.modules:
            path = find_source(module)
            if path is None:
                raise RunFailed(f"the source of the module {module} is not there; install it anew")
            package = module if path.name == "__init__.py" else module.rpartition(".")[0]
            syntax = self.modules[module] = parse(path.read_bytes(), package)
            for target in syntax.whole:
                self.follow(target)
            self._refer(module, syntax.effects)
        return self.modules[module]

    def _refer(self, module: str, statements: Iterable[ast.stmt]) -> None:
        """Follow the names in statements of a module."""
        syntax = self.modules[module]
        for statement in statements:
            if id(statement) in self._referred:
                continue
            self._referred.add(id(statement))
            for name, attribute in set(references(statement)):
                for target in syntax.imports.get(name, []):
                    self._import(target, attribute)
                if name in syntax.bound:
                    self.follow(module, name)
                elif name in _DYNAMIC and name not in syntax.imports:
                    self.follow(module)

    def _import(self, target: Import, attribute: str) -> None:
        """Follow what was imported, or one attribute of it where it is a module."""
        submodule = f"{target.module}.{target.attribute}" if target.attribute else target.module
        if not is_code(target.module):
            self.follow(target.module)
        elif not target.attribute or find_source(submodule) is not None:
            self.follow(submodule, attribute or EVERYTHING)
        else:
            self.follow(target.module, target.attribute)


def _is_neutral(module: str) -> bool:
    if module in COUNTED:
        return False
    return any(module == one or module.startswith(f"{one}.") for one in NEUTRAL)


def _label(module: str) -> str:
    """Path of a module below the folder of its package."""
    path = find_source(module)
    assert path is not None  # it was parsed
    folder = module.replace(".", "/")
    return f"{folder}/__init__.py" if path.name == "__init__.py" else f"{folder}.py"
