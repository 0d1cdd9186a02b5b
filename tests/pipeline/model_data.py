"""Texts and datasets that the model tests make: small, random by a seed, written for them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from documents_data import write_documents_dataset

from filters.document import Document
from pipeline.passes.shards import Columns

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


COLUMNS = Columns({"cited_urls": pa.list_(pa.string())})


def write_dataset(
    folder: Path, parts: Sequence[Sequence[dict[str, Any]]], *, finished: bool = True
) -> str:
    """A documents dataset of the given rows, one unit per part, row groups of 50."""
    units = {
        f"unit-{number:03d}": [_document(**row) for row in rows]
        for number, rows in enumerate(parts)
    }
    return str(
        write_documents_dataset(folder, units, COLUMNS, rows_per_group=50, finished=finished)
    )


def _document(id: str, text: str, source: str = "test", **metadata: Any) -> Document:
    return Document(id, source, text, metadata)
