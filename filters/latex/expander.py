"""Expands the macros of a LaTeX text where they are used, and leaves everything else as it is.

A loop over tokens with TeX's input stack (The TeXbook, chapter 20): the body of a macro is put in
front of what is still to be read, so a macro inside another's body or argument, in math or not, is
expanded in its turn, whatever the order of the definitions. Definitions take effect where they
stand and vanish. Of TeX's conditionals those are decided that a text alone decides.

Bounded: a call that goes deeper or grows larger than the limits is undone and its macro left as
the author wrote it from there on; past the limit for the whole text, `ExpansionLimitError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from filters.document import Settings, setting
from filters.latex.definitions import Alias, Macro, read_arguments, substitute
from filters.latex.scopes import Scope, may_end_group
from filters.latex.token_reader import Snapshot, TokenReader
from filters.latex.tokens import CONTROL_WORD, Kept, split_address

Handler: TypeAlias = Callable[[str], None]
Meaning: TypeAlias = Macro | Alias | Handler

# Papers make this something else if it takes no argument: `\def\part{\partial}`.
_MAY_CHANGE = frozenset(("\\part",))
# Macros left for these reasons stay so, whatever becomes of their definition.
_FINAL_REASONS = ("runaway", "undecided")
# Commands of LaTeX that are macros with arguments: without braces, the next token is all of it.
_TAKE_ONE = frozenset(
    "\\" + name
    for name in (
        *(
            "frac",
            "dfrac",
            "tfrac",
            "cfrac",
            "binom",
            "text",
            "textbf",
            "textit",
            "textrm",
            "textsc",
        ),
        *("textsf", "texttt", "emph", "mathbf", "mathrm", "mathit", "mathsf", "mathtt", "mathcal"),
        *("mathbb", "mathfrak", "mathscr", "boldsymbol", "bm", "operatorname"),
    )
)
_CLOSING = tuple(".,;:!?)]'")
# Texts expanded inside texts (titles, names of environments, style files): ends recursion before
# Python does.
_MAXIMUM_NESTING = 8


class ExpansionLimitError(Exception):
    """The macros of a text ask for more work than the recipe allows."""


class UndoneCallError(Exception):
    """A call cannot be carried out: it is undone, and a macro left as it is from here on."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class ExpansionSettings(Settings):
    """[arxiv.latex.expansion]: bounds on what macros may do.

    Attributes:
        maximum_depth: macros inside macros, counted from the call in the source.
        maximum_call_characters: what one call in the source may become and read on the way.
        maximum_characters: what all calls of a paper may.
    """

    maximum_depth: int = setting(200, "measured: 33 real papers need 5")
    maximum_call_characters: int = setting(2_000_000, "measured: 33 real papers need 36,000")
    maximum_characters: int = setting(20_000_000, "measured: 33 real papers need 137,000")


class Expander:
    """Expands one text; its definitions stay from one `expand` to the next.

    Attributes:
        out: tokens of the result so far.
        meanings: what control sequences mean that do not just stand for themselves.
        reserved: names that no definition changes.
        defined: names of the macros that were defined.
        left: names of macros that were left as they are, with the reason.
        nesting: 1 in the text itself, more in texts that are expanded for themselves.
        names_elsewhere: names that other files of the paper define.
        scope: the groups that are open in the text that is being expanded.
    """

    def __init__(self, settings: ExpansionSettings) -> None:
        self.out: list[str] = []
        self.reader = TokenReader([])
        self.defined: set[str] = set()
        self.left: dict[str, str] = {}
        self.names_elsewhere: set[str] = set()
        self._settings = settings
        self._spent = 0
        self.nesting = 0
        self._call: tuple[str, int, Snapshot, int] | None = None
        # The macros being carried out, by their depth.
        self._active: dict[int, str] = {}
        self.meanings: dict[str, Meaning] = {
            "\\xspace": self._xspace,
            "\\@": self._space_factor,
            "\\noexpand": self._noexpand,
            "\\string": self._string,
            "\\begin": self._environment_word,
            "\\end": self._environment_word,
        }
        self.reserved = frozenset(self.meanings)
        self.scope: Scope[Meaning] = Scope(self.meanings, is_apart=False)
        self._scopes: list[Scope[Meaning]] = []

    def expand(self, tokens: list[str]) -> list[str]:
        """The tokens with their macros expanded, definitions gone.

        What a text inside another (a title, a name) defines holds there only.

        Raises:
            ExpansionLimitError: more than `maximum_characters` were spent.
        """
        if self.nesting >= _MAXIMUM_NESTING:
            return tokens
        self.nesting += 1
        saved = self.out, self.reader, self._call, self._active, self.scope
        self.out, self.reader, self._call, self._active = [], TokenReader(tokens), None, {}
        self.scope = Scope(self.meanings, is_apart=self.nesting > 1)
        self._scopes.append(self.scope)
        try:
            while not self._run_guarded():
                pass
            return self.out
        finally:
            self.nesting -= 1
            self._spent += self.reader.spent
            self._scopes.pop().finish()
            self.out, self.reader, self._call, self._active, self.scope = saved

    def _run_guarded(self) -> bool:
        """Run to the end; False if a call was undone and there is more."""
        try:
            self._run()
        except UndoneCallError as undone:
            assert self._call is not None
            token, length, snapshot, _ = self._call
            del self.out[length:]
            self.scope.cut(length)
            self.reader.restore(snapshot)
            self.leave(undone.name, undone.reason)
            if token in self.meanings:
                self.reader.push([token], 0)
            else:
                self.out.append(token)
            return False
        return True

    def give_up(self, token: str) -> None:
        """Something cannot be decided: in the text it stays, a macro that asks for it is left."""
        depth = self.reader.depth
        if depth and self._call is not None:
            raise UndoneCallError(self._active[depth], "undecided")
        self.out.append(token)

    def _run(self) -> None:
        reader, append = self.reader, self.out.append
        meanings = self.meanings
        while True:
            tokens, position = reader.tokens, reader.position
            end = len(tokens)
            if self.scope.is_watched and position < end:
                reader.position = position + 1
                self._step(tokens[position])
                continue
            while position < end:
                token = tokens[position]
                position += 1
                if token[0] == "\\":
                    meaning = meanings.get(token)
                    if meaning is not None and token.__class__ is not Kept:
                        reader.position = position
                        self._apply(token, meaning)
                        break
                    if token[-1] == "}" and (pieces := split_address(token)):
                        reader.position = position
                        reader.push(pieces, reader.depth)
                        break
                append(token)
            else:
                reader.position = position
                if not reader.pop():
                    return

    def _step(self, token: str) -> None:
        """One token, where the end of a group changes what names mean."""
        if token[0] == "\\":
            meaning = self.meanings.get(token)
            if meaning is not None and token.__class__ is not Kept:
                self._apply(token, meaning)
                self.scope.catch_up(self.out)
                return
            if token[-1] == "}" and (pieces := split_address(token)):
                self.reader.push(pieces, self.reader.depth)
                return
        self.out.append(token)
        if may_end_group(token):
            self.scope.catch_up(self.out)

    def _apply(self, token: str, meaning: Meaning) -> None:
        if isinstance(meaning, Macro):
            self._call_macro(token, meaning)
        elif isinstance(meaning, Alias):
            handler = self.meanings.get(meaning.token) if meaning.token in self.reserved else None
            if callable(handler):
                handler(meaning.token)
            else:
                self.out.append(Kept(meaning.token))
        else:
            meaning(token)
            self.check_limits()

    def _call_macro(self, token: str, macro: Macro) -> None:
        reader = self.reader
        snapshot = reader.snapshot()
        depth = reader.depth + 1
        if depth == 1:
            self._call = token, len(self.out), snapshot, self._spent + reader.spent
        chosen = macro
        if macro.starred is not None and reader.skip_text("*"):
            chosen = macro.starred
        elif macro.sized is not None and (size := reader.optional()) is not None:
            reader.push([*("{",), *size, "}"], reader.depth)
            chosen = macro.sized
        arguments = read_arguments(reader, chosen) if chosen.parameters or chosen.marks else []
        is_known = all(name in self.meanings for name in chosen.internals)
        if arguments is None or not is_known:
            reader.restore(snapshot)
            self.check_limits(depth)
            self.out.append(token)
            if not is_known:
                self.left[token] = "program"
            return
        self._active[depth] = token
        body, size_of_body = substitute(chosen, arguments)
        self._spent += size_of_body + 1
        self.check_limits(depth)
        if not chosen.parameters:
            is_one = len(body) == 1 and (len(body[0]) == 1 or body[0][0] == "\\")
            if body and not is_one and self.out and self.out[-1] in _TAKE_ONE:
                # TeX takes the macro for the whole argument.
                body = ["{", *body, "}"]
            self._tidy_after(body, reader)
        if body:
            reader.push(body, depth)

    def _tidy_after(self, body: list[str], reader: TokenReader) -> None:
        """Drop what only ended the name: `{}`, and white space before closing punctuation."""
        ends_open = bool(body) and CONTROL_WORD.match(body[-1]) is not None
        token = reader.peek()
        if token == "{" and not ends_open:
            here = reader.tokens, reader.position
            follows = here[0][here[1] + 1 : here[1] + 3]
            if follows[:1] == ["}"] and "".join(follows[1:])[:1] not in ("_", "^", "'"):
                reader.position += 2
        elif token[:1] == " " and token.lstrip(" ").startswith(_CLOSING) and not ends_open:
            reader.next()
            reader.push_text(token.lstrip(" "))

    def check_limits(self, depth: int = 0) -> None:
        """Raise where the work done so far is beyond a limit; `depth` is that of a call."""
        settings, spent = self._settings, self._spent + self.reader.spent
        if spent > settings.maximum_characters:
            raise ExpansionLimitError(f"over {settings.maximum_characters} characters")
        if depth and self._call is not None:
            beyond = spent - self._call[3] > settings.maximum_call_characters
            if beyond or depth > settings.maximum_depth:
                raise UndoneCallError(self._call[0], "runaway")

    def reserve(self, handlers: Mapping[str, Handler]) -> None:
        """Have handlers called for tokens that no definition may change."""
        self.meanings.update(handlers)
        self.reserved = frozenset(self.meanings)

    def leave(self, name: str, reason: str) -> None:
        """From here on, leave a macro as the author wrote it."""
        for scope in self._scopes:
            scope.forget(name)
        self.meanings.pop(name, None)
        self.left[name] = reason

    def assign(self, name: str, meaning: Meaning | None, *, is_global: bool = False) -> None:
        """Change what a name means, to the end of the group or, if global, for good."""
        if is_global:
            for scope in self._scopes:
                scope.forget(name)
        elif self._scopes:
            self.scope.save(name, self.out)
        if meaning is None:
            self.meanings.pop(name, None)
        else:
            self.meanings[name] = meaning

    def define(self, name: str, meaning: Macro | Alias, *, is_global: bool = False) -> None:
        """Give a name its meaning, unless the name is reserved."""
        has_parameters = isinstance(meaning, Macro) and bool(meaning.parameters)
        if name == "\\" or (name in self.reserved and (name not in _MAY_CHANGE or has_parameters)):
            return
        self.scope.catch_up(self.out)
        # Either branch may be TeX's: a second meaning in them is one too many.
        is_contested = self.scope.undecided > 0 and name in self.defined
        self.defined.add(name)
        if isinstance(meaning, Macro) and meaning.is_program:
            self.leave(name, "program")
        elif is_contested:
            self.leave(name, "undecided")
        elif self.left.get(name) not in _FINAL_REASONS:
            self.left.pop(name, None)
            self.assign(name, meaning, is_global=is_global)

    def end_removal(self) -> None:
        """After something was removed: with nothing else on its line, the line goes."""
        if not self.out or self.out[-1].endswith("\n"):
            self.reader.skip_line_end()

    def _environment_word(self, token: str) -> None:
        """`\\begin` apart from its braces: white space, or a name that a macro makes."""
        content = self.reader.group()
        if content is None:
            self.out.append(token)
            return
        name = "".join(self.expand(content)).strip()
        whole = f"{token}{{{name}}}"
        meaning = self.meanings.get(whole)
        if callable(meaning):
            meaning(whole)
        else:
            self.out.append(whole)

    def _space_factor(self, token: str) -> None:
        """`\\@` tells TeX how wide a space is; a macro's goes."""
        if self.reader.depth == 0:
            self.out.append(token)

    def _noexpand(self, token: str) -> None:
        """`\\noexpand\\name` in an `\\edef`: the name stays."""
        if self.nesting > 1 and (following := self.reader.next()):
            self.out.append(following)
        else:
            self.out.append(token)

    def _string(self, token: str) -> None:
        """`\\string\\name` prints the name."""
        self.out.append(token)
        if self.reader.peek()[:1] == "\\":
            self.out.append(Kept(self.reader.next() or ""))

    def _xspace(self, token: str) -> None:
        """The xspace package: a space, unless what follows would not want one."""
        if self.reader.depth == 0:
            self.out.append(token)
            return
        following = self.reader.peek()
        if following == "{" and self.reader.tokens[self.reader.position + 1 :][:1] == ["}"]:
            self.reader.position += 2
        elif following and (
            following[0].isalnum()
            or following[0] in "($`{["
            or (following[0] == "\\" and following[1:2].isalpha())
        ):
            self.out.append(" ")
