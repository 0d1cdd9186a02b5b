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
from itertools import pairwise

from filters.code.comments import Comment, comment_around, head_of, leading_comments, said
from filters.code.languages import comment_syntax
from filters.code.licence_decision import FileLicence, decide
from filters.code.licence_evidence import licence_evidence
from filters.code.licence_names import FAMILIES, PERMISSIVE
from filters.code.notices import WORDS, is_clause, licence_clause, notice_lines
from filters.code.syntax import Syntax
from filters.document import Document, Rejected, StageSettings, setting

# Lines for machines (in lower case), whatever paragraph they stand in.
_FOR_MACHINES = re.compile(
    r"coding[:=]|-\*-|\b(?:vim?|ex):\s*\S|frozen_string_literal|go:build|\+build|@flow|@ts-|"
    r"eslint|jshint|jslint|prettier|istanbul|<reference|!tex|pylint:|flake8|mypy:|type:\s*ignore|"
    r"rubocop|shellcheck|@(?:preserve-?env|jsx)\b|\bglobals?\b.*:\s*(?:true|false)"
)


# So much of the words that decided stands beside a document; a licence may have 35,000 characters.
_SHOWN = 500


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
    """Decide on each file's licence by all that it says, and remove its licence header.

    Adds to the metadata `licence`, where the file says one, and to the signals what decided:
    `licence_rule` (`tag`, `text`, `name`, `file`...; absent where the file says nothing),
    `licence_start` and `licence_end` (characters of the decoded file), `licence_score` (0 to 1) and
    `licence_match` (those characters, cut); `header` is the text that was removed.

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
        text, metadata = document.text, document.metadata
        language = metadata["programming_language"]
        evidence = licence_evidence(text, language, self.settings.head_characters)
        found = decide(evidence, self._allowed, metadata.get("licence_files"))
        _note(document, found)
        if found.reason:
            return Rejected(found.reason, _detail(found, text))
        above = str(metadata.get("licence") or "")
        if found.licence and not above.lower().startswith(FAMILIES.get(found.licence, ("-",))):
            metadata["licence"] = found.licence
        elif not above:
            return Rejected("no_licence", "neither the file nor a licence file above it has one")
        texts = [(one.start, one.end) for one in evidence if one.rule in ("tag", "text")]
        cleaned, removed = without_header(text, language, self.settings.head_characters, texts)
        document.signals["header_characters"] = len(text) - len(cleaned)
        document.signals["header"] = removed
        if not cleaned.strip():
            return Rejected("empty", "nothing but a licence header")
        document.text = cleaned
        return document


def _note(document: Document, found: FileLicence) -> None:
    one = found.evidence
    if one is not None:
        document.signals.update(
            licence_rule=one.rule,
            licence_start=one.start,
            licence_end=one.end,
            licence_score=one.score,
            licence_match=document.text[one.start : one.end][:_SHOWN],
        )


def _detail(found: FileLicence, text: str) -> str:
    """The licence, the rule, the place and the words that decided."""
    one = found.evidence
    if one is None:
        return found.licence
    words = " ".join(text[one.start : one.end].split())[:160]
    licence = one.licence or "no licence that is known"
    return f"{licence} by {one.rule} at {one.start}-{one.end}: {words}"


def without_header(
    text: str, language: str, head_characters: int, texts: Sequence[tuple[int, int]] = ()
) -> tuple[str, str]:
    """The text without its licence header, and the lines that were removed.

    Args:
        text: of the file.
        language: whose comments are looked at.
        head_characters: so much of the text is looked at.
        texts: characters of the text that are a licence's, in order (`licence_evidence`).
    """
    lines, tail = head_of(text, head_characters)
    syntax = comment_syntax(language)
    licensed = _lines_of(lines, texts)
    kept: list[str] = []
    removed: list[str] = []
    done = 0
    for comment in _comments(lines, syntax, licensed):
        before = lines[comment.start : comment.end]
        lowered = "\n".join(before).lower()
        if not any(word in lowered for word in WORDS):
            continue
        inside = licensed[comment.start : comment.end]
        after, gone = _without_notices(before, comment, lowered, inside)
        if not gone:
            continue
        kept += lines[done : comment.start]
        removed += gone
        done = comment.end
        kept += after
        if not after:
            # What parted the comment from its neighbours is of no use any more.
            while done < len(lines) and not lines[done].strip() and (not kept or not kept[-1]):
                done += 1
    if not removed:
        return text, ""
    return "\n".join([*kept, *lines[done:]]).lstrip("\n") + tail, "\n".join(removed)


def _lines_of(lines: Sequence[str], texts: Sequence[tuple[int, int]]) -> list[bool]:
    """For each line whether a licence's text is on it."""
    found = [False] * len(lines)
    at = number = 0
    for start, end in texts:
        while number < len(lines) and at + len(lines[number]) < start:
            at += len(lines[number]) + 1
            number += 1
        last, position = number, at
        while last < len(lines) and position < end:
            found[last] = True
            position += len(lines[last]) + 1
            last += 1
    return found


def _comments(lines: Sequence[str], syntax: Syntax, licensed: Sequence[bool]) -> Iterator[Comment]:
    """The comments above the code, and those below it that hold a licence's text."""
    end = 0
    for comment in leading_comments(lines, syntax, past_imports=True):
        yield comment
        end = comment.end
    while True in licensed[end:]:
        first = licensed.index(True, end)
        last = next((at for at in range(first, len(lines)) if not licensed[at]), len(lines))
        below = comment_around(lines, end, first, syntax)
        if below is not None:
            yield below
            last = max(last, below.end)
        end = last


def _without_notices(
    lines: Sequence[str], comment: Comment, lowered: str, licensed: Sequence[bool]
) -> tuple[list[str], list[str]]:
    """The lines of a comment that stay, and those that go."""
    contents = [said(line, comment) for line in lines]
    drop = _dropped(lines, contents, _FOR_MACHINES.search(lowered) is not None, licensed)
    cut = dict(_cuts(lines, contents, drop)) if comment.leads else {}
    gone = [line for at, line in enumerate(lines) if drop[at] or at in cut]
    if not gone:
        return list(lines), []
    shorter = [cut.get(at, line) for at, line in enumerate(lines)]
    return _cleaned(shorter, contents, drop, comment), gone


def _dropped(
    lines: Sequence[str], contents: Sequence[str], for_machines: bool, licensed: Sequence[bool]
) -> list[bool]:
    """For each line of a comment whether it goes.

    Args:
        lines, contents: as they are, and what they say.
        for_machines: whether some line may be one for machines.
        licensed: for each line whether a licence's text is on it.
    """
    drop = list(licensed)
    legal = []
    for start, end in _paragraphs(contents):
        found, is_legal = notice_lines(tuple(contents[start:end]))
        for at in found:
            drop[start + at] = True
        if is_legal or any(licensed[start:end]):
            legal.append((start, end))
    for start, end in _titles(contents, legal):
        drop[start:end] = [True] * (end - start)
    for (_, end), (start, _) in pairwise(legal):
        for first, last in _paragraphs(contents[end:start]):
            if is_clause(contents[end + first]):
                drop[end + first : end + last] = [True] * (last - first)
    return [
        gone and not (for_machines and _FOR_MACHINES.search(line.lower()))
        for gone, line in zip(drop, lines, strict=True)
    ]


def _titles(contents: Sequence[str], legal: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Paragraphs of one line that speak of a licence right above one of a licence."""
    starts = {start for start, _ in legal}
    paragraphs = list(_paragraphs(contents))
    for (start, end), (following, _) in pairwise(paragraphs):
        title = contents[start].lower()
        if following in starts and end == start + 1 and "licen" in title and len(title) < 60:
            yield start, end


def _cuts(
    lines: Sequence[str], contents: Sequence[str], drop: list[bool]
) -> Iterator[tuple[int, str]]:
    """Lines that describe the file and name its licence in passing, without that clause."""
    for at, content in enumerate(contents):
        span = licence_clause(content)
        if span is None:
            continue
        place = lines[at].find(content)
        if place >= 0:
            drop[at] = False
            line = lines[at]
            yield at, line[: place + span[0]] + line[place + span[1] :]


def _cleaned(
    lines: Sequence[str], contents: Sequence[str], drop: Sequence[bool], comment: Comment
) -> list[str]:
    """The lines of a comment that stay; none if all that says something goes."""
    if all(gone or not content for gone, content in zip(drop, contents, strict=True)):
        return []
    kept: list[str] = []
    # Frames above a description stay, those above a notice go with it.
    previous_went = next(gone for content, gone in zip(contents, drop, strict=True) if content)
    frames = bool(comment.opener) and not comment.each_line
    for at, (line, content, gone) in enumerate(zip(lines, contents, drop, strict=True)):
        first, last = frames and at == 0, frames and at == len(lines) - 1
        if gone and (first or last):
            indent = line[: len(line) - len(line.lstrip())]
            kept.append(indent + (comment.opener if first else comment.closer))
        elif not gone and (content or first or last or not previous_went):
            kept.append(line)
        previous_went = gone or (not content and previous_went)
    if frames and next(
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
