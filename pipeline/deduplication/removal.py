"""What a method of deduplication leaves of a unit, as stages and as seen without being written.

Stages drop documents, or lines of them, while the unit is written. A later method of the same
chain makes its keys of what the earlier ones leave (`documents_left`, `lines_left`): the same
decisions over the same rows, on batches of columns. A method's rows count what reaches it; which
row of the shard each is, is noted beside its keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dedup.decisions import Structured
from dedup.groups import ROW_BITS
from filters.document import Document, Rejected
from filters.line_kinds import keep_kinds
from filters.paths import Location
from pipeline.deduplication.decision_files import DECISIONS, read_array, read_rows
from pipeline.deduplication.key_units import KeyUnits
from pipeline.passes.batch import Batch
from pipeline.passes.stages import Batching, apply_function
from pipeline.store.units import Unit

REPEATS = "repeats"
ROWS = "rows"

# A batch of some columns, and which row of the shard each of its documents is.
Numbered: TypeAlias = tuple[pa.RecordBatch, NDArray[np.int64]]


def kind_of(step: str, kind: str) -> str:
    """Kind of an input of a unit that a step made, where there are several steps."""
    return f"{step}/{kind}" if step else kind


class _Rows:
    """The rows of a method by the rows of the shard."""

    def __init__(self, unit: Unit, step: str) -> None:
        paths = unit.made(kind_of(step, ROWS))
        self._rows = read_array(paths[0]) if paths else None

    def of(self, batch: Batch) -> list[int]:
        if self._rows is None:
            return batch.rows
        found: list[int] = np.searchsorted(self._rows, batch.rows).tolist()
        return found


@dataclass(frozen=True)
class Clusters:
    """The decisions on whole documents of one method.

    Attributes:
        method: whose they are.
        step: that made them.
        units: path of the units that were compared. Which there are besides its own does not decide
            what becomes of a document.
        label: of the dataset among them.
    """

    method: str
    step: str
    units: Location
    label: str = ""

    @property
    def signals(self) -> dict[str, pa.DataType]:
        """Columns that are added."""
        return {f"{self.method}_cluster": pa.string(), f"{self.method}_cluster_size": pa.int32()}

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns by which it is seen what is left."""
        return ()

    def stage(self) -> DocumentRemoval:
        """The stage that applies them."""
        return DocumentRemoval(self)

    def number_of(self, unit: Unit) -> int:
        """Number of a unit among those compared."""
        name = f"{self.label}.{unit.name}" if self.label else unit.name
        return KeyUnits(self.units, 0).number_of(name)

    def left(self, unit: Unit, batches: Iterator[Numbered]) -> Iterator[Numbered]:
        """The documents that stay."""
        decided = read_rows(unit.made(kind_of(self.step, DECISIONS)))
        number, first = self.number_of(unit), 0
        for batch, rows in batches:
            own = np.arange(first, first + len(batch), dtype=np.uint64)
            first += len(batch)
            start, end = np.searchsorted(decided["row"], [own[0], first]) if len(own) else (0, 0)
            members = decided[start:end]
            places = members["row"].astype(np.int64) - (first - len(batch))
            position = np.uint64(number) << ROW_BITS | members["row"].astype(np.uint64)
            stays = np.ones(len(batch), dtype=bool)
            stays[places[members["representative"] != position]] = False
            sizes: list[int | None] = [None] * len(batch)
            for place, size in zip(places.tolist(), members["size"].tolist(), strict=True):
                sizes[place] = size
            size_array = pa.array(sizes, pa.int32())
            changed = _with_column(batch, f"{self.method}_cluster_size", size_array)
            yield changed.filter(pa.array(stays)), rows[stays]


@dataclass(frozen=True)
class Lines:
    """The decisions on lines of one method.

    Attributes:
        method: whose they are.
        step: that made them.
        minimum_characters: a document that lost lines and is shorter than this goes.
    """

    method: str
    step: str
    minimum_characters: int

    @property
    def signals(self) -> dict[str, pa.DataType]:
        """Columns that are added."""
        return {"lines": pa.int32(), "characters": pa.int64()}

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns by which it is seen what is left."""
        return ("text",)

    def stage(self) -> LineRemoval:
        """The stage that applies them."""
        return LineRemoval(self.method, self.minimum_characters, self.step)

    def left(self, unit: Unit, batches: Iterator[Numbered]) -> Iterator[Numbered]:
        """The documents that stay, with what is left of their text."""
        removed, first = removed_lines(unit, self.step), 0
        for batch, rows in batches:
            texts: list[str | None] = []
            for text in batch.column("text").to_pylist():
                own = lines_between(removed, first, text or "")
                left = without_lines(text or "", own)[0] if own else text or ""
                gone = own and why_gone(left, own, self.minimum_characters)
                texts.append(None if gone else left)
                first += (text or "").count("\n") + 1
            counts = [None if text is None else text.count("\n") + 1 for text in texts]
            sizes = [None if text is None else len(text) for text in texts]
            changed = _with_column(batch, "text", pa.array(texts, pa.string()))
            changed = _with_column(changed, "lines", pa.array(counts, pa.int32()))
            changed = _with_column(changed, "characters", pa.array(sizes, pa.int64()))
            stays = np.array([text is not None for text in texts], dtype=bool)
            yield changed.filter(pa.array(stays)), rows[stays]


Removal: TypeAlias = Clusters | Lines


def _with_column(batch: pa.RecordBatch, name: str, values: pa.Array[Any]) -> pa.RecordBatch:
    """The batch with a column in place of the one of that name, or behind the others."""
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    columns[name] = values
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


class DocumentRemoval:
    """Drops the documents of which another one is kept.

    Each document that has duplicates gets two signals, kept or not: `<method>_cluster`, the same
    for all of them and naming the one that is kept (`<unit>:<row>`), and `<method>_cluster_size`.
    """

    def __init__(self, decisions: Clusters) -> None:
        self.name = decisions.method
        self._decisions = decisions
        self._unit_number = 0
        self._batch_rows: dict[int, int] = {}
        self._next = 0
        self._rows: _Rows | None = None
        self._decided: Structured = np.empty(0)

    def open(self) -> None:
        """Decisions are loaded unit by unit."""

    def apply(self, batch: Batch, batching: Batching) -> None:
        """Apply the unit's decisions; batches of a unit come in order."""
        if batch.index == 0 or self._rows is None:
            step = self._decisions.step
            self._unit_number = self._decisions.number_of(batch.unit)
            self._decided = read_rows(batch.unit.made(kind_of(step, DECISIONS)))
            self._rows = _Rows(batch.unit, step)
            self._next = 0
        rows = self._rows.of(batch)
        self._batch_rows = {
            id(document): row for row, document in zip(rows, batch.documents, strict=True)
        }
        apply_function(self.name, self._decide, batch, batching)

    def _decide(self, document: Document) -> Document | Rejected:
        row = self._batch_rows[id(document)]
        for signal in self._decisions.signals:
            document.signals.pop(signal, None)  # of an earlier deduplication
        decided = self._decided["row"]
        while self._next < len(decided) and decided[self._next] < row:
            self._next += 1
        if self._next == len(decided) or decided[self._next] != row:
            return document
        member = self._decided[self._next]
        self._next += 1
        representative, size = int(member["representative"]), int(member["size"])
        unit, kept_row = divmod(representative, 1 << int(ROW_BITS))
        cluster = f"{KeyUnits(self._decisions.units, 0)[unit].full_name}:{kept_row}"
        document.signals[f"{self.name}_cluster"] = cluster
        document.signals[f"{self.name}_cluster_size"] = size
        if (unit, kept_row) == (self._unit_number, row):
            return document
        return Rejected("duplicate", f"of {cluster}, one of {size}")


class LineRemoval:
    """Removes the lines that deduplication decided on.

    A row is a line's number in what reached the method of the unit, over all its documents.

    Args:
        name: of the stage.
        minimum_characters: a document that lost lines and is shorter than this goes.
        step: that decided, where there are several.
    """

    def __init__(self, name: str, minimum_characters: int, step: str = "") -> None:
        self.name = name
        self._minimum_characters = minimum_characters
        self._step = step
        self._line = 0
        self._row = 0
        self._rows: _Rows | None = None
        self._first: dict[int, int] = {}
        self._removed: NDArray[np.uint32] = np.empty(0, np.uint32)

    def open(self) -> None:
        """Decisions are loaded unit by unit."""

    def apply(self, batch: Batch, batching: Batching) -> None:
        """Apply the unit's decisions; batches of a unit come in order."""
        if batch.index == 0 or self._rows is None:
            self._line = self._row = 0
            self._removed = removed_lines(batch.unit, self._step)
            self._rows = _Rows(batch.unit, self._step)
        self._first = {}
        for row, document in zip(self._rows.of(batch), batch.documents, strict=True):
            # A row between that is no document counts as one empty line.
            first = self._line + row - self._row
            self._first[id(document)] = first
            self._line, self._row = first + document.text.count("\n") + 1, row + 1
        apply_function(self.name, self._remove, batch, batching)

    def _remove(self, document: Document) -> Document | Rejected:
        own = lines_between(self._removed, self._first[id(document)], document.text)
        rejected = None
        if own:
            left, kept = without_lines(document.text, own)
            rejected = why_gone(left, own, self._minimum_characters)
            if not left and rejected is not None:
                return rejected
            document.text = left
            keep_kinds(document, kept)
        document.signals["lines"] = document.text.count("\n") + 1
        document.signals["characters"] = len(document.text)
        return rejected or document


def removed_lines(unit: Unit, step: str) -> NDArray[np.uint32]:
    """The lines of a unit that go, by row."""
    removed = read_rows(unit.made(kind_of(step, DECISIONS)))["row"]
    # Lines that repeat one of their own document, where they are not gone yet.
    for path in unit.made(kind_of(step, REPEATS)):
        removed = np.union1d(removed, read_array(path))
    return removed


def lines_between(removed: NDArray[np.uint32], first: int, text: str) -> set[int]:
    """The lines that go of a text whose first line has this row, counted from 0."""
    start, end = np.searchsorted(removed, [first, first + text.count("\n") + 1])
    return set((removed[start:end].astype(np.int64) - first).tolist())


def without_lines(text: str, removed: set[int]) -> tuple[str, list[int]]:
    """What is left of a text that loses lines, and the numbers of the lines that stay."""
    lines = text.split("\n")
    kept = _left(lines, removed)
    return "\n".join([lines[number] for number in kept]), kept


def why_gone(left: str, removed: set[int], minimum_characters: int) -> Rejected | None:
    """Why a document goes that has lost lines; none if what is left stays."""
    if not left:
        return Rejected("all_duplicate", f"all {len(removed)} lines occur elsewhere")
    if len(left) < minimum_characters:
        detail = f"{len(left)} < {minimum_characters} characters"
        return Rejected("too_short_without_duplicates", detail)
    return None


def _left(lines: list[str], removed: set[int]) -> list[int]:
    """Numbers of the other lines; a blank line does not outlive the paragraph before it."""
    kept: list[int] = []
    is_behind = False
    for number, line in enumerate(lines):
        is_blank = not line.strip()
        if number in removed:
            is_behind = True
        elif not (is_blank and is_behind and (not kept or not lines[kept[-1]].strip())):
            kept.append(number)
            is_behind = is_behind and is_blank
    while kept and not lines[kept[-1]].strip():
        kept.pop()
    return kept
