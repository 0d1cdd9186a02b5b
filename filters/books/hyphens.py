"""Words that were hyphenated at the end of a line: with their hyphen, or without.

The book's own way of writing decides; then a list of English words (`words.txt.gz`, SCOWL's up to
size 70, American and British); then whether both halves are words.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import cache
from importlib.resources import files

HYPHEN = re.compile(r"([^\W\d_]+)-\n[ \t]*([^\W\d_]+)")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_LIST_SHA256 = "4e595f6d55fb6efa7ebe07b49fa5b928a08ab81506e37020e610db3eb9001d4a"
# Bounds the search around a hyphen; the longest words have fewer letters.
_REACH = 40
# Bounds memory: the words of so many characters at a time are looked at.
_CHUNK = 1 << 18


@cache
def english_words() -> frozenset[str]:
    """The list that the package ships: small letters only.

    Raises:
        RuntimeError: it is another list than the code was made for.
    """
    packed = files("filters.books").joinpath("words.txt.gz").read_bytes()
    if hashlib.sha256(packed).hexdigest() != _LIST_SHA256:
        raise RuntimeError("filters/books/words.txt.gz is damaged: install the package again")
    return frozenset(gzip.decompress(packed).decode("ascii").split())


class Hyphens:
    """Decides on the hyphens at the line ends of one book."""

    def __init__(self, text: str) -> None:
        self._seen = _seen(text)

    def stays(self, first: str, second: str) -> bool:
        """Whether `first-` and `second`, on two lines, are written with a hyphen."""
        before, behind = first.lower(), second.lower()
        whole, hyphenated = f"{before}{behind}" in self._seen, f"{before}-{behind}" in self._seen
        if whole != hyphenated:
            return hyphenated
        if f"{before}{behind}" in english_words():
            return False
        # Two names, or two words: a half that is neither is a piece of one.
        is_name = first[0].isupper() and second[0].isupper()
        return is_name or (self._is_word(before) and self._is_word(behind))

    def _is_word(self, word: str) -> bool:
        return word in self._seen or word in english_words()


def _seen(text: str) -> set[str]:
    """Of the halves, the whole and the hyphenated forms of words cut at line ends, those that stand
    inside a line.
    """
    wanted = set()
    position = text.find("-\n")
    while position >= 0:
        if found := HYPHEN.search(text, max(0, position - _REACH), position + _REACH):
            one, other = found[1].lower(), found[2].lower()
            wanted |= {one, other, one + other, f"{one}-{other}"}
        position = text.find("-\n", position + 1)
    if not wanted:
        return wanted
    seen: set[str] = set()
    start = 0
    while start < len(text):
        end = text.find("\n", start + _CHUNK)
        end = len(text) if end < 0 or end > start + 2 * _CHUNK else end
        end = min(end, start + 2 * _CHUNK)
        words = set(_WORD.findall(_CUT.sub("\n", text[start:end]).lower()))
        seen |= words & wanted
        start = end
    return seen


# The word that is cut says nothing of its halves.
_CUT = re.compile(r"[^\W\d_]+-\n[ \t]*[^\W\d_]+")
