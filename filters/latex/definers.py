"""What the expander does at definitions: take them out, and give the names their meaning."""

from __future__ import annotations

from collections.abc import Callable

from filters.latex.conditionals import Conditionals
from filters.latex.definitions import (
    Alias,
    Macro,
    make_macro,
    read_def,
    read_document_command,
    read_name,
    read_newcommand,
    read_newcommandx,
    read_operator,
    read_paired_delimiter,
)
from filters.latex.expander import Expander, Handler
from filters.latex.token_reader import TokenReader

_PREFIXES = ("\\long", "\\global", "\\outer", "\\protected")
_DEFS = ("\\def", "\\gdef", "\\edef", "\\xdef")
_GLOBAL_DEFS = ("\\gdef", "\\xdef")
_EXPANDED_DEFS = ("\\edef", "\\xdef")
_NEW_COMMANDS = (
    *("\\newcommand", "\\renewcommand", "\\DeclareRobustCommand"),
    *("\\newrobustcmd", "\\renewrobustcmd"),
)
_DOCUMENT_COMMANDS = tuple(
    f"\\{verb}{kind}DocumentCommand"
    for verb in ("New", "Renew", "Provide", "Declare")
    for kind in ("", "Expandable")
)
_PAIRED_DELIMITERS = {f"\\DeclarePairedDelimiter{kind}": kind for kind in ("", "X", "XPP")}
# That of LaTeX's newer kernel and that of the letltxmacro package save a command as well.
_LETS = ("\\let", "\\LetLtxMacro", "\\NewCommandCopy", "\\RenewCommandCopy", "\\DeclareCommandCopy")
_COMMANDS_OF_XARGS = ("\\newcommandx", "\\renewcommandx", "\\providecommandx")
_PROVIDES = ("\\providecommand", "\\providerobustcmd")
# Definitions that leave no macro: name and number of the groups that follow.
_OTHER_DEFINITIONS = {
    "\\newenvironment": 3,
    "\\renewenvironment": 3,
    "\\provideenvironment": 3,
    "\\NewDocumentEnvironment": 4,
    "\\RenewDocumentEnvironment": 4,
    "\\newtheorem": 2,
    "\\declaretheorem": 1,
    "\\newcounter": 1,
    "\\newlength": 1,
    "\\newsavebox": 1,
    "\\newcolumntype": 2,
    "\\theoremstyle": 1,
    "\\newtheoremstyle": 9,
}


class Definers:
    """The commands that define, for one expander."""

    def __init__(self, expander: Expander, conditionals: Conditionals) -> None:
        self._expander = expander
        self._conditionals = conditionals
        # `\\global` came, and what it makes global has not.
        self._is_global = False

    def handlers(self) -> dict[str, Handler]:
        """What the expander is to call for which token."""
        return {
            **dict.fromkeys(_NEW_COMMANDS + _PROVIDES, self._new_command),
            **dict.fromkeys(_DEFS, self._def),
            **dict.fromkeys(_EXPANDED_DEFS, self._expanded_def),
            **dict.fromkeys(_OTHER_DEFINITIONS, self._other_definition),
            **dict.fromkeys(_PREFIXES, self._prefix),
            **dict.fromkeys(_DOCUMENT_COMMANDS, self._document_command),
            **dict.fromkeys(_COMMANDS_OF_XARGS, self._newcommandx),
            "\\DeclareMathOperator": self._operator,
            **dict.fromkeys(_PAIRED_DELIMITERS, self._paired_delimiter),
            **dict.fromkeys(_LETS, self._let),
            "\\excludecomment": self._exclude,
        }

    def _finish_definition(self, found: tuple[str, Macro] | None, token: str) -> None:
        """Define what was read; where nothing sensible was, the token stays."""
        if found is None:
            self._expander.out.append(token)
            return
        self._expander.define(*found, is_global=self._take_global() or token in _GLOBAL_DEFS)
        self._expander.end_removal()

    def _take_global(self) -> bool:
        """Whether `\\global` stands before the definition that was read; it holds for one."""
        is_global, self._is_global = self._is_global, False
        return is_global

    def _read_definition(
        self, token: str, read: Callable[[TokenReader], tuple[str, Macro] | None]
    ) -> None:
        snapshot = self._expander.reader.snapshot()
        found = read(self._expander.reader)
        if found is None:
            self._expander.reader.restore(snapshot)
        self._finish_definition(found, token)

    def _new_command(self, token: str) -> None:
        snapshot = self._expander.reader.snapshot()
        found = read_newcommand(self._expander.reader)
        if found is None:
            self._expander.reader.restore(snapshot)
        elif token in _PROVIDES and found[0] in self._expander.meanings:
            self._take_global()
            self._expander.end_removal()
            return
        self._finish_definition(found, token)

    def _def(self, token: str) -> None:
        self._read_definition(token, read_def)

    def _expanded_def(self, token: str) -> None:
        """`\\edef`: the body is expanded now, and not when it is used."""
        reader, snapshot = self._expander.reader, self._expander.reader.snapshot()
        found = read_def(reader)
        if found is None:
            reader.restore(snapshot)
        elif not found[1].is_program:
            name, macro = found
            body = [part if isinstance(part, str) else f"#{part}" for part in macro.body]
            expanded = make_macro(self._expander.expand(body), macro.parameters, (), macro.marks)
            found = name, expanded
        self._finish_definition(found, token)

    def _operator(self, token: str) -> None:
        self._read_definition(token, read_operator)

    def _paired_delimiter(self, token: str) -> None:
        kind = _PAIRED_DELIMITERS[token]
        self._read_definition(token, lambda reader: read_paired_delimiter(reader, kind))

    def _newcommandx(self, token: str) -> None:
        self._read_definition(token, read_newcommandx)

    def _document_command(self, token: str) -> None:
        self._read_definition(token, read_document_command)

    def _prefix(self, token: str) -> None:
        """`\\long` and its like belong to the definition that follows; `\\global\\let` as well."""
        snapshot = self._expander.reader.snapshot()
        if self._expander.reader.skip_space():
            following = self._expander.reader.peek()
            if following in (*_PREFIXES, *_DEFS, "\\let", "\\expandafter"):
                self._is_global = self._is_global or token == "\\global"
                return
        self._expander.reader.restore(snapshot)
        self._expander.out.append(token)

    def _let(self, token: str) -> None:
        reader, snapshot = self._expander.reader, self._expander.reader.snapshot()
        name = read_name(reader)
        target = None
        if name is not None:
            reader.skip_text("=")
            target = read_name(reader)
            if target is None and reader.skip_space():
                target = reader.peek()[:1]
        if name is None or not target or target in ("{", "}"):
            reader.restore(snapshot)
            self._expander.out.append(token)
            return
        if target[0] != "\\":
            reader.push_text((reader.next() or "")[1:])
        self._let_mean(name, target)
        self._expander.end_removal()

    def _let_mean(self, name: str, target: str) -> None:
        """Give a name the meaning that a token has now."""
        expander, is_global = self._expander, self._take_global()
        meaning = expander.meanings.get(target)
        if target in ("\\relax", "\\undefined", "\\@undefined"):
            if name not in expander.reserved:
                expander.assign(name, None, is_global=is_global)
        elif isinstance(meaning, (Macro, Alias)):
            expander.define(name, meaning, is_global=is_global)
        elif target in expander.left and target not in expander.meanings:
            expander.defined.add(name)
            expander.leave(name, expander.left[target])
        elif not self._conditionals.let(name, target):
            expander.define(name, Alias(target), is_global=is_global)

    def _exclude(self, token: str) -> None:
        """The comment package's `\\excludecomment{name}`: environments of that name go."""
        name = self._expander.reader.group()
        if name is None:
            self._expander.out.append(token)
            return
        begin = f"\\begin{{{''.join(name)}}}"
        if begin not in self._expander.reserved:
            self._expander.assign(begin, self._excluded)
        self._expander.end_removal()

    def _excluded(self, token: str) -> None:
        reader, snapshot = self._expander.reader, self._expander.reader.snapshot()
        end = "\\end" + token[len("\\begin") :]
        while (following := reader.next()) != end:
            if following is None:
                reader.restore(snapshot)
                self._expander.out.append(token)
                return
        self._expander.end_removal()

    def _other_definition(self, token: str) -> None:
        """Environments, theorems, counters: the definition goes, the uses stay."""
        reader, snapshot = self._expander.reader, self._expander.reader.snapshot()
        reader.skip_text("*")
        groups = 0
        while groups < _OTHER_DEFINITIONS[token]:
            while reader.optional() is not None:
                pass
            argument = reader.argument() if groups == 0 else reader.group()
            if argument is None:
                break
            groups += 1
        if groups == 0:
            reader.restore(snapshot)
            self._expander.out.append(token)
            return
        while reader.optional() is not None:
            pass
        self._expander.end_removal()
