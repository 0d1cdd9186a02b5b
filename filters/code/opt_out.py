"""Repositories and owners whose people asked to be left out, by a list of theirs."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filters.document import Document, Rejected, StageSettings, setting
from filters.models import MissingModel
from filters.paths import Model


@dataclass(frozen=True, kw_only=True)
class CodeOptOutSettings(StageSettings):
    """[github.opt_out].

    Attributes:
        list: path of a list: lines of JSON as The Stack's (`optout_repos`, `optout_owners`), or
            plain lines, each an owner or `owner/name`; empty for none.
    """

    list: str = setting("", "ours: the list is not part of Roving; docs/github.md says where it is")


class CodeOptOutFilter:
    """Reject files of the list's repositories and owners (`opted_out`); case does not count."""

    name = "opt_out"

    def __init__(self, settings: CodeOptOutSettings | None = None) -> None:
        given = settings or CodeOptOutSettings()
        self.settings = replace(given, list=Model(given.list))
        self._names: frozenset[str] = frozenset()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.settings,)

    def open(self) -> None:
        """Read the list.

        Raises:
            MissingModel: it is not there, or is no list.
        """
        if self.settings.list:
            self._names = read_opt_outs(self.settings.list)

    def __call__(self, document: Document) -> Document | Rejected:
        repository = str(document.metadata.get("repository") or "").lower()
        owner = repository.partition("/")[0]
        if repository in self._names or owner in self._names:
            return Rejected("opted_out", repository)
        return document


def read_opt_outs(path: str) -> frozenset[str]:
    """Owners and `owner/name` of a list, in lower case.

    Raises:
        MissingModel: it is not there, or is no list.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise MissingModel(f"the opt-out list {path} cannot be read: {problem}") from None
    names: set[str] = set()
    for number, line in enumerate(filter(str.strip, lines), 1):
        names.update(name.lower() for name in _names_of(line.strip(), f"{path}, line {number}"))
    if not names:
        raise MissingModel(f"the opt-out list {path} names nobody")
    return frozenset(names)


def _names_of(line: str, place: str) -> list[str]:
    if not line.startswith("{"):
        return [line]
    try:
        row = json.loads(line)
        return [str(name) for key in ("optout_repos", "optout_owners") for name in row[key]]
    except (ValueError, KeyError, TypeError) as problem:
        raise MissingModel(
            f"{place} is no row of an opt-out list (optout_repos, optout_owners): {problem!r}"
        ) from None
