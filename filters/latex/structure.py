"""What of a paper is kept: from its first section to its bibliography, and appendices after that.

`PaperReader` follows the main file into the files it includes and hands every token to the
expander; its handlers, called where structural commands stand in the expanded text, note where the
paper begins and ends and take title, authors and abstract out.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from filters.document import Settings
from filters.latex.definitions import Macro, new_macros, new_names
from filters.latex.expander import Expander, ExpansionSettings, Handler
from filters.latex.files import find_file, packages_in
from filters.latex.front_matter import FrontMatter, Marks
from filters.latex.tokens import own_literals, tokenize

_SECTION_NAMES = """
    part chapter section subsection subsubsection paragraph subparagraph addpart addchap addsec
    newsec beginsection
"""
SECTIONS = tuple("\\" + name for name in _SECTION_NAMES.split())
# An abstract may have these; any other section ends an abstract that was never closed.
_MINOR_SECTIONS = ("\\paragraph", "\\subparagraph", "\\subsubsection", "\\subsection")
_BIBLIOGRAPHIES = (
    *("\\bibliography", "\\printbibliography", "\\printreferences", "\\References", "\\putbib"),
    *("\\begin{thebibliography}", "\\begin{references}", "\\begin{REFERENCES}"),
    *("\\begin{chapthebibliography}", "\\begin{bibdiv}", "\\begin{biblist}"),
)
_APPENDICES = (
    *("\\appendix", "\\appendices", "\\appendixpage"),
    *("\\begin{appendix}", "\\begin{appendices}", "\\begin{subappendices}"),
)
# Removed with their argument.
_GONE_WITH_ARGUMENT = ("\\bibliographystyle", "\\nocite", "\\addbibresource")
_INPUTS = ("\\input", "\\include", "\\subfile", "\\subfileinclude", "\\InputIfFileExists")


@dataclass(frozen=True, kw_only=True)
class StructureSettings(Settings):
    """[arxiv.latex.structure]: what marks the parts of a paper.

    Attributes:
        bibliography_titles: a section of exactly this title, in lower case, is the bibliography.
        appendix_titles: after the bibliography, a section whose title begins with one of these
            brings the text back, as `\\appendix` does.
        maximum_files: files a paper may include.
    """

    bibliography_titles: tuple[str, ...]
    appendix_titles: tuple[str, ...]
    maximum_files: int


@dataclass
class Paper:
    """A paper as it was read.

    Attributes:
        tokens: its text, expanded, from the first section on.
        start: `section`, or `front_matter` where the paper has no section and the text begins
            behind title and abstract, or `none`.
        defined, left: names of macros that were defined; those left unexpanded, with the reason.
        included, missing: paths of the files read; names of those that are not in the submission.
    """

    tokens: list[str]
    start: str
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
        self._settings = structure
        self._state = Marks()
        self._included: list[str] = []
        self._missing: list[str] = []
        self._folder = ""
        self._literal = tuple(sorted(set().union(*map(own_literals, files.values()))))
        self._expander = Expander(expansion)
        self._expander.reserve(self._handlers())
        FrontMatter(self._expander, self._state).register()

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
        out = self._expander.expand(tokenize(self._files[main_file], self._literal))
        state = self._state
        if state.muted is not None:
            del out[state.muted :]
        # A call that was undone may have taken the beginning with it.
        state.body = None if state.body is None else min(state.body, len(out))
        begin = state.body if state.body is not None else state.front
        start = "section" if state.body is not None else "front_matter"
        return Paper(
            tokens=[] if begin is None else self._expand_the_rest(out[begin:]),
            start="none" if begin is None else start,
            title=state.title,
            abstract=state.abstract_text,
            authors=state.authors,
            defined=self._expander.defined,
            left=self._expander.left,
            included=self._included,
            missing=self._missing,
        )

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
            return expander.expand(tokens)
        return tokens

    def _handlers(self) -> dict[str, Handler]:
        return {
            **dict.fromkeys(SECTIONS, self._section),
            **dict.fromkeys(_BIBLIOGRAPHIES, self._bibliography),
            **dict.fromkeys(_APPENDICES, self._appendix),
            **dict.fromkeys(_GONE_WITH_ARGUMENT, self._gone_with_argument),
            **dict.fromkeys(_INPUTS, self._input),
            **dict.fromkeys(("\\import", "\\subimport", "\\inputfrom"), self._import),
            **dict.fromkeys(("\\usepackage", "\\RequirePackage"), self._package),
            "\\begin{document}": self._begin_document,
            "\\end{document}": self._end_document,
            "\\bye": self._end_document,
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
            self._state.body = self._state.muted = None
            self._state.front = 0

    def _end_document(self, token: str) -> None:
        if self._state.begun or token == "\\bye":
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
        self._open("".join(self._expander.expand(content)), self._folder)

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
            self._bibliography(name)
            return
        path = find_file(self._files, name, folder)
        if path is None:
            if name:
                self._missing.append(name)
        elif path not in self._included and len(self._included) < self._settings.maximum_files:
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
            if path not in self._included and len(self._included) < self._settings.maximum_files:
                self._included.append(path)
                expander.in_style = True
                expander.expand(tokens)
                expander.in_style = False
        expander.end_removal()

    # Sections and the bibliography.

    def _is_apart(self, token: str) -> bool:
        """Whether this is a text for itself (a title, a style file): the token stays."""
        if self._expander.nesting == 1:
            return False
        self._expander.out.append(token)
        return True

    def _section(self, token: str) -> None:
        if self._is_apart(token):
            return
        state, out = self._state, self._expander.out
        title = self._following_title()
        if title is None or (state.abstract is not None and token in _MINOR_SECTIONS):
            out.append(token)
            return
        if title in self._settings.bibliography_titles:
            self._bibliography(token)
            return
        if state.muted is not None and (
            state.body is None
            or state.in_appendix
            or title.startswith(self._settings.appendix_titles)
        ):
            self._resume()
        if state.body is None:
            state.body, state.abstract = len(out), None
        out.append(token)

    def _following_title(self) -> str | None:
        """The title of a section, in lower case, without reading it; None if there is none."""
        reader = self._expander.reader
        snapshot = reader.snapshot()
        reader.skip_text("*")
        reader.optional()
        title = reader.group()
        reader.restore(snapshot)
        if title is None:
            return None
        words = "".join(part for part in title if part[0] != "\\" and part not in "{}")
        return " ".join(words.lower().split()).rstrip(".:")

    def _bibliography(self, token: str) -> None:
        """From here on nothing is kept, until an appendix."""
        if self._is_apart(token):
            return
        if self._state.begun and self._state.muted is None:
            self._state.muted = len(self._expander.out)
        elif not self._state.begun:
            self._expander.reader.group()

    def _appendix(self, token: str) -> None:
        if self._is_apart(token):
            return
        self._state.in_appendix = True
        if self._state.muted is not None:
            self._resume()
        self._expander.out.append(token)

    def _resume(self) -> None:
        out = self._expander.out
        del out[self._state.muted or 0 :]
        self._state.muted = None
        out.append("\n\n")

    def _gone(self, token: str) -> None:
        self._expander.end_removal()

    def _gone_with_argument(self, token: str) -> None:
        self._expander.reader.optional()
        self._expander.reader.group()
        self._expander.end_removal()
