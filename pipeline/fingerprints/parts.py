"""What decides a step, as named parts, and what differs between two machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pipeline.errors import RunFailed
from pipeline.fingerprints.code import code_of
from pipeline.fingerprints.values import ValueReader

# Differences that a message lists.
_LISTED = 6
_KINDS = ("python", "model", "library", "code", "settings")


@dataclass(frozen=True)
class Parts:
    """What decides what a step makes.

    Attributes:
        named: the kind and name of each part, with its version or checksum: `python`,
            `library NAME`, `model PATH`, `code PATH`, `settings`.
        fingerprint: 16 hex digits over all; of a model only the content is in it.
    """

    named: Mapping[str, str]
    fingerprint: str

    def differences(self, started: Parts) -> list[str]:
        """What is other here than in the parts that a run was started with, in sentences."""
        names = sorted(self.named.keys() | started.named.keys(), key=_order)
        found = [
            _sentence(name, self.named.get(name), started.named.get(name))
            for name in names
            if self.named.get(name) != started.named.get(name)
        ]
        if not found and self.fingerprint != started.fingerprint:
            found.append("models are used for other things here")
        return found


def parts_of(*objects: Any) -> Parts:
    """What decides what objects do: readers, stages and writers, with their settings and models.

    A class or function counts as its name, its code and what that refers to; an object as its class
    and its constructor's arguments. Paths are strings: `filters.paths` marks those that are models,
    and those that decide nothing.

    Args:
        objects: all that runs; anything that pickle can read.

    Raises:
        RunFailed: something in them cannot be read; the message names the attribute.
        InputError: a model is not there.
    """
    reader = ValueReader()
    text = json.dumps([reader.read(one) for one in objects], sort_keys=True)
    code = code_of(reader.definitions)
    decided = {
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        **{f"library {name}": version for name, version in code.libraries.items()},
        **{f"code {path}": digest for path, digest in code.modules.items()},
    }
    fingerprint = _hash(json.dumps([text, decided], sort_keys=True))
    for checksum in reader.models.values():
        text = text.replace(checksum, "")
    models = {f"model {path}": checksum for path, checksum in reader.models.items()}
    named = {**decided, **models, "settings": _hash(text)}
    return Parts(dict(sorted(named.items())), fingerprint)


def check(expected: Parts, found: Parts) -> None:
    """Refuse to go on where what decides a step is not what the run was started with.

    Args:
        expected: where the run was started.
        found: here.

    Raises:
        RunFailed: it is other; the message names what.
    """
    if expected.fingerprint == found.fingerprint:
        return
    differences = found.differences(expected)
    more = len(differences) - _LISTED
    rest = f" and {more} more" if more > 0 else ""
    raise RunFailed(
        f"a worker would make other text: {'; '.join(differences[:_LISTED])}{rest}. Give every "
        "worker the models, libraries and code of the machine that starts the run"
    )


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def _order(name: str) -> tuple[int, str]:
    return _KINDS.index(name.partition(" ")[0]), name


def _sentence(part: str, here: str | None, started: str | None) -> str:
    kind, _, name = part.partition(" ")
    if kind == "settings":
        return "settings are other here"
    shown = {"python": "Python", "model": f"the model {name}"}.get(kind, name)
    if here is None or started is None:
        used = "used here and was not" if started is None else "not used here and was"
        return f"{shown} is {used} when the run was started"
    if kind == "model":
        return f"{shown} is another one here"
    if kind == "code":
        return f"{shown} is other code here"
    return f"{shown} is {here} here and was {started} when the run was started"
