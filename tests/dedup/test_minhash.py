"""MinHash: signatures equal to datasketch's, bands that meet when they should."""

from __future__ import annotations

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.minhash import MinHasher, similarity
from dedup.shingles import shingle_hash, shingle_texts

WORDS = st.lists(
    st.sampled_from(["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]), max_size=40
)


def hash32(shingle: bytes) -> int:
    return shingle_hash(shingle.decode()) >> 32


@settings(max_examples=25)
@given(st.lists(WORDS, min_size=1, max_size=5), st.integers(1, 3), st.sampled_from([16, 128]))
def test_signatures_equal_datasketch(documents: list[list[str]], seed: int, count: int) -> None:
    texts = [" ".join(words) for words in documents]
    found = MinHasher(count, 0.8, 0.5, seed).signatures(shingle_texts(texts, "word", 3))
    for signature, words in zip(found, documents, strict=True):
        wanted = MinHash(num_perm=count, seed=seed, hashfunc=hash32)
        windows = range(max(1, len(words) - 2)) if words else ()
        for start in windows:
            wanted.update(" ".join(words[start : start + 3]).encode())
        assert signature.tolist() == wanted.hashvalues.tolist()


def test_batches_do_not_change_signatures() -> None:
    generator = np.random.default_rng(3)
    texts = [" ".join(map(str, generator.integers(0, 50, size=n))) for n in range(200)]
    hasher = MinHasher(32, 0.7, 0.5)
    together = hasher.signatures(shingle_texts(texts, "word", 2))
    alone = [hasher.signatures(shingle_texts([text], "word", 2))[0] for text in texts]
    assert np.array_equal(together, np.array(alone))


def test_similarity_estimates_jaccard() -> None:
    generator = np.random.default_rng(5)
    words = generator.integers(0, 10**6, size=3000)
    one, other = (" ".join(map(str, part)) for part in (words[:2000], words[500:2500]))
    signatures = MinHasher(2000, 0.8, 0.5).signatures(shingle_texts([one, other], "word", 1))
    assert similarity(signatures[:1], signatures[1:])[0] == pytest.approx(1500 / 2500, abs=0.04)


def test_equal_bands_have_equal_keys_and_other_bands_do_not() -> None:
    hasher = MinHasher(32, 0.7, 0.5)
    bands, rows = hasher.banding
    signatures = np.arange(3 * 32, dtype=np.uint32).reshape(3, 32)
    signatures[1, :rows] = signatures[0, :rows]  # first band in common
    signatures[2] = np.tile(signatures[0, :rows], 32)[:32]  # every band the same values
    keys = hasher.band_keys(signatures)
    assert keys.shape == (3, bands)
    assert keys[0, 0] == keys[1, 0]
    assert not set(keys[0, 1:].tolist()) & set(keys[1, 1:].tolist())
    assert len(set(keys[2].tolist())) == bands
