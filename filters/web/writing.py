"""Blocks to text: plain, or Markdown; with one letter a line that says what the line is.

Plain text has a line per paragraph, heading, item and row, and lines of code and verse as they
stand. Markdown (CommonMark, GitHub's tables) has blank lines between blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from filters.line_kinds import BLANK, CODE, HEADING, ITEM, PARAGRAPH, ROW, VERSE
from filters.web.blocks import Block

Markup = Literal["plain", "markdown"]

_LETTERS = {
    "paragraph": PARAGRAPH,
    "heading": HEADING,
    "item": ITEM,
    "row": ROW,
    "code": CODE,
    "verse": VERSE,
}


def write(blocks: Sequence[Block], markup: Markup) -> tuple[str, str]:
    """Text of the blocks, and the letters of its lines (`filters.line_kinds`)."""
    lines: list[str] = []
    kinds: list[str] = []
    before: Block | None = None
    for block in blocks:
        if markup == "plain":
            own = _plain(block)
        else:
            if before is not None and not _is_tight(before, block):
                lines.append(("> " * min(before.quoted, block.quoted)).rstrip())
                kinds.append(BLANK)
            own = _markdown(block, before)
        lines += [line.rstrip() for line in own]
        kinds.append(_LETTERS[block.kind] * len(own))
        before = block
    return "\n".join(lines), "".join(kinds)


def _plain(block: Block) -> list[str]:
    if block.kind == "row":
        return [" | ".join(block.lines).strip()]
    if block.kind == "item" or block.mark:
        return _marked(block, block.lines)
    return list(block.lines)


def _marked(block: Block, lines: list[str]) -> list[str]:
    indent = "  " * block.level if block.kind == "item" else ""
    rest = indent + " " * len(block.mark)
    return [(rest if number else indent + block.mark) + line for number, line in enumerate(lines)]


def _markdown(block: Block, before: Block | None) -> list[str]:
    lines = list(block.lines)
    if block.kind == "heading":
        lines = [f"{'#' * block.level} {lines[0]}"]
    elif block.kind == "row":
        lines = _markdown_row(block, before)
    elif block.kind == "code":
        fence = "```"
        while any(line.lstrip().startswith(fence) for line in lines):
            fence += "`"
        lines = [fence + block.language, *lines, fence]
    elif block.kind == "verse":
        lines = [f"{line}\\" for line in lines[:-1]] + lines[-1:]
    if block.mark or block.kind == "item":
        lines = _marked(block, lines)
    return ["> " * block.quoted + line for line in lines]


def _markdown_row(block: Block, before: Block | None) -> list[str]:
    cells = [cell.replace("|", "\\|") for cell in block.lines]
    lines = [f"| {' | '.join(cells)} |"]
    if before is None or before.group != block.group:
        lines.append("|" + " --- |" * len(cells))
    return lines


def _is_tight(before: Block, block: Block) -> bool:
    """Whether no blank line is between: rows of a table, items of a list."""
    if block.kind == "row":
        return before.group == block.group
    return before.kind == block.kind == "item" and before.quoted == block.quoted
