"""Licences that a file names: SPDX tags, and the well-known names of licences not kept."""

from __future__ import annotations

import re
from collections.abc import Set

# What LLaMA calls Apache, BSD and MIT (docs/github.md says why these), as SPDX identifiers.
# fmt: off
PERMISSIVE: tuple[str, ...] = (
    "Apache-1.1", "Apache-2.0", "BSD-1-Clause", "BSD-2-Clause", "BSD-2-Clause-Patent",
    "BSD-2-Clause-Views", "BSD-3-Clause", "BSD-3-Clause-Clear", "BSD-3-Clause-LBNL",
    "BSD-3-Clause-Modification", "0BSD", "MIT", "MIT-0", "MIT-Modern-Variant", "X11",
)
# fmt: on

# At the start of a line but for its comment marker; in the middle of one it may be a program's.
_TAG = re.compile(
    r"^(?:\W{0,12}|\W{0,3}(?:REM|dnl|C)[ \t]+)SPDX-License-Identifier:[ \t]*([\w.+\-() ]{1,200})",
    re.IGNORECASE | re.MULTILINE,
)
_OTHER = re.compile(
    r"(?:GNU )?(?:(?:Lesser|Library|Affero) )?General Public Licen[sc]e|\b[AL]?GPL(?:v?\d|\b)|"
    r"\b(?:Mozilla|Eclipse|Common|Microsoft|LaTeX Project|Server Side|European Union|Netscape|"
    r"Sun) Public Licen[sc]e|\b(?:MPL|CDDL|LPPL|EUPL|AGPL|SSPL|OFL)\b|Creative Commons|"
    r"Common Development and Distribution Licen[sc]e|Artistic Licen[sc]e|Boost Software Licen[sc]e|"
    r"Open Font Licen[sc]e|Open Software Licen[sc]e|Academic Free Licen[sc]e|Elastic Licen[sc]e|"
    r"Business Source Licen[sc]e|Commons Clause|Python Software Foundation Licen[sc]e|"
    r"Proprietary and confidential|Unauthori[sz]ed copying",
    re.IGNORECASE,
)
_KEPT = re.compile(
    r"\b(?:MIT|BSD|Apache)\b|Permission is hereby granted|Redistribution and use in source",
)
_EXCEPTION = re.compile(r"\s+with\s+[\w.+-]+", re.IGNORECASE)
_TOKEN = re.compile(r"[()]|[^()\s]+")


def licence_tags(text: str) -> list[str]:
    """SPDX expressions of the lines that are SPDX tags."""
    if "spdx-license-identifier" not in text.lower():
        return []
    return [tag.strip(" -") for tag in _TAG.findall(text)]


def other_licence(header: str) -> str:
    """The name of a licence that is not kept, unless one of the kept families stands beside it."""
    other = _OTHER.search(" ".join(header.split()))
    return other[0] if other and not _KEPT.search(header) else ""


def allowed_expression(expression: str, allowed: Set[str]) -> bool:
    """Whether some choice that an SPDX expression leaves consists of allowed licences only.

    `AND` binds closer than `OR`; an exception (`WITH`) adds permissions to a licence; `Apache 2.0`
    and `MIT License` are read as what they mean; what is no expression is not allowed.

    Args:
        expression: such as `Apache-2.0 WITH LLVM-exception OR MIT`.
        allowed: identifiers in lower case.
    """
    tokens = _TOKEN.findall(_EXCEPTION.sub("", expression).lower())
    tokens.reverse()
    try:
        return _any_of(tokens, allowed) and not tokens
    except IndexError:
        return False


def _any_of(tokens: list[str], allowed: Set[str]) -> bool:
    """Take `A OR B ...` off the end of the reversed tokens."""
    result = _all_of(tokens, allowed)
    while tokens and tokens[-1] == "or":
        tokens.pop()
        result = _all_of(tokens, allowed) or result
    return result


def _all_of(tokens: list[str], allowed: Set[str]) -> bool:
    """Take `A AND B ...`; raises IndexError where a name is missing."""
    result = _one(tokens, allowed)
    while tokens and tokens[-1] == "and":
        tokens.pop()
        result = _one(tokens, allowed) and result
    return result


def _one(tokens: list[str], allowed: Set[str]) -> bool:
    """Take a name, which may have spaces for hyphens, or an expression in brackets."""
    if tokens[-1] == "(":
        tokens.pop()
        result = _any_of(tokens, allowed)
        if tokens.pop() != ")":
            raise IndexError
        return result
    words = []
    while tokens and tokens[-1] not in ("(", ")", "and", "or"):
        words.append(tokens.pop())
    return "-".join(words).removesuffix("-license").removesuffix("-licence") in allowed
