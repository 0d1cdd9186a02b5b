"""Documents made from the same content: a crawled page, a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dedup.exact import raw_keys
from dedup.preference import Preference
from pipeline.deduplication.keys import MetadataKeys
from pipeline.deduplication.methods import Method


@dataclass(frozen=True, kw_only=True)
class DigestSettings(Preference):
    """[deduplication.digest]: documents of which the original content is the same.

    A document's metadata `digest` names it: the payload digest of a crawled page, the blob of a
    file. What cleaning made of two different files may be the same; that is for `exact`.
    """


def digest_keys(digests: pa.Array[Any]) -> NDArray[np.uint64]:
    """xxh3-64 of each digest; a missing one counts as an empty one."""
    return raw_keys([digest or "" for digest in digests.to_pylist()])


def make_keys(settings: DigestSettings) -> MetadataKeys:
    """Keys of the digests."""
    return MetadataKeys("digest", settings, digest_keys)


METHOD = Method("digest", DigestSettings, make_keys)
