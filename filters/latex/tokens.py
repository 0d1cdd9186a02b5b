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

from filters.latex.literals import SHORT_VERB, Literals

# Environments whose content TeX does not read as LaTeX; `comment` and `filecontents` vanish.
_LITERAL = (
    *("verbatim", "verbatim*", "Verbatim", "Verbatim*", "BVerbatim", "LVerbatim", "spverbatim"),
    *("alltt", "lstlisting", "minted", "pyverbatim", "comment", "filecontents", "filecontents*"),
    *("CodeInput", "CodeOutput", "Code", "Sinput", "Soutput", "Scode"),
)
_REMOVED = ("comment}", "filecontents")
NO_LITERALS = Literals()
_VERB = (
    r"(?:verb\*?|Verb\*?|lstinline(?:\[[^\]\n]{0,300}\])?"
    r"|mintinline(?:\[[^\]\n]{0,300}\])?\{[^{}\n]*\}|(?:url|path|nolinkurl)(?=[|!+\"])"
)
_VERB_DELIMITERS = "|+!/\"'=#@$^&~_:;,.?-<>()`[]*0123456789"
_ADDRESS = r"(?:url|nolinkurl|path|burl|href)[ \t]*(?:\[[^\]{}\\\n]*\])?"
_COMMENT = r"%[^\n]*(?:\n[ \t]*(?=\S))?"
# What control words are made of behind these.
_LETTERS = {"\\makeatletter": "a-zA-Z@", "\\makeatother": "a-zA-Z"}
# What changes how the rest of a file is read.
_SWITCHES = ("\\makeatletter", "\\makeatother", "ShortVerb", "ShortInline")


@lru_cache(maxsize=256)
def _pattern(letters: str, literals: Literals, short: str) -> re.Pattern[str]:
    """The pattern of all tokens, comments included.

    Args:
        letters: what control words are made of.
        literals: what is literal beside LaTeX's own.
        short: characters that begin and end a literal text.
    """
    literal = "|".join(
        rf"{re.escape(name)}\}}(?s:.*?)(?:\\end\{{{re.escape(name)}\}}|\Z)"
        for name in (*_LITERAL, *literals.environments, *literals.removed)
    )
    delimited = "|".join(rf"{d}[^{d}\n]*{d}" for d in map(re.escape, _VERB_DELIMITERS))
    in_braces = r"\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}"
    verbs = "".join(rf"|{name}(?![a-zA-Z])\*?" for name, _ in literals.verbs)
    shorts = "".join(rf"|{d}[^{d}\n]*{d}|{d}" for d in map(re.escape, short))
    return re.compile(
        rf"[^\\{{}}%{re.escape(short)}]+|[{{}}]{shorts}"
        rf"|\\(?:begin\{{(?:{literal})|(?:begin|end)\{{[^{{}}\\%]*\}}"
        rf"|{_VERB}{verbs})(?:{delimited}|(?<!b)(?<!\*)\{{[^{{}}\n]*\}})"
        rf"|{_ADDRESS}{in_braces}|[{letters}]+|(?s:.)|\Z)|{_COMMENT}"
    )


# The inside of an address: only control words and braces mean something.
_ADDRESS_TOKEN = re.compile(r"[^\\{}]+|[{}]|\\(?:[a-zA-Z]+|(?s:.)|\Z)")
_PARAMETER = re.compile(r"(#+[1-9]?)")
_IS_ADDRESS = re.compile(rf"\\{_ADDRESS}\{{")
LEADING_WORD = re.compile(r"\\([a-zA-Z]+)")
CONTROL_WORD = re.compile(r"\\[a-zA-Z@]+\Z")


# Commands that begin like a conditional and take their branches in braces, or are none.
_WITH_BRACES = ("\\ifthenelse", "\\ifdef", "\\ifblank", "\\ifstr", "\\ifbool", "\\iftoggle")
_NO_CONDITIONAL = ("\\iff", "\\ifcomment", "\\ifnumcomp", "\\ifempty", "\\ifundef", "\\ifnot")


class Kept(str):
    """A token that stands for LaTeX's own command, whatever the paper has made of the name."""

    __slots__ = ()


def is_conditional(token: str) -> bool:
    """Whether a token that begins with `\\if` is a conditional that ends in `\\fi`."""
    in_braces = token.startswith(_WITH_BRACES) and token != "\\ifdefined"
    return not in_braces and token not in _NO_CONDITIONAL


def tokenize(text: str, literals: Literals = NO_LITERALS) -> list[str]:
    """Cut LaTeX into tokens, without its comments.

    Args:
        text: source with newlines as line ends.
        literals: what the paper reads literally beside LaTeX's own.

    Returns:
        Non-empty strings. Joined, they are the text, but for the comments, which end a line as in
        TeX: a line that is only a comment goes, a comment after white space leaves the newline, one
        without joins the lines.
    """
    if any(switch in text for switch in _SWITCHES):
        tokens = list(_with_switches(text, literals))
    else:
        tokens = _pattern("a-zA-Z", literals, literals.short).findall(text)
    if "%" in text:
        _drop_comments(tokens)
    removed = tuple(
        f"\\begin{{{name}" for name in (*_REMOVED, *(f"{name}}}" for name in literals.removed))
    )
    if any(name in text for name in removed):
        _drop_environments(tokens, removed)
    tokens = [token for token in tokens if token]
    return _behind_aliases(tokens, dict(literals.verbs)) if literals.verbs else tokens


def _with_switches(text: str, literals: Literals) -> Iterator[str]:
    """Tokens of a text in which `@` becomes a letter, or a character begins a literal text."""
    position, letters = 0, "a-zA-Z"
    # Declared elsewhere, it holds from the beginning.
    short = "" if "ShortVerb" in text or "ShortInline" in text else literals.short
    while position < len(text):
        for match in _pattern(letters, literals, short).finditer(text, position):
            token = match[0]
            position = match.end()
            if token.endswith(("ShortVerb", "ShortInline")) and token[0] == "\\":
                declared = SHORT_VERB.match(text, match.start())
                if declared is not None:
                    is_end = token.startswith(("\\Delete", "\\Undefine", "\\lstDelete"))
                    short = short.replace(declared[2], "") + ("" if is_end else declared[2])
                    position = declared.end()
                    break
            yield token
            if token in _LETTERS:
                letters = _LETTERS[token]
                break


def _behind_aliases(tokens: list[str], verbs: dict[str, str]) -> list[str]:
    """Tokens with every literal text under the name of LaTeX's that an alias stands for."""
    for index, token in enumerate(tokens):
        if token[0] == "\\" and not token[-1].isalpha() and len(token) > 3:
            word = LEADING_WORD.match(token)
            if word is not None and word[1] in verbs:
                tokens[index] = verbs[word[1]] + token[word.end() :]
    return tokens


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


def _drop_environments(tokens: list[str], removed: tuple[str, ...]) -> None:
    """Empty the environments that are comments; with nothing else on their lines, those go."""
    for index, token in enumerate(tokens):
        if token.startswith(removed):
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
