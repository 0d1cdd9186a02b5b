"""Evaluation sets and settings that tests share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.decontamination.index import build_evaluation_index
from pipeline.decontamination.settings import EvaluationSettings

FOX = "the quick brown fox jumps over the lazy dog"
SEA = "she sells sea shells by the sea shore today"


def evaluation(**changes: Any) -> EvaluationSettings:
    values: dict[str, Any] = {
        "ngram_words": 5,
        "minimum_words": 3,
        "maximum_items": 10,
        "maximum_item_bytes": 10_000,
        "fields": {},
    }
    return EvaluationSettings(**(values | changes))


def write_lines(path: Path, *records: Mapping[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def animals_and_sea(folder: Path) -> Path:
    """An index of two sets, one of them nested."""
    sets = folder / "sets"
    write_lines(sets / "animals.jsonl", {"question": "too short"}, {"question": FOX})
    write_lines(sets / "deep" / "sea.jsonl", {"question": SEA, "answer": "nothing at all"})
    build_evaluation_index(str(sets), folder / "index", evaluation())
    return folder / "index"
