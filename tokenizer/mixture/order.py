"""The order of windows: which source the i-th window is from, and which of its windows it is.

Both are pure functions that need no state but the seed: the source by Tijdeman's solution of the
chairman assignment problem (Discrete Mathematics 32, 1980), under which no source is ever a whole
window away from its share; the window within an epoch by a Feistel permutation with cycle walking
(Black and Rogaway, CT-RSA 2002), which visits each window once and needs no table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]

FEISTEL_ROUNDS = 6


def chairman_cycle(weights: Sequence[int]) -> NDArray[np.int32]:
    """One cycle of sources in which each prefix has every source within one of its share.

    Args:
        weights: windows of each source in the cycle, all positive.

    Returns:
        (sum of weights,): positions in `weights`.
    """
    length, sources = sum(weights), len(weights)
    if sources == 1:
        return np.zeros(length, np.int32)
    # In units of 1 / (length * slack): Tijdeman's bound on the deviation is 1 - 1 / slack.
    slack = 2 * sources - 2
    given = [0] * sources
    cycle = np.empty(length, np.int32)
    for position in range(length):
        due = [
            (weight * (position + 1) - length * had) * slack
            for weight, had in zip(weights, given, strict=True)
        ]
        # Of the sources that may have a window now, the one that must have one first.
        chosen = min(
            (source for source in range(sources) if due[source] >= length),
            key=lambda source: ((length * (slack - 1) - due[source]) / weights[source], source),
        )
        given[chosen] += 1
        cycle[position] = chosen
    return cycle


@dataclass(frozen=True)
class SourceOrder:
    """Which source each window is from: a cycle without end.

    Attributes:
        cycle: (length,) sources.
        ordinals: (length,) how many windows of the same source come before, within the cycle.
        weights: (sources,) windows of each source in a cycle.
    """

    cycle: NDArray[np.int32]
    ordinals: Indices
    weights: Indices

    @classmethod
    def of(cls, weights: Sequence[int]) -> SourceOrder:
        cycle = chairman_cycle(weights)
        ordinals = np.empty(len(cycle), np.int64)
        for source in range(len(weights)):
            mine = cycle == source
            ordinals[mine] = np.arange(int(mine.sum()))
        return cls(cycle, ordinals, np.asarray(weights, np.int64))

    def locate(self, windows: Indices) -> tuple[NDArray[np.int32], Indices]:
        """For global windows, their source and how many of its windows came before."""
        cycles, positions = np.divmod(windows, len(self.cycle))
        sources = self.cycle[positions]
        return sources, cycles * self.weights[sources] + self.ordinals[positions]

    def counts(self, windows: int) -> Indices:
        """How many of the first windows are from each source."""
        cycles, rest = divmod(windows, len(self.cycle))
        return cycles * self.weights + np.bincount(self.cycle[:rest], minlength=len(self.weights))


def permute(indices: Indices, size: int, key: str) -> Indices:
    """The images of indices under a permutation of range(size) that the key chooses."""
    half = np.uint64(max(1, ((size - 1).bit_length() + 1) // 2))
    mask = np.uint64((1 << int(half)) - 1)
    digest = hashlib.blake2b(key.encode(), digest_size=8 * FEISTEL_ROUNDS).digest()
    round_keys = np.frombuffer(digest, "<u8")
    images = indices.astype(np.uint64)
    outside = np.ones(len(images), bool)
    # The Feistel domain is less than four times as large; what falls outside walks on.
    while outside.any():
        images[outside] = _feistel(images[outside], half, mask, round_keys)
        outside = images >= size
    return images.astype(np.int64)


def _feistel(
    values: NDArray[np.uint64], half: np.uint64, mask: np.uint64, round_keys: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    left, right = values >> half, values & mask
    for key in round_keys:
        left, right = right, left ^ (_mix(right ^ key) & mask)
    return (left << half) | right


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
