"""One key per page address, so that the same page is found again however its URL was written.

The rule is C4's (scheme, a leading `www.`, a query that starts with `utm_`, `ref` or `feed`, and
trailing slashes do not count), which is lossy on purpose. Added to it, because citations are typed
by people: surrounding blanks, letter case of scheme and host, the default port and the fragment do
not count either. `docs/models.md` says what that merges.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from numpy.typing import NDArray

# Each pattern means the same to Python's `re` and to Arrow's RE2 (ASCII blanks, no look-around).
_BLANKS = " \t\n\r\x0b\x0c"
_SCHEME = r"^(?i:[a-z][a-z0-9+.-]*:)?//"
_PARTS = r"(?s)^(?P<host>[^/?#]*)(?P<rest>.*)$"
_WWW = r"^www\."
_PORT = r":(?:80|443)?"  # at the end: \Z for `re`, $ for RE2
_FRAGMENT = r"(?s)#.*$"
_TRACKING = r"(?s)\?(?:utm_|ref|feed).*$"
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def normalize_url(url: str) -> str:
    """The part of a URL that tells pages apart, `example.org/path?query`; may be empty."""
    matched = re.match(_PARTS, re.sub(_SCHEME, "", url.strip(_BLANKS), count=1))
    assert matched is not None  # the pattern matches every string
    host = matched["host"].translate(_LOWER)
    host = re.sub(_PORT + r"\Z", "", re.sub(_WWW, "", host, count=1), count=1)
    rest = re.sub(_FRAGMENT, "", matched["rest"], count=1)
    return (host + re.sub(_TRACKING, "", rest, count=1)).rstrip("/")


def normalize_urls(urls: Any) -> Any:
    """`normalize_url` of an Arrow array of strings; null stays null."""
    bare = pc.replace_substring_regex(pc.utf8_trim(urls, _BLANKS), _SCHEME, "", max_replacements=1)
    parts = pc.extract_regex(bare, _PARTS)
    host = pc.ascii_lower(pc.struct_field(parts, "host"))
    host = pc.replace_substring_regex(host, _WWW, "", max_replacements=1)
    host = pc.replace_substring_regex(host, _PORT + "$", "", max_replacements=1)
    rest = pc.replace_substring_regex(pc.struct_field(parts, "rest"), _FRAGMENT, "")
    rest = pc.replace_substring_regex(rest, _TRACKING, "")
    return pc.utf8_rtrim(pc.binary_join_element_wise(host, rest, ""), "/")


def url_key(url: str) -> int:
    """xxh3-64 of the normalised URL in UTF-8."""
    return xxhash.xxh3_64_intdigest(normalize_url(url).encode())


def url_keys(urls: pa.Array[Any] | Sequence[str | None]) -> NDArray[np.uint64]:
    """`url_key` of many URLs, shape [n]; a missing URL counts as an empty one.

    Raises:
        pyarrow.ArrowInvalid: a Python string that is no valid Unicode (Arrow strings always are).
    """
    if not isinstance(urls, pa.Array):
        urls = pa.array(urls, pa.string())
    normalized = normalize_urls(urls).cast(pa.binary()).to_pylist()
    digest = xxhash.xxh3_64_intdigest
    return np.fromiter((digest(url or b"") for url in normalized), np.uint64, len(normalized))
