"""Lines that C4 takes for equal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from dedup.decisions import REMOVED, Policy, removed_rows
from dedup.exact import raw_keys
from dedup.key_blocks import Combine, KeyBlock
from filters.document import Settings, setting
from pipeline.deduplication.keys import EMPTY, UnitKeys, joined, texts_of
from pipeline.deduplication.methods import Method

if TYPE_CHECKING:
    from pipeline.deduplication.decision_files import Decisions
    from pipeline.deduplication.deduplicator import Deduplicator


@dataclass(frozen=True, kw_only=True)
class LineSettings(Settings):
    """[deduplication.lines]: C4's lines.

    Attributes:
        scope: `all` datasets are compared with each other, or each `dataset` with itself alone.
        policy: `keep_first` copy, or `remove_all` copies.
        minimum_characters: a document that lost lines and is shorter than this goes.
    """

    scope: Literal["all", "dataset"] = setting(
        "all", "ours: what is given is compared; CCNet compares parts of a snapshot"
    )
    policy: Policy = setting("keep_first", "ours: one copy of a text stays; cc_net removes all")
    minimum_characters: Annotated[int, Field(ge=0)] = setting(
        0, "code: C4's tests sentences instead"
    )


@dataclass(frozen=True)
class LineKeys:
    """One key per line with content; later lines equal to one of their own document are listed.

    Rows count the lines of the unit, blank ones included.

    Attributes:
        kind: name of the keys.
        keys_of: the key of each line.
        blank: key of a line without content.
    """

    kind: str
    keys_of: Callable[[list[str]], NDArray[np.uint64]]
    blank: np.uint64
    columns = ("text",)
    scores = ()
    combine: ClassVar[Combine] = "key"

    def check(self) -> None:
        """Any settings will do."""

    def make(self, batches: Iterator[pa.RecordBatch]) -> UnitKeys:
        keys, rows, repeats = [], [], []
        first = 0
        for batch in batches:
            documents = [text.split("\n") for text in texts_of(batch)]
            own = self.keys_of([line for lines in documents for line in lines])
            numbers = np.arange(len(own), dtype=np.uint32)
            document = np.repeat(np.arange(len(documents)), [len(lines) for lines in documents])
            order = np.lexsort((numbers, own, document))
            same = (own[order][1:] == own[order][:-1]) & (np.diff(document[order]) == 0)
            again = np.zeros(len(own), dtype=bool)
            again[order[1:][same]] = True
            full = own != self.blank
            keys.append(own[full & ~again])
            rows.append(numbers[full & ~again] + np.uint32(first))
            repeats.append(numbers[full & again] + np.uint32(first))
            first += len(own)
        block = KeyBlock.of(joined(keys, np.uint64), joined(rows, np.uint32))
        return UnitKeys(block, {"repeats": joined(repeats, np.uint32)})


def c4_line_keys(lines: Sequence[str]) -> NDArray[np.uint64]:
    """xxh3-64 of each line, stripped and in lower case, as C4 compares them."""
    return raw_keys([line.strip().lower() for line in lines])


def make_keys(_: LineSettings) -> LineKeys:
    """Keys of lines."""
    return LineKeys("lines", c4_line_keys, EMPTY)


def decide(work: Deduplicator, settings: LineSettings, fingerprint: str) -> Decisions:
    """Lines go that have an equal one elsewhere, by the policy."""
    return work.compare(partial(removed_rows, policy=settings.policy), REMOVED, fingerprint)


METHOD = Method("lines", LineSettings, make_keys, decide, removes="lines")
