"""Which of a submission's files is the paper.

arXiv's own answer is taken where the submission has one (`00README.XXX`); else every file that
begins a document is a candidate, and those are ranked by what tells a paper from its figures,
drafts, supplements and letters to the editor.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from filters.latex.tokens import tokenize

_INCLUDES = re.compile(
    r"\\(?:input|include|subfile|subfileinclude|import|subimport)[ \t]*(?:\{([^{}]*)\})?"
    r"[ \t]*\{?([^{}\\\s]*)\}?"
)
_CLASS = re.compile(r"\\document(?:class|style)\s*(?:\[[^\]]*\])?\s*\{([^{}]*)\}")
_NO_PAPER_CLASSES = frozenset(("standalone", "subfiles", "letter", "minimal", "beamer", "moderncv"))
_USUAL_NAMES = frozenset(("ms", "main", "paper", "article", "arxiv", "manuscript", "root"))
_UNUSUAL = re.compile(
    r"suppl|response|reply|referee|letter|cover|draft|old|backup|diff|changes|template|sample|appendix"
)
_README = "00readme.xxx"


def choose_main_file(files: Mapping[str, str]) -> str | None:
    """The path of the file that begins the paper; None if no file is TeX.

    Args:
        files: decoded text files by path.
    """
    declared = _declared(files)
    if declared is not None:
        return declared
    sources = {name: text for name, text in files.items() if _is_source(name)}
    candidates = {name: text for name, text in sources.items() if "\\document" in text}
    bodies = {name: "".join(tokenize(text)) for name, text in candidates.items()}
    bodies = {name: body for name, body in bodies.items() if _CLASS.search(body)}
    if not bodies:
        named = [name for name in sources if not name.lower().endswith(".txt")]
        return max(named or sources, key=lambda name: (len(sources[name]), name), default=None)
    included = _included_by_others(bodies)
    return max(bodies, key=lambda name: (_rank(name, bodies[name], included, files), name))


def _declared(files: Mapping[str, str]) -> str | None:
    for name, text in files.items():
        if name.lower() == _README:
            for line in text.splitlines():
                words = line.split()
                if len(words) == 2 and words[1] == "toplevelfile" and words[0] in files:
                    return words[0]
    return None


def _is_source(name: str) -> bool:
    base = posixpath.basename(name).lower()
    return not base.endswith((".sty", ".bbl", ".xxx")) and base != "readme"


def _included_by_others(bodies: Mapping[str, str]) -> set[str]:
    names: set[str] = set()
    for name, body in bodies.items():
        for match in _INCLUDES.finditer(body):
            for found in match.groups(""):
                path = posixpath.normpath(posixpath.join(posixpath.dirname(name), found.strip()))
                names.update((path, path + ".tex"))
    return names


def _rank(name: str, body: str, included: set[str], files: Mapping[str, str]) -> tuple[int, ...]:
    """The larger, the more a paper."""
    stem = posixpath.splitext(posixpath.basename(name))[0].lower()
    match = _CLASS.search(body)
    whole = "\\begin{document}" in body
    reached = len(body) + sum(
        len(files.get(path, "")) for path in _included_by_others({name: body}) if path != name
    )
    return (
        whole,
        name not in included and match is not None and match[1] not in _NO_PAPER_CLASSES,
        not _UNUSUAL.search(stem),
        # arXiv asks for the bibliography under the paper's own name.
        posixpath.splitext(name)[0] + ".bbl" in files,
        "\\title" in body or "\\maketitle" in body,
        stem in _USUAL_NAMES,
        -name.count("/"),
        reached,
    )
