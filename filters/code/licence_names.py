"""Licences that a header names: SPDX tags, and the well-known names of licences not kept."""

from __future__ import annotations

import re
from collections.abc import Set

_TAG = re.compile(r"SPDX-License-Identifier:\s*([\w.+\- ()]+)", re.IGNORECASE)
_OTHER = re.compile(
    r"(?:GNU )?(?:(?:Lesser|Library|Affero) )?General\s+Public\s+Licen[sc]e|\b[AL]?GPL(?:v?\d|\b)|"
    r"\bMozilla Public Licen[sc]e|\bMPL\b|\bEclipse Public Licen[sc]e|\bCDDL\b|"
    r"Common Development and Distribution Licen[sc]e|Creative Commons",
    re.IGNORECASE,
)
_KEPT = re.compile(
    r"\b(?:MIT|BSD|Apache)\b|Permission is hereby granted|Redistribution and use in source",
)
_ALTERNATIVE = re.compile(r"\bor\b", re.IGNORECASE)
_EXCEPTION = re.compile(r"\s+with\s+\S+", re.IGNORECASE)
_AND = re.compile(r"\band\b", re.IGNORECASE)


def licence_tags(header: str) -> list[str]:
    """SPDX expressions in a header; where there is none, the name of a licence that is not kept.

    A header that names a licence of the kept families too leaves the choice.
    """
    tags = [tag.strip() for tag in _TAG.findall(header)]
    if tags:
        return tags
    other = _OTHER.search(" ".join(header.split()))
    return [other[0]] if other and not _KEPT.search(header) else []


def allowed_expression(expression: str, allowed: Set[str]) -> bool:
    """Whether some alternative of an SPDX expression consists of allowed licences only.

    An exception (`WITH`) adds permissions to a licence. Brackets bind nothing here: `A AND (B OR
    C)` is read as `A AND B` or `C`, which is right for all whose licences are all allowed or all
    not.

    Args:
        expression: such as `Apache-2.0 WITH LLVM-exception OR MIT`.
        allowed: identifiers in lower case.
    """
    plain = _EXCEPTION.sub("", expression.replace("(", " ").replace(")", " "))
    return any(
        all(name.strip().lower() in allowed for name in _AND.split(alternative))
        for alternative in _ALTERNATIVE.split(plain)
    )
