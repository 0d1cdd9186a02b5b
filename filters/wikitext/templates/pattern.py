"""What a template shows, as a pattern over its parameters.

`{1}` is a parameter, `{text|1}` the first of several that is not empty, `{1=x}` has a default,
`{*}` what the `*` in the rule's name stands for, `{**, }` all unnamed ones with what stands between
them, `{page}` the page's title. `<...>` is left out where a parameter inside it is empty; outside
of these, an empty one means that the call is not understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from filters.wikitext.templates.call import Call

Rule: TypeAlias = Callable[[Call], str | None]

_PIECE = re.compile(r"<(?P<group>[^<>]*)>|\{(?P<field>[^{}]*)\}|(?P<text>[^<>{}]+)")


def pattern_rule(pattern: str) -> Rule:
    """The rule that shows a pattern.

    Raises:
        ValueError: the pattern cannot be read.
    """
    pieces = _pieces(pattern)
    if len(pieces) == 1 and not pieces[0][1]:
        return pieces[0][0]

    def rule(call: Call) -> str | None:
        shown = []
        for piece, is_optional in pieces:
            text = piece(call)
            if text is None and not is_optional:
                return None
            shown.append(text or "")
        return "".join(shown)

    return rule


def _pieces(pattern: str) -> list[tuple[Rule, bool]]:
    found: list[tuple[Rule, bool]] = []
    position = 0
    for match in _PIECE.finditer(pattern):
        if match.start() != position:
            break
        position = match.end()
        if match["group"] is not None:
            found.append((pattern_rule(match["group"]), True))
        elif match["field"] is not None:
            found.append((_field(match["field"]), False))
        else:
            found.append((_constant(match["text"]), False))
    if position != len(pattern) or not found:
        raise ValueError(f"no pattern: {pattern!r}")
    return found


def _constant(text: str) -> Rule:
    return lambda call: text


def _field(written: str) -> Rule:
    if written == "*":
        return lambda call: call.star
    if written == "page":
        return lambda call: call.title
    if written.startswith("**"):
        return lambda call: written[2:].join(filter(None, call.positional())) or None
    name, has_default, default = written.partition("=")
    names = name.split("|")
    return lambda call: call.get(*names) or (default if has_default else None)
