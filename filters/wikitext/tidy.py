"""From wikitext without templates, links and tables to plain lines of text.

Mends the punctuation around what was removed, strips what marks a line (headings, lists,
indentation), and drops apparatus sections and headings with nothing under them.

Every pattern starts with a literal or consumes what it scans, so that time is linear.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from filters.wikitext.names import SECTION_NAMES, SectionKind
from filters.wikitext.opaque import BLOCK_LINE, BLOCK_SPACE, HOLE_START, KEPT_START, REMOVED

_SPACES = re.compile("  +")
# What may be left dangling beside a gap inside brackets or at the start of a line.
_SEPARATORS = " ,;:/·•–—-、，；："
_LIST_MARKS = "*#:; "
_OPENING = ("(", "[", "（", "«", "„", "“")
_CLOSING = (")", "]", "）", "»")
_LOOSE = _SEPARATORS + "".join(_OPENING)
_STOPS = (".", ",", ";", ":", "!", "?", "。", "，", "、")
_BLOCK = re.compile(r"(?:\n [^\n]++){2,}+")
_INDENT = re.compile(r"^ +|  +")
_EMPTY_BRACKETS = re.compile(r" \([ ,;:/·•–—-]*\)")
_LETTER = re.compile(rf"[\w{KEPT_START}]")
# What follows where a template opened a sentence.
_CONTINUED = re.compile(r"[,;:.)] |[^\W\d_A-ZÀ-ÞА-ЯЁ]")
_HEADING_MARKS = re.compile(r"=+")


def mark_blocks(text: str) -> str:
    """Keep the spaces of blocks: lines, two or more in a row, that begin with a space.

    MediaWiki shows them as they are (program code, tables of figures). Rows that an unclosed table
    or template has left are none.
    """
    return _BLOCK.sub(_marked_block, text) if "\n " in text else text


def _marked_block(block: re.Match[str]) -> str:
    lines = block[0][1:].split("\n")
    shown = [line.lstrip() for line in lines if line.strip()]
    if len(shown) < 2 or any(line.startswith(("|", "!", "{|", "}")) for line in shown):
        return block[0]
    return "".join(f"\n{BLOCK_LINE}{_INDENT.sub(_block_spaces, line[1:])}" for line in lines)


def _block_spaces(spaces: re.Match[str]) -> str:
    return BLOCK_SPACE * len(spaces[0])


def mend_gaps(text: str, hole: Callable[[str], str]) -> str:
    """Collapse spaces and repair punctuation around what was removed.

    Args:
        text: begins with a line break; REMOVED stands where something was taken out, with
            HOLE_START and a number before it where that was a hole.
        hole: gives the placeholder of a hole with running text around it.
    """
    text = text.replace("\t", " ").replace("\u00a0", " ")
    if "  " in text:
        text = _SPACES.sub(" ", text)
    first, *others = text.split(REMOVED)
    left, holes = _without_mark(first)
    done = [left]
    space = False
    for other in others:
        shown = other.lstrip(" ")
        space = space or shown != other
        shown, more = _without_mark(shown)
        if shown:
            _join_around_gap(done, shown, space, holes, hole)
            space, holes = False, []
        holes += more
    if holes:
        _join_around_gap(done, "\n", space, holes, hole)
    return _EMPTY_BRACKETS.sub("", "".join(done))


def _without_mark(piece: str) -> tuple[str, list[str]]:
    """A piece of text, and the number of the hole behind it, if there is one."""
    shown, mark, number = piece.rpartition(HOLE_START)
    return (shown, [number]) if mark else (piece, [])


def _join_around_gap(
    done: list[str], right: str, space: bool, holes: list[str], hole: Callable[[str], str]
) -> None:
    """Append what follows a gap to the pieces before it, so that no punctuation dangles."""
    left = ""
    while done and not left:
        last = done.pop()
        left = last.rstrip(" ")
        space = space or left != last
    if left[-20:].rstrip(_LIST_MARKS).endswith("\n"):
        # Whatever stood alone here was a box; but no sentence begins in small letters.
        if holes and _CONTINUED.match(right):
            left += "".join(map(hole, holes))
        done += [left, right.lstrip(_SEPARATORS + ".")]
        return
    if holes:  # their marks show nothing, and must not hide what the gap stands behind
        end = len(left.rstrip(_LOOSE))
        done += [left[:end], *map(hole, holes)]
        left = left[end:]
    if left.endswith(_OPENING) or right.startswith(_CLOSING):
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


def plain_lines(text: str, dropped: Collection[SectionKind], structure: bool = False) -> str:
    """Return the lines to keep; paragraphs and headings stand apart.

    Args:
        text: lines with the marks of headings and lists.
        dropped: kinds of sections that are left out.
        structure: whether headings and lists keep their marks, as Markdown.
    """
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
        if line[0] == BLOCK_LINE:
            if skipped_level == 7:
                _open_sections(lines, headings)
                lines.append(line[1:].replace(BLOCK_SPACE, " "))
            continue
        first = line[0]
        if first == "=" and line.endswith("=") and (heading := _heading(line)):
            level, title = heading
            if level <= skipped_level:
                skipped_level = level if title.casefold().rstrip(" :") in names else 7
                while headings and headings[-1][0] >= level:
                    headings.pop()
                if skipped_level == 7:
                    headings.append((level, f"{'#' * level} {title}" if structure else title))
            continue
        if skipped_level < 7 or not _LETTER.search(line) or _is_table_row(line):
            continue
        _open_sections(lines, headings)
        lines.append(_item(line) if structure else line.lstrip(_LIST_MARKS))
    return "\n".join(lines).strip("\n")


def _item(line: str) -> str:
    """A line with its list's mark and level in Markdown."""
    shown = line.lstrip(_LIST_MARKS)
    marks = line[: len(line) - len(shown)].replace(" ", "")
    if not marks.strip(":;"):
        return shown
    return f"{'  ' * (len(marks) - 1)}{'1.' if marks[-1] == '#' else '-'} {shown}"


def _open_sections(lines: list[str], headings: list[tuple[int, str]]) -> None:
    """Append the headings that were waiting for something under them."""
    for _, title in headings:
        lines += ["", title] if lines and lines[-1] else [title]
    if headings:
        lines.append("")
        headings.clear()


def _is_table_row(line: str) -> bool:
    """What an unclosed table or template leaves: its rows, and parameters a line each."""
    return line.startswith(("|", "{|")) or (line[0] == "!" and ("!!" in line or "|" in line))


def _heading(line: str) -> tuple[int, str] | None:
    left = _HEADING_MARKS.match(line)
    level = min(len(left[0]) if left else 0, len(line) - len(line.rstrip("=")), 6)
    title = line[level : len(line) - level].strip()
    return (level, title) if title and level < len(line) else None
