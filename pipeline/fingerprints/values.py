"""Any value of a step as canonical plain data, and the classes, functions and models in it.

Objects are read as pickle reads them: a class with its `__reduce__` or `__getstate__`, a dataclass
with its fields, any other object with its attributes. Sets and dictionaries are sorted. What pickle
cannot read is an error that names the attribute; nothing is ever read as an address.
"""

from __future__ import annotations

import copyreg
import dataclasses
import enum
import functools
import json
import re
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path, PurePath
from typing import Any, TypeAlias

from filters.paths import Location, Model
from pipeline.errors import RunFailed
from pipeline.fingerprints.checksums import model_checksum
from pipeline.plugins import Travels

Plain: TypeAlias = Any

_BUILTIN_FUNCTIONS = (
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
)
_REDUCE = "give its class a __reduce__ with its constructor's arguments"
_MOVE = "move the class out of the function"
# What an engine notes on objects of ours while it builds its graph.
_ENGINE_ATTRIBUTES = frozenset({"_type_hints", "input_batch_converter", "output_batch_converter"})


class ValueReader:
    """Reads values; gathers what they are made of.

    Attributes:
        definitions: module and qualified name of every class and function.
        models: SHA-256 of every model, by its path.
    """

    def __init__(self) -> None:
        self.definitions: set[tuple[str, str]] = set()
        self.models: dict[str, str] = {}
        self._trail: list[str] = []
        self._open: set[int] = set()

    def read(self, value: Any) -> Plain:
        """A value as plain data: equal values give equal data in every process.

        Raises:
            RunFailed: something in it cannot be read.
            InputError: a model is not there.
        """
        if value is None or type(value) in (bool, int, str):
            return value
        if id(value) in self._open:
            raise self._error("refers to itself")
        self._open.add(id(value))
        try:
            exact = _EXACT.get(type(value))
            if exact is not None:
                return exact(self, value)
            for kinds, read in _KINDS:
                if isinstance(value, kinds):
                    return read(self, value)
            return self._object(value)
        finally:
            self._open.remove(id(value))

    @contextmanager
    def _at(self, step: str) -> Iterator[None]:
        self._trail.append(step)
        yield
        self._trail.pop()

    def _error(self, problem: str, cure: str = _REDUCE) -> RunFailed:
        where = "".join(self._trail).lstrip(".") or "an object"
        return RunFailed(f"nothing tells what decides the text: {where} {problem}; {cure}")

    def _name(self, value: Any) -> str:
        """Qualified name of a class or function, which is noted."""
        if isinstance(value, type) and "<locals>" in value.__qualname__:
            raise self._error(f"is of {value.__qualname__}, a class that may hold any value", _MOVE)
        self.definitions.add((value.__module__, value.__qualname__))
        return f"{value.__module__}.{value.__qualname__}"

    def _items(self, values: Iterable[Any]) -> list[Plain]:
        found = []
        for index, value in enumerate(values):
            with self._at(f"[{index}]"):
                found.append(self.read(value))
        return found

    def _sequence(self, value: Any) -> Plain:
        return [type(value).__name__, *self._items(value)]

    def _set(self, value: Any) -> Plain:
        return ["set", *sorted(map(self.read, value), key=_text)]

    def _mapping(self, value: Any) -> Plain:
        found = []
        for key, item in value.items():
            with self._at(f"[{key!r}]" if isinstance(key, (str, int)) else "[...]"):
                found.append([self.read(key), self.read(item)])
        return ["dict", *sorted(found, key=_text)]

    def _model(self, model: Model) -> Plain:
        if not model:
            return ["model", ""]
        paths = [str(Path(model, name)) for name in model.members] or [str(model)]
        for path in paths:
            self.models[path] = model_checksum(path)
        return ["model", *[self.models[path] for path in paths]]

    def _path(self, path: PurePath) -> Plain:
        raise self._error(f"is the path {path}", "make it a Model or a Location (filters/paths.py)")

    def _class(self, value: type) -> Plain:
        return ["class", self._name(value)]

    def _member(self, value: enum.Enum) -> Plain:
        return ["member", self._name(type(value)), value.name]

    def _function(self, value: Any) -> Plain:
        name = self._name(value)
        if "<" not in value.__qualname__ or not isinstance(value, types.FunctionType):
            return ["function", name]
        # A function within another: several may have its name, and it knows values of the other.
        known = [cell.cell_contents for cell in value.__closure__ or ()]
        with self._at(f".{value.__name__}"):
            state = self.read((known, value.__defaults__, value.__kwdefaults__))
        return ["function", name, self._bytecode(value.__code__), state]

    def _bytecode(self, code: types.CodeType) -> Plain:
        has_docstring = code.co_consts[:1] and isinstance(code.co_consts[0], str)
        constants = code.co_consts[1 if has_docstring else 0 :]
        return ["bytecode", code.co_code.hex(), list(code.co_names), self._items(constants)]

    def _builtin(self, value: Any) -> Plain:
        owner = getattr(value, "__objclass__", None) or getattr(value, "__self__", None)
        if owner is None or isinstance(owner, types.ModuleType):
            return ["function", self._name(value)]
        return ["method", self.read(owner), value.__name__]

    def _method(self, value: types.MethodType) -> Plain:
        return ["method", self.read(value.__self__), self.read(value.__func__)]

    def _partial(self, value: functools.partial[Any]) -> Plain:
        return ["partial", *self._items([value.func, value.args, value.keywords])]

    def _pattern(self, value: re.Pattern[Any]) -> Plain:
        return ["pattern", self.read(value.pattern), value.flags]

    def _object(self, value: Any) -> Plain:
        """An instance: its class, and what pickle would make it of."""
        kind = type(value)
        if kind.__module__ == "numpy" and hasattr(value, "tobytes") and hasattr(value, "dtype"):
            return self._array(value)
        if isinstance(getattr(value, "__qualname__", None), str):  # compiled, or wrapped
            return self._function(value)
        with self._at(f".{kind.__name__}" if not self._trail else f"({kind.__name__})"):
            name = self._name(kind)
            if dataclasses.is_dataclass(value) and not _says_how(kind):
                names = [field.name for field in dataclasses.fields(value) if field.init]
                fields = {field: getattr(value, field) for field in names}
                return ["object", name, self._attributes(fields)]
            return ["object", name, *self._reduced(value)]

    def _attributes(self, found: dict[str, Any]) -> Plain:
        read = {}
        for name in sorted(found.keys() - _ENGINE_ATTRIBUTES):
            with self._at(f".{name}"):
                read[name] = self.read(found[name])
        return read

    def _reduced(self, value: Any) -> list[Plain]:
        reduce = copyreg.dispatch_table.get(type(value))
        try:
            if isinstance(value, Travels):  # by itself, whatever goes with it
                made = object.__reduce_ex__(value, 4)
            else:
                made = reduce(value) if reduce is not None else value.__reduce_ex__(4)
        except Exception as error:
            raise self._error(f"cannot be read ({error})") from error
        if isinstance(made, str):
            return [made]
        make, arguments, state, items, pairs = (*made, None, None, None)[:5]
        arguments = [one for one in arguments if one is not type(value)]
        found = [self.read(make), *self._items(arguments)]
        for one in state if isinstance(state, tuple) else (state,):
            is_named = isinstance(one, dict) and all(isinstance(key, str) for key in one)
            found.append(self._attributes(one) if is_named else self.read(one))
        return [*found, self._items(items or ()), self.read(dict(pairs or ()))]

    def _array(self, value: Any) -> Plain:
        """A NumPy array or scalar, however it lies in memory."""
        if value.dtype.hasobject:
            return ["array", value.dtype.str, self.read(value.tolist())]
        content = sha256(value.tobytes()).hexdigest()
        return ["array", self.read(value.dtype), list(value.shape), content]


def _says_how(kind: type) -> bool:
    """Whether a class, or a base of it, says how it is pickled; what dataclasses and `Travels` add
    is no word.
    """
    names = ("__reduce__", "__reduce_ex__", "__getstate__")
    bases = kind.__mro__[:-1]
    methods = [vars(base)[name] for base in bases for name in names if name in vars(base)]
    return any(method.__module__ not in ("dataclasses", Travels.__module__) for method in methods)


def _text(plain: Plain) -> str:
    return json.dumps(plain, sort_keys=True)


_Read: TypeAlias = Callable[[ValueReader, Any], Plain]
_EXACT: dict[type, _Read] = {
    float: lambda _, value: ["float", repr(value)],
    bytes: lambda _, value: ["bytes", value.hex()],
    list: ValueReader._sequence,
    tuple: ValueReader._sequence,
    set: ValueReader._set,
    frozenset: ValueReader._set,
    dict: ValueReader._mapping,
    types.MappingProxyType: ValueReader._mapping,
    Model: ValueReader._model,
    Location: lambda _, value: ["location", bool(value)],
    re.Pattern: ValueReader._pattern,
    functools.partial: ValueReader._partial,
    types.MethodType: ValueReader._method,
    types.FunctionType: ValueReader._function,
    types.CodeType: ValueReader._bytecode,
}
_KINDS: tuple[tuple[type | tuple[type, ...], _Read], ...] = (
    (enum.Enum, ValueReader._member),
    (type, ValueReader._class),
    (_BUILTIN_FUNCTIONS, ValueReader._builtin),
    (PurePath, ValueReader._path),
)
