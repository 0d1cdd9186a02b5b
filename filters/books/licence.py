"""Whether anything of a Project Gutenberg licence or header is in a text.

Each licence of the project (the small prints of 1991 to 2003, the full licence since) and each
header is covered paragraph by paragraph: one phrase at least of every paragraph is below, so that a
part of one does not get through either. Texts are compared as plain words, so that line breaks,
boxes, quotation marks, emphasis and characters without width do not hide anything.
"""

from __future__ import annotations

import re

from filters.books.licence_phrases import EVERYDAY_PHRASES, LICENCE_PHRASES, PROJECT_NAMES

# Lines of a header that are known by their form.
_HEADER_LINE = re.compile(
    r"\[[ \t]*e-?(?:text|book)[ \t]*(?:#|No\.?|Number)[ \t]*\d{1,6}[ \t]*\]"
    r"|^[ \t*]*Character set encoding:[ \t]*\S"
    r"|^[ \t*]*(?:This )?file should be named[ \t][^\n]{1,60}\.(?:txt|zip)",
    re.IGNORECASE | re.MULTILINE,
)
# Characters quoted on both sides of a phrase, for the reject's detail only.
_CONTEXT = 60
# Soft hyphen, zero width spaces and joiners, byte order mark: nothing is seen of them.
_UNSEEN = "\xad\u200b\u200c\u200d\u2060\ufeff"
# ASCII letters to lower case and digits as they are; anything else is between words.
_WORDS = bytes(
    byte if chr(byte).isdigit() or chr(byte).islower() else ord(" ")
    for byte in bytes(range(128)).lower()
).ljust(256)
# Bounds memory: the words of so many characters at a time are told apart.
_CHUNK = 1 << 18
# With one of these in it or around it a phrase is about the project or its files, whoever wrote it.
_OWN = re.compile(
    r"gutenberg|\b(?:pg|gbnewby|vmd|michael s? ?hart|small print|e ?(?:text|book)s?)\b|\be$"
)


def find_licence(text: str, *, is_framed: bool) -> str:
    """What of a licence is in a text, with the words around it; empty if there is nothing.

    A line of a header says it, a phrase that names the project or its files, or two different ones.
    In a file of the project's one is enough that is not everyday language, and its very name.

    Args:
        text: of a book.
        is_framed: whether the file is the project's.
    """
    if line := _HEADER_LINE.search(text):
        return line[0].strip()
    words = plain_words(text)
    different = _different(words)
    found = ""
    for phrase in (*LICENCE_PHRASES, *(PROJECT_NAMES if is_framed else ())):
        # Nearly all have a word that is not in the text: looking for them takes no time then.
        if not different.issuperset(phrase.split()[:-1]):
            continue
        position = words.find(f" {phrase}")
        if position < 0:
            continue
        start = words.rfind(" ", 0, max(1, position - _CONTEXT))
        around = words[start : position + _CONTEXT].strip()
        if found or is_proof(phrase, is_framed=is_framed) or _OWN.search(around):
            return found or around
        found = around
    return ""


def is_proof(phrase: str, *, is_framed: bool) -> bool:
    """Whether a phrase alone says that a licence is there."""
    return bool(_OWN.search(phrase)) or (is_framed and phrase not in EVERYDAY_PHRASES)


def _different(words: str) -> set[str]:
    """The different words of a text in the form of `plain_words`."""
    found: set[str] = set()
    start = 0
    while start < len(words):
        # A word cut in two is in the text all the same: the next piece begins in front of it.
        end = len(words) if start + _CHUNK >= len(words) else words.rfind(" ", 0, start + _CHUNK)
        end = end if end > start else len(words)
        found.update(words[start:end].split())
        start = end
    return found


def plain_words(text: str) -> str:
    """The words of a text in lower case, with a space in front of each and at the end.

    Letters beyond ASCII are left out; no phrase has any.
    """
    if not text.isascii():
        for character in _UNSEEN:
            text = text.replace(character, "")
    words = text.encode("ascii", "replace").translate(_WORDS)
    # Without a list of the words, which takes twenty times the memory of the text.
    while b"  " in words:
        words = words.replace(b"  ", b" ")
    return f" {words.strip().decode('ascii')} "
