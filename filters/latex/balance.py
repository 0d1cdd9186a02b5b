"""Groups and environments of which a cut has taken one end: the other end goes as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


class Opened:
    """Environments that begin in what was cut off and were not ended there."""

    def __init__(self) -> None:
        self.environments: Counter[str] = Counter()

    def add(self, tokens: Iterable[str]) -> None:
        """Take note of a part that was cut off."""
        for token in tokens:
            if token.startswith("\\begin{"):
                self.environments[token[len("\\begin") :]] += 1
            elif token.startswith("\\end{"):
                self.environments[token[len("\\end") :]] -= 1


def closers(tokens: Iterable[str]) -> list[str]:
    """The braces and `\\end{...}` of a part that close what was opened before it."""
    found: list[str] = []
    level, environments = 0, Counter[str]()
    for token in tokens:
        if token == "{":
            level += 1
        elif token == "}":
            if level:
                level -= 1
            else:
                found.append(token)
        elif token.startswith("\\begin{"):
            environments[token[len("\\begin") :]] += 1
        elif token.startswith("\\end{"):
            name = token[len("\\end") :]
            if environments[name] > 0:
                environments[name] -= 1
            else:
                found.append(token)
    return found


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
        elif environments and token.startswith("\\begin{"):
            here[token[len("\\begin") :]] += 1
        elif environments and token.startswith("\\end{"):
            name = token[len("\\end") :]
            if here[name] > 0:
                here[name] -= 1
            elif environments[name] > 0:
                environments[name] -= 1
                dropped.add(index)
    return [token for index, token in enumerate(tokens) if index not in dropped]
