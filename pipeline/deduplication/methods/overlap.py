"""Documents of which one holds most of the other (books)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field

from dedup.components import EDGE, MEMBER_ROW
from dedup.decisions import by_unit
from dedup.key_blocks import Combine
from dedup.overlap import LEAST_SAMPLE, SHARED, choose, sampled, shared_pairs
from dedup.preference import Keep, Preference
from dedup.shingles import Token, distinct, shingle_texts
from filters.document import setting
from pipeline.deduplication.keys import (
    TextKeys,
    UnitKeys,
    joined,
    ranked,
    ranks,
)
from pipeline.deduplication.methods import Method
from pipeline.errors import RunFailed

if TYPE_CHECKING:
    from pipeline.deduplication.decision_files import Decisions
    from pipeline.deduplication.deduplicator import Deduplicator


@dataclass(frozen=True, kw_only=True)
class OverlapSettings(Preference):
    """[deduplication.overlap]: documents of which one holds most of the other (books).

    Attributes:
        token, shingle: shingles are so many consecutive words or characters.
        sample: one in so many shingles is compared across documents to find candidates.
        margin: candidates are verified from this much below the threshold.
        threshold: a pair overlaps when its common shingles are more than this share of the smaller
            set of the two.
        maximum_owners: of a sampled shingle that more documents have, only pairs with the
            preferred one become candidates.
        maximum_edges: more overlapping pairs than this do not fit the one worker that chooses.
    """

    keep: Keep = setting("longest", "ours: an omnibus has its volumes in it")
    token: Token = setting("word", "ours: what most scripts separate")
    shingle: Annotated[int, Field(ge=1, le=100)] = setting(
        5, "ours: as for MinHash; a book misread at every 50th word is at the threshold"
    )
    sample: Annotated[int, Field(ge=1)] = setting(
        16, "measured: misses 2e-6 of texts of 204 words (docs/books-overlap.md)"
    )
    margin: Annotated[float, Field(ge=0, lt=1)] = setting(
        0.2, "ours: never below a share of 0.7 of the sample (docs/books-overlap.md)"
    )
    threshold: Annotated[float, Field(gt=0, lt=1)] = setting(
        0.9, "paper: LLaMA, books with more than 90 % content overlap"
    )
    maximum_owners: Annotated[int, Field(ge=2, le=1000)] = setting(
        16, "ours: bounds pairs; what it leaves out is counted (docs/books-overlap.md)"
    )
    maximum_edges: Annotated[int, Field(gt=0)] = setting(
        5_000_000, "ours: bounds the memory of the one worker that chooses"
    )


@dataclass(frozen=True)
class OverlapKeys(TextKeys):
    """A sample of each document's shingles; all its shingles and its rank beside them."""

    settings: OverlapSettings
    kind = "overlap"
    # Pairs are counted shingle by shingle, each document for itself.
    combine: ClassVar[Combine] = "nothing"

    def make(self, batches: Iterator[pa.RecordBatch]) -> UnitKeys:
        settings = self.settings
        sizes, samples, preferred = [0], [], []
        # A file, as the shingles of a unit of books are more than its text.
        shingles = tempfile.TemporaryFile()  # noqa: SIM115  (the array over it outlives this call)
        for batch in batches:
            preferred.append(ranks(batch, settings))
            for text in batch.column("text"):  # one by one: a batch of books is large
                found = shingle_texts([text.as_py() or ""], settings.token, settings.shingle)
                own = distinct(found.hashes)
                shingles.write(own.tobytes())
                sizes.append(len(own))
                samples.append(sampled(own, settings.sample, LEAST_SAMPLE))
        counts = np.array([len(sample) for sample in samples], np.uint32)
        rows = np.repeat(np.arange(len(samples), dtype=np.uint32), counts)
        every = joined(preferred, np.uint32)
        shingles.flush()
        return UnitKeys(
            ranked(joined(samples, np.uint64), rows, every[rows], settings),
            {
                "shingles": np.memmap(shingles, np.uint64) if any(sizes) else np.empty(0, "u8"),
                "offsets": np.cumsum(sizes),
                "samples": counts,
                "ranks": every,
            },
        )


def decide(work: Deduplicator, settings: OverlapSettings, fingerprint: str) -> Decisions:
    """In order of preference, who stays of those that overlap."""
    # Beam, which reading a recipe does not need.
    from pipeline.deduplication.decision_files import read_array  # noqa: PLC0415
    from pipeline.deduplication.verification import ContainmentCheck  # noqa: PLC0415

    place, decisions = work.finished(fingerprint)
    if decisions is not None:
        return decisions
    check = ContainmentCheck(settings.threshold, settings.margin)
    pairs = partial(shared_pairs, maximum_owners=settings.maximum_owners)
    edges = work.edges(check, pairs, SHARED, fingerprint)
    found = sum(file.rows for file in edges)
    if found > settings.maximum_edges:
        raise RunFailed(
            f"{found:,} pairs overlap, more than deduplication.overlap.maximum_edges = "
            f"{settings.maximum_edges:,}; drop near-duplicates with minhash first"
        )
    arrays = [read_array(place.full(file.name)) for file in edges]
    members = choose(np.concatenate([np.empty(0, EDGE), *arrays]))
    rows = np.empty(len(members), MEMBER_ROW)
    rows["size"], rows["representative"] = members["size"], members["representative"]
    return work.finish(place, work.written(place, by_unit(members["node"], rows)), fingerprint)


METHOD = Method("overlap", OverlapSettings, OverlapKeys, decide)
