"""Recipe sections of the tokenizer and of token datasets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from filters.document import Settings
from pipeline.sources.settings import Positive, Share


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

    vocabulary_size: Positive
    threads: Positive
    sample_bytes: Positive
    held_out_share: Share
    held_out_bytes: Positive
    memory_bytes: Positive


@dataclass(frozen=True, kw_only=True)
class MixtureSettings(Settings):
    """[mixture]: how much of each source a model reads.

    Attributes:
        shares: of the tokens, by source; they need not sum to 1, and 0 leaves a source out.
        tokens: the budget of a plan that names none.
        maximum_epochs: a plan warns of a source that is read more often.
    """

    shares: dict[str, Annotated[float, Field(ge=0)]]
    tokens: Positive
    maximum_epochs: Annotated[float, Field(gt=0)]


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

    validation_share: Share
    batch_bytes: Annotated[int, Field(ge=1, le=1 << 29)]
    cache_bytes: Positive
    threads: Positive
