"""Which of the dumps in a folder are read, so that no page comes twice.

A wiki may be there as one file and in parts, single and multistream, from several dates. The newest
date that is whole is read, once; parts are whole where their page ranges begin at page 1 and follow
each other. Names: https://meta.wikimedia.org/wiki/Data_dumps/Dump_format, and those of the file
export since 2025 (`enwiki-2026-05-01-p1p41242.xml.bz2`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.errors import InputError

_NAME = re.compile(r"([a-z][a-z0-9_]*?wiki)-(?:NS0-)?(.+?)-(?=pages-|p\d+p\d+|ENTERPRISE-HTML)(.*)")
_DATE = re.compile(r"\d{8}|\d{4}-\d{2}-\d{2}|latest")
_RANGE = re.compile(r"p(\d+)p(\d+)")
_KIND = re.compile(r"pages-[a-z]+(?:-current|-history)?|ENTERPRISE-HTML")
_LATEST = "9" * 8
# Of the kinds that hold the articles, the rendered one, then the one with the least else.
_KINDS = ("ENTERPRISE-HTML", "pages-articles", "pages-meta-current", "")


@dataclass(slots=True)
class _Dump:
    """The files of one wiki, date and kind, in one form; `ranges` are the pages of its parts."""

    date: str
    kind: str
    is_multistream: bool
    is_parts: bool
    paths: list[str] = field(default_factory=list)
    ranges: list[tuple[int, int]] = field(default_factory=list)

    def is_whole(self) -> bool:
        """Whether no part is missing, as far as names tell: not the last ones."""
        expected = 1
        for first, last in sorted(self.ranges):
            if first != expected:
                return False
            expected = last + 1
        return True

    def rank(self) -> tuple[str, int, bool, bool]:
        """The highest is read."""
        kind = -_KINDS.index(self.kind) if self.kind in _KINDS else -len(_KINDS)
        return self.date, kind, self.is_multistream, not self.is_parts


def overlapping(paths: Iterable[str]) -> dict[str, str]:
    """The dumps that are not to be read, with the reason.

    Args:
        paths: of dumps; those whose names say nothing of this kind stand for themselves.

    Raises:
        InputError: several dumps of a wiki are there, and none of them is whole.
    """
    wikis: dict[str, dict[tuple[str, str, bool, bool], _Dump]] = {}
    for path in paths:
        match = _NAME.match(path.rpartition("/")[2])
        if match is None:
            continue
        wiki, tag, rest = match.groups()
        is_dated = _DATE.fullmatch(tag) is not None
        date = _LATEST if tag == "latest" else tag.replace("-", "") if is_dated else tag
        kind = _KIND.match(rest)
        pages = _RANGE.search(rest)
        key = (date, kind[0] if kind else "", "multistream" in rest, pages is not None)
        # Names without a date (samples) are compared only with their like.
        group = wikis.setdefault(wiki if is_dated else f"{wiki}-{tag}", {})
        dump = group.setdefault(key, _Dump(*key))
        dump.paths.append(path)
        if pages:
            dump.ranges.append((int(pages[1]), int(pages[2])))
    refused: dict[str, str] = {}
    for wiki, dumps in wikis.items():
        if len(dumps) > 1:
            refused |= _refused(wiki, list(dumps.values()))
    return refused


def _refused(wiki: str, dumps: list[_Dump]) -> dict[str, str]:
    whole = [dump for dump in dumps if dump.is_whole()]
    if not whole:
        raise InputError(
            f"there are {len(dumps)} dumps of {wiki}, and parts are missing of each; for example "
            f"{dumps[0].paths[0]}; complete one of them or leave only one in the folder"
        )
    chosen = max(whole, key=_Dump.rank)
    return {
        path: _reason(dump, chosen) for dump in dumps if dump is not chosen for path in dump.paths
    }


def _reason(dump: _Dump, chosen: _Dump) -> str:
    if dump.date != chosen.date:
        return "older_dump" if dump.date < chosen.date else "parts_missing"
    if not dump.is_whole():
        return "parts_missing"
    if chosen.is_multistream != dump.is_multistream:
        return "same_pages_as_multistream"
    if chosen.is_parts != dump.is_parts:
        return "same_pages_as_whole_dump" if dump.is_parts else "same_pages_as_parts"
    return "same_pages_in_other_kind"
