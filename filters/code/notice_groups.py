"""Comments of a file that may speak of rights, as texts whose characters keep their places.

Comments with nothing but white space between them are one group: a licence stands in many line
comments. Comment markers, frames and rulers become spaces, so that patterns and the classifier see
the words alone, and a place in a group's text is the place in the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from filters.code.languages import comment_syntax, kind_of
from filters.code.regions import regions

# A text with none of these words says nothing about rights; most files are settled by that.
WORDS = (
    *("copyright", "(c)", "\N{COPYRIGHT SIGN}", "&copy;", "licen", "spdx", "rights reserved"),
    *("permission", "permitted", "redistribut", "warrant", "public domain", "public-domain"),
    *("proprietary", "unauthori", "as is", "as-is", "gpl", "creative commons", "cc-by", "cc by"),
    *("freely", "commercial", "confidential", "wtfpl", "beerware", "beer-ware", "trade secret"),
    *("free software", "freeware", "shareware", "copying", "distribut", "may not "),
)
# Of these one must be in a comment far below the top, where code speaks of copying and permissions.
_FAR_BELOW = 8000
_STRONG_WORDS = (
    *("copyright", "licen", "spdx", "rights reserved", "redistribut", "public domain", "gpl"),
    *("proprietary", "confidential", "creative commons", "commercial", "free software", "warrant"),
    *("permission is", "permission to", "trade secret", "unauthori"),
)
_DECORATION = re.compile(
    r"^[ \t\f]*(?:(?:@?rem|dnl|nb\.|c)(?=[ \t]|$)|[*#/;%!=<>{}|+~_\-:\"'(.@\\`^]+(?<![\w)]))+"
    r"|[*#/;%=|+~_\-]{2,}[ \t]*$|\*/|-->|[ \t]\*[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Group:
    """Comments that stand together.

    Attributes:
        start: of the first of them, in the file.
        text: from there to the end of the last, of the same length, markers blanked.
        is_prose: whether it is text for readers, a whole page, and not a comment.
    """

    start: int
    text: str
    is_prose: bool = False


def speaks_of_rights(text: str) -> bool:
    """Whether some word of licences or copyrights is in a text."""
    lowered = text.lower()
    return any(word in lowered for word in WORDS)


def notice_groups(text: str, language: str) -> Iterator[Group]:
    """The groups of comments that may speak of rights; all of a page of prose or of no comments."""
    if not speaks_of_rights(text):
        return
    syntax = comment_syntax(language)
    if kind_of(language) == "prose" or not (syntax.line or syntax.block):
        yield Group(0, blanked(text), is_prose=True)
        return
    start = end = -1
    for region in regions(text, syntax):
        if region.what != "comment":
            continue
        if start >= 0 and not text[end : region.start].strip(" \t\n\f;"):
            end = region.end
            continue
        if start >= 0:
            yield from _group(text, start, end)
        start, end = region.start, region.end
    if start >= 0:
        yield from _group(text, start, end)


def _group(text: str, start: int, end: int) -> Iterator[Group]:
    said = text[start:end]
    lowered = said.lower()
    if any(word in lowered for word in (WORDS if start < _FAR_BELOW else _STRONG_WORDS)):
        yield Group(start, blanked(said))


def blanked(text: str) -> str:
    """The text with spaces for comment markers and frames; of the same length."""
    return _DECORATION.sub(lambda match: " " * len(match[0]), text)
