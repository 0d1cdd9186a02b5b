"""Names in `\\input` and `\\usepackage` to the files of a submission."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from filters.latex.tokens import tokenize

_ENDINGS = ("", ".tex", ".ltx", ".latex")
_NO_INPUT = (".sty", ".bbl", ".xxx", ".json")


def find_file(files: Mapping[str, str], name: str, folder: str) -> str | None:
    """The path of an included TeX file: relative to `folder`, else to the top; None if not there.

    A path that leads out of the submission finds nothing.
    """
    if not name or name.startswith(("/", "~", "|")):
        return None
    paths = [
        posixpath.normpath(posixpath.join(base, name + ending))
        for base in dict.fromkeys((folder, ""))
        for ending in _ENDINGS
    ]
    found = next((path for path in paths if path in files), None)
    if found is None:
        # Written where file names have no case.
        by_lower_case = {path.lower(): path for path in files}
        lower = (path.lower() for path in paths)
        found = next((by_lower_case[path] for path in lower if path in by_lower_case), None)
    return None if found is None or found.lower().endswith(_NO_INPUT) else found


def packages_in(files: Mapping[str, str], names: str) -> Iterator[tuple[str, list[str]]]:
    """Of the packages in a list, those that are the author's own: paths and tokens.

    A style file that is plain definitions was written for the paper. One that uses LaTeX's
    internals (names with `@`) is a publisher's, and no part of what the author wrote.
    """
    for name in names.split(","):
        path = find_style(files, name.strip())
        if path is None:
            continue
        tokens = tokenize(files[path])
        if not any("@" in token and token[0] == "\\" for token in tokens):
            yield path, tokens


def find_style(files: Mapping[str, str], name: str) -> str | None:
    """The path of a local style file, None if it is not in the submission."""
    path = posixpath.normpath(name + ".sty")
    return path if path in files else None
