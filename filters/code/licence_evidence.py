"""What a file itself says about its licence, and where it says it.

Texts are told by `licenseclassifier`, a port of Google's licensecheck; tags after SPDX and REUSE;
names and terms by rules of ours (`licence_names`, `licence_terms`). Each piece of evidence has its
rule, its place in the file, and as score the share of the comment's words that its rule explains.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Literal, TypeAlias

from licenseclassifier import identify_license

from filters.code.languages import comment_syntax
from filters.code.licence_expressions import licence_tags
from filters.code.licence_names import licences_named, spaced, without_families
from filters.code.licence_terms import grants, handed_over, restrictions
from filters.code.notice_groups import blanked, notice_groups
from filters.code.regions import regions

Rule: TypeAlias = Literal["tag", "text", "name", "terms", "file", "unclear"]

_MAXIMUM_GROUP = 120_000
# What some licence text, or header of one, has.
_LICENSES = spaced(
    r"general public licen|permission (?:is|to use)|redistributions? |licensed under|free software|"
    r"(?:software|code) is provided|subject to the terms|warranty"
)
_GRANTING = spaced(r"licen[cs]ed under|permission|permitted|redistribut|warrant|grant|you may")
_BEGINS_WITH_COPYRIGHT = re.compile(r"\W*(?:copyright|\(c\)|©)", re.IGNORECASE)
_COPYRIGHT_REACH = 1000
_COPYRIGHT_PARAGRAPHS = 8
# Of more licences some belong to parts.
_MAXIMUM_CHOICE = 3
_WORD = re.compile(r"\w+")
_SENTENCE = re.compile(r"(?<=[.!?;])\s+(?=[\"'(]?[A-Z])|\n[ \t]*\n")
_EITHER = spaced(
    r"\bdual(?:ly)?[- ]?licen|\btri(?:ple)?-?licen|\bdual licen|\bor (?:the|an?|under|"
    r"at your|alternatively)\b"
    r"|\bor\b|\beither\b|\bany of\b|\bone of\b|\byour (?:choice|option|discretion)\b|"
    r"\balternatively\b|/|\|"
)
# A second licence to choose, in another paragraph than the first.
_CHOICE = spaced(
    r"\balternatively,? (?:this|you|the|it|at|provided|under|licen)[^.]{0,160}(?:licen|terms|gpl|"
    r"conditions|domain)|\bdual(?:ly)?[- ]licen|\b(?:under (?:the )?terms of )?(?:either|"
    r"any|one) of "
    r"(?:the )?(?:following|these|two|three|below)|\b(?:two|2|three) licen[cs]es?[^.]{0,40}choose|"
    r"choose (?:whichever|either|one|between)|\bat your (?:choice|discretion)\b|\byour choice of\b|"
    r"\byou (?:may|can) (?:choose|elect|opt|select)\b"
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One statement about a file's licence.

    Attributes:
        licence: an SPDX expression; of `terms` the kind of limit; of `file` the file's name.
        rule: `tag`, `text`, `name`, `terms` (a limit on use), `file` (another file says it), or
            `unclear` (a grant or a ban that nothing explains).
        start, end: characters of the file, before anything was removed.
        score: 0 to 1: the share of its comment's words that the rule explains.
    """

    licence: str
    rule: Rule
    start: int
    end: int
    score: float = 1.0


def licence_evidence(text: str, language: str, head_characters: int) -> list[Evidence]:
    """All that a file says about its licence, in order of place.

    Args:
        text: of the file.
        language: programming language.
        head_characters: SPDX tags are looked for in so much of it, whatever the language.
    """
    found = [
        Evidence(tag.expression, "tag", tag.start, tag.end)
        for tag in licence_tags(text[:head_characters])
    ]
    for group in notice_groups(text, language):
        said = _said(group.text[:_MAXIMUM_GROUP], group.is_prose)
        found += [
            replace(one, start=one.start + group.start, end=one.end + group.start) for one in said
        ]
    head = text[:head_characters]
    if not any(one.rule in ("tag", "text") for one in found) and _LICENSES.search(head):
        # Comments that the language does not have, as assembler's in a C header.
        known = regions(head, comment_syntax(language))
        rest = masked(head, ((one.start, one.end) for one in known))
        if _LICENSES.search(rest):
            found += [one for one in _said(blanked(rest), True) if one.rule == "text"]
    return sorted(found, key=lambda one: (one.start, one.end))


def licences_said(text: str) -> list[Evidence]:
    """All that a licence file says: its texts, names and limits."""
    tags = [Evidence(tag.expression, "tag", tag.start, tag.end) for tag in licence_tags(text)]
    return [*tags, *_said(blanked(text), False)]


@lru_cache(maxsize=1024)
def _said(text: str, is_prose: bool) -> tuple[Evidence, ...]:
    """What a group says; the same header stands above thousands of files."""
    texts = list(_texts(text))
    rest = masked(text, ((one.start, one.end) for one in texts))
    terms = [Evidence(one.name, "terms", one.start, one.end) for one in restrictions(rest)]
    names, explained = _names(rest, is_prose)
    found = _joined(text, rest, [*texts, *names])
    if not is_prose:
        rest = masked(rest, ((one.start, one.end) for one in [*terms, *explained]))
        found += [one for one in explained if one.rule == "file"]
        unclear = grants(rest)
        if unclear is not None:
            found.append(Evidence("", "unclear", unclear.start, unclear.end))
    words = max(1, len(_WORD.findall(text)))
    return tuple(
        replace(one, score=round(len(_WORD.findall(text[one.start : one.end])) / words, 3))
        for one in [*found, *(terms if not is_prose else [])]
    )


def masked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with a full stop and spaces for what the spans hold; of the same length."""
    kept, done = [], 0
    for start, end in sorted(spans):
        first = max(start, done)
        if end > first:
            kept += [text[done:first], ".", " " * (end - first - 1)]
            done = end
    return "".join([*kept, text[done:]])


def _texts(text: str) -> Iterator[Evidence]:
    """Licence texts, without what stands between a copyright line and the text itself."""
    for match in identify_license(text, 0.0):
        start = match.start
        # The classifier takes up to fifty words between a copyright line and the text with it.
        before = text[match.start : min(match.end, match.start + _COPYRIGHT_REACH)]
        if not _BEGINS_WITH_COPYRIGHT.match(before):
            before = ""
        for paragraph in islice(re.finditer(r"\n[ \t]*\n", before), _COPYRIGHT_PARAGRAPHS):
            later = match.start + paragraph.end()
            if _GRANTING.search(text, start, later):
                break
            again = identify_license(text[later : match.end], 0.0)
            if not again or again[0].id != match.id or again[0].start > _COPYRIGHT_REACH:
                break
            start = later + again[0].start
        yield Evidence(match.id, "text", start, match.end)


def _names(text: str, is_prose: bool) -> tuple[list[Evidence], list[Evidence]]:
    """Licences that sentences name, and the sentences that names or files explain."""
    names, explained = [], []
    for start, end in _sentences(text):
        sentence = text[start:end]
        named = licences_named(sentence)
        if is_prose:
            named = named if _STATES.search(sentence) else []
        if named:
            expression = _expression(sentence, [name.licence for name in named])
            names.append(
                Evidence(expression, "name", start + named[0].start, start + named[-1].end)
            )
            explained.append(Evidence(expression, "name", start, end))
        elif file := handed_over(sentence):
            explained.append(Evidence(file, "file", start, end))
    return names, explained


_STATES = spaced(
    r"^\W*(?:this |the )?(?:page|document|guide|file|work|text|book|article|tutorial|"
    r"content)\b[^.]{0,80}"
    r"\b(?:licen[cs]ed|released|distributed|available|published|"
    r"covered)\b[^.]{0,40}\b(?:under|by)\b|"
    r"^\W*:?licen[cs]e: "
)


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _SENTENCE.finditer(text):
        if text[start : match.start()].strip():
            yield start, match.start()
        start = match.end()
    if text[start:].strip():
        yield start, len(text)


def _expression(sentence: str, licences: list[str]) -> str:
    """The licences of a sentence as one SPDX expression."""
    distinct = list(dict.fromkeys(licences))
    if len(distinct) == 1:
        return distinct[0]
    return (" OR " if _EITHER.search(sentence) else " AND ").join(distinct)


def _joined(text: str, rest: str, found: list[Evidence]) -> list[Evidence]:
    """Texts and names of a group; one expression, where the group leaves a choice of them."""
    distinct = without_families(list(dict.fromkeys(one.licence for one in found)))
    if not 1 < len(distinct) <= _MAXIMUM_CHOICE or not _CHOICE.search(rest):
        return found
    expression = " OR ".join(f"({one})" if " " in one else one for one in distinct)
    start, end = min(one.start for one in found), max(one.end for one in found)
    rule: Rule = "text" if any(one.rule == "text" for one in found) else "name"
    return [Evidence(expression, rule, start, end)]
