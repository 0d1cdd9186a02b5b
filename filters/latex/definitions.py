"""Macro definitions: how they are read, and what a call of a macro becomes.

LaTeX2e's `\\newcommand` family, `\\DeclareMathOperator`, mathtools' `\\DeclarePairedDelimiter`,
xparse's commands, and TeX's `\\def` with delimited parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from filters.latex.token_reader import TokenReader
from filters.latex.tokens import CONTROL_WORD, prepare_body, split_parameters

# Names that a text defines itself: these commands fail on a name that LaTeX has.
_NEW_NAME = re.compile(
    r"\\(?:newcommand|newrobustcmd|DeclareMathOperator)\*?\s*\{?\s*(\\[a-zA-Z]+)"
)

_ANY_NAME = re.compile(
    r"\\(?:(?:re)?newcommandx?|(?:new|renew|provide)robustcmd|provide(?:command|commandx)"
    r"|DeclareRobustCommand|DeclareMathOperator|DeclarePairedDelimiter(?:X|XPP)?"
    r"|(?:New|Renew|Provide|Declare)(?:Expandable)?DocumentCommand|newif)\*?\s*\{?\s*(\\[a-zA-Z@]+)"
    r"|\\(?:[gex]?def|let|redefine|define)\s*\{?\s*(\\[a-zA-Z@]+)"
)

# A macro that uses these is a program, which we do not run.
_PROGRAMMING = """
    ifdim ifcase ifcat ifodd ifhmode ifvmode ifinner ifcsname unless catcode advance setbox
    mathpalette afterassignment loop ifdefempty IfStrEq ifnumcomp ExplSyntaxOn foreach
    aftergroup romannumeral read write immediate openin
"""
PROGRAMMING = frozenset("\\" + name for name in _PROGRAMMING.split())


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as xparse has them.

    Attributes:
        kind: `m` a group or token, `o` in brackets, `g` in braces, `d` between two marks, `s` a
            star, `t` another mark.
        default: what one that may be missing is where it is not there.
        marks: of `d` the two that stand around it, of `t` the one.
    """

    kind: str
    default: list[str] | None = None
    marks: str = ""


MANDATORY = Parameter("m")
# What xparse gives to a macro for an optional argument or star that is not there, or is.
NO_VALUE, STAR, NO_STAR = "-NoValue-", "\\BooleanTrue", "\\BooleanFalse"
# The name behind these may be without meaning.
_TAKES_A_NAME = frozenset(("\\futurelet", "\\let", "\\def", "\\gdef", "\\edef", "\\xdef", "\\ifx"))


@dataclass(slots=True)
class Macro:
    """A macro that the paper defines.

    Attributes:
        body: tokens, and the numbers of parameters.
        parameters: number of parameters.
        signature: what each parameter is, where not all are groups.
        marks: for `\\def`: the text that must follow the name, then for every parameter the text
            that ends it (empty: the parameter is a group or one token).
        size: characters of the body.
        starred: what the name with a star becomes, where that differs.
        sized: what the name with an optional argument becomes, where that differs.
        is_program: whether it does what we do not run.
        internals: names with `@` in the body, which must have a meaning at the call.
    """

    body: list[str | int]
    parameters: int = 0
    signature: tuple[Parameter, ...] = ()
    marks: tuple[str, ...] = ()
    size: int = 0
    starred: Macro | None = None
    sized: Macro | None = None
    is_program: bool = False
    internals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that `\\let` made another name, or a character, of LaTeX's own."""

    token: str


def make_macro(
    body: Sequence[str],
    parameters: int = 0,
    signature: tuple[Parameter, ...] = (),
    marks: tuple[str, ...] = (),
) -> Macro:
    """A macro of a body as it stands in the source."""
    split = split_parameters(prepare_body(list(body)))
    size = 4 * len(split) + sum(len(part) for part in split if isinstance(part, str))
    is_program = any(token in PROGRAMMING for token in body) or any(
        isinstance(part, int) and part > parameters for part in split
    )
    if "\\@" in body:
        # A name whose `@` was no letter, and not the space factor.
        following = (
            body[index + 1 : index + 2] for index, part in enumerate(body) if part == "\\@"
        )
        is_program = is_program or any(
            token[0].isalpha() for tokens in following for token in tokens
        )
    internals = tuple(
        token
        for before, token in zip(("", *body), body, strict=False)
        if "@" in token
        and token != "\\@"
        and CONTROL_WORD.match(token)
        and before not in _TAKES_A_NAME
    )
    return Macro(split, parameters, signature, marks, size, None, None, is_program, internals)


def new_names(text: str) -> set[str]:
    """Names that a source seems to define, commented ones included."""
    return set(_NEW_NAME.findall(text))


def defined_names(tokens: list[str]) -> set[str]:
    """Names that a text seems to define, in whatever way and place."""
    return {
        match[1] or match[2]
        for match in _ANY_NAME.finditer("".join(tokens))
        if "@" not in (match[1] or match[2])
    }


def new_macros(tokens: list[str]) -> Iterator[tuple[str, Macro]]:
    """What a text defines anew, wherever it stands in it."""
    reader = TokenReader(tokens)
    for position, token in enumerate(tokens):
        if token in ("\\newcommand", "\\newrobustcmd", "\\DeclareMathOperator"):
            reader.clear()
            reader.push(tokens, 0)
            reader.position = position + 1
            read = read_operator if token == "\\DeclareMathOperator" else read_newcommand
            found = read(reader)
            if found is not None:
                yield found
            if reader.spent > 4 * len(tokens):
                return


def read_name(reader: TokenReader) -> str | None:
    """A control sequence, in braces or not; None if something else comes."""
    snapshot = reader.snapshot()
    content = reader.argument()
    name = [token for token in content or () if token.strip()]
    if len(name) == 1 and name[0][0] == "\\" and not name[0].startswith(("\\begin{", "\\end{")):
        return name[0]
    reader.restore(snapshot)
    return None


def read_newcommand(reader: TokenReader) -> tuple[str, Macro] | None:
    """What follows `\\newcommand` and its relatives: `*{\\name}[2][default]{body}`."""
    reader.skip_text("*")
    name = read_name(reader)
    if name is None:
        return None
    parameters = _number(reader.optional())
    default = reader.optional() if parameters else None
    body = reader.argument()
    if body is None:
        return None
    signature: tuple[Parameter, ...] = ()
    if default is not None:
        signature = (Parameter("o", default), *[MANDATORY] * (parameters - 1))
    return name, make_macro(body, parameters, signature)


def read_newcommandx(reader: TokenReader) -> tuple[str, Macro] | None:
    """What follows xargs' `\\newcommandx`: `{\\name}[2][1=default]{body}`."""
    reader.skip_text("*")
    name, count, options = read_name(reader), reader.optional(), reader.optional()
    body = reader.argument()
    if name is None or body is None:
        return None
    signature = [MANDATORY] * _number(count)
    for option in "".join(options or ()).split(","):
        place, equals, default = option.partition("=")
        if equals and place.strip().isdigit() and 0 < int(place) <= len(signature):
            signature[int(place) - 1] = Parameter("o", [default] if default else [])
    return name, make_macro(body, len(signature), tuple(signature))


def _number(tokens: list[str] | None) -> int:
    """The number of parameters in brackets; 0 where that is none."""
    digits = "".join(tokens or ()).strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) == 1 else 0


def read_operator(reader: TokenReader) -> tuple[str, Macro] | None:
    """What follows `\\DeclareMathOperator`: `{\\name}{text}`."""
    word = "\\operatorname*" if reader.skip_text("*") else "\\operatorname"
    name, body = read_name(reader), reader.argument()
    if name is None or body is None:
        return None
    return name, make_macro([word, "{", *body, "}"])


# Stands for the size of a delimiter while its macro is made.
_SIZE = "\\delimsize"


def read_paired_delimiter(reader: TokenReader, kind: str) -> tuple[str, Macro] | None:
    """What follows mathtools' `\\DeclarePairedDelimiter`, its X and its XPP.

    Args:
        kind: empty for `{\\name}{left}{right}`, `X` for `{\\name}[2]{left}{right}{body}`, `XPP` for
            `{\\name}[2]{before}{left}{right}{behind}{body}`.
    """
    name = read_name(reader)
    number = _number(reader.optional()) if kind else 1
    count = {"": 2, "X": 3, "XPP": 5}[kind]
    groups = [group for _ in range(count) if (group := reader.argument()) is not None]
    if name is None or len(groups) < count:
        return None
    before, behind = (groups[0], groups[3]) if kind == "XPP" else ([], [])
    left, right = groups[1:3] if kind == "XPP" else groups[:2]
    body = groups[-1] if kind else ["#1"]

    def made(opening: list[str], middle: list[str], closing: list[str]) -> list[str]:
        inside = [
            part for token in body for part in (middle if token == "\\delimsize" else [token])
        ]
        return [*before, *opening, *left, *inside, *closing, *right, *behind]

    macro = make_macro(made([], [], []), number)
    macro.starred = make_macro(made(["\\left"], ["\\middle"], ["\\right"]), number)
    sized = make_macro(made([_SIZE], [_SIZE], [_SIZE]), number)
    # The size comes first.
    parts = [part + 1 if isinstance(part, int) else part for part in sized.body]
    sized.body = [1 if part == _SIZE else part for part in parts]
    sized.parameters = number + 1
    macro.sized = sized
    return name, macro


def read_document_command(reader: TokenReader) -> tuple[str, Macro] | None:
    """What follows xparse's `\\NewDocumentCommand`: `\\name{s o m O{x}}{body}`."""
    name, kinds, body = read_name(reader), reader.argument(), reader.argument()
    if name is None or kinds is None or body is None:
        return None
    signature = _signature(kinds)
    macro = make_macro(body, len(signature or ()), signature or ())
    macro.is_program = macro.is_program or signature is None
    return name, macro


def _signature(kinds: list[str]) -> tuple[Parameter, ...] | None:
    """xparse's argument letters; None where there are others than `_read_kind` knows."""
    reader, found = TokenReader(kinds), list[Parameter]()
    while reader.skip_space() and reader.peek():
        parameter = _read_kind(reader)
        # TeX has nine parameters at most.
        if parameter is None or len(found) == 9:
            return None
        found.append(parameter)
    return tuple(found)


_SIMPLE_KINDS = {
    "m": MANDATORY,
    "v": MANDATORY,
    "s": Parameter("s"),
    "o": Parameter("o", [NO_VALUE]),
    "g": Parameter("g", [NO_VALUE]),
}


def _read_kind(reader: TokenReader) -> Parameter | None:
    """The next argument of xparse's: m, o, O, s, t, d, D, r, R, g, G, v; None for others."""
    letter = _next_character(reader)
    while letter in ("+", "!", "="):
        letter = _next_character(reader)
    if letter in _SIMPLE_KINDS:
        return _SIMPLE_KINDS[letter]
    if letter in ("O", "G"):
        return Parameter(letter.lower(), reader.argument() or [])
    if letter == "t":
        return Parameter("t", None, _next_character(reader))
    marks = _next_character(reader) + _next_character(reader)
    if letter not in ("d", "D", "r", "R") or len(marks) != 2:
        return None
    default = reader.argument() if letter in ("D", "R") else None
    return Parameter("d", [NO_VALUE] if default is None else default, marks)


def _next_character(reader: TokenReader) -> str:
    """The next character or control sequence behind white space; empty at the end."""
    if not reader.skip_space():
        return ""
    token = reader.next() or ""
    if token[:1] in ("\\", "{", "}"):
        return token
    reader.push_text(token[1:])
    return token[:1]


def read_def(reader: TokenReader) -> tuple[str, Macro] | None:
    """What follows `\\def`: `\\name#1text#2{body}`."""
    name = reader.peek()
    if name[:1] != "\\" or name.startswith(("\\begin{", "\\end{")):
        return None
    reader.next()
    pattern: list[str] = []
    while (token := reader.next()) not in ("{", "}", None):
        pattern.append(token or "")
        # A brace is missing: the rest of the paper is no pattern.
        if len(pattern) > 100:
            return None
    body = reader.rest_of_group() if token == "{" else None
    if body is None:
        return None
    marks = [""]
    for part in split_parameters(pattern):
        if isinstance(part, int):
            marks.append("")
        else:
            marks[-1] += part
    # White space after the name separates, elsewhere it delimits.
    marks[0] = marks[0].lstrip()
    macro = make_macro(body, len(marks) - 1, (), tuple(marks) if any(marks) else ())
    macro.is_program = macro.is_program or "#" in "".join(marks)
    return name, macro


def read_arguments(reader: TokenReader, macro: Macro) -> list[list[str]] | None:
    """The arguments of a call; None where they do not match the definition."""
    if macro.marks:
        return _delimited_arguments(reader, macro.marks)
    arguments = []
    for parameter in macro.signature or (MANDATORY,) * macro.parameters:
        argument = _read_argument(reader, parameter)
        if argument is None:
            return None
        arguments.append(argument)
    return arguments


def _read_argument(reader: TokenReader, parameter: Parameter) -> list[str] | None:
    """One argument, or what stands for it; None where one is missing that must be there."""
    match parameter.kind:
        case "m":
            return reader.argument()
        case "s" | "t":
            return [STAR if reader.skip_text(parameter.marks or "*") else NO_STAR]
        case "g":
            argument = reader.group()
        case "d":
            argument = reader.between(*parameter.marks)
        case _:
            argument = reader.optional()
    return parameter.default if argument is None else argument


def _delimited_arguments(reader: TokenReader, marks: tuple[str, ...]) -> list[list[str]] | None:
    if marks[0] and not reader.skip_text(marks[0]):
        return None
    if not marks[0]:
        reader.skip_space()
    arguments = []
    for mark in marks[1:]:
        argument = reader.until_text(mark) if mark else reader.argument()
        if argument is None:
            return None
        if mark and len(argument) > 1 and argument[0] == "{" and argument[-1] == "}":
            inner = argument[1:-1]
            argument = inner if _is_balanced(inner) else argument
        arguments.append(argument)
    return arguments


def _is_balanced(tokens: list[str]) -> bool:
    level = 0
    for token in tokens:
        if token == "{":
            level += 1
        elif token == "}":
            level -= 1
            if level < 0:
                return False
    return level == 0


def substitute(macro: Macro, arguments: list[list[str]]) -> tuple[list[str], int]:
    """The body with its arguments, and its size in characters (each token counts 4 more)."""
    if not macro.parameters:
        return macro.body, macro.size  # type: ignore[return-value]  # no numbers without parameters
    sizes = [4 * len(argument) + sum(map(len, argument)) for argument in arguments]
    tokens: list[str] = []
    size = macro.size
    for part in macro.body:
        if isinstance(part, int):
            size += sizes[part - 1]
            tokens += arguments[part - 1]
        else:
            tokens.append(part)
    return tokens, size
