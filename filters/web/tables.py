"""Tables: which hold data and which only lay the page out, and their rows with every column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_PRESENTATION = frozenset(("presentation", "none"))
# What stands in cells of a layout, and not in those of data.
_LAYOUT = frozenset((
    "article", "aside", "blockquote", "center", "footer", "form", "h1", "h2", "h3", "header",
    "main", "nav", "section", "table",
))  # fmt: skip
# A cell of data is a value or a remark.
CELL_CHARACTERS = 1000
# More is a mistake of the author, or an attack.
_MAXIMUM_SPAN = 100


def is_data_table(table: Any) -> bool:
    """Whether rows and columns mean something: two columns or more, without a page's parts in them.

    Tables with a caption or heading cells in a `<thead>` always do.
    """
    if table.get("role", "") in _PRESENTATION:
        return False
    if any(cell.tag in _LAYOUT for cell in table.iterdescendants(*_LAYOUT)):
        return False
    columns = rows = 0
    for row in _own_rows(table):
        cells = [cell for cell in row if cell.tag in ("td", "th")]
        columns, rows = max(columns, len(cells)), rows + 1
        for cell in cells:
            if sum(map(len, cell.itertext())) > CELL_CHARACTERS or _paragraphs(cell) > 3:
                return False
    return columns > 1 and (rows > 1 or next(table.iter("th"), None) is not None)


def _paragraphs(cell: Any) -> int:
    return sum(1 for _ in cell.iter("p"))


def _own_rows(table: Any) -> Iterator[Any]:
    for child in table:
        if child.tag == "tr":
            yield child
        elif child.tag in ("thead", "tbody", "tfoot"):
            yield from child.iterchildren("tr")


def table_rows(table: Any) -> Iterator[list[Any]]:
    """Cells of each row, in their columns: none where a cell spans from the left or from above."""
    spanned: dict[int, int] = {}
    for row in _own_rows(table):
        cells: list[Any] = []
        for cell in row:
            if cell.tag not in ("td", "th"):
                continue
            _fill(cells, spanned)
            columns, rows = _span(cell, "colspan"), _span(cell, "rowspan")
            if rows > 1:
                for column in range(len(cells), len(cells) + columns):
                    spanned[column] = rows
            cells += [cell, *[None] * (columns - 1)]
        _fill(cells, spanned)
        for column in list(spanned):
            spanned[column] -= 1
            if not spanned[column]:
                del spanned[column]
        if any(cell is not None for cell in cells):
            yield cells


def _fill(cells: list[Any], spanned: dict[int, int]) -> None:
    """Columns that a cell further up still takes."""
    while len(cells) in spanned:
        cells.append(None)


def _span(cell: Any, name: str) -> int:
    value = cell.get(name, "1").strip()
    return min(max(int(value), 1), _MAXIMUM_SPAN) if value.isascii() and value.isdigit() else 1
