"""Windows of a mixture of token datasets: what a trainer reads, in a reproducible order.

A window is `length + 1` tokens at stride `length`, so that every token but a source's first is a
target once an epoch. A source's shards count as one stream. Window i is a pure function of the
datasets, the shares, the length, the seed and i: a reader that knows how many windows were consumed
goes on exactly, whatever the number of ranks, loader workers and micro-batches.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokenizer.errors import TokenizerError
from tokenizer.mixture.order import Indices, SourceOrder, permute
from tokenizer.mixture.shares import cycle_weights, shares_of
from tokenizer.shards.reader import DocumentRecord, TokenDataset, check_same_tokenizer

# Windows that are located at a time, and how many such blocks are remembered.
LOCATED_BLOCK = 4096
KEPT_BLOCKS = 2


class SourceWindows:
    """The windows of one dataset, in the order of its stream.

    Attributes:
        dataset: where they are read.
        length: tokens of a window, without the one more that the last target needs.
        count: whole windows that there are.
    """

    def __init__(self, dataset: TokenDataset, length: int) -> None:
        self.dataset = dataset
        self.length = length
        self.count = max(0, (dataset.tokens - 1) // length)
        sizes = np.array([shard.tokens for shard in dataset.shards], np.int64)
        self._starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])

    def read_into(self, out: NDArray[Any], rows: Indices, ordinals: Indices) -> None:
        """Read windows into rows of `out`, (rows, length + 1) of any integer type."""
        begins = ordinals * self.length
        shards = np.searchsorted(self._starts, begins, side="right") - 1
        offsets = begins - self._starts[shards]
        fits = begins + self.length + 1 <= self._starts[shards + 1]
        direct = out.dtype == self.dataset.dtype
        buffer = np.empty(self.length + 1, self.dataset.dtype)
        for row, shard, offset, whole in zip(
            rows.tolist(), shards.tolist(), offsets.tolist(), fits.tolist(), strict=True
        ):
            window = out[row] if direct else buffer
            if whole:
                self.dataset.read_into(window, shard, offset)
            else:
                self._read_across(window, shard, offset)
            if not direct:
                out[row] = buffer

    def _read_across(self, out: NDArray[Any], shard: int, offset: int) -> None:
        """Read a window that goes on in the next shards."""
        filled = 0
        while filled < len(out):
            size = min(len(out) - filled, self.dataset.shards[shard].tokens - offset)
            self.dataset.read_into(out[filled : filled + size], shard, offset)
            filled += size
            shard, offset = shard + 1, 0

    def documents(self, ordinal: int) -> list[tuple[DocumentRecord, int]]:
        """The documents that a window holds tokens of, with how many; the last target counts."""
        begin, end = ordinal * self.length, (ordinal + 1) * self.length + 1
        shard = int(np.searchsorted(self._starts, begin, side="right")) - 1
        found = []
        while shard < len(self.dataset.shards) and self._starts[shard] < end:
            starts = self.dataset.shard(shard).document_starts + self._starts[shard]
            first = max(0, int(np.searchsorted(starts, begin, side="right")) - 1)
            last = int(np.searchsorted(starts[:-1], end, side="left"))
            for document in range(first, last):
                inside = min(end, int(starts[document + 1])) - max(begin, int(starts[document]))
                if inside > 0:
                    found.append((self.dataset.document(shard, document), inside))
            shard += 1
        return found


@dataclass(frozen=True)
class Located:
    """Where global windows are: arrays of the same length.

    Attributes:
        sources: positions in `Mixture.names`.
        epochs: how often the source was read to its end before.
        ordinals: windows in the order of the source's stream.
    """

    sources: NDArray[np.int32]
    epochs: Indices
    ordinals: Indices


class Mixture:
    """Windows of several datasets in the shares of a mixture, without end.

    Args:
        datasets: by source; all encoded by the same tokenizer.
        shares: of tokens, by source; 0 leaves a source out.
        length: tokens of a window.
        seed: of the order within each epoch.

    Raises:
        TokenizerError: datasets do not fit the shares or each other, or one has no whole window.
    """

    def __init__(
        self,
        datasets: Mapping[str, TokenDataset],
        shares: Mapping[str, float],
        length: int,
        seed: int,
    ) -> None:
        if length < 1:
            raise TokenizerError(f"a window must have at least one token, not {length}")
        self.shares = shares_of(datasets, shares)
        self.names = tuple(self.shares)
        self.length = length
        self.seed = seed
        self.sources = tuple(SourceWindows(datasets[name], length) for name in self.names)
        check_same_tokenizer([datasets[name] for name in self.names])
        for name, source in zip(self.names, self.sources, strict=True):
            if not source.count:
                raise TokenizerError(
                    f"{source.dataset.folder} has {source.dataset.tokens:,} tokens of {name} "
                    f"({source.dataset.split}), less than one window of {length + 1:,}"
                )
        self.order = SourceOrder.of(list(cycle_weights(self.shares).values()))
        self._blocks: dict[int, Located] = {}
        self.dtype = self.sources[0].dataset.dtype

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all that decides which tokens window i has."""
        parts = {
            "datasets": {
                name: [source.dataset.fingerprint, source.dataset.split]
                for name, source in zip(self.names, self.sources, strict=True)
            },
            "weights": self.order.weights.tolist(),
            "length": self.length,
            "seed": self.seed,
        }
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def locate(self, windows: Indices) -> Located:
        """Find global windows."""
        sources, positions = self.order.locate(windows)
        epochs = np.empty(len(windows), np.int64)
        ordinals = np.empty(len(windows), np.int64)
        for source, its_windows in enumerate(self.sources):
            mine = np.flatnonzero(sources == source)
            epochs[mine], within = np.divmod(positions[mine], its_windows.count)
            for epoch in np.unique(epochs[mine]).tolist():
                now = epochs[mine] == epoch
                key = f"{self.seed} {self.names[source]} {epoch}"
                ordinals[mine[now]] = permute(within[now], its_windows.count, key)
        return Located(sources, epochs, ordinals)

    def _locate_by_blocks(self, windows: Indices) -> Located:
        """As `locate`, for readers that go through windows in order: a block costs little more."""
        numbers = windows // LOCATED_BLOCK
        located = Located(
            np.empty(len(windows), np.int32),
            np.empty(len(windows), np.int64),
            np.empty(len(windows), np.int64),
        )
        for number in np.unique(numbers).tolist():
            mine = numbers == number
            if number not in self._blocks:
                while len(self._blocks) >= KEPT_BLOCKS:
                    del self._blocks[next(iter(self._blocks))]
                first = number * LOCATED_BLOCK
                self._blocks[number] = self.locate(np.arange(first, first + LOCATED_BLOCK))
            block, places = self._blocks[number], windows[mine] - number * LOCATED_BLOCK
            located.sources[mine] = block.sources[places]
            located.epochs[mine] = block.epochs[places]
            located.ordinals[mine] = block.ordinals[places]
        return located

    def read(self, windows: Indices | Sequence[int]) -> NDArray[Any]:
        """The tokens of global windows, (windows, length + 1), of the shards' type."""
        windows = np.asarray(windows, np.int64)
        located = self._locate_by_blocks(windows)
        out = np.empty((len(windows), self.length + 1), self.dtype)
        for source, its_windows in enumerate(self.sources):
            rows = np.flatnonzero(located.sources == source)
            its_windows.read_into(out, rows, located.ordinals[rows])
        return out

    def documents(self, window: int) -> tuple[str, int, list[tuple[DocumentRecord, int]]]:
        """Source, epoch and documents (with their tokens in the window) of a global window."""
        located = self.locate(np.array([window], np.int64))
        source = int(located.sources[0])
        documents = self.sources[source].documents(int(located.ordinals[0]))
        return self.names[source], int(located.epochs[0]), documents


class WindowDataset:
    """A rank's windows as a map-style dataset for `torch.utils.data.DataLoader`; no torch needed.

    Item i is int64 tokens, (length + 1,), of global window `first + i * ranks + rank`. Keep the
    loader's `shuffle` off: the order is the mixture's. To go on, give the number of windows that
    all ranks have consumed as `first`; the number of ranks may be another.
    """

    def __init__(
        self, mixture: Mixture, windows: int, *, first: int = 0, rank: int = 0, ranks: int = 1
    ) -> None:
        """Args: `windows` is how many there are to read for all ranks together."""
        if not 0 <= rank < ranks:
            raise TokenizerError(f"rank {rank} of {ranks}: ranks count from 0")
        if first < 0:
            raise TokenizerError(f"windows count from 0; {first} cannot be the first")
        self._mixture = mixture
        self._windows = range(first + rank, first + windows, ranks)

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, index: int) -> NDArray[np.int64]:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[NDArray[np.int64]]:
        windows = [self._windows[index] for index in indices]
        return list(self._mixture.read(windows).astype(np.int64))
