"""What a paper reads literally beside LaTeX's own: its environments, short verbs and aliases.

Found in the text of all files before any is read, because a literal text may hold `%` and braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_NAME = r"\s*\{?\s*\\([a-zA-Z]+)\s*\}?\s*"
# Options in brackets; bounded, because brackets may never close.
_OPTIONS = r"(?:\[[^\[\]]{0,300}\]\s*)"
_ENVIRONMENT = re.compile(
    r"\\(?:DefineVerbatimEnvironment|lstnewenvironment|newtcblisting|RecustomVerbatimEnvironment)"
    rf"\s*{_OPTIONS}?\{{([a-zA-Z]+\*?)\}}"
)
# An environment that begins another that is literal, or is a comment.
_WRAPPER = re.compile(
    rf"\\(?:re)?newenvironment\*?\s*\{{([a-zA-Z]+\*?)\}}\s*{_OPTIONS}{{0,2}}\{{\s*"
    r"(\\verbatim(?![a-zA-Z])|\\begin\{verbatim\}|\\VerbatimEnvironment|\\lstlisting(?![a-zA-Z])"
    r"|\\comment(?![a-zA-Z])|\\begin\{comment\}|\\iffalse(?![a-zA-Z]))"
)
_MINTED = re.compile(r"\\newminted\s*(?:\[([a-zA-Z]+)\])?\s*\{([a-zA-Z]+)\}")
_MINTED_INLINE = re.compile(r"\\newmintinline\s*(?:\[([a-zA-Z]+)\])?\s*\{([a-zA-Z]+)\}")
_ALIAS = re.compile(
    rf"\\(?:let{_NAME}=?\s*|(?:re)?newcommand\*?{_NAME}\{{\s*|def\s*\\([a-zA-Z]+)\s*\{{\s*)"
    rf"(\\(?:lstinline\s*{_OPTIONS}?|mintinline\s*{_OPTIONS}?\{{[a-zA-Z+]+\}}|verb\*?|Verb|url|path|nolinkurl))"
    r"\s*(?:\}|(?<![}a-zA-Z])|(?=\\|\s))"
)
_URL_COMMAND = re.compile(rf"\\DeclareUrlCommand{_NAME}")
_VERB_ARGUMENT = re.compile(rf"\\(?:New|Renew|Declare|Provide)DocumentCommand{_NAME}\{{\s*v\s*\}}")
SHORT_VERB = re.compile(
    r"\\(MakeShortVerb|DefineShortVerb|DeleteShortVerb|UndefineShortVerb|lstMakeShortInline"
    rf"|lstDeleteShortInline)\*?\s*{_OPTIONS}?\{{?\\?([^\w\s\\{{}}%])\}}?"
)
_COMMENTED = re.compile(r"(?<!\\)(?:\\\\)*%")
# Characters; bounds time: a comment sign stands before what it hides on the same line.
_LOOK_BACK = 200


@dataclass(frozen=True)
class Literals:
    """What is literal in a paper.

    Attributes:
        environments: names of verbatim-like environments.
        removed: names of environments that are comments.
        verbs: commands that are like `\\verb` or `\\url`, and what they stand for.
        short: characters that begin and end a literal text.
    """

    environments: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    verbs: tuple[tuple[str, str], ...] = ()
    short: str = ""


def find_literals(texts: Iterable[str]) -> Literals:
    """What the files of a paper declare to be literal."""
    environments, removed, short = set[str](), set[str](), set[str]()
    verbs: dict[str, str] = {}
    for text in texts:
        environments.update(match[1] for match in _live(_ENVIRONMENT, text))
        for match in _live(_WRAPPER, text):
            is_comment = "comment" in match[2] or "iffalse" in match[2]
            (removed if is_comment else environments).add(match[1])
        environments.update(match[1] or match[2] + "code" for match in _live(_MINTED, text))
        for match in _live(_MINTED_INLINE, text):
            verbs[match[1] or match[2] + "inline"] = f"\\mintinline{{{match[2]}}}"
        for match in _live(_ALIAS, text):
            verbs[match[1] or match[2] or match[3]] = match[4].rstrip()
        verbs |= {match[1]: "\\url" for match in _live(_URL_COMMAND, text)}
        verbs |= {match[1]: "\\verb" for match in _live(_VERB_ARGUMENT, text)}
        if "Short" in text:
            short.update(
                match[2]
                for match in _live(SHORT_VERB, text)
                if "Make" in match[1] or "Define" in match[1]
            )
    return Literals(
        tuple(sorted(environments)),
        tuple(sorted(removed)),
        tuple(sorted(verbs.items())),
        "".join(sorted(short)),
    )


def _live(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """The matches that no comment hides."""
    for match in pattern.finditer(text):
        start = max(
            match.start() - _LOOK_BACK,
            text.rfind("\n", max(0, match.start() - _LOOK_BACK), match.start()) + 1,
        )
        if not _COMMENTED.search(text, start, match.start()):
            yield match
