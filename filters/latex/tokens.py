"""LaTeX source to tokens: plain strings whose first character tells their kind.

Kinds: a control word (`\\alpha`), a control symbol (`\\%`), a whole `\\begin{name}` or
`\\end{name}`, a brace, a run of other text. What TeX reads literally is one token: `\\verb` with
its text, verbatim-like environments, the address of `\\url` and `\\href`. Comments are gone.

One compiled pattern does the cutting, and every alternative either matches or fails within a
bounded look ahead, so it is linear in the text's length (Knuth, The TeXbook, chapters 7 and 8).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

# Environments whose content TeX does not read as LaTeX; `comment` and `filecontents` vanish.
_LITERAL = (
    *("verbatim", "verbatim*", "Verbatim", "Verbatim*", "BVerbatim", "LVerbatim", "spverbatim"),
    *("alltt", "lstlisting", "minted", "pyverbatim", "comment", "filecontents", "filecontents*"),
    *("CodeInput", "CodeOutput", "Code", "Sinput", "Soutput", "Scode"),
)
_REMOVED = ("\\begin{comment}", "\\begin{filecontents")
_VERB = r"(?:verb\*?|Verb\*?|lstinline(?:\[[^\]\n]*\])?|mintinline(?:\[[^\]\n]*\])?\{[^{}\n]*\})"
_VERB_DELIMITERS = "|+!/\"'=#@$^&~_:;,.?-<>()`0123456789"
_ADDRESS = r"(?:url|nolinkurl|path|burl|href)[ \t]*(?:\[[^\]{}\\\n]*\])?"
_COMMENT = r"%[^\n]*(?:\n[ \t]*(?=\S))?"


@lru_cache(maxsize=256)
def _pattern(letters: str, more: tuple[str, ...] = ()) -> re.Pattern[str]:
    """The pattern of all tokens, comments included.

    Args:
        letters: what control words are made of.
        more: verbatim-like environments beside the usual ones.
    """
    literal = "|".join(
        rf"{re.escape(name)}\}}(?s:.*?)(?:\\end\{{{re.escape(name)}\}}|\Z)"
        for name in (*_LITERAL, *more)
    )
    delimited = "|".join(rf"{d}[^{d}\n]*{d}" for d in map(re.escape, _VERB_DELIMITERS))
    in_braces = r"\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}"
    return re.compile(
        rf"[^\\{{}}%]+|[{{}}]|\\(?:begin\{{(?:{literal})|(?:begin|end)\{{[^{{}}\\%]*\}}"
        rf"|{_VERB}(?:{delimited}|(?<!b)(?<!\*)\{{[^{{}}\n]*\}})"
        rf"|{_ADDRESS}{in_braces}|[{letters}]+|(?s:.)|\Z)|{_COMMENT}"
    )


_OWN_LITERAL = re.compile(
    r"\\(?:DefineVerbatimEnvironment|lstnewenvironment|newminted(?:\[[^\]]*\])?|newtcblisting)"
    r"[ \t]*\{([a-zA-Z]+\*?)\}"
)
# The inside of an address: only control words and braces mean something.
_ADDRESS_TOKEN = re.compile(r"[^\\{}]+|[{}]|\\(?:[a-zA-Z]+|(?s:.)|\Z)")
_PARAMETER = re.compile(r"(#+[1-9]?)")
_IS_ADDRESS = re.compile(rf"\\{_ADDRESS}\{{")
CONTROL_WORD = re.compile(r"\\[a-zA-Z@]+\Z")


def own_literals(text: str) -> set[str]:
    """Names of the verbatim-like environments that a text defines."""
    return set(_OWN_LITERAL.findall(text))


def tokenize(text: str, literal: tuple[str, ...] = ()) -> list[str]:
    """Cut LaTeX into tokens, without its comments.

    Args:
        text: source with newlines as line ends.
        literal: names of verbatim-like environments beside the usual ones.

    Returns:
        Non-empty strings. Joined, they are the text, but for the comments, which end a line as in
        TeX: a line that is only a comment goes, a comment after white space leaves the newline, one
        without joins the lines.
    """
    usual, at_letter = _pattern("a-zA-Z", literal), _pattern("a-zA-Z@", literal)
    if "\\makeatletter" in text:
        tokens = list(_with_letter_changes(text, usual, at_letter))
    else:
        tokens = usual.findall(text)
    if "%" in text:
        _drop_comments(tokens)
    if "\\begin{comment}" in text or "\\begin{filecontents" in text:
        _drop_environments(tokens)
    return [token for token in tokens if token]


def _with_letter_changes(
    text: str, usual: re.Pattern[str], at_letter: re.Pattern[str]
) -> Iterator[str]:
    """Tokens of a text in which `@` becomes a letter and stops being one."""
    position, pattern = 0, usual
    while position < len(text):
        for match in pattern.finditer(text, position):
            token = match[0]
            position = match.end()
            yield token
            if token == "\\makeatletter":
                pattern = at_letter
                break
            if token == "\\makeatother":
                pattern = usual
                break


def _drop_comments(tokens: list[str]) -> None:
    """Replace every comment by what TeX leaves of it, in place."""
    for index in [index for index, token in enumerate(tokens) if token[0] == "%"]:
        ends_line = "\n" in tokens[index]
        before = tokens[index - 1] if index else ""
        bare = before.rstrip(" \t")
        tokens[index] = ""
        if before[:1] == "\\":
            # White space after these means nothing, and keeps a word off what follows it.
            if ends_line and (before.endswith("}") or CONTROL_WORD.match(before)):
                tokens[index] = "\n"
        elif bare != before or bare.endswith("\n"):
            tokens[index - 1] = bare
            at_line_start = bare.endswith("\n") or (not bare and index == 1)
            tokens[index] = "\n" if ends_line and not at_line_start else ""


def _drop_environments(tokens: list[str]) -> None:
    """Empty the environments that are comments; with nothing else on their lines, those go."""
    for index, token in enumerate(tokens):
        if token.startswith(_REMOVED):
            tokens[index] = ""
            before = tokens[index - 1] if index else "\n"
            following = "".join(tokens[index + 1 : index + 2])
            line, newline, rest = following.partition("\n")
            if before.endswith("\n") and newline and not line.strip():
                tokens[index + 1] = rest


def split_address(token: str) -> list[str] | None:
    """The tokens inside a `\\url`-like token that holds control words or parameters, else None."""
    if not _IS_ADDRESS.match(token) or ("\\" not in token[1:] and "#" not in token):
        return None
    word = CONTROL_WORD.match(token[: token.index("{")].split("[", maxsplit=1)[0].rstrip())
    name = word[0] if word else ""
    return [name, *_ADDRESS_TOKEN.findall(token[len(name) :])]


def split_parameters(tokens: list[str]) -> list[str | int]:
    """The body of a macro: `#3` becomes 3, `##3` becomes the text `#3`."""
    body: list[str | int] = []
    for token in tokens:
        if "#" not in token or (token[0] == "\\" and len(token) == 2):
            body.append(token)
            continue
        for piece in _PARAMETER.split(token):
            if not piece:
                continue
            hashes = len(piece) - len(piece.lstrip("#"))
            if hashes == 1 and len(piece) == 2:
                body.append(int(piece[1]))
            elif hashes > 1:
                body.append("#" * (hashes // 2) + piece[hashes:])
            else:
                body.append(piece)
    return body


def prepare_body(tokens: list[str]) -> list[str]:
    """Take apart the tokens of a macro's body that hide parameters: addresses, `\\begin{#1}`."""
    if not any("#" in token and len(token) > 2 and token[0] == "\\" for token in tokens):
        return tokens
    prepared: list[str] = []
    for token in tokens:
        if token[0] != "\\" or "#" not in token or len(token) == 2:
            prepared.append(token)
        elif pieces := split_address(token):
            prepared.extend(pieces)
        elif token.startswith(("\\begin{", "\\end{")) and token.endswith("}"):
            word, _, name = token.partition("{")
            prepared.extend((word, "{", name[:-1], "}"))
        else:
            prepared.append(token)
    return prepared
