"""Held-out loss of a model, per source: nats a token, perplexity, bits a byte of text.

Bits per byte compare models with different tokenizers. A token's bytes are those of its piece; a
document's end costs its loss and has none. Windows do not overlap, so a window's first tokens have
little to go by: the numbers are comparable at the same window only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tokenizer.folder import read_model_file
from tokenizer.mixture.windows import SourceWindows
from tokenizer.model_proto import PieceType, read_model
from tokenizer.shards.reader import TokenDataset
from trainer.errors import TrainerError
from trainer.loss import IGNORED, targets_of
from trainer.model import AttentionMask, document_mask
from trainer.parallel import Ranks


@dataclass(frozen=True)
class Score:
    """What a model makes of held-out text.

    Attributes:
        tokens: targets that counted.
        bytes: UTF-8 bytes of their text.
        loss: nats a token.
        bits_per_byte: of the text.
        standard_error: of the bits per byte, from the spread over windows; NaN of one window.
    """

    tokens: int
    bytes: int
    loss: float
    bits_per_byte: float
    standard_error: float

    @property
    def perplexity(self) -> float:
        return math.exp(min(self.loss, 700.0))

    def to_json(self) -> dict[str, float | None]:
        error = None if math.isnan(self.standard_error) else self.standard_error
        return {**asdict(self), "standard_error": error, "perplexity": self.perplexity}


@dataclass(frozen=True)
class PieceBytes:
    """UTF-8 bytes that a tokenizer's pieces stand for.

    Attributes:
        sizes: (vocabulary,) of each piece.
        prefix: what a document's first piece has too much: the blank put before its text, or none.
    """

    sizes: NDArray[np.int64]
    prefix: int

    def __len__(self) -> int:
        return len(self.sizes)


def piece_bytes(tokenizer: str) -> PieceBytes:
    """Bytes of the pieces of a tokenizer, given its folder.

    Raises:
        TokenizerError: there is none.
    """
    model = read_model(read_model_file(tokenizer))
    sizes = np.zeros(len(model.pieces), np.int64)
    for number, piece in enumerate(model.pieces):
        if piece.type is PieceType.BYTE:
            sizes[number] = 1
        elif piece.type not in (PieceType.CONTROL, PieceType.UNKNOWN):
            # A blank that is written "▁" in the text itself counts as one byte, as any other.
            sizes[number] = len(piece.text.replace("▁", " ").encode())
    return PieceBytes(sizes, int(model.flags.normalizer.add_dummy_prefix))


@dataclass
class Evaluation:
    """How a model is judged.

    Attributes:
        pieces: of the tokenizer, see `piece_bytes`.
        length: tokens of a window.
        tokens: at most so many of each source.
        micro_batch: windows at a time.
        masked: whether tokens see their own document only.
        ranks: who shares the windows.
    """

    pieces: PieceBytes
    length: int
    tokens: int
    micro_batch: int
    masked: bool
    ranks: Ranks

    def score(self, model: nn.Module, datasets: Mapping[str, TokenDataset]) -> dict[str, Score]:
        """Scores by source, and of all together.

        Raises:
            TrainerError: no source has a whole window.
        """
        was_training = model.training
        model.eval()
        sums = {}
        with torch.no_grad():
            for name, dataset in datasets.items():
                windows = SourceWindows(dataset, self.length)
                if windows.count:
                    sums[name] = self._sums(model, windows)
        model.train(was_training)
        if not sums:
            raise TrainerError(
                f"no source has one window of {self.length} tokens in the split to judge on; for "
                "more validation text raise tokens.validation_share when making the tokens"
            )
        scores = {name: _score(found) for name, found in sums.items()}
        return {**scores, "all": _score(torch.cat(list(sums.values())))}

    def _sums(self, model: nn.Module, windows: SourceWindows) -> Tensor:
        """Nats, targets and bytes of each window, (windows, 3), fp64, the same on all ranks."""
        count = min(windows.count, max(1, self.tokens // self.length))
        # Windows spread evenly over the source, not its first ones only.
        chosen = np.arange(count) * windows.count // count
        passes = -(-count // (self.micro_batch * self.ranks.number))
        found = torch.zeros(count, 3, dtype=torch.float64)
        for number in range(passes):
            # Ranks of FSDP must all take part: who has no window left repeats the last.
            first = (number * self.ranks.number + self.ranks.rank) * self.micro_batch
            own = np.arange(first, first + self.micro_batch)
            rows = own[own < count]
            read = chosen[np.minimum(own, count - 1)]
            found[rows] = self._window_sums(model, windows, read)[: len(rows)]
        return self.ranks.sum(found.to(self.ranks.device)).cpu()

    def _window_sums(
        self, model: nn.Module, windows: SourceWindows, ordinals: NDArray[np.int64]
    ) -> Tensor:
        dataset = windows.dataset
        read = np.empty((len(ordinals), self.length + 1), np.int64)
        windows.read_into(read, np.arange(len(ordinals)), ordinals)
        tokens = torch.from_numpy(read).to(self.ranks.device)
        inputs, targets = tokens[:, :-1], targets_of(tokens, dataset.bos_id)
        mask: AttentionMask = (
            document_mask(inputs, dataset.bos_id, flex=False) if self.masked else None
        )
        nats = model(inputs, mask, targets, each=True).double().sum(1).cpu()
        counted = targets != IGNORED
        sizes = self.pieces.sizes[read[:, 1:]]
        # An empty document has no first piece: EOS follows BOS.
        begins = (read[:, :-1] == dataset.bos_id) & (sizes > 0)
        sizes = sizes - self.pieces.prefix * begins
        found = [nats, counted.double().sum(1).cpu(), torch.from_numpy(sizes.sum(1)).double()]
        return torch.stack(found, dim=1)


def _score(sums: Tensor) -> Score:
    """The score of windows, (windows, 3): nats, targets and bytes."""
    nats, tokens, text_bytes = sums.sum(0).tolist()
    size = max(1.0, text_bytes)
    bits = nats / math.log(2) / size
    windows = len(sums)
    error = math.nan
    if windows > 1:
        # Of a ratio of sums, by its linearisation.
        residuals = sums[:, 0] / math.log(2) - bits * sums[:, 2]
        error = math.sqrt(float(residuals.square().sum()) * windows / (windows - 1)) / size
    return Score(int(tokens), int(text_bytes), nats / max(1.0, tokens), bits, error)
