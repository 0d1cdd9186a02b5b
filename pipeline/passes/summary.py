"""The sum over the units of a pass, made inside the pass: counts, what was lost, the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from pipeline.store.accounting import Funnel
from pipeline.store.records import UnitRecord
from pipeline.store.tables import TableFile

# Lost inputs that are named, the largest first.
NAMED = 20


@dataclass
class Lost:
    """An input of which a part could not be read."""

    path: str
    reason: str
    lost_bytes: int
    bytes: int


@dataclass
class Summary:
    """What a pass over units came to.

    Attributes:
        units: how many.
        input_bytes: read.
        funnel: counts by stage.
        lost_units: units of which something could not be read.
        lost_bytes: of them.
        lost: the units that lost most.
        rows: of the files, by kind.
        file_bytes: of the files, by kind.
        extra: what the step says of its units, summed.
        tables: of the units' records.
    """

    units: int = 0
    input_bytes: int = 0
    funnel: Funnel = field(default_factory=Funnel)
    lost_units: int = 0
    lost_bytes: int = 0
    lost: list[Lost] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    file_bytes: dict[str, int] = field(default_factory=dict)
    extra: dict[str, int] = field(default_factory=dict)
    tables: list[TableFile] = field(default_factory=list)

    def add_record(self, record: UnitRecord) -> None:
        """Add a unit."""
        self.units += 1
        self.input_bytes += record.input.bytes
        self.funnel.add(Funnel.from_json(record.funnel))
        if record.input.lost:
            self.lost_units += 1
            self.lost_bytes += record.input.lost_bytes
            one = record.input
            self._name([Lost(one.path, one.lost, one.lost_bytes, one.bytes)])
        for file in record.files:
            self.rows[file.kind] = self.rows.get(file.kind, 0) + file.rows
            self.file_bytes[file.kind] = self.file_bytes.get(file.kind, 0) + file.bytes
        _add(self.extra, {k: v for k, v in record.extra.items() if isinstance(v, int)})

    def add(self, other: Summary) -> None:
        """Add another summary."""
        self.units += other.units
        self.input_bytes += other.input_bytes
        self.funnel.add(other.funnel)
        self.lost_units += other.lost_units
        self.lost_bytes += other.lost_bytes
        self._name(other.lost)
        _add(self.rows, other.rows)
        _add(self.file_bytes, other.file_bytes)
        _add(self.extra, other.extra)
        self.tables = sorted([*self.tables, *other.tables], key=lambda table: table.name)

    def _name(self, found: Iterable[Lost]) -> None:
        order = sorted([*self.lost, *found], key=lambda lost: (-lost.lost_bytes, lost.path))
        self.lost = order[:NAMED]

    def to_bytes(self) -> bytes:
        """As JSON."""
        plain = {
            **vars(self),
            "funnel": self.funnel.to_json(),
            "lost": [asdict(one) for one in self.lost],
            "tables": [asdict(one) for one in self.tables],
        }
        return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def from_bytes(cls, data: bytes) -> Summary:
        """From JSON."""
        plain: dict[str, Any] = orjson.loads(data)
        plain["funnel"] = Funnel.from_json(plain["funnel"])
        plain["lost"] = [Lost(**one) for one in plain["lost"]]
        plain["tables"] = [TableFile(**one) for one in plain["tables"]]
        return cls(**plain)


def _add(counts: dict[str, int], other: Mapping[str, int]) -> None:
    for name, count in other.items():
        counts[name] = counts.get(name, 0) + count


def merged(parts: Iterable[bytes]) -> bytes:
    """One summary, as JSON, of several."""
    total = Summary()
    for part in parts:
        total.add(Summary.from_bytes(part))
    return total.to_bytes()
