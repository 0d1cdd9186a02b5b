"""A paper from its files: what it includes, what stands before its text, and the text itself.

`PaperReader` follows the main file into the files it includes and hands every token to the
expander; handlers called where structural commands stand in the expanded text note where the paper
begins and ends (`Sections`) and take title, authors and abstract out (`FrontMatter`).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

from filters.latex.balance import drop_unmatched
from filters.latex.bibliography import Bibliography
from filters.latex.commands import tex_expander
from filters.latex.definitions import Macro, new_macros, new_names
from filters.latex.expander import ExpansionSettings, Handler
from filters.latex.files import find_file, packages_in
from filters.latex.front_matter import FrontMatter, Marks
from filters.latex.sections import Sections, StructureSettings
from filters.latex.tokens import own_literals, tokenize

_HARVMAC = re.compile(r"\\input\s*\{?(?:harvmac|lanlmac)")
_INPUTS = ("\\input", "\\include", "\\subfile", "\\subfileinclude", "\\@input")


@dataclass
class Paper:
    """A paper as it was read.

    Attributes:
        tokens: its text, expanded, from the first section on.
        start: `section`, or `front_matter` where the text begins behind title and abstract, or
            `none`.
        has_section: whether a section begins in it.
        muted_characters: of its bibliographies, which `bibliography.MARK` stands for.
        defined, left: names of macros that were defined; those left unexpanded, with the reason.
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
    left: dict[str, str]
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
        self._maximum_files = structure.maximum_files
        self._state = Marks()
        self._included: list[str] = []
        self._missing: list[str] = []
        self._folder = ""
        self._only: set[str] | None = None
        self._literal = tuple(sorted(set().union(*map(own_literals, files.values()))))
        self._expander = tex_expander(expansion)
        self._expander.reserve(self._handlers())
        FrontMatter(self._expander, self._state).register()
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
        self._included.append(main_file)
        self._sources = {
            name: text for name, text in self._files.items() if not name.lower().endswith(".sty")
        }
        for text in self._sources.values():
            self._expander.names_elsewhere |= new_names(text)
        self._folder = posixpath.dirname(main_file)
        text = self._files[main_file]
        is_amstex = "amsppt" in text
        self._expander.reserve(self._sections.handlers(is_amstex=is_amstex))
        if is_amstex:
            self._expander.reserve(self._bibliography.amstex_handlers())
        if _HARVMAC.search(text):
            self._expander.reserve(self._bibliography.harvmac_handlers())
        # Plain TeX has no command for it.
        self._state.begun = "\\begin{document}" not in text
        out = self._expander.expand(tokenize(text, self._literal))
        state = self._state
        self._bibliography.end_of(out)
        self._bibliography.drop_layout_behind(out)
        begin, start = self._sections.beginning(out)
        return Paper(
            tokens=[] if begin is None else self._text(out, begin),
            start=start,
            has_section=state.body is not None,
            muted_characters=self._bibliography.characters,
            title=state.title,
            abstract=state.abstract_text,
            authors=state.authors,
            defined=self._expander.defined,
            left=self._expander.left,
            included=self._included,
            missing=self._missing,
        )

    def _text(self, out: list[str], begin: int) -> list[str]:
        """What is kept of the output, from the token at `begin` on."""
        opened = self._bibliography.opened
        opened.add(out[:begin])
        return self._expand_the_rest(drop_unmatched(out[begin:], opened))

    def _expand_the_rest(self, tokens: list[str]) -> list[str]:
        """Expand what was used before its definition, or is defined in a file not read."""
        expander = self._expander
        used = {token for token in set(tokens) if token[0] == "\\"}
        undefined = used & expander.names_elsewhere - expander.defined
        if undefined:
            for name, text in self._sources.items():
                if name not in self._included and undefined & new_names(text):
                    for macro in new_macros(tokenize(text, self._literal)):
                        if macro[0] in undefined - expander.defined:
                            expander.define(*macro)
        if any(isinstance(expander.meanings.get(name), Macro) for name in used):
            tokens = expander.expand(tokens)
        return tokens

    def _handlers(self) -> dict[str, Handler]:
        return {
            **dict.fromkeys(_INPUTS, self._input),
            **dict.fromkeys(("\\import", "\\subimport", "\\inputfrom"), self._import),
            **dict.fromkeys(("\\usepackage", "\\RequirePackage"), self._package),
            "\\includeonly": self._include_only,
            "\\InputIfFileExists": self._if_file_exists,
            "\\IfFileExists": self._if_file_exists,
            "\\begin{document}": self._begin_document,
            "\\end{document}": self._end_document,
            "\\bye": self._end_document,
            "\\enddocument": self._end_document,
            "\\endinput": self._end_input,
            "\\makeatletter": self._gone,
            "\\makeatother": self._gone,
        }

    # The document and its files.

    def _begin_document(self, token: str) -> None:
        """What stands before is preamble."""
        if not self._state.begun and self._expander.nesting == 1:
            self._expander.out.clear()
            self._state.begun = True
            self._state.body = self._state.back = None
            self._state.front = 0
            self._bibliography.restart()

    def _end_document(self, token: str) -> None:
        if self._state.begun:
            self._expander.reader.clear()

    def _end_input(self, token: str) -> None:
        """The rest of this file is not read."""
        reader = self._expander.reader
        if reader.depth == 0:
            reader.position = len(reader.tokens)

    def _input(self, token: str) -> None:
        reader = self._expander.reader
        content = reader.group()
        if content is None:
            content = self._bare_name()
        name = "".join(self._expander.expand(content)).strip()
        if token != "\\include" or self._only is None or name in self._only:
            self._open(name, self._folder)

    def _include_only(self, token: str) -> None:
        """`\\includeonly{a,b}`: of the files named by `\\include`, these."""
        names = self._expander.reader.group()
        if names is not None:
            self._only = {name.strip() for name in "".join(names).split(",")}
        self._expander.end_removal()

    def _if_file_exists(self, token: str) -> None:
        """`\\IfFileExists{file}{then}{else}`: files of the submission exist, no others."""
        reader, snapshot = self._expander.reader, self._expander.reader.snapshot()
        name, yes, no = reader.group(), reader.group(), reader.group()
        if name is None or yes is None or no is None:
            reader.restore(snapshot)
            self._expander.out.append(token)
            return
        path = "".join(self._expander.expand(name)).strip()
        exists = find_file(self._files, path, self._folder) is not None
        reader.push(yes if exists else no, reader.depth)
        if exists and token == "\\InputIfFileExists":
            self._open(path, self._folder)

    def _bare_name(self) -> list[str]:
        """TeX's own `\\input name`: the name ends at white space."""
        reader = self._expander.reader
        if not reader.skip_space() or reader.peek()[:1] in ("", "\\", "{", "}"):
            return []
        text = reader.next() or ""
        name = text.split(None, 1)[0]
        reader.push_text(text[len(name) :])
        return [name]

    def _import(self, token: str) -> None:
        """`\\import{folder/}{file}`: names in the file are relative to the folder."""
        reader = self._expander.reader
        reader.skip_text("*")
        folder, name = reader.group(), reader.group()
        if folder is None or name is None:
            return
        joined = posixpath.join(self._folder, "".join(self._expander.expand(folder)).strip())
        self._open("".join(self._expander.expand(name)), joined)

    def _open(self, name: str, folder: str) -> None:
        """Put a file's tokens in front; every file once."""
        name = name.strip().strip('"')
        if name.lower().endswith(".bbl"):
            self._expander.reader.push(["\\bibinput"], 0)
            return
        path = find_file(self._files, name, folder)
        if path is None:
            if name:
                self._missing.append(name)
        elif path not in self._included and len(self._included) < self._maximum_files:
            self._included.append(path)
            tokens = tokenize(self._files[path], self._literal)
            if "\\begin{document}" in tokens:
                tokens = tokens[tokens.index("\\begin{document}") + 1 :]
                if "\\end{document}" in tokens:
                    tokens = tokens[: tokens.index("\\end{document}")]
            self._expander.reader.push(tokens, 0)
            return
        self._expander.end_removal()

    def _package(self, token: str) -> None:
        """A package of the author's own is read for its definitions."""
        expander = self._expander
        snapshot = expander.reader.snapshot()
        expander.reader.optional()
        names = expander.reader.group()
        if names is None:
            expander.reader.restore(snapshot)
            expander.out.append(token)
            return
        for path, tokens in packages_in(self._files, "".join(names)):
            if path not in self._included and len(self._included) < self._maximum_files:
                self._included.append(path)
                expander.in_style = True
                expander.expand(tokens)
                expander.in_style = False
        expander.end_removal()

    def _gone(self, token: str) -> None:
        self._expander.end_removal()
