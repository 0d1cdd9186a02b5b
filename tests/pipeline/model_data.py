"""Texts and datasets that the model tests make: small, random by a seed, written for them."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_SYLLABLES = ["ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "zo"]


def words(seed: int, count: int) -> list[str]:
    """Made-up words."""
    draw = random.Random(seed)
    return ["".join(draw.choices(_SYLLABLES, k=draw.randint(1, 4))) for _ in range(count)]


class Language:
    """A made-up language in which each word has few successors, so that word order matters."""

    def __init__(self, seed: int, vocabulary: int = 300) -> None:
        self.words = words(seed, vocabulary)
        draw = random.Random(seed + 1)
        self.next = {word: draw.choices(self.words, k=3) for word in self.words}

    def text(self, seed: int, length: int = 120) -> str:
        """A document of so many words in lines of ten."""
        draw = random.Random(seed)
        word = draw.choice(self.words)
        found = []
        for _ in range(length):
            found.append(word)
            word = draw.choice(self.next[word])
        return "\n".join(" ".join(found[i : i + 10]) + "." for i in range(0, length, 10))

    def texts(self, count: int, seed: int = 0, length: int = 120) -> list[str]:
        return [self.text(seed * 1_000_000 + number, length) for number in range(count)]


def shuffled(text: str, seed: int = 5) -> str:
    """The same words in another order."""
    found = text.split()
    random.Random(seed).shuffle(found)
    return " ".join(found)


SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("id", "source", "text", "url", "language")]
    + [("cited_urls", pa.list_(pa.string()))]
)


def write_dataset(
    folder: Path, parts: Sequence[Sequence[dict[str, Any]]], *, complete: bool = True
) -> str:
    """A documents dataset of the given rows, one Parquet file per part, row groups of 50."""
    (folder / "documents").mkdir(parents=True)
    for number, rows in enumerate(parts):
        table = pa.Table.from_pylist(list(rows), SCHEMA)
        pq.write_table(
            table, folder / "documents" / f"part-{number:03d}.parquet", row_group_size=50
        )
    if complete:
        count = sum(len(rows) for rows in parts)
        manifest = json.dumps({"source": "test", "documents": count})
        (folder / "manifest.json").write_text(manifest, encoding="utf-8")
    return str(folder)
