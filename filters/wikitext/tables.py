"""Tables as Markdown: what `structure` keeps of a page's tables of data."""

from __future__ import annotations

import re

from filters.wikitext.opaque import BLOCK_LINE

# Tables that lay out a page have other classes, or none.
_DATA = re.compile(r"class\s{0,9}=\s{0,9}[\"']?[^\"'\n]{0,200}\bwikitable\b", re.IGNORECASE)
_BREAK = re.compile(r"<br\s{0,9}/?>", re.IGNORECASE)
# A bar that is inside a link or a template separates no cells.
_LINK = re.compile(r"\[\[[^\[\]]*\]\]")
_WIDEST = 60


def is_data(attributes: str) -> bool:
    """Whether a table's first line says that it is one of data."""
    return _DATA.search(attributes) is not None


def wiki_table(inner: str) -> list[list[str]]:
    """Rows of a table from the wikitext between its braces; empty ones are left out."""
    rows: list[list[str]] = [[]]
    for line in inner.split("\n")[1:]:
        stripped = line.strip()
        if stripped.startswith(("|-", "|+")):
            rows.append([])
        elif stripped.startswith(("|", "!")) and not stripped.startswith("|}"):
            is_heading = stripped[0] == "!"
            rows[-1] += [_cell(cell) for cell in _cells(stripped[1:], is_heading)]
        elif stripped and rows[-1] and not stripped.startswith(BLOCK_LINE):
            rows[-1][-1] = f"{rows[-1][-1]} {stripped.lstrip('*#:; ')}".strip()
    return [row for row in rows if any(row)]


def _cells(line: str, is_heading: bool) -> list[str]:
    marks = ("||", "!!") if is_heading else ("||",)
    cells = [line]
    for mark in marks:
        cells = [part for cell in cells for part in cell.split(mark)]
    return cells


def _cell(cell: str) -> str:
    """A cell's text, without the attributes before its bar."""
    links = [match.span() for match in _LINK.finditer(cell)]
    for bar in (match.start() for match in re.finditer(r"\|", cell)):
        if not any(start < bar < end for start, end in links):
            cell = cell[bar + 1 :]
            break
    return _BREAK.sub(" ", cell).strip()


def markdown(rows: list[list[str]]) -> list[str]:
    """Lines of a Markdown table, the first row as its heading; none for a table of one column."""
    width = max(map(len, rows), default=0)
    if width < 2 or width > _WIDEST or len(rows) < 2:
        return []
    lines = []
    for number, row in enumerate(rows):
        cells = [cell.replace("|", "\\|") if "[[" not in cell else cell for cell in row]
        cells += [""] * (width - len(row))
        lines.append(f"| {' | '.join(cells)} |")
        if number == 0:
            lines.append("|" + " --- |" * width)
    return lines
