"""Accounting: every input record is kept, dropped with a reason, or failed with a reason."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from pipeline.errors import RunFailed
from pipeline.store import files

# Columns for the reasons of a stage in the funnel that is printed.
REASONS_WIDTH = 60


@dataclass(slots=True)
class StageCount:
    """What went through one stage: documents and characters in and out, CPU seconds."""

    documents_in: int = 0
    documents_out: int = 0
    characters_in: int = 0
    characters_out: int = 0
    seconds: float = 0.0

    def add(self, other: StageCount) -> None:
        self.documents_in += other.documents_in
        self.documents_out += other.documents_out
        self.characters_in += other.characters_in
        self.characters_out += other.characters_out
        self.seconds += other.seconds


@dataclass
class StageStats:
    """One stage of the funnel: what went in and out, and why the rest was dropped."""

    count: StageCount = field(default_factory=StageCount)
    reasons: Counter[str] = field(default_factory=Counter)


@dataclass
class Funnel:
    """Counts of one unit, or the sum over many.

    Attributes:
        skipped: records that carry no document by design, by reason.
        stages: in the order documents meet them.
    """

    skipped: Counter[str] = field(default_factory=Counter)
    stages: dict[str, StageStats] = field(default_factory=dict)

    def stage(self, name: str) -> StageStats:
        return self.stages.setdefault(name, StageStats())

    def add(self, other: Funnel) -> None:
        """Add another funnel, stage by stage."""
        self.skipped.update(other.skipped)
        for name, stage in other.stages.items():
            mine = self.stage(name)
            mine.count.add(stage.count)
            mine.reasons.update(stage.reasons)

    @property
    def records(self) -> int:
        """Records that could have become documents."""
        first = next(iter(self.stages.values()), StageStats())
        return first.count.documents_in

    @property
    def kept(self) -> int:
        last = list(self.stages.values())[-1] if self.stages else StageStats()
        return last.count.documents_out

    @property
    def kept_characters(self) -> int:
        last = list(self.stages.values())[-1] if self.stages else StageStats()
        return last.count.characters_out

    @property
    def errors(self) -> Counter[str]:
        """Rejections because our code failed, `stage: reason` -> number."""
        return Counter(
            {
                f"{name}: {reason}": number
                for name, stage in self.stages.items()
                for reason, number in stage.reasons.items()
                if reason.startswith("error:")
            }
        )

    def check(self, where: str) -> None:
        """Raise if a record was lost or counted twice at any stage."""
        previous: int | None = None
        for name, stage in self.stages.items():
            entered = stage.count.documents_in
            left = stage.count.documents_out + sum(stage.reasons.values())
            if entered != left or (previous is not None and entered != previous):
                raise RunFailed(
                    f"{where}: stage {name!r} took {entered} of {previous} documents in and "
                    f"accounts for {left}; this is a bug in the stage"
                )
            previous = stage.count.documents_out

    def to_json(self) -> dict[str, Any]:
        """Plain data, without seconds."""
        return {
            "skipped": dict(sorted(self.skipped.items())),
            "stages": [
                {
                    "name": name,
                    "documents_in": stage.count.documents_in,
                    "documents_out": stage.count.documents_out,
                    "characters_in": stage.count.characters_in,
                    "characters_out": stage.count.characters_out,
                    "reasons": dict(sorted(stage.reasons.items())),
                }
                for name, stage in self.stages.items()
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Funnel:
        funnel = cls(skipped=Counter(data["skipped"]))
        for stage in data["stages"]:
            entry = funnel.stage(stage["name"])
            entry.reasons = Counter(stage["reasons"])
            entry.count = StageCount(
                stage["documents_in"],
                stage["documents_out"],
                stage["characters_in"],
                stage["characters_out"],
            )
        return funnel


def json_bytes(data: Any) -> bytes:
    """Sorted, indented JSON."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(data, option=options)


def write_json(path: str, data: Any) -> None:
    """Write sorted, indented JSON that appears whole."""
    files.write_bytes(path, json_bytes(data))


def read_json(path: str) -> Any:
    return orjson.loads(files.read_bytes(path))


def funnel_lines(funnel: Funnel) -> list[str]:
    """The funnel as a table for people."""
    lines = [f"{'stage':<20}{'in':>12}{'kept':>12}{'kept %':>8}  dropped"]
    for name, stage in funnel.stages.items():
        entered, left = stage.count.documents_in, stage.count.documents_out
        share = f"{100 * left / entered:.1f}" if entered else "-"
        reasons = ", ".join(
            f"{reason} {number:,}" for reason, number in stage.reasons.most_common()
        )
        first, *others = textwrap.wrap(reasons, REASONS_WIDTH) or [""]
        lines.append(f"{name:<20}{entered:>12,}{left:>12,}{share:>8}  {first}".rstrip())
        lines += [f"{'':<54}{other}" for other in others]
    return lines
