"""File names that are no UTF-8, written as text that is.

Python gives such a name with a lone surrogate for each byte that it could not decode (PEP 383),
and no JSON, no Parquet and no terminal takes it. Here each of these bytes becomes U+FFFD, which
stands for what could not be decoded, and the byte in hexadecimal: `caf\\xe9` is `caf<U+FFFD>E9`.
A name that holds U+FFFD itself has its bytes written the same way, so that no two names meet.
"""

from __future__ import annotations

import os
import re

_MARK = "\ufffd"
_TO_ESCAPE = re.compile(f"[\ud800-\udfff{_MARK}]")
_ESCAPED = re.compile(re.escape(_MARK.encode()) + rb"([0-9A-F]{2})")


def escape_name(name: str) -> str:
    """A file name, or a path, as valid UTF-8; most are what they are already."""
    return _TO_ESCAPE.sub(_escape, name)


def _escape(match: re.Match[str]) -> str:
    try:
        encoded = match[0].encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte, and is in no file's name
        encoded = match[0].encode("utf-8", "surrogatepass")
    return "".join(f"{_MARK}{byte:02X}" for byte in encoded)


def unescape_name(escaped: str) -> str:
    """The name that was escaped, by which the file can be opened."""
    if _MARK not in escaped:
        return escaped
    raw = _ESCAPED.sub(lambda match: bytes.fromhex(match[1].decode()), escaped.encode())
    return os.fsdecode(raw)
