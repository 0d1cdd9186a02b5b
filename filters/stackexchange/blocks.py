"""Blocks of text inside quotes and lists, with the marks that show where they stand."""

from __future__ import annotations

import re

from filters.stackexchange.inline import paragraph_lines

# Deeper quotes and lists add no more marks: nobody writes them, and prefixes would grow.
_DEEPEST = 24
_FENCE = re.compile(r"^\s*(`{3,})", re.MULTILINE)


class _Level:
    """An open quote, list or item.

    Attributes:
        tag: its element.
        marker, rest: prefix of the first line, and of the others.
        used: the marker has been written.
        blocks: blocks written directly in it.
        number: of the next item; 0 where items have no number.
        tight: of a list, whether its next item follows without a blank line.
    """

    __slots__ = ("blocks", "marker", "number", "rest", "tag", "tight", "used")

    def __init__(self, tag: str, marker: str, rest: str, number: int, tight: bool) -> None:
        self.tag = tag
        self.marker = marker
        self.rest = rest
        self.used = False
        self.blocks = 0
        self.number = number
        self.tight = tight


class Blocks:
    """Lines of text, block after block."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._levels: list[_Level] = []
        self._last: list[_Level] = []
        self._ignored: dict[str, int] = {}
        self._tight = False

    def text(self) -> str:
        """Everything so far."""
        return "\n".join(self._lines)

    def open(self, tag: str, marker: str, rest: str) -> None:
        """Begin a level."""
        self._push(_Level(tag, marker, rest, 0, False))

    def open_list(self, tag: str, number: int) -> None:
        """Begin a list whose items have numbers from `number`, or bullets if it is 0 in a `ul`."""
        in_item = bool(self._levels) and self._levels[-1].tag == "li"
        tight = in_item and self._levels[-1].blocks <= 1
        self._push(_Level(tag, "", "", number, tight))

    def open_item(self) -> None:
        """Begin an item; one that is open in the same list ends."""
        if self._levels and self._levels[-1].tag == "li" and not self._ignored.get("li"):
            self.close("li")
        inside = self._levels[-1] if self._levels else None
        marker = "- "
        if inside is not None and inside.tag == "ol":
            marker = f"{inside.number}. "
            inside.number += 1
        tight = inside is not None and inside.tight
        self._push(_Level("li", marker, " " * len(marker), 0, tight))

    def _push(self, level: _Level) -> None:
        if len(self._levels) < _DEEPEST:
            self._levels.append(level)
        else:
            self._ignored[level.tag] = self._ignored.get(level.tag, 0) + 1

    def close(self, tag: str) -> None:
        """End the innermost level of an element, with all that is open inside; none: nothing."""
        if self._ignored.get(tag):
            self._ignored[tag] -= 1
            return
        for index in range(len(self._levels) - 1, -1, -1):
            level = self._levels[index]
            if level.tag == tag:
                del self._levels[index:]
                if tag == "li" and level.used and index and self._levels[-1].tag in ("ul", "ol"):
                    self._levels[-1].tight = level.blocks <= 1
                return

    def tighten(self) -> None:
        """The next block follows without a blank line."""
        self._tight = True

    def add_prose(self, text: str) -> None:
        """Add a paragraph (see `paragraph_lines`)."""
        lines = paragraph_lines(text)
        if lines:
            self.add_lines(lines)

    def add_code(self, code: str) -> None:
        """Add a code block, to the letter but for blank lines around it."""
        lines = code.split("\n")
        while lines and not lines[-1].strip():
            lines.pop()
        first = next((number for number, line in enumerate(lines) if line.strip()), 0)
        if lines:
            fences = _FENCE.findall(code) if "```" in code else []
            fence = "`" * max(3, *(len(inside) + 1 for inside in fences), 0)
            self.add_lines([fence, *lines[first:], fence])

    def add_lines(self, lines: list[str]) -> None:
        """Add a block of at least one line."""
        levels = self._levels
        if not levels:
            if self._lines and not self._tight:
                self._lines.append("")
            self._tight = False
            self._last = []
            self._lines += lines
            return
        fresh = next((level for level in levels if not level.used and level.marker), None)
        tight = fresh.tight if fresh is not None else self._tight
        if self._lines and not tight:
            common = [
                new for new, old in zip(levels, self._last, strict=False) if new is old and new.used
            ]
            self._lines.append("".join(level.rest for level in common).rstrip())
        self._tight = False
        rest = "".join(level.rest for level in levels)
        first = "".join(level.rest if level.used else level.marker for level in levels)
        for level in levels:
            level.used = True
        levels[-1].blocks += 1
        self._last = levels.copy()
        blank = rest.rstrip()
        self._lines.append(first + lines[0])
        self._lines += [rest + line if line else blank for line in lines[1:]]
