"""git's names of contents."""

from __future__ import annotations

import hashlib


def blob_id(data: bytes) -> str:
    """git's name of a blob of these bytes."""
    start = b"blob %d\0" % len(data)
    return hashlib.sha1(start + data, usedforsecurity=False).hexdigest()
