"""TeX's groups: what a definition inside one changed is as it was when the group ends.

Groups are braces, `\\begingroup` and `\\bgroup`, environments and mathematics (The TeXbook,
chapters 5 and 24). They are read off the expanded output, and only as far as something was defined:
a text that defines nothing in its body costs nothing.
"""

from __future__ import annotations

import re
from typing import Generic, TypeVar

from filters.latex.tokens import is_conditional

Value = TypeVar("Value")

_PAIRS = {
    "{": "}",
    "\\begingroup": "\\endgroup",
    "\\bgroup": "\\egroup",
    "\\(": "\\)",
    "\\[": "\\]",
}
_CLOSERS = {end: begin for begin, end in _PAIRS.items()}
_DOLLARS = re.compile(r"\$\$?|\n[ \t]*\n")
# How the commands begin that open or close a group or a conditional.
_COMMANDS = frozenset(
    command[1:4]
    for command in ("\\begin", "\\end", "\\fi", *_PAIRS, *_CLOSERS)
    if command[0] == "\\"
)
# Groups; bounds time: what an end belongs to is looked for in so many of those that are open.
_DEEPEST = 50


def may_end_group(token: str) -> bool:
    """Whether a token may be the end of a group; cheaper than to follow it."""
    if token[0] == "\\":
        return token in _CLOSERS or token.startswith("\\end{")
    return token == "}" or "$" in token or "\n" in token


class _Group(Generic[Value]):
    """A group that is open.

    Attributes:
        kind: the token that opened it.
        start: its number in the output.
        saved: what the names meant before that were changed in it.
    """

    __slots__ = ("kind", "saved", "start")

    def __init__(self, kind: str, start: int) -> None:
        self.kind = kind
        self.start = start
        self.saved: dict[str, Value | None] | None = None


class Scope(Generic[Value]):
    """The open groups of one text that is being expanded.

    Args:
        meanings: what is put back at the end of a group.
        is_apart: whether the whole text is a group: the title of a paper, the name of a file.

    Attributes:
        undecided: conditionals whose branches both stay, open here.
    """

    def __init__(self, meanings: dict[str, Value], *, is_apart: bool) -> None:
        self._meanings = meanings
        self._groups: list[_Group[Value]] = [_Group("", 0)] if is_apart else []
        self._scanned = 0
        # The groups that have something to put back, by name; the innermost is the last.
        self._holders: dict[str, list[_Group[Value]]] = {}
        self.undecided = 0

    @property
    def is_watched(self) -> bool:
        """Whether the end of an open group has something to put back."""
        return bool(self._holders)

    def save(self, name: str, out: list[str]) -> None:
        """Note what a name means, before it is changed in the innermost group."""
        self.catch_up(out)
        if self._groups:
            group = self._groups[-1]
            if group.saved is None:
                group.saved = {}
            if name not in group.saved:
                group.saved[name] = self._meanings.get(name)
                self._holders.setdefault(name, []).append(group)

    def forget(self, name: str) -> None:
        """A name is changed for all groups: none puts it back."""
        for group in self._holders.pop(name, ()):
            if group.saved is not None:
                del group.saved[name]

    def catch_up(self, out: list[str]) -> None:
        """Follow the output to its end: groups open and close."""
        groups = self._groups
        for number, token in enumerate(out[self._scanned :], self._scanned):
            if token[0] == "\\":
                if token[1:4] in _COMMANDS or token[1:3] == "if":
                    self._command(token, number)
            elif token == "{":
                groups.append(_Group(token, number))
            elif token == "}":
                # Most groups close what was opened last and change nothing.
                if groups and groups[-1].kind == "{" and not groups[-1].saved:
                    groups.pop()
                else:
                    self._close("{")
            elif "$" in token or (groups and groups[-1].kind == "$" and "\n" in token):
                self._text(token, number)
        self._scanned = len(out)

    def cut(self, length: int) -> None:
        """The output was cut off: groups that began behind the cut did not begin."""
        while self._groups and self._groups[-1].start >= length and self._groups[-1].kind:
            self._pop()
        self._scanned = min(self._scanned, length)

    def open(self, kind: str, out: list[str]) -> None:
        """A group begins of which the output shows nothing."""
        self.catch_up(out)
        self._groups.append(_Group(kind, len(out)))

    def close(self, kind: str, out: list[str]) -> None:
        """A group ends of whose end the output shows nothing."""
        self.catch_up(out)
        self._close(kind)

    def finish(self) -> None:
        """The text has ended, and with it all its groups."""
        while self._groups:
            self._pop()

    def restart(self) -> None:
        """What was read so far goes, but for what it defined."""
        self._groups.clear()
        self._holders.clear()
        self._scanned = self.undecided = 0

    def _command(self, token: str, number: int) -> None:
        if token.startswith("\\begin{"):
            # A literal environment is one token, with its end.
            if token.index("}") < len(token) - 1:
                return
            self._groups.append(_Group(token[len("\\begin") :], number))
        elif token.startswith("\\end{"):
            self._close(token[len("\\end") :])
        elif token in _PAIRS:
            self._groups.append(_Group(token, number))
        elif token in _CLOSERS:
            self._close(_CLOSERS[token])
        elif token.startswith("\\if") and is_conditional(token):
            self.undecided += 1
        elif token == "\\fi":
            self.undecided -= self.undecided > 0

    def _text(self, token: str, number: int) -> None:
        for match in _DOLLARS.finditer(token):
            mark = match[0]
            top = self._groups[-1].kind if self._groups else ""
            if mark[0] != "$":
                # TeX closes a formula at the end of a paragraph.
                if top == "$":
                    self._pop()
            elif mark == top or (top == "$$" and mark == "$"):
                self._pop()
            elif mark == "$$" and top == "$":
                continue
            else:
                self._groups.append(_Group(mark, number))

    def _close(self, kind: str) -> None:
        """End the innermost group of a kind and those left open in it, if there is one."""
        for index in range(len(self._groups) - 1, max(-1, len(self._groups) - _DEEPEST), -1):
            if self._groups[index].kind == kind:
                while len(self._groups) > index:
                    self._pop()
                return
            if not self._groups[index].kind:
                return

    def _pop(self) -> None:
        for name, value in (self._groups.pop().saved or {}).items():
            holders = self._holders[name]
            holders.pop()
            if not holders:
                del self._holders[name]
            if value is None:
                self._meanings.pop(name, None)
            else:
                self._meanings[name] = value
