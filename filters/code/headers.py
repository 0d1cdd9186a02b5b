"""Licence and copyright notices out of the comments at a file's top; all else stays as it was.

LLaMA removed "boilerplate, such as headers" by regular expressions. Here only comments before the
first line of code are looked at, in the language's own syntax, paragraph by paragraph: a paragraph
that holds licence text goes, a line that states a copyright goes, a description beside them stays.
RedPajama v1's rule drops all leading lines with `#`, `//` or `--` (shebangs, `#include`, coding
lines, README headings) unless there is a block comment anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from filters.code.comments import Comment, head_of, leading_comments
from filters.code.licence_names import allowed_expression, licence_tags
from filters.code.syntax import comment_syntax
from filters.document import Document, Rejected, StageSettings

# A line that states a copyright or names a licence, and nothing else.
_NOTICE_LINE = re.compile(
    r"(?:portions |parts |some |this (?:file|code|work) is |this software is )?(?:"
    r"@?copyrights?\b\s*(?:\(c\)|©|&copy;|[:,]|\d{4}|by\b|the\b|notice|$|(?-i:[A-Z]))"
    r"|\(c\)\s*(?:copyright|\d{4}|by\b|(?-i:[A-Z]))|©|&copy;"
    r"|all rights reserved|spdx-|@?licen[sc]ed?\s*:|@licen[sc]e\b"
    r"|licen[sc]e(?:d under)?(?: the)? (?:MIT|BSD|Apache|[AL]?GPL)\b"
    r"|(?:the )?(?:[\w-]+ )?(?:MIT|BSD|Apache|[AL]?GPL)(?:[- ][\w.-]+)? licen[sc]ed?\b"
    r"(?:[, ]*version [\d.]+)?[\s.,]*(?:\([\w ./-]*\)?)?[\s.,]*$"
    r"|@(?:author|copyright)\b.*copyright)",
    re.IGNORECASE,
)
# A line that goes on with one: years, names with an address, an address alone.
_NOTICE_GOES_ON = re.compile(
    r"(?:\d{4}(?:\s*[-,–]\s*\d{4})*,? |and (?:others|contributors|individual)|<?\S+@\S+>?$|"
    r"https?://\S+$|all rights reserved|\(?see (?:the )?(?:file )?(?:AUTHORS|CONTRIBUTORS))",
    re.IGNORECASE,
)
# Words that only licence texts and notices about them have.
_LICENCE_TEXT = re.compile(
    "|".join(
        (
            r"permission (?:is hereby|is granted|to use, copy)",
            r"redistribution and use in source|redistributions? (?:of source code|in binary form)",
            r"neither the names? of|software is provided by|particular purpose|merchantability",
            r"(?:software|code|program|library|file|work) is provided\b.{0,60}as[- ]is",
            r"without (?:any |express or implied |even the implied )?warrant",
            r"in no event (?:shall|will)|(?:of|for any) such (?:damage|loss)|other dealings in",
            r"unless required by applicable law|you may not use this file|you may obtain a copy",
            r"you (?:can|may) (?:redistribute|copy|distribute) (?:it|this)",
            r"use of this (?:source code|file|software) is (?:governed|subject)",
            r"licen[sc]e that can be found|subject to the following",
            r"the above copyright|this (?:copyright )?notice (?:may not|must|and this)",
            r"general public licen[sc]e|apache licen[sc]e,? version|free software foundation",
            r"(?:boost|mozilla|eclipse) (?:software|public) licen[sc]e",
            r"contributor licen[sc]e agreement",
            r"(?:licen[sc]ed|released|distributed|(?:made )?available|published|provided|covered|"
            r"governed)(?: to you)? (?:under|by|subject to)(?: the)?"
            r"(?: terms (?:and conditions )?of)?(?: the| an?)?[\w .,()\"'/-]{0,60}licen[sc]e\b",
            r"licen[sc]ed (?:to the|under)\b|dual[- ]licen[sc]ed",
            r"see (?:the )?(?:(?:accompanying|included|enclosed|attached) )?(?:file )?[\"'`]?"
            r"(?:the )?(?:LICEN[SC]E|COPYING|COPYRIGHT|copyright notice)\b",
            r"conditions of distribution|limitations under the|copyright notices? in the",
            r"for (?:more |full |the full )?(?:copyright|licen[sc]e|licensing) "
            r"(?:information|details|terms|text)",
            r"full (?:copyright|licen[sc]e) (?:and licen[sc]e )?(?:information|text|notice)",
            r"origin of this software must|altered source versions|all rights reserved",
            r"(?:apache|opensource|gnu|mozilla)\.org/licenses",
            r"licen[sc]e is (?:the )?(?:MIT|BSD|Apache)\b",
            r"placed in(?:to)? the public domain|disclaims copyright",
        )
    ),
    re.IGNORECASE,
)
# Lines for machines, whatever paragraph they stand in.
_FOR_MACHINES = re.compile(
    r"coding[:=]|-\*-|\b(?:vim?|ex):\s*\S|frozen_string_literal|go:build|\+build|@flow|@ts-|"
    r"eslint|jshint|jslint|prettier|istanbul|<reference|!TEX|pylint:|flake8|mypy:|type:\s*ignore|"
    r"rubocop|shellcheck|@(?:preserve-?env|jsx)\b|\bglobals?\b.*:\s*(?:true|false)",
    re.IGNORECASE,
)
# A comment with none of these words holds no notice; most comments are settled by that.
_WORDS = (
    *("copyright", "(c)", "\N{COPYRIGHT SIGN}", "&copy;", "licen", "spdx", "rights reserved"),
    *("permission", "redistribut", "warrant", "public domain"),
)
_DECORATION = " \t\f*#/;%!=<>{}|+~_-:\"'"


@dataclass(frozen=True, kw_only=True)
class LicenceHeaderSettings(StageSettings):
    """[github.header].

    Attributes:
        head_characters: so much of a file is looked at; a comment that ends later stays.
    """

    head_characters: int


class LicenceHeaderFilter:
    """Remove licence headers; drop files that say they are under a licence that is not kept.

    Args:
        settings: from the recipe.
        allowed: SPDX identifiers of the licences kept.
    """

    name = "header"

    def __init__(self, settings: LicenceHeaderSettings, allowed: Sequence[str]) -> None:
        self.settings = settings
        self._allowed = frozenset(name.lower() for name in allowed)

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        text = document.text
        language = document.metadata["programming_language"]
        cleaned, removed = without_header(text, language, self.settings.head_characters)
        for tag in licence_tags(removed):
            if not allowed_expression(tag, self._allowed):
                return Rejected("header_licence_not_allowed", tag)
        document.signals["header_characters"] = len(text) - len(cleaned)
        if not cleaned.strip():
            return Rejected("empty", "nothing but a licence header")
        document.text = cleaned
        return document


def without_header(text: str, language: str, head_characters: int) -> tuple[str, str]:
    """The text without its licence header, and what the removed lines said."""
    lines, tail = head_of(text, head_characters)
    kept: list[str] = []
    removed: list[str] = []
    done = 0
    for comment in leading_comments(lines, comment_syntax(language)):
        before = lines[comment.start : comment.end]
        lowered = "\n".join(before).lower()
        if not any(word in lowered for word in _WORDS):
            continue
        contents = [_content(line, comment) for line in before]
        drop = _dropped(before, contents)
        if not any(drop):
            continue
        after = _cleaned(before, contents, drop, comment)
        kept += lines[done : comment.start]
        removed += [content for content, gone in zip(contents, drop, strict=True) if gone]
        done = comment.end
        kept += after
        if not after:
            # What parted the comment from its neighbours is of no use any more.
            while done < len(lines) and not lines[done].strip() and (not kept or not kept[-1]):
                done += 1
    if not removed:
        return text, ""
    return "\n".join([*kept, *lines[done:]]).lstrip("\n") + tail, "\n".join(removed)


def _dropped(lines: Sequence[str], contents: Sequence[str]) -> list[bool]:
    """For each line of a comment whether it goes."""
    drop = [False] * len(lines)
    for start, end in _paragraphs(contents):
        for at in _notice_lines(contents[start:end]):
            drop[start + at] = not _FOR_MACHINES.search(lines[start + at])
    return drop


def _cleaned(
    lines: Sequence[str], contents: Sequence[str], drop: Sequence[bool], comment: Comment
) -> list[str]:
    """The lines of a comment that stay; none if all that says something goes."""
    if all(gone or not content for gone, content in zip(drop, contents, strict=True)):
        return []
    kept: list[str] = []
    previous_went = True
    for at, (line, content, gone) in enumerate(zip(lines, contents, drop, strict=True)):
        first, last = at == 0 and comment.opener, at == len(lines) - 1 and comment.closer
        if gone and (first or last):
            indent = line[: len(line) - len(line.lstrip())]
            kept.append(indent + (comment.opener if first else comment.closer))
        elif not gone and (content or first or last or not previous_went):
            kept.append(line)
        previous_went = gone or (not content and previous_went)
    return kept


def _content(line: str, comment: Comment) -> str:
    """What a line of a comment says, without markers, frames and rulers."""
    text = line.strip()
    if comment.opener:
        text = text.removeprefix(comment.opener).removesuffix(comment.closer)
    text = re.sub(r"^(?:REM|@REM|rem|Rem|@rem|C|c|dnl)(?=\s|$)", "", text)
    return text.strip(_DECORATION)


def _paragraphs(contents: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Start and end of each run of lines that say something."""
    start = None
    for at, content in enumerate([*contents, ""]):
        if content and start is None:
            start = at
        elif not content and start is not None:
            yield start, at
            start = None


def _notice_lines(lines: Sequence[str]) -> set[int]:
    """Ordinals of a paragraph's lines that belong to a licence or a copyright notice."""
    found: set[int] = set()
    for at, line in enumerate(lines):
        goes_on = at - 1 in found and (
            _NOTICE_GOES_ON.match(line) or lines[at - 1].endswith((",", " and"))
        )
        if goes_on or _NOTICE_LINE.match(line):
            found.add(at)
    starts, position = [], 0
    for line in lines:
        starts.append(position)
        position += len(line) + 1
    joined = " ".join(lines)
    matches = list(_LICENCE_TEXT.finditer(joined))
    if matches:
        first = sum(start <= matches[0].start() for start in starts) - 1
        last = sum(start < matches[-1].end() for start in starts) - 1
        found.update(range(first, _end_of_notice(lines, last)))
    return found


def _end_of_notice(lines: Sequence[str], at: int) -> int:
    """The line after a notice of which line `at` is the last that says so.

    The notice ends with the paragraph, or where a sentence or a line that is not full ends and a
    capital begins the next line.
    """
    width = max(map(len, lines))
    for end in range(at + 1, len(lines)):
        line, following = lines[end - 1], lines[end]
        word = following.split(" ", 1)[0]
        ends = line.endswith((".", "!")) or len(line) + 1 + len(word) <= width
        if ends and following[0].isupper():
            return end
    return len(lines)
