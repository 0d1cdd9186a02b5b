"""From wikitext without templates, links and tables to plain lines of text.

Mends the punctuation around what was removed, strips what marks a line (headings, lists,
indentation), and drops apparatus sections and headings with nothing under them.

Every pattern starts with a literal or consumes what it scans, so that time is linear.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from filters.wikitext.names import SECTION_NAMES, SectionKind
from filters.wikitext.opaque import KEPT_START, REMOVED

_SPACES = re.compile("  +")
# What may be left dangling beside a gap inside brackets or at the start of a line.
_SEPARATORS = " ,;:/·•–—-、，；："
_LIST_MARKS = "*#:; "
_OPENING = ("(", "[", "（", "«", "„", "“")
_CLOSING = (")", "]", "）", "»")
_STOPS = (".", ",", ";", ":", "!", "?", "。", "，", "、")
_EMPTY_BRACKETS = re.compile(r" \([ ,;:/·•–—-]*\)")
_LETTER = re.compile(rf"[\w{KEPT_START}]")
_HEADING_MARKS = re.compile(r"=+")


def mend_gaps(text: str) -> str:
    """Collapse spaces and repair punctuation around what was removed.

    Args:
        text: begins with a line break; REMOVED stands where something was taken out.
    """
    text = text.replace("\t", " ").replace("\u00a0", " ")
    if "  " in text:
        text = _SPACES.sub(" ", text)
    first, *others = text.split(REMOVED)
    done = [first]
    space = False
    for right in others:
        shown = right.lstrip(" ")
        space = space or shown != right
        if shown:
            _join_around_gap(done, shown, space)
            space = False
    return _EMPTY_BRACKETS.sub("", "".join(done))


def _join_around_gap(done: list[str], right: str, space: bool) -> None:
    """Append what follows a gap to the pieces before it, so that no punctuation dangles."""
    left = ""
    while done and not left:
        last = done.pop()
        left = last.rstrip(" ")
        space = space or left != last
    if left[-20:].rstrip(_LIST_MARKS).endswith("\n"):
        done += [left, right.lstrip(_SEPARATORS + ".")]
    elif left.endswith(_OPENING) or right.startswith(_CLOSING):
        right = right.lstrip(_SEPARATORS)
        left = left.rstrip(_SEPARATORS) if right.startswith(_CLOSING) else left
        if left.endswith(_OPENING) and right.startswith(_CLOSING):
            left, right = left[:-1].rstrip(" "), right[1:]
        done += [left, right]
    elif right.startswith(_STOPS):
        if left.endswith((",", ";", ":", " –", " —", " -")):
            left = left[:-1].rstrip(" ")
        done += [left, right]
    else:
        done += [left, " " if space else "", right]


def plain_lines(text: str, dropped: Collection[SectionKind]) -> str:
    """Return the lines to keep, without their marks; paragraphs and headings stand apart."""
    names = frozenset().union(*(SECTION_NAMES[kind] for kind in dropped))
    lines: list[str] = []
    headings: list[tuple[int, str]] = []  # seen, but nothing under them yet
    skipped_level = 7  # level of the section being dropped; 7: none is
    for raw in text.split("\n"):
        line = raw.strip()
        if not line:
            if lines and lines[-1]:
                lines.append("")
            continue
        first = line[0]
        if first == "=" and line.endswith("=") and (heading := _heading(line)):
            level, title = heading
            if level <= skipped_level:
                skipped_level = level if title.casefold().rstrip(" :") in names else 7
                while headings and headings[-1][0] >= level:
                    headings.pop()
                if skipped_level == 7:
                    headings.append((level, title))
            continue
        line = line.lstrip(_LIST_MARKS)
        if skipped_level < 7 or not _LETTER.search(line) or _is_table_row(line):
            continue
        if headings:
            for _, title in headings:
                lines += ["", title] if lines and lines[-1] else [title]
            lines.append("")
            headings.clear()
        lines.append(line)
    return "\n".join(lines).strip()


def _is_table_row(line: str) -> bool:
    """What an unclosed table or template leaves: its rows, and parameters a line each."""
    return line.startswith(("|", "{|")) or (line[0] == "!" and ("!!" in line or "|" in line))


def _heading(line: str) -> tuple[int, str] | None:
    left = _HEADING_MARKS.match(line)
    level = min(len(left[0]) if left else 0, len(line) - len(line.rstrip("=")), 6)
    title = line[level : len(line) - level].strip()
    return (level, title) if title and level < len(line) else None
