"""A paper from its files: what it includes, what stands before its text, and the text itself.

`PaperReader` follows the main file into the files it includes and hands every token to the
expander; handlers called where structural commands stand in the expanded text note where the paper
begins and ends (`Sections`) and take title, authors and abstract out (`FrontMatter`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from filters.latex.balance import drop_unmatched
from filters.latex.bibliography import Bibliography
from filters.latex.commands import tex_expander
from filters.latex.definitions import Alias, Macro, new_macros, new_names
from filters.latex.expander import ExpansionSettings, Handler
from filters.latex.front_matter import FrontMatter, Marks
from filters.latex.inputs import Inputs
from filters.latex.literals import find_literals
from filters.latex.sections import Sections, StructureSettings
from filters.latex.tokens import Kept, tokenize

_AMSTEX = re.compile(r"amsppt|\\input\s*\{?amstex")
_HARVMAC = re.compile(r"\\input\s*\{?(?:harvmac|lanlmac)")
# Run at once where the document has begun, else at its beginning.
_BEGIN_HOOKS = ("\\AtBeginDocument", "\\AtEndPreamble", "\\AfterEndPreamble", "\\AfterPreamble")
_CLASS_HOOKS = ("\\AtEndOfPackage", "\\AtEndOfClass")


@dataclass
class Paper:
    """A paper as it was read.

    Attributes:
        tokens: its text, expanded, from the first section on.
        start: `section`, or `front_matter` where the text begins behind title and abstract, or
            `none`.
        has_section: whether a section begins in it.
        muted_characters: of its bibliographies, which `bibliography.MARK` stands for.
        defined: names of macros that were defined.
        left: names that the paper defines and that stand unexpanded in the text.
        included, missing: paths of the files read; names of those that are not in the submission.
    """

    tokens: list[str]
    start: str
    has_section: bool
    muted_characters: int
    title: str
    abstract: str
    authors: list[str]
    defined: set[str]
    left: set[str]
    included: list[str]
    missing: list[str]


class PaperReader:
    """Reads one paper.

    Args:
        files: decoded text files by their path in the submission.
    """

    def __init__(
        self,
        files: Mapping[str, str],
        structure: StructureSettings,
        expansion: ExpansionSettings,
    ) -> None:
        self._files = files
        self._sources = {
            name: text for name, text in files.items() if not name.lower().endswith(".sty")
        }
        self._maximum_files = structure.maximum_files
        self._state = Marks()
        self._at_beginning: list[list[str]] = []
        self._literals = find_literals(files.values())
        self._expander = tex_expander(expansion)
        self._expander.reserve(self._handlers())
        self._front_matter = FrontMatter(self._expander, self._state)
        self._expander.reserve(self._front_matter.handlers())
        self._bibliography = Bibliography(
            self._expander, self._state, structure.bibliography_titles
        )
        self._expander.reserve(self._bibliography.handlers())
        self._sections = Sections(self._expander, self._state, self._bibliography, structure)

    def read(self, main_file: str) -> Paper:
        """Read the paper that begins in `main_file`.

        Raises:
            ExpansionLimitError: its macros ask for too much.
        """
        expander, state = self._expander, self._state
        for text in self._sources.values():
            expander.names_elsewhere |= new_names(text)
        inputs = Inputs(
            expander,
            state,
            self._files,
            main_file,
            maximum_files=self._maximum_files,
            literals=self._literals,
        )
        expander.reserve(inputs.handlers())
        self._reserve_structure(self._files[main_file])
        # Plain TeX has no command for it.
        state.begun = not any("\\begin{document}" in text for text in self._sources.values())
        out = expander.expand(inputs.tokens(main_file))
        self._bibliography.end_of(out)
        self._bibliography.drop_layout_behind(out)
        begin, start = self._sections.beginning(out)
        tokens = [] if begin is None else self._text(out, begin, inputs)
        return Paper(
            tokens=tokens,
            start=start,
            has_section=state.body is not None,
            muted_characters=self._bibliography.characters,
            title=state.title,
            abstract=state.abstract_text,
            authors=state.authors,
            defined=expander.defined,
            left=self._left(tokens, inputs.named),
            included=inputs.included,
            missing=inputs.missing,
        )

    def _reserve_structure(self, text: str) -> None:
        """Have the expander call the handlers of sections and bibliographies."""
        is_amstex = _AMSTEX.search(text) is not None
        self._expander.reserve(self._sections.handlers(is_amstex=is_amstex))
        if is_amstex:
            for name in ("\\define", "\\redefine"):
                self._expander.assign(name, Alias("\\def"))
            self._expander.reserve(self._bibliography.amstex_handlers())
        if _HARVMAC.search(text):
            self._expander.reserve(self._bibliography.harvmac_handlers())

    def _text(self, out: list[str], begin: int, inputs: Inputs) -> list[str]:
        """What is kept of the output, from the token at `begin` on."""
        opened = self._bibliography.opened
        opened.add(out[:begin])
        return self._expand_the_rest(drop_unmatched(out[begin:], opened), inputs.included)

    def _expand_the_rest(self, tokens: list[str], included: list[str]) -> list[str]:
        """Expand what only a file defines that the paper does not include, as far as we see."""
        expander = self._expander
        undefined = (expander.names_elsewhere - expander.defined).intersection(tokens)
        found: dict[str, Macro] = {}
        for name, text in self._sources.items():
            if undefined and name not in included and undefined & new_names(text):
                for macro_name, macro in new_macros(tokenize(text, self._literals)):
                    if macro_name in undefined and found.setdefault(macro_name, macro) != macro:
                        # Two files have it, and not the same.
                        undefined.discard(macro_name)
        if not undefined & found.keys():
            return tokens
        for name in undefined & found.keys():
            expander.define(name, found[name])
        done = expander.meanings.keys() - undefined
        return expander.expand([Kept(token) if token in done else token for token in tokens])

    def _left(self, tokens: list[str], named: set[str]) -> set[str]:
        """Names that the paper defines, or seems to, and that stand in its text."""
        expander = self._expander
        names = (expander.defined | expander.left.keys() | named) - expander.reserved
        used = names.intersection(tokens)
        if used:
            used = {token for token in tokens if token in used and token.__class__ is not Kept}
        return used

    def _handlers(self) -> dict[str, Handler]:
        return {
            **dict.fromkeys(_BEGIN_HOOKS, self._at_begin),
            **dict.fromkeys(_CLASS_HOOKS, self._at_once),
            "\\begin{document}": self._begin_document,
            "\\document": self._begin_document,
            "\\end{document}": self._end_document,
            "\\bye": self._end_document,
            "\\enddocument": self._end_document,
            "\\makeatletter": self._gone,
            "\\makeatother": self._gone,
        }

    # The document.

    def _begin_document(self, token: str) -> None:
        """What stands before is preamble."""
        expander, state = self._expander, self._state
        if state.begun or expander.nesting != 1:
            return
        expander.out.clear()
        expander.scope.restart()
        state.begun = True
        state.body = state.back = None
        state.front = 0
        self._bibliography.restart()
        for tokens in reversed(self._at_beginning):
            expander.reader.push(tokens, 0)

    def _end_document(self, token: str) -> None:
        if self._state.begun:
            self._expander.reader.clear()

    def _at_begin(self, token: str) -> None:
        """`\\AtBeginDocument{...}`: run where the document begins, outside of all groups."""
        tokens = self._expander.reader.group()
        if tokens is None:
            self._expander.out.append(token)
        elif self._state.begun:
            self._expander.reader.push(tokens, 0)
        else:
            self._at_beginning.append(tokens)
            self._expander.end_removal()

    def _at_once(self, token: str) -> None:
        """`\\AtEndOfPackage{...}`: what it defines counts for all that follows."""
        tokens = self._expander.reader.group()
        if tokens is None:
            self._expander.out.append(token)
        else:
            self._expander.reader.push(tokens, 0)

    def _gone(self, token: str) -> None:
        self._expander.end_removal()
