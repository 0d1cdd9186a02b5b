"""The part of TeX's programming that macros of papers are made with, run where the text decides it.

`\\ifx`, `\\if`, `\\ifnum`, `\\futurelet`, `\\csname`, `\\expandafter`, and LaTeX's `\\@ifnextchar`,
`\\@ifstar`, `\\@namedef`, `\\@nameuse` (The TeXbook, chapter 20). What cannot be decided stays in
the text; in a macro, the whole call is undone and the macro left as its author wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TypeAlias

from filters.latex.conditionals import Conditionals
from filters.latex.definitions import Alias, Macro
from filters.latex.expander import Expander, Handler
from filters.latex.token_reader import TokenReader

# A character or a control sequence, and where what follows it stands: token, character in it.
Operand: TypeAlias = tuple[str, int, int]

_COMPARISON = re.compile(r"\s*(-?\d+)\s*([<=>])\s*(-?\d+) ?")
_PLAIN_NAME = re.compile(r"\\[a-zA-Z]+\Z")
_EMPTY = frozenset(("\\empty", "\\@empty"))
# LaTeX's own names that mean a character.
_CHARACTERS = frozenset(("\\bgroup", "\\egroup", "\\@sptoken", "\\sp"))
# Tokens between \csname and \endcsname: an open one must not read the paper to its end.
_MAXIMUM_NAME = 100
# \expandafter in a row: fifteen expand what stands four tokens on, which nobody exceeds.
_MAXIMUM_CHAIN = 20


class Programs:
    """The handlers of programming commands, for one expander."""

    def __init__(self, expander: Expander, conditionals: Conditionals) -> None:
        self._expander = expander
        self._conditionals = conditionals

    def handlers(self) -> dict[str, Handler]:
        """What the expander is to call for which token."""
        return {
            "\\ifx": self._ifx,
            "\\if": self._if,
            "\\ifnum": self._ifnum,
            "\\futurelet": self._futurelet,
            "\\csname": self._csname,
            "\\expandafter": self._expandafter,
            "\\@ifnextchar": self._if_next,
            "\\@ifstar": self._if_star,
            "\\@namedef": self._namedef,
            "\\@nameuse": self._nameuse,
            "\\null": self._null,
        }

    # Conditionals.

    def _ifx(self, token: str) -> None:
        """Whether two tokens mean the same."""
        operands = list(islice(self._operands(expand=False), 2))
        value = self._means_same(*(operand[0] for operand in operands)) if operands[1:] else None
        self._decide(token, value, operands)

    def _if(self, token: str) -> None:
        """Whether two characters are the same."""
        operands = list(islice(self._operands(expand=True), 2))
        value = None
        if operands[1:]:
            first, second = (operand[0] for operand in operands)
            if len(first) == len(second) == 1 or first == second:
                value = first == second
            elif "\\relax" in (first, second):
                value = False
        self._decide(token, value, operands)

    def _ifnum(self, token: str) -> None:
        """Whether two numbers compare as asked."""
        # Two numbers of ten digits (TeX's largest) with signs and spaces; one cut off is left.
        operands = list(islice(self._operands(expand=True), 30))
        text = "".join(operand[0][0] for operand in operands)
        value, match = None, _COMPARISON.match(text)
        if match is not None and match.end() < 30:
            first, second = int(match[1]), int(match[3])
            value = {"<": first < second, "=": first == second, ">": first > second}[match[2]]
            operands = operands[: match.end()]
        self._decide(token, value, operands)

    def _decide(self, token: str, value: bool | None, operands: list[Operand]) -> None:
        conditional = self._expander.reader.position - 1
        if value is not None:
            _, start, offset = operands[-1]
            if self._conditionals.take(value, conditional, start, offset):
                return
        self._expander.give_up(token)

    def _operands(self, *, expand: bool) -> Iterator[Operand]:
        """What follows in the list that is read, without reading it.

        Args:
            expand: whether macros that are plain characters are taken for these.
        """
        tokens, index = self._expander.reader.tokens, self._expander.reader.position
        after_word = True
        while index < len(tokens):
            token = tokens[index]
            index += 1
            if token[0] == "\\":
                characters = self._as_characters(token) if expand else None
                if expand and token == "\\detokenize" and tokens[index : index + 1] == ["{"]:
                    inner = TokenReader(tokens[index + 1 : index + _MAXIMUM_NAME])
                    content = inner.rest_of_group()
                    if content is not None:
                        characters = "".join(content)
                        index += 1 + inner.position
                if characters is None:
                    yield token, index, 0
                else:
                    yield from ((character, index, 0) for character in characters)
                after_word = True
                continue
            for offset, character in enumerate(token, 1):
                if not (after_word and character.isspace()):
                    after_word = False
                    at_end = offset == len(token)
                    yield character, index if at_end else index - 1, 0 if at_end else offset

    def _as_characters(self, token: str) -> str | None:
        """The text of a macro that is nothing but text."""
        meaning = self._expander.meanings.get(token)
        if not isinstance(meaning, Macro) or meaning.parameters or meaning.marks:
            return None
        text = "".join(str(part) for part in meaning.body)
        # Longer ones are prose, which no name and no number is made of.
        return None if "\\" in text or "{" in text or len(text) > 20 else text

    def _means_same(self, first: str, second: str) -> bool | None:
        """Whether two tokens mean the same; None if the text does not tell."""
        if first == second:
            return True
        first, second = self._behind_alias(first), self._behind_alias(second)
        if first == second:
            return True
        meanings = self._expander.meanings
        macros = [meanings.get(token) for token in (first, second)]
        one, other = macros
        if isinstance(one, Macro) and isinstance(other, Macro):
            return (one.body, one.parameters) == (other.body, other.parameters)
        for macro, token in ((one, second), (other, first)):
            if isinstance(macro, Macro):
                return token in _EMPTY and not macro.body and not macro.parameters
        words = {token for token in (first, second) if token[0] == "\\"}
        is_unknown = len(words) == 2 and "\\relax" not in words
        return None if is_unknown or not _CHARACTERS.isdisjoint(words) else False

    def _behind_alias(self, token: str) -> str:
        meaning = self._expander.meanings.get(token)
        return meaning.token if isinstance(meaning, Alias) else token

    # What looks at the token that follows.

    def _futurelet(self, token: str) -> None:
        """`\\futurelet\\name\\command`: the name becomes what follows, then the command."""
        reader, depth, snapshot = (r := self._expander.reader), r.depth, r.snapshot()
        name, command = reader.next(), reader.next()
        if not depth or not name or not command or name in self._expander.reserved:
            reader.restore(snapshot)
            self._expander.give_up(token)
            return
        following = self._following()
        self._expander.meanings.pop(name, None)
        if following:
            self._expander.meanings[name] = Alias(following)
        reader.push([command], depth)

    def _following(self) -> str:
        """The next control sequence, or the next character that is not white space."""
        token = self._expander.reader.peek()
        return token if token[:1] == "\\" else token.lstrip()[:1]

    def _if_next(self, token: str) -> None:
        """`\\@ifnextchar x{yes}{no}`."""
        reader, depth, snapshot = (r := self._expander.reader), r.depth, r.snapshot()
        wanted, yes, no = reader.next(), reader.argument(), reader.argument()
        if wanted and wanted[0] != "\\" and len(wanted) > 1:
            wanted = None
        if not depth or not wanted or yes is None or no is None:
            reader.restore(snapshot)
            self._expander.give_up(token)
        else:
            reader.push(yes if self._following() == wanted else no, depth)

    def _if_star(self, token: str) -> None:
        """`\\@ifstar{yes}{no}`: the star goes."""
        reader, depth, snapshot = (r := self._expander.reader), r.depth, r.snapshot()
        yes, no = reader.argument(), reader.argument()
        if not depth or yes is None or no is None:
            reader.restore(snapshot)
            self._expander.give_up(token)
        else:
            reader.push(yes if reader.skip_text("*") else no, depth)

    # Names that are made.

    def _csname(self, token: str) -> None:
        snapshot = self._expander.reader.snapshot()
        depth = self._expander.reader.depth
        name = self._made_name()
        if name is None:
            self._expander.reader.restore(snapshot)
            self._expander.give_up(token)
        else:
            self._expander.reader.push([name], depth)

    def _made_name(self, *, is_new: bool = False) -> str | None:
        """The control sequence up to `\\endcsname`; None if it means nothing that we know."""
        reader, content = self._expander.reader, list[str]()
        while (token := reader.next()) != "\\endcsname":
            if token is None or len(content) > _MAXIMUM_NAME:
                return None
            content.append(token)
        name = "\\" + "".join(self._expander.expand(content)).lstrip()
        if "\\" in name[1:] or len(name) == 1:
            return None
        is_known = is_new or name in self._expander.meanings or _PLAIN_NAME.match(name)
        return name if is_known else None

    def _expandafter(self, token: str) -> None:
        """Expand what stands behind the next token before it."""
        reader, depth, snapshot = (r := self._expander.reader), r.depth, r.snapshot()
        held: list[str] = []
        # At the end of a branch stood the conditional's end, and nothing is to be expanded.
        at_end = False
        while len(held) < _MAXIMUM_CHAIN and (following := reader.next()):
            held.append(following)
            at_end = reader.position >= len(reader.tokens)
            if at_end or reader.peek() != "\\expandafter":
                break
            reader.next()
        is_chain = held[:1] == ["\\expandafter"]
        is_text = not depth and reader.peek() not in ("\\csname", *self._expander.defined)
        if not held or is_chain or is_text or not (at_end or self._expand_once()):
            reader.restore(snapshot)
            self._expander.give_up(token)
        else:
            reader.push(held, depth)

    def _expand_once(self) -> bool:
        """Put the expansion of the next token in its place; False if that cannot be done."""
        reader = self._expander.reader
        token = reader.peek()
        if token == "\\csname":
            reader.next()
            name = self._made_name(is_new=True)
            if name is None:
                return False
            reader.push([name], reader.depth)
            return True
        meaning = self._expander.meanings.get(token)
        if isinstance(meaning, Macro):
            if meaning.parameters or meaning.marks:
                return False
            reader.next()
            reader.spent += len(meaning.body)
            reader.push([str(part) for part in meaning.body], reader.depth)
            return True
        return token[:1] != "\\"

    def _namedef(self, token: str) -> None:
        """`\\@namedef{name}` is `\\def\\name`."""
        name = self._expander.reader.group()
        if name is None:
            self._expander.out.append(token)
        else:
            made = "\\" + "".join(self._expander.expand(name))
            self._expander.reader.push(["\\def", made], self._expander.reader.depth)

    def _nameuse(self, token: str) -> None:
        """`\\@nameuse{name}` is `\\name`."""
        reader, snapshot = self._expander.reader, self._expander.reader.snapshot()
        name = reader.group()
        made = "\\" + "".join(self._expander.expand(name or []))
        if made in self._expander.meanings:
            reader.push([made], snapshot[2])
        else:
            reader.restore(snapshot)
            self._expander.give_up(token)

    def _null(self, token: str) -> None:
        """An empty box, which macros set to end a name."""
        if self._expander.reader.depth == 0:
            self._expander.out.append(token)
