"""Conditionals that end in `\\fi`, as far as the text alone decides them: one branch goes.

Decided here: `\\iffalse`, `\\iftrue`, the switches of `\\newif`, `\\ifdefined` of a name of the
paper's; `\\ifmmode` in macros. `programs` decides `\\ifx`, `\\if` and `\\ifnum`, `branches` those
whose branches are groups. All others stay as they are, with both branches.
"""

from __future__ import annotations

from filters.latex.definitions import Macro, read_name
from filters.latex.expander import Expander, Handler
from filters.latex.tokens import is_conditional

_CONSTANTS = {"\\iftrue": True, "\\iffalse": False}
_INTRODUCES = ("\\newif", "\\let", "\\def")
_MATH_BEGINS = frozenset(
    "\\begin{" + name + star + "}"
    for name in ("equation", "align", "eqnarray", "gather", "multline", "displaymath", "math")
    for star in ("", "*")
)
_MATH_ENDS = frozenset("\\end" + token[len("\\begin") :] for token in _MATH_BEGINS)
# Tokens; bounds time: formulas and what leads up to them are shorter than a paragraph.
_LOOK_BACK = 400


class Conditionals:
    """The switches of a text, and what is done at `\\if...`."""

    def __init__(self, expander: Expander) -> None:
        self._expander = expander
        self._matched: list[str] | None = None
        self._ends: dict[int, tuple[int | None, int]] = {}

    def handlers(self) -> dict[str, Handler]:
        """What the expander is to call for which token."""
        return {
            "\\iffalse": self._constant,
            "\\iftrue": self._constant,
            "\\ifmmode": self._math_mode,
            "\\newif": self._new_switch,
            "\\ifdefined": self._is_defined,
        }

    def let(self, name: str, target: str) -> bool:
        """`\\let\\ifdraft\\iftrue` makes a switch too; whether it was that."""
        if target not in _CONSTANTS or name in self._expander.reserved:
            return False
        self._add(name, _CONSTANTS[target])
        return True

    def _new_switch(self, token: str) -> None:
        name = read_name(self._expander.reader)
        if name is None or not name.startswith("\\if") or name in self._expander.reserved:
            self._expander.out.append(token)
            return
        self._add(name, False)
        self._expander.end_removal()

    def _add(self, name: str, value: bool) -> None:
        expander, base = self._expander, "\\" + name[len("\\if") :]
        expander.assign(name, self._true if value else self._false)
        for setter in (base + "true", base + "false"):
            if setter not in expander.reserved:
                expander.assign(setter, self._set)

    def _set(self, token: str) -> None:
        value = token.endswith("true")
        name = "\\if" + token[1 : -4 if value else -5]
        self._expander.assign(name, self._true if value else self._false)
        self._expander.end_removal()

    # A switch means one of these.

    def _true(self, token: str) -> None:
        self._take(True)

    def _false(self, token: str) -> None:
        self._take(False)

    def _constant(self, token: str) -> None:
        self._take(_CONSTANTS[token])

    def _math_mode(self, token: str) -> None:
        if self._expander.reader.depth == 0:
            self._expander.out.append(token)
            return
        self._take(self._in_math())

    def _in_math(self) -> bool:
        """Whether the text so far ends in a formula, judged from its paragraph."""
        tokens = self._expander.out[-_LOOK_BACK:]
        start = 0
        for index, token in enumerate(tokens):
            if token[0] != "\\" and "\n\n" in token:
                start = index + 1 if "$" not in token.rpartition("\n\n")[2] else index
        in_math = False
        for index, token in enumerate(tokens[start:]):
            if token in _MATH_BEGINS or token in ("\\[", "\\(", "\\ensuremath"):
                in_math = True
            elif token in _MATH_ENDS or token in ("\\]", "\\)"):
                in_math = False
            elif token[0] != "\\":
                text = token.rpartition("\n\n")[2] if index == 0 else token
                if text.replace("$$", "$").count("$") % 2:
                    in_math = not in_math
        return in_math

    def _is_defined(self, token: str) -> None:
        expander = self._expander
        name = expander.reader.peek()
        known = isinstance(expander.meanings.get(name), Macro) or name in expander.left
        if known or name in expander.names_elsewhere:
            expander.reader.next()
            self._take(known, behind=1)
        else:
            expander.out.append(token)

    def _take(self, value: bool, behind: int = 0) -> None:
        """Take a branch of the conditional that was just read, `behind` tokens ago."""
        position = self._expander.reader.position
        self.take(value, position - behind - 1, position)

    def take(self, value: bool, conditional: int, start: int, offset: int = 0) -> bool:
        """Leave the branch that `value` chooses to be read next, and drop the other.

        Args:
            value: whether the condition holds.
            conditional: where its token stands in the reader's list.
            start, offset: the token and the character in it where the first branch begins.

        Returns:
            False, and nothing is done, where the conditional has no end in that list.
        """
        reader = self._expander.reader
        tokens = reader.tokens
        found = self._find_end(tokens, conditional)
        if found is None:
            return False
        middle, end = found
        if value:
            branch = tokens[start : end if middle is None else middle]
            if branch and offset:
                branch[:1] = [rest] if (rest := branch[0][offset:]) else []
        else:
            branch = [] if middle is None else tokens[middle + 1 : end]
        reader.position = end + 1
        reader.spent += len(branch)
        if branch and not offset and branch[0][0] in " \t" and branch[0].strip():
            # White space that only ended the conditional's name.
            branch = [branch[0].lstrip(" \t"), *branch[1:]]
        if branch:
            reader.push(branch, reader.depth)
        else:
            self._expander.end_removal()
        return True

    def _find_end(self, tokens: list[str], conditional: int) -> tuple[int | None, int] | None:
        """Where `\\else` (or None) and `\\fi` of a conditional stand."""
        if self._matched is not tokens:
            self._matched, self._ends = tokens, self._match(tokens)
            # A token is dearer here than where it is only copied.
            self._expander.reader.spent += 4 * len(tokens)
        return self._ends.get(conditional)

    def _match(self, tokens: list[str]) -> dict[int, tuple[int | None, int]]:
        """For every conditional that is closed: its place, and those of its `\\else` and `\\fi`."""
        ends: dict[int, tuple[int | None, int]] = {}
        unclosed: list[int] = []
        middles: dict[int, int] = {}
        for position, token in enumerate(tokens):
            if token == "\\fi":
                if unclosed:
                    begin = unclosed.pop()
                    ends[begin] = middles.get(begin), position
            elif token == "\\else":
                if unclosed:
                    middles.setdefault(unclosed[-1], position)
            elif token.startswith("\\if") and self._is_conditional(token, tokens[position - 1]):
                unclosed.append(position)
        return ends

    def _is_conditional(self, token: str, before: str) -> bool:
        if before in _INTRODUCES or not is_conditional(token):
            return False
        return not isinstance(self._expander.meanings.get(token), Macro)
