"""Documents that are nearly the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from dedup.decisions import CANDIDATE, candidate_pairs
from dedup.key_blocks import Combine, KeyBlock
from dedup.minhash import MinHasher
from dedup.preference import Keep, Preference
from dedup.shingles import Token, shingle_texts
from filters.document import setting
from pipeline.deduplication.keys import (
    TextKeys,
    UnitKeys,
    joined,
    ranks,
    texts_of,
)
from pipeline.deduplication.methods import Method
from pipeline.errors import RecipeError

if TYPE_CHECKING:
    from pipeline.deduplication.decision_files import Decisions
    from pipeline.deduplication.deduplicator import Deduplicator


@dataclass(frozen=True, kw_only=True)
class MinHashSettings(Preference):
    """[deduplication.minhash]: documents whose shingle sets are similar (Jaccard).

    Attributes:
        token, shingle: shingles are so many consecutive words or characters.
        permutations: values in a signature.
        seed: of the permutations.
        threshold: similarity from which documents are found.
        miss_weight: when bands are chosen for the threshold, how much a missed pair weighs against
            a needless candidate.
        minimum_similarity: a candidate pair is a duplicate from this similarity, estimated on the
            whole signature.
        maximum_edges: with more duplicate pairs than this, clusters are found in distributed
            rounds rather than on one worker.
    """

    keep: Keep = setting("longest", "ours: the one that lost least")
    token: Token = setting("word", "ours: what most scripts separate (docs/deduplication.md)")
    shingle: Annotated[int, Field(ge=1, le=100)] = setting(
        5, "code: BigCode's near-deduplication, words in fives"
    )
    permutations: Annotated[int, Field(ge=8, le=4096)] = setting(
        128, "code: datasketch's default; 512 bytes a document"
    )
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = setting(
        1, "code: datasketch's default; any will do"
    )
    threshold: Annotated[float, Field(gt=0, lt=1)] = setting(
        0.65, "measured: finds 99.3 % of what is 0.8 alike (benchmarks/near_duplicates.py)"
    )
    miss_weight: Annotated[float, Field(ge=0, le=1)] = setting(
        0.5, "code: datasketch's default; gives 16 bands of 8"
    )
    minimum_similarity: Annotated[float, Field(ge=0, le=1)] = setting(
        0.74, "measured: precision .996 at 0.7, recall .993 at 0.8 (docs/deduplication.md)"
    )
    maximum_edges: Annotated[int, Field(gt=0)] = setting(
        20_000_000, "measured: 100 bytes an edge, so 2 GB on one worker (docs/deduplication.md)"
    )


@dataclass(frozen=True)
class MinHashKeys(TextKeys):
    """The bands of each document's signature; signatures and ranks beside them."""

    settings: MinHashSettings
    kind = "minhash"
    # Of those who share a band, those of equal rank are candidates of each other.
    combine: ClassVar[Combine] = "key and rank"

    @cached_property
    def hasher(self) -> MinHasher:
        settings = self.settings
        return MinHasher(
            settings.permutations, settings.threshold, settings.miss_weight, settings.seed
        )

    def check(self) -> None:
        """Choose the bands.

        Raises:
            RecipeError: there are none for these settings.
        """
        try:
            _ = self.hasher.banding
        except ValueError as error:
            raise RecipeError(
                f"deduplication.minhash: no bands for threshold = {self.settings.threshold} with "
                f"permutations = {self.settings.permutations} and miss_weight = "
                f"{self.settings.miss_weight}: {error}"
            ) from None

    def make(self, batches: Iterator[pa.RecordBatch]) -> UnitKeys:
        settings = self.settings
        found, preferred, has_text = [], [], []
        for batch in batches:
            texts = texts_of(batch)
            shingles = shingle_texts(texts, settings.token, settings.shingle)
            found.append(self.hasher.signatures(shingles))
            has_text.append(np.diff(shingles.offsets) > 0)
            preferred.append(ranks(batch, settings))
        signatures = np.concatenate([np.empty((0, settings.permutations), np.uint32), *found])
        # A document without a single word is like no other.
        rows = np.flatnonzero(joined(has_text, np.bool_)).astype(np.uint32)
        block = band_block(self.hasher, signatures[rows], rows)
        return UnitKeys(block, {"signatures": signatures, "ranks": joined(preferred, np.uint32)})


def band_block(
    hasher: MinHasher, signatures: NDArray[np.uint32], rows: NDArray[np.uint32]
) -> KeyBlock:
    """The bands of some documents' signatures.

    The rank of a band's key is taken from the document's next band: of those who share a band,
    those who share the next one too have the same rank, whoever else is in the band.
    """
    keys = hasher.band_keys(signatures)
    following = np.roll(keys, -1, axis=1).astype(np.uint32)
    return KeyBlock.of(keys.ravel(), np.repeat(rows, keys.shape[1]), following.ravel())


def decide(work: Deduplicator, settings: MinHashSettings, fingerprint: str) -> Decisions:
    """Clusters of similar documents; one of each stays."""
    # Beam, which reading a recipe does not need.
    from pipeline.deduplication.clusters import cluster_units  # noqa: PLC0415
    from pipeline.deduplication.verification import SignatureCheck  # noqa: PLC0415

    place, decisions = work.finished(fingerprint)
    if decisions is not None:
        return decisions
    check = SignatureCheck(settings.permutations, settings.minimum_similarity)
    edges = work.edges(check, candidate_pairs, CANDIDATE, fingerprint)
    _, tables = cluster_units(
        [place.full(file.name) for file in edges],
        work.units,
        place,
        work.run,
        maximum_edges=settings.maximum_edges,
        partition_bytes=work.partition_bytes,
    )
    return work.finish(place, tables, fingerprint)


METHOD = Method("minhash", MinHashSettings, MinHashKeys, decide)
