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

_SPACES = re.compile(r"[ \t\u00a0]{2,}|[\t\u00a0]")
# What may be left dangling beside a gap inside brackets.
_SEPARATORS = " ,;:/·•–—-、，；："
_BRACKETS = re.compile(
    rf"( ?)([(\[（])([^()\[\]（）\n{REMOVED}]*{REMOVED}[^()\[\]（）\n]*)([)\]）])"
)
_EMPTY_BRACKETS = re.compile(r"(?<=[ \n])(?:\([ ,;:/·•–—-]*\)|（[ ,;:、，；]*）) ?")
_EMPTY_QUOTES = re.compile(rf'(?:"{REMOVED}+"|[“„]{REMOVED}+[”“]|«[ ]?{REMOVED}+[ ]?») ?')
_LINE_START_GAP = re.compile(rf"\n([*#:; ]*){REMOVED}[ {REMOVED},;:.·–—-]*")
_GAP_BEFORE_STOP = re.compile(rf"([,;:]?) ?{REMOVED}[ {REMOVED}]*([.,;:!?)\]»。，、])")
_GAP = re.compile(rf" ?{REMOVED}[ {REMOVED}]*")
_LETTER = re.compile(rf"[\w{KEPT_START}]")
_HEADING_MARKS = re.compile(r"=+")


def mend_gaps(text: str) -> str:
    """Collapse spaces and repair punctuation around what was removed.

    Args:
        text: begins with a line break; REMOVED stands where something was taken out.
    """
    text = _SPACES.sub(" ", text)
    if REMOVED in text:
        text = _LINE_START_GAP.sub(r"\n\1", text)
        text = _BRACKETS.sub(_mend_brackets, text)
        text = _EMPTY_QUOTES.sub("", text)
        text = _GAP_BEFORE_STOP.sub(_mend_stop, text)
        text = _GAP.sub(lambda gap: " " if " " in gap[0] else "", text)
    return _EMPTY_BRACKETS.sub("", text)


def _mend_brackets(match: re.Match[str]) -> str:
    space, opening, inner, closing = match.groups()
    left, *others = inner.split(REMOVED)
    shown = left.strip(_SEPARATORS if len(others) else " ")
    for piece in others[:-1]:
        shown = _join_around_gap(shown, piece.strip(_SEPARATORS))
    shown = _join_around_gap(shown, others[-1].lstrip(_SEPARATORS).rstrip())
    return f"{space}{opening}{shown}{closing}" if _LETTER.search(shown) else ""


def _join_around_gap(left: str, right: str) -> str:
    return f"{left}, {right}" if left and right else left or right


def _mend_stop(match: re.Match[str]) -> str:
    """Of the two stops beside a gap keep one: the stronger, else the first."""
    before, after = match.groups()
    return before if before and after in ",;:" else after if after in ".!?,;:。，、" else before + after


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
        if skipped_level < 7 or first == "|" or line.startswith(("{|", "----")):
            continue
        if first == "!" and ("!!" in line or "|" in line):
            continue
        if first in "*#:;":
            line = line.lstrip("*#:; ")
        if not _LETTER.search(line):
            continue
        if headings:
            for _, title in headings:
                lines += ["", title] if lines and lines[-1] else [title]
            lines.append("")
            headings.clear()
        lines.append(line)
    return "\n".join(lines).strip()


def _heading(line: str) -> tuple[int, str] | None:
    left = _HEADING_MARKS.match(line)
    level = min(len(left[0]) if left else 0, len(line) - len(line.rstrip("=")), 6)
    title = line[level : len(line) - level].strip()
    return (level, title) if title and level < len(line) else None
