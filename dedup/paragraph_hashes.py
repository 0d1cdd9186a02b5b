"""Keys of paragraphs, as CCNet computes them (arXiv 1911.00359, section 3.1, and its code).

A paragraph is a line. Its key is the first 8 bytes of SHA-1 over the UTF-8 of its normalised form
(`filters.ccnet_text`), read as a little-endian integer. SHA-1 rather than a faster hash keeps keys
equal to CCNet's; it costs a third of the whole.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filters.ccnet_text import normalized_lines
from filters.line_kinds import PARAGRAPH, has_words

# Key of a line without content: SHA-1 of nothing starts with da 39 a3 ee 5e 6b 4b 0d. Nothing is
# compared with it, so lines that are not to be compared have it, too.
BLANK_KEY = int.from_bytes(bytes.fromhex("da39a3ee5e6b4b0d"), "little")

# The first 8 of the 20 bytes of each digest, without a Python object per key.
_DIGEST = np.dtype({"names": ["key"], "formats": ["<u8"], "offsets": [0], "itemsize": 20})


@dataclass(frozen=True, slots=True)
class ParagraphHashes:
    """A document's lines and their keys (uint64, shape [lines])."""

    lines: list[str]
    keys: NDArray[np.uint64]


def paragraph_keys(lines: list[str]) -> NDArray[np.uint64]:
    """CCNet's key of each line: uint64, shape [len(lines)].

    Raises:
        ValueError: a line holds a newline.
        UnicodeEncodeError: a line holds a lone surrogate.
    """
    sha1 = hashlib.sha1
    digests = b"".join([sha1(line).digest() for line in normalized_lines(lines)])
    return np.frombuffer(digests, _DIGEST)["key"].astype(np.uint64)


def hash_document(text: str) -> ParagraphHashes:
    """Split a document into its lines and hash them."""
    lines = text.split("\n")
    return ParagraphHashes(lines, paragraph_keys(lines))


def unique_paragraphs(lines: list[str], keys: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Ascending indices of the lines to keep within one document.

    Of lines with the same key the first stays. Lines without content go, as they do in CCNet,
    where a blank line is a paragraph that every other document has too.

    Raises:
        ValueError: not one key per line.
    """
    count = len(lines)
    if len(keys) != count:
        raise ValueError(f"{count} lines, {len(keys)} keys")
    # Built backwards, so that of equal keys the first index stays.
    first = dict(zip(reversed(keys.tolist()), range(count - 1, -1, -1), strict=True))
    first.pop(BLANK_KEY, None)
    if len(first) == count:
        return np.arange(count)
    return np.fromiter(sorted(first.values()), np.intp, len(first))


def compared_paragraphs(
    hashed: ParagraphHashes, kinds: str, minimum_words: int
) -> tuple[NDArray[np.intp], NDArray[np.uint64]]:
    """Which lines of a document stay when only its paragraphs are compared, and their keys.

    A paragraph of enough words stays once. Every other line stays as often as it is there: code,
    rows, items, verse and headings repeat by nature, short lines by chance. Such lines have
    `BLANK_KEY`. Blank lines go unless they part what is written (code, Markdown).

    Args:
        hashed: the document's lines and keys.
        kinds: a letter for each line (`filters.line_kinds`).
        minimum_words: shorter paragraphs are not compared.

    Returns:
        Ascending indices of the lines that stay (shape [n]) and their keys (uint64, shape [n]).
    """
    keys = hashed.keys.tolist()
    seen: set[int] = set()
    kept, own = [], []
    for number, (line, key, kind) in enumerate(zip(hashed.lines, keys, kinds, strict=True)):
        if key == BLANK_KEY:
            if kind != PARAGRAPH:
                kept.append(number)
                own.append(BLANK_KEY)
        elif kind != PARAGRAPH or not has_words(line, minimum_words):
            kept.append(number)
            own.append(BLANK_KEY)
        elif key not in seen:
            seen.add(key)
            kept.append(number)
            own.append(key)
    return np.array(kept, np.intp), np.array(own, np.uint64)
