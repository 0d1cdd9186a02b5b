"""A template call: its name, its parameters, and which of them a rule has read.

Split as MediaWiki does: at bars outside links, a part with an equals sign is named. What a rule
did not read is known, so that a call with parameters that nobody understood is never shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from filters.wikitext.opaque import BAR, EQUALS, GAP

_LINKS_AND_BARS = re.compile(r"\[\[|\]\]|\|")
_NUMBER = re.compile(r"[1-9]\d?")


@dataclass(slots=True)
class Call:
    """One call, the templates inside its parameters already replaced.

    Attributes:
        name: as written, first letter in lower case.
        language: of the wiki.
        title: of the page.
        star: what the `*` of the rule's name stands for in this name.
        parameters: text by name or number, without white space at its ends; empty ones too.
    """

    name: str
    language: str
    title: str
    star: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    _read: set[str] = field(default_factory=set)

    def get(self, *names: str | int) -> str:
        """The first of these parameters that is not empty, or "". All of them count as read."""
        found = ""
        for name in names:
            key = str(name)
            self._read.add(key)
            found = found or self.parameters.get(key, "")
        return found

    def has(self, name: str) -> bool:
        """Whether a parameter is given, be it empty."""
        self._read.add(name)
        return name in self.parameters

    def positional(self, start: int = 1) -> list[str]:
        """Numbered parameters from `start` to the last one given; those left out are empty."""
        last = max((int(key) for key in self.parameters if key.isdecimal()), default=0)
        return [self.get(number) for number in range(start, last + 1)]

    def is_understood(self, ignored: frozenset[str]) -> bool:
        """Whether every parameter that says something was read, or is known to change nothing."""
        return all(
            key in self._read or key in ignored or not value.strip(GAP)
            for key, value in self.parameters.items()
        )


def split_parameters(inner: str) -> dict[str, str]:
    """Parameters of `|a|b|key=value` by name or number (templates in it already replaced)."""
    parameters: dict[str, str] = {}
    count = 0
    for part in _parts(inner):
        key, equals, value = part.partition("=")
        if not equals or "[[" in key:
            count += 1
            parameters[str(count)] = part.strip()
            continue
        key = key.strip()
        if key.isdecimal() and not _NUMBER.fullmatch(key):
            key = f" {key}"  # a number beyond what any rule reads
        parameters[key] = value.strip()
    return parameters


def protect(text: str) -> str:
    """Hide from the call around it what a template shows: it separates no parameters there."""
    if "|" in text:
        text = text.replace("|", BAR)
    return text.replace("=", EQUALS) if "=" in text else text


def expose(text: str) -> str:
    """Undo `protect`."""
    if BAR in text:
        text = text.replace(BAR, "|")
    return text.replace(EQUALS, "=") if EQUALS in text else text


def _parts(inner: str) -> Iterator[str]:
    if "[[" not in inner:
        yield from inner.split("|")[1:]
        return
    start, depth, last_close = 0, 0, inner.rfind("]]")
    bars = []
    for mark in _LINKS_AND_BARS.finditer(inner):
        if mark[0] == "[[":
            depth += mark.start() < last_close
        elif mark[0] == "]]":
            depth = max(depth - 1, 0)
        elif not depth:
            bars.append(mark.start())
    for bar, end in zip(bars, [*bars[1:], len(inner)], strict=True):
        start = bar + 1
        yield inner[start:end]
