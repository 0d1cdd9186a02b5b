"""Runs of equal values in arrays that are in order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def run_starts(first: NDArray[Any], *others: NDArray[Any]) -> NDArray[np.intp]:
    """Where a value differs from the one before, in any of the arrays; empty if they are."""
    starts = np.ones(len(first), dtype=bool)
    np.not_equal(first[1:], first[:-1], out=starts[1:])
    for values in others:
        starts[1:] |= values[1:] != values[:-1]
    return np.flatnonzero(starts)
