"""Which lines of a comment's paragraph belong to a licence or a copyright notice.

All matching is on lower-case text: patterns that begin with a letter and ignore no case are what
`re` searches fastest. A paragraph's lines come without comment markers and extra spaces.
"""

from __future__ import annotations

import re
from functools import lru_cache

# A comment with none of these words holds no notice; most comments are settled by that.
WORDS = (
    *("copyright", "(c)", "\N{COPYRIGHT SIGN}", "&copy;", "licen", "spdx", "rights reserved"),
    *("permission", "redistribut", "warrant", "public domain", "proprietary"),
    *("unauthori", "as is", "as-is"),
)
_LICENCE_NAME = r"(?:mit|bsd|apache|isc|mpl|[al]?gpl)"
# A line that states a copyright or names a licence, and nothing else.
_NOTICE_LINE = re.compile(
    r"(?:\w+ )?(?:portions |parts |some |modifications |this (?:file|code|work|software) is )?(?:"
    r"@?copyrights?\b\s*(?:\(c\)|©|&copy;|[:,]|\d{4}|by\b|the\b|notice|$)"
    r"|\(c\)\s*(?:copyright|\d{4}|by\b)|©|&copy;"
    r"|all rights reserved|spdx-|@copyright\b|@?licen[sc]ed?\s*:|@licen[sc]e\b|licen[sc]e - http"
    r"|(?:distributed |released )?licen[sc]e(?:d under)?(?: the)? " + _LICENCE_NAME + r"\b"
    r"|(?:the )?(?:[\w-]+ )?" + _LICENCE_NAME + r"(?:[- ][\w.-]+)? licen[sc]ed?\b"
    r"(?:[, ]*version [\d.]+)?[\s.,]*(?:\([\w ./-]*\)?)?[\s.,]*$"
    r"|\W*(?:(?:begin|end|the) )?(?:licen[sc]e|copyright)(?: block| notice| header)?\W*$"
    r"|\$qt_(?:begin|end)_licen[sc]e"
    r"|@(?:author|copyright)\b.*copyright)"
)
# A copyright with its year, or a licence after a bar, wherever it stands in a line.
_NOTICE_IN_LINE = re.compile(
    r"copyright(?:ed)?(?: ?(?:\(c\)|©|&copy;|by))* ?,? ?\d{4}\b|\(c\) ?(?:19|20)\d\d\b"
    r"|\| ?(?:released under )?(?:the )?" + _LICENCE_NAME + r"\b[\w .-]*licen[sc]ed?\b"
    r"|\| ?\(c\) |\| ?licen[sc]e[: ]|licen[sc]ed (?:mit|bsd|isc)\b"
)
# `Copyright Ada Wren`: only a capital tells it from a sentence about copyrights.
_NAMED_OWNER = re.compile(r"(?i:copyright|\(c\))\s+[A-Z]")
# A line that goes on with one: years, names with an address, an address alone.
_NOTICE_GOES_ON = re.compile(
    r"\d{4}(?:\s*[-,–]\s*\d{4})*,? |and (?:others|contributors|individual)|<?\S+@\S+>?$|"
    r"https?://\S+$|all rights reserved|\(?see (?:the )?(?:file )?(?:authors|contributors)"
)
_GRANTED = (
    *("licensed", "licenced", "released", "distributed", "available", "published", "provided"),
    *("covered", "governed"),
)
# Words that only licence texts and notices about them have. Each alternative begins with a letter.
_LICENCE_TEXT = re.compile(
    "|".join(
        (
            r"permission (?:is hereby|is granted|to use, copy|to use, modify|notice)",
            r"permitted (?:in any medium|provided that|without)",
            r"redistribut(?:ion and use in source|ions? (?:of source code|in binary form))",
            r"redistribut(?:ed and/or modified|ion of this file|e it and/or modify)",
            r"distributed and/or modified|distributed on an \W?as[- ]is|distributed in the hope",
            r"distributable under|distribution of this (?:file|software|code|program)",
            r"neither the names? of|software is provided by|particular purpose|merchantability",
            r"(?:is|are) (?:hereby )?(?:provided|furnished|supplied|"
            r"distributed)\b.{0,60}\bas[- ]is\b",
            r"\bas[- ]is\W{1,3}(?:and |basis|without|with no)|no warranty (?:is|of|or)\b",
            r"without (?:any |express or implied |even the implied )?warrant|without royalty",
            r"disclaims? (?:all|any|copyright)\b|disclaimer of (?:all )?warrant",
            r"in no event (?:shall|will)|such (?:damage|loss)\b|other dealings in",
            r"except as contained in this notice|dealings in the software",
            r"unless required by applicable law|you may not use this file|you may obtain a copy",
            r"you (?:can|may|are free to) (?:also )?(?:redistribute|copy|distribute) (?:it|this)",
            r"you (?:can|may) (?:use|select|choose|modify|opt)\b.{0,60}"
            r"(?:terms of|licen[sc]es?\b|merge, publish)",
            r"you should have received a copy|do not alter or remove copyright",
            r"use of this (?:source code|file|software) is (?:governed|subject)",
            r"licen[sc]es? that can be found|subject to the following",
            r"the above copyright|this (?:copyright )?notice (?:may not|must|and this)",
            r"general public licen[sc]e|apache licen[sc]e,? v|free software foundation",
            r"boost software licen[sc]e|mozilla public licen[sc]e|eclipse public licen[sc]e",
            r"project public licen[sc]e",
            r"contributor (?:licen[sc]e )?agreement",
            *(
                verb + r"(?: to you)? (?:under|by|subject to)[\w .,()\"'/`<>-]{0,90}licen[sc]e\b"
                for verb in _GRANTED
            ),
            r"under (?:the|an?) (?:terms (?:and conditions )?of (?:the |an? )?)?"
            r"[\w.-]+ (?:[\w.(),-]+ ){0,5}licen[sc]e\b",
            r"under (?:the same|the following|these) (?:terms|conditions|licen[sc]e)",
            r"terms and conditions (?:of|as)|terms of (?:either|the perl)|terms as perl",
            r"same terms (?:as|of)",
            r"see copyright (?:for|file)|latest version of this licen|this is free software\b",
            r"licen[sc]ed (?:to \w+ under|to the|under|as (?:described|follows))",
            r"dual[- ]licen[sc]ed|licen[sc]e (?:& |and )?terms of use|one of the above.{0,20}licen",
            r"see (?:the )?(?:(?:accompanying|included|enclosed|attached) )?(?:file )?[\"'`]?"
            r"(?:the )?(?:licen[sc]e|copying|copyright notice|misc/copyright)\b",
            r"see https?://\S*licen[sc]e|licen[sc]e\W{0,2} file (?:accompanying|that was|for|in)",
            r"conditions of distribution|limitations under the|copyright notices? in the",
            r"for (?:more |full |the full )?(?:copyright|licen[sc]e|licensing) "
            r"(?:information|details|terms|text)",
            r"full (?:copyright|licen[sc]e) (?:and licen[sc]e )?(?:information|text|notice)",
            r"information on (?:usage|use) and redistribution|governing permissions",
            r"origin of this software must|altered source versions|all rights reserved",
            r"apache\.org/licen|opensource\.org/licen|gnu\.org/licen|mozilla\.org/mpl",
            r"spdx\.org/licen|licen[sc]e_\d_\d",
            r"licen[sc]e is (?:the )?(?:mit|bsd|apache)\b",
            r"in the public domain\b|to the public domain\b",
            r"unauthori[sz]ed copying|proprietary and conf",
        )
    )
)


# A paragraph between two of a licence that is one of its clauses.
_CLAUSE = re.compile(
    r"\(?(?:\d{1,2}|[a-hivx]{1,4})[.)]\s|[•·o]\s|[a-z]|the above\b|this (?:list|notice|permission)|"
    r"[^a-z]{20}"
)
_NAMING = re.compile(
    r"(?:[,;(]|\s[-–—])? ?(?:(?:and|which|that) )?(?:(?:is|are|was) )?(?:(?:now|also|freely) )?"
    r"(?:licen[cs]ed|released|distributed|available|published|provided) (?:under|by|with) "
    r"(?:the |"
    r"an? )?(?:terms of )?(?:the )?[\w.+-]+(?: [\w.+()-]+){0,3}? licen[cs]e\b(?: \([\w "
    r"./-]+\))?\)?",
    re.IGNORECASE,
)
# Words that describe nothing.
_SUBJECT = re.compile(
    r"this|the|it|file|program|software|code|module|library|package|is|are|and|was|which|that|an?|"
    r"of|part|project|source|script|under|copyright|all|rights|reserved|\(c\)|by|work|header"
)


def is_clause(line: str) -> bool:
    """Whether a paragraph that begins so, between paragraphs of a licence, is part of it."""
    return _CLAUSE.match(line) is not None


def licence_clause(line: str) -> tuple[int, int] | None:
    """Where a line that describes something names its licence in passing; None if it does not."""
    match = _NAMING.search(line)
    if match is None or re.search(r"[.!?:] ", line[: match.start()]):
        return None
    before = line[: match.start()].lower().split()
    words = [word for word in before if not _SUBJECT.fullmatch(word)]
    if (
        len(words) < 3
        or "copyright" in line.lower()
        or line[match.end() :][:1] not in (".", "", ",", ";")
    ):
        return None
    return match.span()


@lru_cache(maxsize=512)
def notice_lines(lines: tuple[str, ...]) -> tuple[frozenset[int], bool]:
    """Ordinals of a paragraph's lines that belong to a notice, and whether a licence is among them.

    The same licence stands above thousands of files; what was found is kept for the last ones.

    Args:
        lines: without comment markers; none is empty.
    """
    lowered = [line.lower() for line in lines]
    found: set[int] = set()
    for at, line in enumerate(lowered):
        goes_on = at - 1 in found and (
            _NOTICE_GOES_ON.match(line) or lowered[at - 1].endswith((",", " and"))
        )
        if (
            goes_on
            or _NOTICE_LINE.match(line)
            or _NOTICE_IN_LINE.search(line)
            or _NAMED_OWNER.match(lines[at])
        ):
            found.add(at)
    licence = _licence_lines(lines, lowered)
    found.update(licence)
    return frozenset(found), bool(licence)


def _licence_lines(lines: tuple[str, ...], lowered: list[str]) -> range:
    """From the line where the first words of a licence begin to the end of their notice."""
    matches = list(_LICENCE_TEXT.finditer(" ".join(lowered)))
    if not matches:
        return range(0)
    starts, position = [], 0
    for line in lowered:
        starts.append(position)
        position += len(line) + 1
    first = sum(start <= matches[0].start() for start in starts) - 1
    last = sum(start < matches[-1].end() for start in starts) - 1
    return range(_start_of_notice(lines, first), _end_of_notice(lines, last))


def _start_of_notice(lines: tuple[str, ...], at: int) -> int:
    """The line on which the sentence begins that goes on, or begins, on line `at`."""
    width = max(map(len, lines))
    while at > 0:
        line, before = lines[at], lines[at - 1]
        is_short = len(before) + 1 + len(line.split(" ", 1)[0]) <= width
        if before.endswith((".", "!", ":", ";")) or (is_short and not line[0].islower()):
            return at
        at -= 1
    return at


def _end_of_notice(lines: tuple[str, ...], at: int) -> int:
    """The line after a notice of which line `at` is the last that says so.

    The notice ends with the paragraph, or where a sentence or a line that is not full ends and a
    capital begins the next line; a disclaimer is all in capitals.
    """
    width = max(map(len, lines))
    for end in range(at + 1, len(lines)):
        line, following = lines[end - 1], lines[end]
        word = following.split(" ", 1)[0]
        is_short = len(line) + 1 + len(word) <= width and not following[:12].isupper()
        if (line.endswith((".", "!")) or is_short) and following[0].isupper():
            return end
    return len(lines)
