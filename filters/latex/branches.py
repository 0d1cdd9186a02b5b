"""Conditionals whose branches are groups: ifthen, etoolbox, xparse.

Decided are the booleans and toggles that a paper declares, comparisons of texts, and what xparse
asks about its arguments. All others stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable

from filters.latex.definitions import NO_VALUE, STAR
from filters.latex.expander import Expander, Handler
from filters.latex.token_reader import Snapshot, TokenReader

_NEW = ("newboolean", "provideboolean", "newbool", "providebool", "newtoggle", "providetoggle")
_SET = {"toggletrue": True, "booltrue": True, "togglefalse": False, "boolfalse": False}
_SET_TO = ("setboolean", "setbool", "settoggle")


class Branches:
    """The booleans of a text, and what is done at `\\ifthenelse` and its like."""

    def __init__(self, expander: Expander) -> None:
        self._expander = expander
        self._values: dict[str, bool] = {}

    def handlers(self) -> dict[str, Handler]:
        """What the expander is to call for which token."""
        return {
            **dict.fromkeys(("\\" + name for name in (*_NEW, *_SET, *_SET_TO)), self._set),
            **dict.fromkeys(("\\iftoggle", "\\ifbool", "\\nottoggle", "\\notbool"), self._switch),
            "\\ifthenelse": self._if_then_else,
            **dict.fromkeys(("\\ifstrempty", "\\ifblank"), self._if_empty),
            "\\ifstrequal": self._if_equal,
            **dict.fromkeys(
                (
                    f"\\If{what}{branches}"
                    for what in ("Boolean", "Value", "NoValue")
                    for branches in ("TF", "T", "F")
                ),
                self._if_argument,
            ),
        }

    def _set(self, token: str) -> None:
        reader = self._expander.reader
        name = reader.group()
        if name is None:
            self._expander.out.append(token)
            return
        value = _SET.get(token[1:], False)
        if token[1:] in _SET_TO:
            value = "".join(reader.group() or ()).strip() == "true"
        if not token.startswith("\\provide") or "".join(name) not in self._values:
            self._values["".join(name)] = value
        self._expander.end_removal()

    def _switch(self, token: str) -> None:
        """`\\iftoggle{name}{yes}{no}`."""

        def decide(name: list[str]) -> bool | None:
            value = self._values.get("".join(name))
            return None if value is None else value != token.startswith("\\not")

        self._choose(token, decide)

    def _if_then_else(self, token: str) -> None:
        """ifthen's `\\ifthenelse{test}{yes}{no}`."""
        self._choose(token, self._test)

    def _test(self, test: list[str]) -> bool | None:
        """`\\equal{a}{b}`, `\\boolean{name}` and `\\NOT`; None for all others."""
        reader = TokenReader(test)
        negated = reader.skip_text("\\NOT") or reader.skip_text("\\not")
        reader.skip_space()
        value: bool | None = None
        match reader.next():
            case "\\equal":
                value = self._equal(reader.group(), reader.group())
            case "\\boolean":
                value = self._values.get("".join(reader.group() or ()))
        rest = "".join(test[reader.position :]) if reader.tokens is test else reader.peek()
        return None if value is None or rest.strip() else value != negated

    def _equal(self, first: list[str] | None, second: list[str] | None) -> bool | None:
        """Whether two texts are the same once expanded; in the text itself only plain ones."""
        if first is None or second is None:
            return None
        expand = self._expander.expand
        left, right = ("".join(expand(text)).strip() for text in (first, second))
        is_plain = "\\" not in left + right
        return left == right if is_plain or self._expander.reader.depth else None

    def _if_empty(self, token: str) -> None:
        """etoolbox's `\\ifstrempty{text}{yes}{no}`."""
        in_macro = self._expander.reader.depth > 0
        self._choose(token, lambda text: not "".join(text).strip() if in_macro else None)

    def _if_equal(self, token: str) -> None:
        """etoolbox's `\\ifstrequal{a}{b}{yes}{no}`: nothing is expanded."""
        reader = self._expander.reader
        snapshot = reader.snapshot()
        first = reader.group()
        in_macro = snapshot[2] > 0 and first is not None
        self._choose(token, lambda second: first == second if in_macro else None, snapshot)

    def _choose(
        self,
        token: str,
        decide: Callable[[list[str]], bool | None],
        snapshot: Snapshot | None = None,
    ) -> None:
        """Read a test and two branches, and leave one to be read next.

        Args:
            decide: the test's value; None if the text does not tell.
            snapshot: where to go back to if nothing is decided.
        """
        reader = self._expander.reader
        depth = reader.depth
        snapshot = snapshot or reader.snapshot()
        test, yes, no = reader.group(), reader.group(), reader.group()
        value = None if test is None or yes is None or no is None else decide(test)
        if value is None:
            reader.restore(snapshot)
            self._expander.out.append(token)
        elif branch := yes if value else no:
            reader.push(branch, depth)

    def _if_argument(self, token: str) -> None:
        """xparse's `\\IfBooleanTF#1{yes}{no}`, `\\IfValueT{#1}{yes}`."""
        reader = self._expander.reader
        depth, snapshot = reader.depth, reader.snapshot()
        what, kinds = token.rstrip("TF"), token[len(token.rstrip("TF")) :]
        test = reader.argument()
        branches = {kind: reader.argument() for kind in kinds}
        if test is None or None in branches.values() or not depth:
            reader.restore(snapshot)
            self._expander.out.append(token)
            return
        value = test == [STAR] if what == "\\IfBoolean" else test != [NO_VALUE]
        if what == "\\IfNoValue":
            value = not value
        if branch := branches.get("T" if value else "F"):
            reader.push(branch, depth)
