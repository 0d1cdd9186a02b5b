"""SPDX tags and expressions: what a file's tag leaves to choose from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass

from filters.code.licence_names import FAMILIES, licences_named

# At the start of a line but for its comment marker; in the middle of one it may be a program's.
_TAG = re.compile(
    r"^(?:\W{0,12}|\W{0,3}(?:REM|dnl|C)[ \t]+)SPDX-License-Identifier:[ \t]*[\"'`]?"
    r"([\w.+\-() ]{1,200})",
    re.IGNORECASE | re.MULTILINE,
)
_WITH = re.compile(r"\s+with\s+([\w.+-]+)", re.IGNORECASE)
# Exceptions that add permissions, as SPDX names them; anything else after `WITH` takes some away.
_PERMITS = re.compile(r".*exception(?:-[\d.]+)?|linux-syscall-note|gpl-cc-1\.0", re.IGNORECASE)
_TOKEN = re.compile(r"[()]|[^()\s]+")
_VERSIONLESS = re.compile(r"(?:-only|-or-later|\+)$")


@dataclass(frozen=True, slots=True)
class Tag:
    """An SPDX expression in characters `start` to `end` of a text."""

    expression: str
    start: int
    end: int


def licence_tags(text: str) -> list[Tag]:
    """SPDX expressions of the lines that are SPDX tags."""
    if "spdx-license-identifier" not in text.lower():
        return []
    found = [_tag(match) for match in _TAG.finditer(text)]
    return [tag for tag in found if tag.expression]


def _tag(match: re.Match[str]) -> Tag:
    expression = match[1].strip(" -")
    if "licen" in expression.lower():
        # `The MIT License (MIT)`, which people write for `MIT`.
        named = dict.fromkeys(name.licence for name in licences_named(expression))
        expression = " AND ".join(named) or expression
    return Tag(expression, *match.span())


def names_in(expression: str) -> Iterator[str]:
    """The identifiers of an expression, in lower case, without versions' suffixes."""
    for token in _TOKEN.findall(expression.lower()):
        if token not in ("(", ")", "and", "or", "with"):
            yield _VERSIONLESS.sub("", token)


def allowed_expression(expression: str, allowed: Set[str]) -> bool:
    """Whether some choice that an SPDX expression leaves consists of allowed licences only.

    `AND` binds closer than `OR`; an exception (`WITH`) adds permissions to a licence, any other
    `WITH` is a restriction; `Apache 2.0` and `MIT License` are read as what they mean; what is no
    expression is not allowed.

    Args:
        expression: such as `Apache-2.0 WITH LLVM-exception OR MIT`.
        allowed: identifiers in lower case.
    """
    spelled = _WITH.sub(
        lambda match: "" if _PERMITS.fullmatch(match[1]) else "-restricted", expression
    )
    tokens = _TOKEN.findall(spelled.lower())
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
    return _is_allowed("-".join(words).removesuffix("-license").removesuffix("-licence"), allowed)


def _is_allowed(name: str, allowed: Set[str]) -> bool:
    family = _FAMILIES.get(name)
    return name in allowed or (
        family is not None and any(one.startswith(family) for one in allowed)
    )


_FAMILIES = {name.lower(): beginnings for name, beginnings in FAMILIES.items()}
