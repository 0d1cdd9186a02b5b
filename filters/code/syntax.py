"""Programming languages by file name, and how each of them writes comments.

Names are those of GitHub's linguist. What an extension cannot tell (`.h` is C, C++ or Objective-C)
goes to the more common language; its comments are those of all of them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Syntax:
    """How comments are written.

    Attributes:
        line: markers that begin a comment to the end of the line.
        block: pairs of what opens and what closes a comment of several lines.
    """

    line: tuple[str, ...] = ()
    block: tuple[tuple[str, str], ...] = ()


NO_COMMENTS = Syntax()
_C = Syntax(("//",), (("/*", "*/"),))
_HASH = Syntax(("#",))
_DASHES = Syntax(("--",), (("/*", "*/"),))
_MARKUP = Syntax((), (("<!--", "-->"),))
_PERL = Syntax(("#",))
# A docstring is where Python's licences stand too.
_PYTHON = Syntax(("#",), (('"""', '"""'), ("'''", "'''"), ('r"""', '"""'), ('u"""', '"""')))
_FORTRAN = Syntax(("!",))
# In fixed form a comment has its mark in the first column.
_FIXED_FORTRAN = Syntax(("!", "C ", "c ", "*"))
_POWERSHELL = Syntax(("#",), (("<#", "#>"),))
_BATCH = Syntax(("REM", "rem", "Rem", "@REM", "@rem", "::"))

LANGUAGES: dict[str, tuple[Syntax, str]] = {
    "Assembly": (Syntax((";", "#", "//", "@"), (("/*", "*/"),)), ".asm .s .S"),
    "Batchfile": (_BATCH, ".bat .cmd"),
    "C": (_C, ".c .h"),
    "C#": (_C, ".cs"),
    "C++": (_C, ".cpp .hpp .c++ .h++ .cc .hh .cxx .hxx .C .H"),
    "CMake": (_HASH, ".cmake"),
    "CSS": (Syntax((), (("/*", "*/"),)), ".css"),
    "Dockerfile": (_HASH, ".dockerfile"),
    "Fortran": (_FIXED_FORTRAN, ".f .f77 .for .fpp"),
    "Fortran Free Form": (_FORTRAN, ".f90 .f03 .f08 .f95"),
    "Go": (_C, ".go"),
    "HTML": (_MARKUP, ".html"),
    "Haskell": (Syntax(("--",), (("{-", "-}"),)), ".hs"),
    "Java": (_C, ".java"),
    "JavaScript": (_C, ".js .mjs .cjs .jsx"),
    "Julia": (Syntax(("#",), (("#=", "=#"),)), ".jl"),
    "Kotlin": (_C, ".kt .kts"),
    "Lua": (Syntax(("--",), (("--[[", "]]"), ("--[=[", "]=]"))), ".lua"),
    "Makefile": (_HASH, ".mk"),
    "Markdown": (_MARKUP, ".md .markdown"),
    # An Objective-C or a MATLAB file.
    "Objective-C": (Syntax(("//", "%"), (("/*", "*/"), ("%{", "%}"))), ".m"),
    "PHP": (Syntax(("//", "#"), (("/*", "*/"),)), ".php .php3 .php4 .php5 .phps .phpt"),
    "Perl": (_PERL, ".pl .pm .perl"),
    "Pod": (NO_COMMENTS, ".pod"),
    "PowerShell": (_POWERSHELL, ".ps1 .psd1 .psm1"),
    "PostScript": (Syntax(("%",)), ".ps"),
    "Python": (_PYTHON, ".py .pyi .pyx"),
    "R": (_HASH, ".r .R"),
    "Ruby": (Syntax(("#",), (("=begin", "=end"),)), ".rb"),
    "Rust": (_C, ".rs"),
    "SQL": (_DASHES, ".sql"),
    "Scala": (_C, ".scala"),
    "Shell": (_HASH, ".sh .bash .command .zsh"),
    "Smali": (_HASH, ".smali"),
    "Swift": (_C, ".swift"),
    "TeX": (Syntax(("%",)), ".tex"),
    "TypeScript": (_C, ".ts .tsx"),
    "Visual Basic": (Syntax(("'", "REM", "Rem")), ".vb"),
    "XML": (_MARKUP, ".xml"),
    "reStructuredText": (NO_COMMENTS, ".rst"),
}
_FILE_NAMES = {
    "CMakeLists.txt": "CMake",
    "Dockerfile": "Dockerfile",
    "GNUmakefile": "Makefile",
    "Makefile": "Makefile",
    "makefile": "Makefile",
}
_BY_EXTENSION = {
    extension: name
    for name, (_, extensions) in LANGUAGES.items()
    for extension in extensions.split()
}


def extension_of(path: str) -> str:
    """The extension with its dot, as written; empty for `Makefile` and `.gitignore`."""
    name = path.rsplit("/", 1)[-1]
    stem, dot, extension = name.rpartition(".")
    return dot + extension if stem else ""


def programming_language(path: str) -> str:
    """linguist's name of the language by file name, or else by extension; empty if unknown."""
    name = path.rsplit("/", 1)[-1]
    if name in _FILE_NAMES:
        return _FILE_NAMES[name]
    extension = extension_of(path)
    return _BY_EXTENSION.get(extension) or _BY_EXTENSION.get(extension.lower(), "")


def comment_syntax(language: str) -> Syntax:
    """How a language writes comments; none for an unknown one."""
    return LANGUAGES[language][0] if language in LANGUAGES else NO_COMMENTS
