"""[models.language] and [models.reference]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from filters.document import Settings, setting


@dataclass(frozen=True, kw_only=True)
class LanguageModelSettings(Settings):
    """[models.language]: how language models are trained.

    Attributes:
        vocabulary_size: SentencePiece pieces; fewer where the text has no more.
        character_coverage: share of the text's characters that get a piece.
        sentencepiece_sentences: sample for SentencePiece, in lines of at most 2,000 characters;
            each takes 40 kB of memory.
        threads: of SentencePiece; part of what decides the model's bytes.
        order: n of the n-grams.
        memory: what lmplz may sort in memory, as for GNU sort (`1G`).
        structure: `probing` (CCNet's) or `trie` (half the memory, 4 % slower).
        maximum_documents: documents trained on, drawn by hash.
        characters_per_document: of each only the beginning; CCNet takes article openings.
        minimum_characters: a language with less normalised text gets no model.
        held_out_share: documents kept from training, used where no reference sample is given.
        minimum_reference_documents, maximum_reference_documents: size of the reference sample.
        head_percentile, middle_percentile: head is below the first, middle below the second.
    """

    vocabulary_size: int = setting(65_536, "code: CCNet's Makefile")
    character_coverage: float = setting(0.9995, "code: CCNet's Makefile")
    sentencepiece_sentences: int = setting(
        50_000, "measured: 40 kB each, so 2 GB of memory (docs/models.md)"
    )
    threads: int = setting(2, "ours: changes no piece, but stands in the model's file")
    order: int = setting(5, "code: CCNet's Makefile")
    memory: str = setting("1G", "ours: CCNet's 8G are for larger machines; no n-gram depends on it")
    structure: Literal["probing", "trie"] = setting("probing", "code: CCNet's Makefile")
    maximum_documents: int = setting(1_000_000, "code: CCNet's Makefile")
    characters_per_document: int = setting(
        4_000, "ours: CCNet takes article openings, which a text does not mark"
    )
    minimum_characters: int = setting(
        100_000, "ours: 25 full openings; a model of less knows few words"
    )
    held_out_share: float = setting(
        0.05, "ours: only where no reference sample is given; little is lost"
    )
    minimum_reference_documents: int = setting(
        20, "ours: a percentile's standard error is 11 points then"
    )
    maximum_reference_documents: int = setting(
        20_000, "ours: a percentile's standard error is 0.35 points then"
    )
    head_percentile: float = setting(30.0, "code: CCNet's")
    middle_percentile: float = setting(60.0, "code: CCNet's")


@dataclass(frozen=True, kw_only=True)
class ReferenceModelSettings(Settings):
    """[models.reference]: how the reference classifier is trained.

    Attributes:
        minimum_positives: fewer cited pages than this make no model.
        maximum_positives: more are drawn by hash.
        minimum_characters: shorter cited pages are no positives.
        held_out_share: share of pages kept from training to measure the model.
        threshold: pages that score at least this count as positive when it is measured.
        dimension, learning_rate, epochs, word_ngrams, buckets, minimum_count: fastText's dim, lr,
            epoch, wordNgrams, bucket (for n-grams above 1) and minCount.
        tries: fastText may diverge; each further try halves the learning rate.
    """

    minimum_positives: int = setting(
        100, "ours: fewer teach fastText nothing with its defaults (docs/models.md)"
    )
    maximum_positives: int = setting(300_000, "code: RedPajama v1's, about")
    minimum_characters: int = setting(1000, "code: RedPajama v1's")
    held_out_share: float = setting(0.1, "ours: a tenth measures the model; the usual share")
    threshold: float = setting(0.25, "code: RedPajama v1's, as in commoncrawl.reference_quality")
    dimension: int = setting(100, "code: fastText's default, as RedPajama v1")
    learning_rate: float = setting(0.1, "code: fastText's default, as RedPajama v1")
    epochs: int = setting(5, "code: fastText's default, as RedPajama v1")
    word_ngrams: int = setting(1, "code: fastText's default, as RedPajama v1")
    buckets: int = setting(
        200_000, "ours: counts with word_ngrams above 1 only; fastText's 2,000,000 take 0.8 GB"
    )
    minimum_count: int = setting(1, "code: fastText's default, as RedPajama v1")
    tries: int = setting(4, "ours: the learning rate is an eighth by then")
