"""MinHash signatures and their bands (Broder 1997; LSH banding: Leskovec et al., chapter 3).

Permutations, the signature convention and the choice of bands and rows for a threshold are those
of datasketch (scheme `affine32`), so a signature equals `datasketch.MinHash` of the same seed over
`shingle_hash(shingle) >> 32`; here they are computed for a batch of documents in NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dedup.shingles import Shingles

# Documents permuted at once: their shingles stay in the processor's cache.
_DOCUMENTS = 64
_BAND_MIXER = np.uint64(0xFF51AFD7ED558CCD)


@dataclass(frozen=True)
class MinHasher:
    """Signatures of `permutations` values, and bands for a similarity of `threshold`.

    Attributes:
        permutations: values in a signature.
        threshold: Jaccard similarity at which documents shall share a band.
        miss_weight: how much a missed pair counts against a needless candidate, between 0 and 1.
        seed: of the permutations.
    """

    permutations: int
    threshold: float
    miss_weight: float
    seed: int = 1

    @cached_property
    def banding(self) -> tuple[int, int]:
        """Bands and rows per band, as datasketch chooses them."""
        from datasketch import MinHashLSH  # noqa: PLC0415  (half a second, most of it scipy's)

        weights = (1 - self.miss_weight, self.miss_weight)
        index = MinHashLSH(self.threshold, num_perm=self.permutations, weights=weights)
        return index.b, index.r

    @cached_property
    def _coefficients(self) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        from datasketch import MinHash  # noqa: PLC0415  (half a second, most of it scipy's)

        multipliers, increments = MinHash(self.permutations, seed=self.seed).permutations
        return np.asarray(multipliers, np.uint32), np.asarray(increments, np.uint32)

    def signatures(self, shingles: Shingles) -> NDArray[np.uint32]:
        """Signatures, shape [documents, permutations]; all ones where there is no shingle."""
        multipliers, increments = self._coefficients
        hashes = _mixed((shingles.hashes >> np.uint64(32)).astype(np.uint32))
        filled = np.flatnonzero(np.diff(shingles.offsets))
        starts = shingles.offsets[filled]
        result = np.full((self.permutations, len(shingles.offsets) - 1), 0xFFFFFFFF, np.uint32)
        for first in range(0, len(filled), _DOCUMENTS):
            chunk = filled[first : first + _DOCUMENTS]
            begin, end = starts[first], shingles.offsets[chunk[-1] + 1]
            part = hashes[begin:end]
            borders = starts[first : first + _DOCUMENTS] - begin
            permuted = np.empty_like(part)
            for row in range(self.permutations):
                np.multiply(part, multipliers[row], out=permuted)
                permuted += increments[row]
                result[row, chunk] = np.minimum.reduceat(permuted, borders)
        return np.ascontiguousarray(result.T)

    def band_keys(self, signatures: NDArray[np.uint32]) -> NDArray[np.uint64]:
        """One key per document and band, shape [documents, bands]: equal band, equal key."""
        bands, rows = self.banding
        values = signatures[:, : bands * rows].reshape(-1, bands, rows).astype(np.uint64)
        keys = np.broadcast_to(np.arange(bands, dtype=np.uint64), values.shape[:2]).copy()
        for row in range(rows):
            keys *= _BAND_MIXER
            keys += values[:, :, row]
            keys ^= keys >> np.uint64(32)
        keys *= _BAND_MIXER
        return keys ^ (keys >> np.uint64(33))


def similarity(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Estimated Jaccard similarity, row by row, of two arrays of signatures."""
    return np.asarray((one == other).mean(axis=1))


def _mixed(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """datasketch's first step: MurmurHash3's 32-bit finalizer."""
    hashes ^= hashes >> np.uint32(16)
    hashes *= np.uint32(0x85EBCA6B)
    hashes ^= hashes >> np.uint32(13)
    hashes *= np.uint32(0xC2B2AE35)
    hashes ^= hashes >> np.uint32(16)
    return hashes
