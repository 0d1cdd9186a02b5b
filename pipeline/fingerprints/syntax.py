"""One module's syntax tree: what its statements bind, refer to and import."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

EVERYTHING = "*"
# Decorators that only change what they decorate; any other may note it somewhere.
_PURE_DECORATORS = frozenset(
    {"cache", "contextmanager", "dataclass", "final", "lru_cache", "overload", "runtime_checkable"}
)
_Definition = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Import:
    """What a name was imported from: a module (no attribute), or an attribute of one."""

    module: str
    attribute: str = ""


@dataclass
class Syntax:
    """A module's syntax.

    Attributes:
        digest: 16 hex digits over the tree, without comments, docstrings and positions.
        body: its statements.
        bound: the statements that bind each name.
        imports: what each imported name stands for.
        whole: modules that are imported for all they hold, or do.
        effects: statements that may do more, when the module is imported, than bind their names.
    """

    digest: str
    body: list[ast.stmt]
    bound: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, list[Import]] = field(default_factory=dict)
    whole: list[str] = field(default_factory=list)
    effects: list[ast.stmt] = field(default_factory=list)


@cache
def parse(source: bytes, package: str) -> Syntax:
    """Syntax of a module's source; once per process and content.

    Args:
        source: of the module.
        package: that it lies in, for relative imports.
    """
    tree = ast.parse(source)
    for node in (tree, *_statements(tree.body)):
        if isinstance(node, (ast.Module, *_Definition)) and _is_text(node.body[:1]):
            node.body = node.body[1:] or [ast.Pass()]
    digest = hashlib.sha256(ast.dump(tree).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    syntax = Syntax(digest, [one for one in tree.body if not _is_for_type_checkers(one)])
    for statement in syntax.body:
        _add_imports(syntax, statement, package)
        for name in _bound_names(statement):
            syntax.bound.setdefault(name, []).append(statement)
        if _has_effects(statement):
            syntax.effects.append(statement)
    return syntax


def references(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    """Names in a statement, each with the attribute that is asked of it, or an empty string.

    Annotations count for classes alone, where they may make fields.
    """
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.value.id, node.attr
        elif isinstance(node, ast.Name):
            yield node.id, ""
        elif isinstance(node, ast.arg) or _is_for_type_checkers(node):
            continue
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            waiting += [*node.decorator_list, node.args, *node.body]
        elif isinstance(node, ast.AnnAssign):
            waiting += [node.target, *filter(None, [node.value])]
        else:
            if isinstance(node, ast.ClassDef):
                waiting += [one.annotation for one in node.body if isinstance(one, ast.AnnAssign)]
                for one in node.body:  # what is imported here is asked of the class
                    if isinstance(one, (ast.Import, ast.ImportFrom)):
                        yield from ((alias.asname or alias.name, "") for alias in one.names)
            waiting.extend(ast.iter_child_nodes(node))


def _is_for_type_checkers(node: ast.AST) -> bool:
    if not isinstance(node, ast.If) or node.orelse:
        return False
    test = node.test
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return bool(name == "TYPE_CHECKING")


def _is_text(body: list[ast.stmt]) -> bool:
    """Whether statements are one constant text, as a docstring is."""
    return (
        len(body) == 1
        and isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
        and isinstance(body[0].value.value, str)
    )


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements and those within them, but for what only type checkers see."""
    waiting = list(body)
    while waiting:
        found = waiting.pop()
        if _is_for_type_checkers(found):
            continue
        yield found
        for branch in (found, *getattr(found, "handlers", ()), *getattr(found, "cases", ())):
            for name in ("body", "orelse", "finalbody"):
                waiting += getattr(branch, name, ())


def _add_imports(syntax: Syntax, statement: ast.stmt, package: str) -> None:
    """Note the imports in a statement, those within functions, too."""
    for node in _statements([statement]):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname or "." not in alias.name:
                    target = Import(alias.name)
                    syntax.imports.setdefault(alias.asname or alias.name, []).append(target)
                else:  # binds `a` of `a.b`, which may be imported for what it does
                    syntax.whole.append(alias.name)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: package.count(".") + 2 - node.level]
            parts = [*(parents if node.level else ()), *filter(None, [node.module])]
            module = ".".join(parts)
            for alias in node.names:
                if alias.name == EVERYTHING:
                    syntax.whole.append(module)
                else:
                    target = Import(module, alias.name)
                    syntax.imports.setdefault(alias.asname or alias.name, []).append(target)


def _bound_names(statement: ast.stmt) -> set[str]:
    """Names that a statement at the top of a module binds or changes, other than by an import."""
    if isinstance(statement, _Definition):
        return {statement.name}
    parts: list[ast.AST] = [statement]
    if isinstance(statement, ast.Assign):
        parts = [*statement.targets]
    elif isinstance(statement, ast.AnnAssign):
        parts = [statement.target]
    found = set()
    for node in (node for part in parts for node in ast.walk(part)):
        if isinstance(node, _Definition):
            found.add(node.name)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif (
            isinstance(node, (ast.Subscript, ast.Attribute))
            and not isinstance(node.ctx, ast.Load)
            and isinstance(node.value, ast.Name)
        ):
            found.add(node.value.id)
    return found


def _has_effects(statement: ast.stmt) -> bool:
    if isinstance(statement, _Definition):
        return any(_name_of(one) not in _PURE_DECORATORS for one in statement.decorator_list)
    if isinstance(statement, ast.Assign):
        return not all(isinstance(one, (ast.Name, ast.Tuple)) for one in statement.targets)
    if isinstance(statement, ast.AnnAssign):
        return not isinstance(statement.target, ast.Name)
    return not isinstance(statement, (ast.Import, ast.ImportFrom, ast.Pass))


def _name_of(decorator: ast.expr) -> str:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return called.attr if isinstance(called, ast.Attribute) else str(getattr(called, "id", ""))
