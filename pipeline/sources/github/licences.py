"""Which licences a repository, or a folder of one, is under.

Texts are recognised by `licenseclassifier`, a port of Google's licensecheck: 693 SPDX identifiers,
linear time, nothing downloaded. A file of which known texts are less than the stated share is not
recognised: better no licence than a guessed one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from licenseclassifier import identify_license

# Names GitHub's licensee reads too; code that is called licence (`license.py`) is none, nor is the
# header that a build puts above files (`license-header.txt`).
_LICENCE_FILE = re.compile(
    r"(?!.*\.(?:py[cix]?|[cm]?[jt]sx?|go|rb|rs|[ch]|cc|[ch]pp|java|kts?|cs|php|sh|json|ya?ml|toml|"
    r"xml|svg|png|gif|jpg|ico|swift|dart|gradle|cmake|scala|lua|hs|mm?|exs?|erl|ml|sql|s?css|"
    r"less|vue|p[lm]|ps1|bat|cmd|jl|gz|zip|jar|csv|properties|plist|resx|ipynb|proto|tmpl|tpl|in)$)"
    r"(?!.*header|.*template)"
    r"(?:[\w.]+-)?(?:(?:un)?licen[sc]es?|copying|copyleft)(?:[-._][\w.+-]*)?",
    re.IGNORECASE,
)
_MAXIMUM_CHARACTERS = 200_000


# Below the top, `docs/license.rst` is a page about licences.
_PAGE = re.compile(r"[^A-Z]*\.(?:md|markdown|rst|html?|tex)")


def is_licence_file(path: str) -> bool:
    """Whether a file of this name is a licence text: `LICENSE`, `COPYING.LESSER`, `MIT-LICENSE`."""
    folder, _, name = path.rpartition("/")
    if folder and _PAGE.fullmatch(name):
        return False
    return _LICENCE_FILE.fullmatch(name) is not None


def identify(text: str, minimum_coverage: float) -> tuple[str, ...]:
    """SPDX identifiers of the licence texts in a file, sorted; none if it is not recognised."""
    found = identify_license(text[:_MAXIMUM_CHARACTERS], minimum_coverage)
    return tuple(sorted({match.id for match in found}))


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

    def verdict(self, licences: Iterable[str]) -> Verdict:
        """All licences must be allowed: of two the files may be under either."""
        names = sorted({self._canonical.get(name.lower(), name) for name in licences})
        expression = " AND ".join(names)
        if not names:
            return Verdict("", "no_licence")
        refused = [name for name in names if name.lower() not in self._canonical]
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
