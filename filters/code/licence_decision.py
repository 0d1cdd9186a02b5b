"""A file's licence from what it says and from the licence files above it: the strictest counts.

Of a choice (`OR`) one allowed licence is enough; of several statements each must be allowed, and no
statement cancels another's refusal.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass

from filters.code.licence_evidence import Evidence
from filters.code.licence_expressions import allowed_expression, names_in
from filters.code.licence_names import without_families

# Files that speak for a project without being its licence, and need not be there.
_BESIDE = frozenset({"notice", "readme", "authors", "contributors", "legal", "copyright"})


@dataclass(frozen=True, slots=True)
class FileLicence:
    """What follows for one file.

    Attributes:
        licence: SPDX expression of what the file says; empty where it says nothing.
        reason: why it goes; empty if it stays.
        evidence: what decided; None where the licence files above it decide.
    """

    licence: str
    reason: str
    evidence: Evidence | None = None


def decide(
    evidence: Sequence[Evidence], allowed: Set[str], licence_files: Collection[str] | None
) -> FileLicence:
    """The licence of a file.

    Args:
        evidence: of the file.
        allowed: SPDX identifiers in lower case.
        licence_files: names of the licence files above it; None where they are not known.
    """
    tags = [one for one in evidence if one.rule == "tag"]
    # What a tag leaves to choose from, the text beside it may spell out.
    chosen = {
        name
        for tag in tags
        if allowed_expression(tag.licence, allowed)
        for name in names_in(tag.licence)
    }
    said = []
    for one in evidence:
        if one.rule == "terms":
            return FileLicence(one.licence, "header_licence_not_allowed", one)
        if chosen and one.rule in ("text", "name") and chosen.issuperset(names_in(one.licence)):
            continue
        if one.rule in ("tag", "text", "name"):
            if not allowed_expression(one.licence, allowed):
                return FileLicence(one.licence, "header_licence_not_allowed", one)
            said.append(one)
    for one in evidence:
        if one.rule == "unclear" and not tags:
            return FileLicence("", "licence_unclear", one)
        if one.rule == "file" and not said and not _is_there(one.licence, licence_files):
            return FileLicence("", "licence_unclear", one)
    if not said:
        return FileLicence("", "", next((one for one in evidence if one.rule == "file"), None))
    names = without_families(list(dict.fromkeys(one.licence for one in said)))
    joined = [f"({name})" if " OR " in name and len(names) > 1 else name for name in names]
    return FileLicence(" AND ".join(joined), "", said[0])


def _is_there(name: str, licence_files: Collection[str] | None) -> bool:
    stem = name.lower().partition(".")[0]
    if stem in _BESIDE:
        return True
    if licence_files is None:
        return stem.startswith(("licen", "copying", "unlicen"))
    there = {file.rsplit("/", 1)[-1].lower().partition(".")[0] for file in licence_files}
    # `LICENSE` and `LICENCE` are one name.
    return stem.replace("licence", "license").rstrip("s") in {
        one.replace("licence", "license").rstrip("s") for one in there
    }
