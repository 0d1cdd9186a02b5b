"""Groups and environments of which a cut has taken one end: the other end goes as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

# Groups that are commands, by what ends them.
_GROUPS = {"\\begingroup": "\\endgroup", "\\bgroup": "\\egroup"}
_GROUP_ENDS = {end: begin for begin, end in _GROUPS.items()}


def _opened_by(token: str) -> str | None:
    """The environment (`{name}`) or group that a token opens."""
    if token.startswith("\\begin{"):
        # A literal environment is one token, with its end.
        return token[len("\\begin") :] if token.index("}") == len(token) - 1 else None
    return token if token in _GROUPS else None


def _closed_by(token: str) -> str | None:
    """The environment (`{name}`) or group that a token closes."""
    if token.startswith("\\end{"):
        return token[len("\\end") :]
    return _GROUP_ENDS.get(token)


class Opened:
    """Environments and groups that begin in what was cut off and were not ended there."""

    def __init__(self) -> None:
        self.environments: Counter[str] = Counter()

    def add(self, tokens: Iterable[str]) -> None:
        """Take note of a part that was cut off."""
        for token in tokens:
            if (name := _opened_by(token)) is not None:
                self.environments[name] += 1
            elif (name := _closed_by(token)) is not None:
                self.environments[name] -= 1


def closers(tokens: Iterable[str]) -> Iterator[int]:
    """Where in a part the braces and ends stand that close what was opened before it."""
    level, environments = 0, Counter[str]()
    for index, token in enumerate(tokens):
        if token == "{":
            level += 1
        elif token == "}":
            if not level:
                yield index
            level -= level > 0
        elif (name := _opened_by(token)) is not None:
            environments[name] += 1
        elif (name := _closed_by(token)) is not None:
            if environments[name] <= 0:
                yield index
            environments[name] -= environments[name] > 0


def drop_unmatched(tokens: list[str], opened: Opened) -> list[str]:
    """Tokens without closing braces that nothing opens, and without the ends of what was cut off.

    Args:
        opened: what was cut off; an `\\end{...}` that matches neither this nor the text stays.
    """
    environments = +opened.environments
    if not environments and tokens.count("{") == tokens.count("}"):
        return tokens
    dropped: set[int] = set()
    level, here = 0, Counter[str]()
    for index, token in enumerate(tokens):
        if token == "{":
            level += 1
        elif token == "}":
            level -= 1
            if level < 0:
                level = 0
                dropped.add(index)
        elif not environments or token[0] != "\\":
            continue
        elif (name := _opened_by(token)) is not None:
            here[name] += 1
        elif (name := _closed_by(token)) is not None:
            if here[name] > 0:
                here[name] -= 1
            elif environments[name] > 0:
                environments[name] -= 1
                dropped.add(index)
    return [token for index, token in enumerate(tokens) if index not in dropped]
