"""The key makers: what each method of deduplication compares."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import xxhash
from numpy.typing import NDArray

from dedup.exact import normalized_keys, raw_keys
from dedup.key_blocks import Combine, KeyBlock
from dedup.minhash import MinHasher
from dedup.overlap import LEAST_SAMPLE, sampled
from dedup.paragraph_hashes import BLANK_KEY, paragraph_keys
from dedup.preference import Preference
from dedup.shingles import distinct, shingle_texts
from dedup.url_keys import url_keys
from pipeline.deduplication.key_pass import UnitKeys, preference_columns, ranks
from pipeline.deduplication.settings import (
    DigestSettings,
    ExactSettings,
    MinHashSettings,
    OverlapSettings,
    UrlSettings,
)
from pipeline.errors import RecipeError

EMPTY = np.uint64(xxhash.xxh3_64_intdigest(b""))


@dataclass(frozen=True)
class ExactKeys:
    """One key per document, of its text."""

    settings: ExactSettings
    kind = "exact"
    combine: ClassVar[Combine] = "key"

    @property
    def columns(self) -> tuple[str, ...]:
        return ("text", *preference_columns(self.settings))

    def make(self, batches: Iterator[pa.RecordBatch]) -> UnitKeys:
        keys_of = normalized_keys if self.settings.normalize else raw_keys
        keys, preferred, has_text = [], [], []
        for batch in batches:
            keys.append(keys_of(_texts(batch)))
            preferred.append(ranks(batch, self.settings))
            has_text.append(batch.column("text").is_valid().to_numpy(zero_copy_only=False))
        # A row without text is no document, and no copy of another one.
        rows = np.flatnonzero(_join(has_text, np.bool_)).astype(np.uint32)
        joined, preferred_rows = _join(keys, np.uint64)[rows], _join(preferred, np.uint32)[rows]
        return UnitKeys(_ranked(joined, rows, preferred_rows, self.settings))


@dataclass(frozen=True)
class MetadataKeys:
    """One key per document, of its URL or of the digest of its original content, if it has one."""

    kind: str
    settings: UrlSettings | DigestSettings
    combine: ClassVar[Combine] = "key"

    @property
    def columns(self) -> tuple[str, ...]:
        text = ("text",) if self.settings.keep == "longest" else ()
        return (self.kind, *text, *preference_columns(self.settings))

    def make(self, batches: Iterator[pa.RecordBatch]) -> UnitKeys:
        keys, preferred = [], []
        for batch in batches:
            values = batch.column(self.kind).cast(pa.string())
            keys.append(url_keys(values) if self.kind == "url" else digest_keys(values))
            preferred.append(ranks(batch, self.settings))
        joined = _join(keys, np.uint64)
        rows = np.flatnonzero(joined != EMPTY).astype(np.uint32)
        preferred_rows = _join(preferred, np.uint32)[rows]
        return UnitKeys(_ranked(joined[rows], rows, preferred_rows, self.settings))


@dataclass(frozen=True)
class LineKeys:
    """One key per line with content; later lines equal to one of their own document are listed.

    Rows count the lines of the unit, blank ones included.
    """

    kind: str
    columns = ("text",)
    combine: ClassVar[Combine] = "key"

    def make(self, batches: Iterator[pa.RecordBatch]) -> UnitKeys:
        keys_of, blank = _LINE_KEYS[self.kind]
        keys, rows, repeats = [], [], []
        first = 0
        for batch in batches:
            documents = [text.split("\n") for text in _texts(batch)]
            own = keys_of([line for lines in documents for line in lines])
            numbers = np.arange(len(own), dtype=np.uint32)
            document = np.repeat(np.arange(len(documents)), [len(lines) for lines in documents])
            order = np.lexsort((numbers, own, document))
            same = (own[order][1:] == own[order][:-1]) & (np.diff(document[order]) == 0)
            again = np.zeros(len(own), dtype=bool)
            again[order[1:][same]] = True
            full = own != blank
            keys.append(own[full & ~again])
            rows.append(numbers[full & ~again] + np.uint32(first))
            repeats.append(numbers[full & again] + np.uint32(first))
            first += len(own)
        block = KeyBlock.of(_join(keys, np.uint64), _join(rows, np.uint32))
        return UnitKeys(block, {"repeats": _join(repeats, np.uint32)})


@dataclass(frozen=True)
class MinHashKeys:
    """The bands of each document's signature; signatures and ranks beside them."""

    settings: MinHashSettings
    kind = "minhash"
    # Of those who share a band, those of equal rank are candidates of each other.
    combine: ClassVar[Combine] = "key and rank"

    @property
    def columns(self) -> tuple[str, ...]:
        return ("text", *preference_columns(self.settings))

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
            texts = _texts(batch)
            shingles = shingle_texts(texts, settings.token, settings.shingle)
            found.append(self.hasher.signatures(shingles))
            has_text.append(np.diff(shingles.offsets) > 0)
            preferred.append(ranks(batch, settings))
        signatures = np.concatenate([np.empty((0, settings.permutations), np.uint32), *found])
        # A document without a single word is like no other.
        rows = np.flatnonzero(_join(has_text, np.bool_)).astype(np.uint32)
        block = band_block(self.hasher, signatures[rows], rows)
        return UnitKeys(block, {"signatures": signatures, "ranks": _join(preferred, np.uint32)})


@dataclass(frozen=True)
class OverlapKeys:
    """A sample of each document's shingles; all its shingles and its rank beside them."""

    settings: OverlapSettings
    kind = "overlap"
    # Pairs are counted shingle by shingle, each document for itself.
    combine: ClassVar[Combine] = "nothing"

    @property
    def columns(self) -> tuple[str, ...]:
        return ("text", *preference_columns(self.settings))

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
        joined = _join(preferred, np.uint32)
        shingles.flush()
        return UnitKeys(
            _ranked(_join(samples, np.uint64), rows, joined[rows], settings),
            {
                "shingles": np.memmap(shingles, np.uint64) if any(sizes) else np.empty(0, "u8"),
                "offsets": np.cumsum(sizes),
                "samples": counts,
                "ranks": joined,
            },
        )


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


def digest_keys(digests: pa.Array[Any]) -> NDArray[np.uint64]:
    """xxh3-64 of each digest; a missing one counts as an empty one."""
    return raw_keys([digest or "" for digest in digests.to_pylist()])


def c4_line_keys(lines: Sequence[str]) -> NDArray[np.uint64]:
    """xxh3-64 of each line, stripped and in lower case, as C4 compares them."""
    return raw_keys([line.strip().lower() for line in lines])


_LINE_KEYS: dict[str, tuple[Callable[[list[str]], NDArray[np.uint64]], np.uint64]] = {
    "paragraphs": (paragraph_keys, np.uint64(BLANK_KEY)),
    "lines": (c4_line_keys, EMPTY),
}


def _ranked(
    keys: NDArray[np.uint64],
    rows: NDArray[np.uint32],
    preferred: NDArray[np.uint32],
    preference: Preference,
) -> KeyBlock:
    """A block with ranks, where they say more than the order does."""
    return KeyBlock.of(keys, rows, None if preference.keep == "first" else preferred)


def _texts(batch: pa.RecordBatch) -> list[str]:
    """Texts of a batch; one that is missing, or unreadable, in a foreign file, is empty."""
    return [text or "" for text in batch.column("text").to_pylist()]


def _join(parts: Iterable[NDArray[Any]], kind: type[np.generic]) -> NDArray[Any]:
    return np.concatenate([np.empty(0, kind), *parts])
