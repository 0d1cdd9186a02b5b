"""Names in `\\input` and `\\usepackage` to the files of a submission."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

_ENDINGS = ("", ".tex", ".ltx", ".latex")
_NO_INPUT = (".bbl", ".xxx", ".json", ".yaml")
# What LaTeX's internal names (with `@`) are of all commands in a style file. 6 styles of publishers
# in real submissions have 0.15 to 0.50 and 529 of 700 in TeX Live over 0.05; plain definitions,
# with a trick or two, have less.
_MAXIMUM_INTERNALS = 0.1


class FileIndex:
    """The text files of a submission by what a paper may call them.

    Args:
        files: decoded text files by their path in the submission.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        # Written where file names have no case.
        self._by_lower_case = {path.lower(): path for path in reversed(list(files))}

    def find(self, name: str, folder: str) -> str | None:
        """The path of an included file: relative to `folder`, else to the top; None if not there.

        A path that leads out of the submission finds nothing.
        """
        found = self._find(name, folder, _ENDINGS)
        return None if found is None or found.lower().endswith(_NO_INPUT) else found

    def find_style(self, name: str, folder: str) -> str | None:
        """The path of a style file in the submission, found as `find` does."""
        return self._find(name, folder, (".sty",))

    def _find(self, name: str, folder: str, endings: tuple[str, ...]) -> str | None:
        if not name or name.startswith(("/", "~", "|")):
            return None
        paths = [
            posixpath.normpath(posixpath.join(base, name + ending))
            for base in dict.fromkeys((folder, ""))
            for ending in endings
        ]
        for path in paths:
            if path in self._files:
                return path
        lower = (path.lower() for path in paths)
        return next(
            (self._by_lower_case[path] for path in lower if path in self._by_lower_case), None
        )


def is_own_style(tokens: list[str]) -> bool:
    """Whether a style file was written for the paper, and is not a publisher's or a package.

    Args:
        tokens: the file, read with `@` as a letter.
    """
    words = [token for token in tokens if token[0] == "\\" and len(token) > 2]
    internals = sum(1 for word in words if "@" in word)
    return internals <= _MAXIMUM_INTERNALS * len(words) and "\\ExplSyntaxOn" not in words
