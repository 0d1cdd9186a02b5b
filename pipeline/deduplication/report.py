"""What a deduplication found: counts, what each source shares with each, the most repeated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dedup.decisions import Summary
from pipeline.deduplication.key_pass import SeenDocuments
from pipeline.deduplication.key_units import KeyUnits
from pipeline.deduplication.methods import method_of
from pipeline.deduplication.sections import MethodName

EXCERPT = 200


@dataclass(frozen=True)
class Repeated:
    """A group of equal keys: copies, where the preferred one is, how it begins."""

    copies: int
    where: str
    text: str


@dataclass(frozen=True)
class Report:
    """A deduplication in numbers.

    Attributes:
        method: of deduplication.
        sources: labels, in order of priority.
        documents: of each source.
        keys: compared: documents, lines, or documents with duplicates for minhash and overlap.
        groups, members: of equal keys (or similar documents), and what is in them.
        shared: row a, column b: how many of a's are in b too; on the diagonal, in a again.
        most_repeated: the largest groups.
    """

    method: MethodName
    sources: list[str]
    documents: list[int]
    keys: int
    groups: int
    members: int
    shared: list[list[int]]
    most_repeated: list[Repeated]

    def to_json(self) -> dict[str, Any]:
        """As a manifest has it."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The report for people."""
        what = method_of(self.method).removes
        found = [f"{self.members:,} {what} in {self.groups:,} groups of duplicates"]
        if len(self.sources) > 1:
            width = max(12, *(len(source) + 2 for source in self.sources))
            found.append(f"{what} of each source (row) that are in another (column) too:")
            found.append(" " * width + "".join(f"{name:>{width}}" for name in self.sources))
            for name, row in zip(self.sources, self.shared, strict=True):
                found.append(f"{name:<{width}}" + "".join(f"{count:>{width},}" for count in row))
        if self.most_repeated:
            found.append("most repeated:")
        for group in self.most_repeated[:5]:
            begin = " ".join(group.text.split())[:80]
            found.append(f"  in {group.copies:>10,} documents: {begin!r} (first: {group.where})")
        return found


def make_report(
    method: MethodName,
    summary: Summary,
    documents: Mapping[str, int],
    units: KeyUnits,
    seen: Sequence[SeenDocuments],
) -> Report:
    """The report on finished decisions.

    Args:
        method: of deduplication.
        summary: of the decisions.
        documents: in each dataset, by label, in order of priority.
        units: that were compared.
        seen: their documents, as the method saw them.
    """
    wanted = [divmod(position, 1 << 32) for _, position in summary.most_repeated]
    texts: dict[tuple[int, int], str] = {}
    for number in sorted({unit for unit, _ in wanted}):
        rows = {row for unit, row in wanted if unit == number}
        by_line = method_of(method).removes == "lines"
        found = _texts(seen[number], rows, by_line=by_line)
        texts.update({(number, row): text for row, text in found.items()})
    repeated = [
        Repeated(copies, f"{units[place[0]].full_name}:{place[1]}", texts[place])
        for (copies, _), place in zip(summary.most_repeated, wanted, strict=True)
    ]
    return Report(
        method,
        list(documents),
        list(documents.values()),
        summary.keys,
        summary.groups,
        summary.members,
        summary.shared,
        repeated,
    )


def _texts(seen: SeenDocuments, rows: set[int], *, by_line: bool) -> dict[int, str]:
    """Beginnings of some documents (or lines) of a unit, by row."""
    found: dict[int, str] = {}
    first = 0
    for batch, _ in seen.batches(("text",)):
        texts = [text or "" for text in batch.column("text").to_pylist()]
        if by_line:
            texts = [line for text in texts for line in text.split("\n")]
        for row in rows & set(range(first, first + len(texts))):
            found[row] = texts[row - first][:EXCERPT]
        first += len(texts)
        if len(found) == len(rows):
            break
    return found
