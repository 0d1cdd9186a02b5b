"""[deduplication.*]: one recipe section for each way to compare documents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from dedup.decisions import Policy
from dedup.preference import Keep, Preference
from dedup.shingles import Token
from filters.document import Settings, setting


@dataclass(frozen=True, kw_only=True)
class ExactSettings(Preference):
    """[deduplication.exact]: whole documents.

    Attributes:
        normalize: whether case, punctuation and white space do not count.
    """

    normalize: bool = setting(True, "ours: a copy with other white space teaches nothing new")


@dataclass(frozen=True, kw_only=True)
class DigestSettings(Preference):
    """[deduplication.digest]: documents of which the original content is the same.

    A document's metadata `digest` names it: the payload digest of a crawled page, the blob of a
    file. What cleaning made of two different files may be the same; that is for `exact`.
    """


@dataclass(frozen=True, kw_only=True)
class UrlSettings(Preference):
    """[deduplication.url]: documents of the same address, normalised as C4 does."""

    keep: Keep = setting("newest", "code: C4's, since its third version")


@dataclass(frozen=True, kw_only=True)
class LineSettings(Settings):
    """[deduplication.lines]: C4's lines.

    Attributes:
        scope: `all` datasets are compared with each other, or each `dataset` with itself alone.
        policy: `keep_first` copy, or `remove_all` copies.
        minimum_characters: a document that lost lines and is shorter than this goes.
    """

    scope: Literal["all", "dataset"] = setting(
        "all", "ours: what is given is compared; CCNet compares parts of a snapshot"
    )
    policy: Policy = setting("keep_first", "ours: one copy of a text stays; cc_net removes all")
    minimum_characters: Annotated[int, Field(ge=0)] = setting(
        0, "code: C4's tests sentences instead"
    )


@dataclass(frozen=True, kw_only=True)
class CcnetParagraphSettings(LineSettings):
    """[deduplication.paragraphs]: CCNet's paragraphs."""

    minimum_characters: Annotated[int, Field(ge=0)] = setting(
        300, "ours: CCNet's minimum once more; cc_net does not ask again"
    )


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


@dataclass(frozen=True, kw_only=True)
class DeduplicationSettings(Settings):
    """[deduplication]: how each method compares; where one is used, a source's section says."""

    exact: ExactSettings = field(default_factory=ExactSettings)
    digest: DigestSettings = field(default_factory=DigestSettings)
    url: UrlSettings = field(default_factory=UrlSettings)
    paragraphs: CcnetParagraphSettings = field(default_factory=CcnetParagraphSettings)
    lines: LineSettings = field(default_factory=LineSettings)
    minhash: MinHashSettings = field(default_factory=MinHashSettings)
    overlap: OverlapSettings = field(default_factory=OverlapSettings)


MethodName = Literal["exact", "digest", "url", "paragraphs", "lines", "minhash", "overlap"]
