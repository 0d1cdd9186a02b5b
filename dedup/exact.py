"""Keys of whole documents: equal text, or equal words in the same order.

The raw key is xxh3-64 of the text's UTF-8. The normalised key is xxh3-64 of the hashes of its
words (`dedup.shingles`), so letter case, punctuation and white space do not count; a text without
words keeps its raw key. At a thousand million documents the chance that any two different ones
share a 64-bit key is about 3 %.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xxhash
from numpy.typing import NDArray

from dedup.shingles import hash_words


def raw_keys(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Keys of texts as they are, shape [len(texts)]."""
    digest = xxhash.xxh3_64_intdigest
    encoded = (text.encode("utf-8", "surrogatepass") for text in texts)
    return np.fromiter(map(digest, encoded), np.uint64, len(texts))


def normalized_keys(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Keys of texts whatever their case, punctuation and white space, shape [len(texts)]."""
    words = hash_words(texts)
    digest = xxhash.xxh3_64_intdigest
    keys = raw_keys(texts)
    for number in np.flatnonzero(np.diff(words.offsets)):
        own = words.hashes[words.offsets[number] : words.offsets[number + 1]]
        keys[number] = digest(own.tobytes())
    return keys
