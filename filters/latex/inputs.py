"""The files that a paper includes: their tokens are put in front of what is still to be read."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from filters.latex.definitions import defined_names
from filters.latex.expander import Expander, Handler
from filters.latex.files import FileIndex, is_own_style
from filters.latex.front_matter import Marks
from filters.latex.literals import Literals
from filters.latex.tokens import tokenize

_INPUTS = ("\\input", "\\include", "\\@input", "\\@@input")
_SUBFILES = ("\\subfile", "\\subfileinclude")
# Those that begin at the top of the submission, and those that begin where the file stands.
_IMPORTS = ("\\import", "\\inputfrom", "\\includefrom")
_SUBIMPORTS = ("\\subimport", "\\subinputfrom", "\\subincludefrom")
# Stands at the end of a file that was put in front; no decoded text holds this character.
_END_OF_FILE = "\\\0"


class Inputs:
    """The handlers of commands that include files.

    Args:
        files: decoded text files by their path in the submission.
        main_file: the paper's.
        maximum_files: how many may be included.
        literals: what the paper reads literally.

    Attributes:
        included, missing: paths of the files read; names of those that are not in the submission.
        named: names that the files read seem to define.
    """

    def __init__(
        self,
        expander: Expander,
        marks: Marks,
        files: Mapping[str, str],
        main_file: str,
        *,
        maximum_files: int,
        literals: Literals,
    ) -> None:
        self._expander = expander
        self._marks = marks
        self._files = files
        self._index = FileIndex(files)
        self._maximum_files = maximum_files
        self._literals = literals
        self._top = self._folder = posixpath.dirname(main_file)
        self._job = posixpath.splitext(posixpath.basename(main_file))[0]
        self._folders: list[str] = []
        self._only: set[str] | None = None
        self._packages: set[str] = set()
        self.included: list[str] = [main_file]
        self.missing: list[str] = []
        self.named: set[str] = set()

    def handlers(self) -> dict[str, Handler]:
        """What the expander is to call for which token."""
        return {
            **dict.fromkeys(_INPUTS, self._input),
            **dict.fromkeys(_SUBFILES, self._subfile),
            **dict.fromkeys((*_IMPORTS, *_SUBIMPORTS), self._import),
            **dict.fromkeys(("\\usepackage", "\\RequirePackage"), self._package),
            "\\includeonly": self._include_only,
            "\\InputIfFileExists": self._if_file_exists,
            "\\IfFileExists": self._if_file_exists,
            "\\endinput": self._end_input,
            "\\jobname": self._job_name,
            _END_OF_FILE: self._end_of_file,
        }

    def tokens(self, path: str) -> list[str]:
        """The tokens of a file, whose definitions are taken note of."""
        text = self._files[path]
        is_style = path.lower().endswith(".sty")
        # In a style file, `@` is a letter from the beginning.
        tokens = tokenize("\\makeatletter" + text if is_style else text, self._literals)
        if not is_style or is_own_style(tokens):
            self.named |= defined_names(tokens)
        return tokens

    def _input(self, token: str) -> None:
        content = self._expander.reader.group()
        if content is None:
            content = self._bare_name()
        name = "".join(self._expander.expand(content)).strip()
        if token != "\\include" or self._only is None or name in self._only:
            self._open(name, self._folder, self._folder)
        else:
            self._expander.end_removal()

    def _bare_name(self) -> list[str]:
        """TeX's own `\\input name`: the name ends at white space."""
        reader = self._expander.reader
        if not reader.skip_space() or reader.peek()[:1] in ("", "{", "}"):
            return []
        if reader.peek()[0] == "\\":
            # A macro that holds the name.
            return [reader.next() or ""] if reader.peek() in self._expander.meanings else []
        text = reader.next() or ""
        name = text.split(None, 1)[0]
        reader.push_text(text[len(name) :])
        return [name]

    def _subfile(self, token: str) -> None:
        """`\\subfile{folder/file}`: what the file includes may be named from its folder."""
        content = self._expander.reader.group()
        name = "".join(self._expander.expand(content or [])).strip()
        folder = posixpath.normpath(posixpath.join(self._folder, posixpath.dirname(name)))
        self._open(name, self._folder, folder)

    def _import(self, token: str) -> None:
        """`\\import{folder/}{file}`: names in the file are relative to the folder."""
        reader = self._expander.reader
        reader.skip_text("*")
        folder, name = reader.group(), reader.group()
        if folder is None or name is None:
            return
        base = self._folder if token in _SUBIMPORTS else self._top
        joined = posixpath.join(base, "".join(self._expander.expand(folder)).strip())
        joined = posixpath.normpath(joined) if joined else ""
        self._open("".join(self._expander.expand(name)), joined, joined)

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
        exists = self._index.find(path, self._folder) is not None
        reader.push(yes if exists else no, reader.depth)
        if exists and token == "\\InputIfFileExists":
            self._open(path, self._folder, self._folder)

    def _open(self, name: str, folder: str, folder_inside: str) -> None:
        """Put a file's tokens in front; every file once.

        Args:
            folder: where the file is looked for.
            folder_inside: where those are that it includes.
        """
        name = name.strip().strip('"')
        if name.lower().endswith(".bbl"):
            self._expander.reader.push(["\\bibinput"], 0)
            return
        path = self._index.find(name, folder)
        if path is None:
            if name:
                self.missing.append(name)
        elif self._may_include(path):
            if path.lower().endswith(".sty"):
                self._push_style(path)
            else:
                self._push(self._document_in(self.tokens(path)), folder_inside)
            return
        self._expander.end_removal()

    def _may_include(self, path: str) -> bool:
        """Whether a file is to be read now: it is then counted as included."""
        if path in self.included or len(self.included) >= self._maximum_files:
            return False
        self.included.append(path)
        return True

    def _document_in(self, tokens: list[str]) -> list[str]:
        """Of a file that is a document of its own, what stands in it, if ours has begun."""
        if not self._marks.begun or "\\begin{document}" not in tokens:
            return tokens
        tokens = tokens[tokens.index("\\begin{document}") + 1 :]
        if "\\end{document}" in tokens:
            tokens = tokens[: tokens.index("\\end{document}")]
        return tokens

    def _push(self, tokens: list[str], folder: str) -> None:
        self._folders.append(self._folder)
        self._folder = folder
        self._expander.reader.push([*tokens, _END_OF_FILE], 0)

    def _push_style(self, path: str) -> None:
        tokens = self.tokens(path)
        if is_own_style(tokens):
            self._push(tokens, self._folder)

    def _end_of_file(self, token: str) -> None:
        self._folder = self._folders.pop()

    def _end_input(self, token: str) -> None:
        """The rest of this file is not read."""
        self._expander.reader.skip_to_end(_END_OF_FILE)

    def _job_name(self, token: str) -> None:
        if self._expander.nesting > 1:
            self._expander.out.append(self._job)
        else:
            self._expander.out.append(token)

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
        # Put in front one by one: the last is read first.
        for name in reversed("".join(names).split(",")):
            path = self._index.find_style(name.strip(), self._folder)
            if path is not None and path not in self._packages:
                self._packages.add(path)
                if self._may_include(path):
                    self._push_style(path)
        expander.end_removal()
