"""What makers of keys have in common: what they give, ranks by preference, keys of one column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from numpy.typing import NDArray

from dedup.key_blocks import Combine, KeyBlock
from dedup.preference import Preference, length_ranks, score_ranks, time_ranks

EMPTY = np.uint64(xxhash.xxh3_64_intdigest(b""))


@dataclass(frozen=True)
class UnitKeys:
    """What a key maker found in one unit.

    Attributes:
        block: the keys.
        arrays: what verification needs besides, by name.
    """

    block: KeyBlock
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)


class KeyMaker(Protocol):
    """Makes the keys of a unit from its documents.

    Attributes:
        kind: name of the keys.
        columns: of the shard that are read.
        scores: those of them that must be numbers.
        combine: what equal keys of one unit need not be told apart when they are compared.
    """

    @property
    def kind(self) -> str: ...

    @property
    def combine(self) -> Combine: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def scores(self) -> tuple[str, ...]: ...

    def check(self) -> None:
        """Fail before any work if the settings do not work together.

        Raises:
            RecipeError: they do not.
        """

    def make(self, batches: Iterator[pa.RecordBatch]) -> UnitKeys:
        """Keys of a unit; rows count its documents (or lines) from 0."""


@dataclass(frozen=True)
class MetadataKeys:
    """One key per document, of a column that not every one has.

    Attributes:
        kind: name of the keys, and of the column.
        settings: which copy is preferred.
        keys_of: keys of the column's values; that of an empty one is EMPTY.
    """

    kind: str
    settings: Preference
    keys_of: Callable[[pa.Array[Any]], NDArray[np.uint64]]
    combine: ClassVar[Combine] = "key"

    @property
    def columns(self) -> tuple[str, ...]:
        text = ("text",) if self.settings.keep == "longest" else ()
        return (self.kind, *text, *preference_columns(self.settings))

    @property
    def scores(self) -> tuple[str, ...]:
        return score_columns(self.settings)

    def check(self) -> None:
        """Any settings will do."""

    def make(self, batches: Iterator[pa.RecordBatch]) -> UnitKeys:
        keys, preferred = [], []
        for batch in batches:
            values = batch.column(self.kind).cast(pa.string())
            keys.append(self.keys_of(values))
            preferred.append(ranks(batch, self.settings))
        every = joined(keys, np.uint64)
        rows = np.flatnonzero(every != EMPTY).astype(np.uint32)
        preferred_rows = joined(preferred, np.uint32)[rows]
        return UnitKeys(ranked(every[rows], rows, preferred_rows, self.settings))


@dataclass(frozen=True)
class TextKeys:
    """Base of makers of keys of whole texts.

    Attributes:
        settings: which copy is preferred, and the method's own.
    """

    settings: Preference

    @property
    def columns(self) -> tuple[str, ...]:
        return ("text", *preference_columns(self.settings))

    @property
    def scores(self) -> tuple[str, ...]:
        return score_columns(self.settings)

    def check(self) -> None:
        """Any settings will do."""


def preference_columns(preference: Preference) -> tuple[str, ...]:
    """The columns that ranks are made from, besides the text."""
    if preference.keep == "newest":
        return ("timestamp",)
    return score_columns(preference)


def score_columns(preference: Preference) -> tuple[str, ...]:
    """The columns among them that hold numbers to choose by."""
    return (preference.score,) if preference.keep == "best" else ()


def ranks(batch: pa.RecordBatch, preference: Preference) -> NDArray[np.uint32]:
    """Rank of each document of a batch; smaller is preferred."""
    if preference.keep == "longest":
        return length_ranks(pc.utf8_length(cast(pa.StringArray, batch.column("text"))).to_pylist())
    if preference.keep == "newest":
        # A foreign file may have its timestamps typed.
        return time_ranks(batch.column("timestamp").cast(pa.string()).to_pylist())
    if preference.keep == "best":
        return score_ranks(batch.column(preference.score).to_pylist())
    return np.zeros(len(batch), np.uint32)


def ranked(
    keys: NDArray[np.uint64],
    rows: NDArray[np.uint32],
    preferred: NDArray[np.uint32],
    preference: Preference,
) -> KeyBlock:
    """A block with ranks, where they say more than the order does."""
    return KeyBlock.of(keys, rows, None if preference.keep == "first" else preferred)


def texts_of(batch: pa.RecordBatch) -> list[str]:
    """Texts of a batch; one that is missing, or unreadable, in a foreign file, is empty."""
    return [text or "" for text in batch.column("text").to_pylist()]


def joined(parts: Iterable[NDArray[Any]], kind: type[np.generic]) -> NDArray[Any]:
    """Arrays one after another; an empty one of this kind if there are none."""
    return np.concatenate([np.empty(0, kind), *parts])
