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

from filters.code.comments import Comment, head_of, leading_comments, said
from filters.code.licence_names import PERMISSIVE, allowed_expression, licence_tags, other_licence
from filters.code.notices import WORDS, notice_lines
from filters.code.syntax import comment_syntax
from filters.document import Document, Rejected, StageSettings, setting

# Lines for machines (in lower case), whatever paragraph they stand in.
_FOR_MACHINES = re.compile(
    r"coding[:=]|-\*-|\b(?:vim?|ex):\s*\S|frozen_string_literal|go:build|\+build|@flow|@ts-|"
    r"eslint|jshint|jslint|prettier|istanbul|<reference|!tex|pylint:|flake8|mypy:|type:\s*ignore|"
    r"rubocop|shellcheck|@(?:preserve-?env|jsx)\b|\bglobals?\b.*:\s*(?:true|false)"
)


@dataclass(frozen=True, kw_only=True)
class LicenceHeaderSettings(StageSettings):
    """[github.header].

    Attributes:
        head_characters: so much of a file is looked at; a comment that ends later stays.
    """

    head_characters: int = setting(
        40_000, "ours: bounds time; the longest licence, the GPL, has 35,000"
    )


class LicenceHeaderFilter:
    """Remove licence headers; drop files that say they are under a licence that is not kept.

    Args:
        settings: from the recipe.
        allowed: SPDX identifiers of the licences kept.
    """

    name = "header"

    def __init__(
        self, settings: LicenceHeaderSettings | None = None, allowed: Sequence[str] = PERMISSIVE
    ) -> None:
        self.settings = settings or LicenceHeaderSettings()
        self._allowed = frozenset(name.lower() for name in allowed)

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        text = document.text
        language = document.metadata["programming_language"]
        cleaned, removed = without_header(text, language, self.settings.head_characters)
        other = self._other_licence(text, removed)
        if other:
            return Rejected("header_licence_not_allowed", other)
        document.signals["header_characters"] = len(text) - len(cleaned)
        if not cleaned.strip():
            return Rejected("empty", "nothing but a licence header")
        document.text = cleaned
        return document

    def _other_licence(self, text: str, removed: str) -> str:
        """What a file says it is under, if that is not kept: by SPDX tags, or else in words."""
        tags = licence_tags(text[: self.settings.head_characters])
        if tags:
            refused = (tag for tag in tags if not allowed_expression(tag, self._allowed))
            return next(refused, "")
        return other_licence(removed)


def without_header(text: str, language: str, head_characters: int) -> tuple[str, str]:
    """The text without its licence header, and what the removed lines said."""
    lines, tail = head_of(text, head_characters)
    kept: list[str] = []
    removed: list[str] = []
    done = 0
    for comment in leading_comments(lines, comment_syntax(language)):
        before = lines[comment.start : comment.end]
        lowered = "\n".join(before).lower()
        if not any(word in lowered for word in WORDS):
            continue
        contents = [said(line, comment) for line in before]
        drop = _dropped(before, contents, _FOR_MACHINES.search(lowered) is not None)
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


def _dropped(lines: Sequence[str], contents: Sequence[str], for_machines: bool) -> list[bool]:
    """For each line of a comment whether it goes.

    Args:
        lines, contents: as they are, and what they say.
        for_machines: whether some line may be one for machines.
    """
    drop = [False] * len(lines)
    for start, end in _paragraphs(contents):
        for at in notice_lines(tuple(contents[start:end])):
            line = lines[start + at]
            drop[start + at] = not (for_machines and _FOR_MACHINES.search(line.lower()))
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
    if comment.closer and next(
        gone for content, gone in zip(contents[::-1], drop[::-1], strict=True) if content
    ):
        # What parted the description from a notice at the end.
        while len(kept) > 2 and not said(kept[-2], comment):
            del kept[-2]
    return kept


def _paragraphs(contents: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Start and end of each run of lines that say something."""
    start = None
    for at, content in enumerate([*contents, ""]):
        if content and start is None:
            start = at
        elif not content and start is not None:
            yield start, at
            start = None
