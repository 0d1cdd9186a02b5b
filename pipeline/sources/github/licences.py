"""Which licences a repository, or a folder of one, is under.

Texts are recognised by `licenseclassifier`, a port of Google's licensecheck: 693 SPDX identifiers,
linear time, nothing downloaded. A file of which known texts are less than the stated share, or that
limits what they grant (Commons Clause, non-commercial lines, exceptions by folder), is not
recognised: better no licence than a guessed one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from licenseclassifier import identify_license

from filters.code.licence_evidence import licences_said, masked
from filters.code.licence_expressions import allowed_expression
from filters.code.licence_names import spaced, without_families

# Code that is called licence (`license.py`) is none, nor is the header that a build puts above
# files (`license-header.txt`).
_NO_CODE = (
    r"(?!.*\.(?:py[cix]?|[cm]?[jt]sx?|go|rb|rs|[ch]|cc|[ch]pp|java|kts?|cs|php|sh|json|ya?ml|toml|"
    r"xml|svg|png|gif|jpg|ico|swift|dart|gradle|cmake|scala|lua|hs|mm?|exs?|erl|ml|sql|s?css|"
    r"less|vue|p[lm]|ps1|bat|cmd|jl|gz|zip|jar|csv|properties|plist|resx|ipynb|proto|tmpl|tpl|in)$)"
    r"(?!.*header|.*template)"
)
# Names GitHub's licensee reads too, and those of single licences.
_LICENCE_FILE = re.compile(
    _NO_CODE + r"(?:(?:[\w.]+[-_])?(?:(?:un)?licen[sc]es?|copying|copyleft)\d?(?:[-._ ][\w.+ -]*)?|"
    r"(?:[al]?gpl|mpl|commons[-_ ]?clause)(?:[-_]?v?[\d.]+)?(?:\.(?:txt|md|rst|html))?)",
    re.IGNORECASE,
)
# Files that hold a licence at times, and at times speak about it: their text decides.
_SPEAKS_OF_LICENCES = re.compile(
    _NO_CODE + r"[\w. +-]*(?:licen[sc]|copying|copyleft|copyright|commons[-_ ]?clause|eula|patents|"
    r"legal|terms)[\w. +-]*",
    re.IGNORECASE,
)
# Below the top, `docs/license.rst` is a page about licences.
_PAGE = re.compile(r"[^A-Z]*\.(?:md|markdown|rst|html?|tex)")
_MAXIMUM_CHARACTERS = 200_000
_EXCEPTIONS = spaced(
    r"\b(?:except(?:ing|ion of| for| as| where| that| in)?|exclud(?:es?|ing)|other than|apart from|"
    r"does not (?:apply|cover|extend)|do not apply|not (?:covered|included|licensed|part of)|"
    r"different(?:ly)? licen|other licen[cs]es?|separate(?:ly)? licen|own licen[cs]e)\b|"
    r"\b(?:files?|code|contents?|everything|all|materials?|anything|that resides) (?:in|"
    r"under|within|"
    r"inside|below|found in) (?:the )?[\"'`]?[\w./*-]+[\"'`]? (?:director|folder|"
    r"subdirector|is|are)|"
    r"\b(?:director(?:y|ies)|folders?|subtrees?)\b[^.]{0,80}(?:licen|under|terms|govern)|"
    r"\b(?:may|must|shall|can) (?:not|only)\b|\bcannot\b|\bprovided that\b|\bsubject to\b|"
    r"\bunless\b|"
    r"\bnot permitted\b|\bprohibited\b|\bon condition|\badditional (?:terms|conditions|"
    r"restrictions)"
)
# What LLVM adds to the Apache licence only permits.
_LLVM_EXCEPTIONS = spaced(
    r"as an exception, if, as a result of your compiling [\s\S]{0,1500}?with respect to the "
    r"combined software\."
)


@dataclass(frozen=True, slots=True)
class LicenceText:
    """What a licence file holds.

    Attributes:
        licences: SPDX expressions that all hold; empty where the file is not recognised.
        named: SPDX expressions of all that it names, recognised or not.
        is_limited: whether it forbids some use.
    """

    licences: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    is_limited: bool = False


def is_licence_file(path: str) -> bool:
    """Whether a file of this name is a licence text: `LICENSE`, `COPYING.LESSER`, `MIT-LICENSE`."""
    folder, _, name = path.rpartition("/")
    if folder and _PAGE.fullmatch(name):
        return False
    return _LICENCE_FILE.fullmatch(name) is not None


def may_hold_licence(path: str) -> bool:
    """Whether a file so named holds a licence, or speaks of one: `copyright`, `docs/license.md`."""
    return _SPEAKS_OF_LICENCES.fullmatch(path.rpartition("/")[2]) is not None


def read_licence(text: str, minimum_coverage: float) -> LicenceText:
    """The licences in a file, by all of its text.

    Args:
        text: of the file.
        minimum_coverage: percent of it that licence texts must be.
    """
    text = _LLVM_EXCEPTIONS.sub("", text[:_MAXIMUM_CHARACTERS])
    said = licences_said(text)
    found = {one.licence for one in said if one.rule in ("tag", "text", "name")}
    named = tuple(sorted(without_families(sorted(found))))
    is_limited = any(one.rule == "terms" for one in said)
    rest = masked(text, ((one.start, one.end) for one in said if one.rule == "text"))
    recognised = identify_license(text, minimum_coverage)
    if is_limited or not recognised or _EXCEPTIONS.search(rest):
        return LicenceText((), named, is_limited)
    return LicenceText(named, named)


def identify(text: str, minimum_coverage: float) -> tuple[str, ...]:
    """SPDX expressions of the licences in a file, sorted; none if it is not recognised."""
    return read_licence(text, minimum_coverage).licences


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from a repository's licences.

    Attributes:
        licence: SPDX expression of all of them; empty where there is none.
        reason: why its files go; empty if they stay.
    """

    licence: str
    reason: str


@dataclass(frozen=True)
class LicencePolicy:
    """Decides on sets of licences.

    Args:
        allowed: SPDX identifiers.
    """

    allowed: tuple[str, ...]
    _canonical: dict[str, str] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._canonical.update({name.lower(): name for name in self.allowed})

    def allows(self, expression: str) -> bool:
        """Whether some choice that an SPDX expression leaves is of allowed licences."""
        return allowed_expression(expression, self._canonical.keys())

    def verdict(self, licences: Iterable[str]) -> Verdict:
        """All licences must be allowed: of two the files may be under either."""
        names = sorted({self._canonical.get(name.lower(), name) for name in licences})
        joined = [f"({name})" if " OR " in name and len(names) > 1 else name for name in names]
        expression = " AND ".join(joined)
        if not names:
            return Verdict("", "no_licence")
        refused = [name for name in names if not self.allows(name)]
        if refused and len(refused) < len(names):
            return Verdict(expression, "one_licence_not_allowed")
        return Verdict(expression, "licence_not_allowed" if refused else "")


def folder_of(path: str) -> str:
    """The folder that a file is in, with a slash at its end; empty at the top."""
    return path[: path.rfind("/") + 1]


def nearest(path: str, folders: Mapping[str, Verdict]) -> Verdict | None:
    """The verdict on the nearest folder above a file that has one."""
    folder = folder_of(path)
    while True:
        if folder in folders:
            return folders[folder]
        if not folder:
            return None
        folder = folder_of(folder[:-1])
