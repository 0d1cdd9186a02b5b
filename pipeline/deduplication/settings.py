"""[deduplication.*]: one recipe section for each way to compare documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from dedup.decisions import Policy
from dedup.preference import Preference
from dedup.shingles import Token
from filters.document import Settings


@dataclass(frozen=True, kw_only=True)
class ExactSettings(Preference):
    """[deduplication.exact]: whole documents.

    Attributes:
        normalize: whether case, punctuation and white space do not count.
    """

    normalize: bool


@dataclass(frozen=True, kw_only=True)
class DigestSettings(Preference):
    """[deduplication.digest]: documents of which the original content is the same.

    A document's metadata `digest` names it: the payload digest of a crawled page, the blob of a
    file. What cleaning made of two different files may be the same; that is for `exact`.
    """


@dataclass(frozen=True, kw_only=True)
class UrlSettings(Preference):
    """[deduplication.url]: documents of the same address, normalised as C4 does."""


@dataclass(frozen=True, kw_only=True)
class LineSettings(Settings):
    """[deduplication.paragraphs] and [deduplication.lines]: CCNet's paragraphs and C4's lines.

    Attributes:
        scope: `all` datasets are compared with each other, or each `dataset` with itself alone.
        policy: `keep_first` copy, or `remove_all` copies.
        minimum_characters: a document that lost lines and is shorter than this goes.
    """

    scope: Literal["all", "dataset"]
    policy: Policy
    minimum_characters: Annotated[int, Field(ge=0)]


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

    token: Token
    shingle: Annotated[int, Field(ge=1, le=100)]
    permutations: Annotated[int, Field(ge=8, le=4096)]
    seed: Annotated[int, Field(ge=0, lt=1 << 32)]
    threshold: Annotated[float, Field(gt=0, lt=1)]
    miss_weight: Annotated[float, Field(ge=0, le=1)]
    minimum_similarity: Annotated[float, Field(ge=0, le=1)]
    maximum_edges: Annotated[int, Field(gt=0)]


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

    token: Token
    shingle: Annotated[int, Field(ge=1, le=100)]
    sample: Annotated[int, Field(ge=1)]
    margin: Annotated[float, Field(ge=0, lt=1)]
    threshold: Annotated[float, Field(gt=0, lt=1)]
    maximum_owners: Annotated[int, Field(ge=2, le=1000)]
    maximum_edges: Annotated[int, Field(gt=0)]


@dataclass(frozen=True, kw_only=True)
class DeduplicationSettings(Settings):
    """[deduplication]: how each method compares; where one is used, a source's section says."""

    exact: ExactSettings
    digest: DigestSettings
    url: UrlSettings
    paragraphs: LineSettings
    lines: LineSettings
    minhash: MinHashSettings
    overlap: OverlapSettings


MethodName = Literal["exact", "digest", "url", "paragraphs", "lines", "minhash", "overlap"]
