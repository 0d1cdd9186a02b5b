"""Recipe sections of the tokenizer and of token datasets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from filters.document import Settings, setting
from pipeline.setting_types import Positive, Share


@dataclass(frozen=True, kw_only=True)
class TokenizerSettings(Settings):
    """[tokenizer]: how the tokenizer is trained; `tokenizer.flags` has what LLaMA fixed.

    Attributes:
        vocabulary_size: pieces, with the 256 bytes and the three special ones.
        threads: of SentencePiece; they do not change the pieces.
        sample_bytes: UTF-8 bytes of text to train on, all sources together.
        held_out_share: of each source's documents, kept from training to measure on.
        held_out_bytes: of each source's held-out text, at most this much is measured.
        memory_bytes: training that needs more is refused before it starts.
    """

    vocabulary_size: Positive = setting(32_000, "code: LLaMA's tokenizer.model")
    threads: Positive = setting(2, "ours: LLaMA took 80; they do not change the pieces")
    sample_bytes: Positive = setting(
        500_000_000, "measured: about 5.3 GB of memory; the paper does not say (docs/tokenizer.md)"
    )
    held_out_share: Share = setting(0.02, "ours: not tuned; little is lost to training")
    held_out_bytes: Positive = setting(5_000_000, "ours: not tuned; bounds the time of measuring")
    memory_bytes: Positive = setting(8_000_000_000, "ours: what a small machine has")


SHARES = {
    "commoncrawl": 0.67,
    "c4": 0.15,
    "github": 0.045,
    "wikipedia": 0.045,
    "books": 0.045,
    "arxiv": 0.025,
    "stackexchange": 0.02,
}


@dataclass(frozen=True, kw_only=True)
class MixtureSettings(Settings):
    """[mixture]: how much of each source a model reads.

    Attributes:
        shares: of the tokens, by source; they need not sum to 1, and 0 leaves a source out.
        tokens: the budget of a plan that names none.
        maximum_epochs: a plan warns of a source that is read more often.
    """

    shares: dict[str, Annotated[float, Field(ge=0)]] = setting(
        SHARES, "paper: LLaMA, Table 1; in tokens"
    )
    tokens: Positive = setting(
        1_400_000_000_000, "paper: LLaMA 33B and 65B; 7B and 13B have 1_000_000_000_000"
    )
    maximum_epochs: Annotated[float, Field(gt=0)] = setting(
        4.0, "paper: arXiv 2305.16264: up to four times teaches nearly as well as new text"
    )


@dataclass(frozen=True, kw_only=True)
class TokensSettings(Settings):
    """[tokens]: how documents become token datasets.

    Attributes:
        validation_share: of documents, drawn by hash of the id, that training never sees.
        batch_bytes: UTF-8 bytes of text that are encoded at a time, unless one document has more;
            Arrow's strings end at 2 GiB.
        cache_bytes: memory of one worker for the ids of words it has met.
        threads: of SentencePiece, in each worker, for words not met yet.
    """

    validation_share: Share = setting(0.001, "ours: a document in a thousand, as C4's split has it")
    batch_bytes: Annotated[int, Field(ge=1, le=1 << 29)] = setting(
        4_000_000, "ours: bounds memory, 20 bytes for each (docs/tokens.md)"
    )
    cache_bytes: Positive = setting(
        200_000_000, "ours: bounds a worker's memory; what is beyond is encoded again"
    )
    threads: Positive = setting(1, "ours: the workers share the cores")
