"""Which of several duplicates is preferred: a rank per document, smaller is better.

Ranks are uint32, so they travel with keys at four bytes each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from filters.document import Settings, setting

WORST = np.uint32(0xFFFFFFFF)

Keep: TypeAlias = Literal["first", "longest", "newest", "best"]


@dataclass(frozen=True, kw_only=True)
class Preference(Settings):
    """Which copy stays, among those of the same source.

    Attributes:
        keep: the `first` in the input's order, the `longest` text, the `newest` timestamp, or the
            `best` value of a signal. Equal ones: the first.
        score: name of the signal for `best`; the highest is best, a missing one worst.
    """

    keep: Keep = setting("first", "ours: the input's order, which the user can choose")
    score: str = ""

    def __post_init__(self) -> None:
        if self.keep == "best" and not self.score:
            raise ValueError('keep = "best" needs the name of a signal as score')


def length_ranks(characters: Sequence[int | None]) -> NDArray[np.uint32]:
    """Longest first; missing last."""
    lengths = np.array([count or 0 for count in characters], np.int64)
    return WORST - np.minimum(lengths, int(WORST)).astype(np.uint32)


def score_ranks(scores: Sequence[float | None]) -> NDArray[np.uint32]:
    """Highest first, in the precision of float32; missing and NaN last."""
    values = np.array([np.nan if score is None else score for score in scores], np.float32)
    bits = (values + np.float32(0)).view(np.uint32)  # -0 becomes 0
    # A float's bits count upwards from 0 and downwards below it.
    ascending = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    return np.where(np.isnan(values), WORST, ~ascending).astype(np.uint32)


def time_ranks(timestamps: Sequence[str | None]) -> NDArray[np.uint32]:
    """Newest first, in seconds of UTC; missing and unreadable last."""
    return np.fromiter((_time_rank(text) for text in timestamps), np.uint32, len(timestamps))


def _time_rank(text: str | None) -> int:
    try:
        moment = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return int(WORST)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(WORST) - min(max(int(moment.timestamp()), 0), int(WORST))
