"""Which of a submission's files is the paper.

arXiv's own answer is taken where the submission has one (`00README.XXX`, `00README.json`); else
every file that begins a document is a candidate, and those are ranked by what tells a paper from
its figures, drafts, supplements and letters to the editor.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Mapping

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
_README = "00readme"
# How plain TeX and AMS-TeX end.
_END = re.compile(r"\\(?:bye|enddocument|end)(?![a-zA-Z{])")


def choose_main_file(files: Mapping[str, str]) -> str | None:
    """The path of the file that begins the paper; None if no file is TeX.

    Args:
        files: decoded text files by path.
    """
    declared, ignored = _declared(files)
    if declared is not None:
        return declared
    names = [name for name in files if _is_source(name)]
    sources = {name: files[name] for name in names if name not in ignored or ignored >= {*names}}
    candidates = {name: text for name, text in sources.items() if "\\document" in text}
    bodies = {name: "".join(tokenize(text)) for name, text in candidates.items()}
    bodies = {name: body for name, body in bodies.items() if _CLASS.search(body)}
    if not bodies:
        named = [name for name in sources if not name.lower().endswith(".txt")]
        return max(named or sources, key=_plain_rank(sources), default=None)
    included = _included_by_others(bodies)
    return max(bodies, key=lambda name: (_rank(name, bodies[name], included, files), name))


def _declared(files: Mapping[str, str]) -> tuple[str | None, set[str]]:
    """The main file and the files to ignore that the submission's own list names."""
    usages: list[tuple[str, str]] = []
    for name, text in files.items():
        if name.lower() == _README + ".xxx":
            lines = (line.split() for line in text.splitlines())
            usages += [(words[0], words[1]) for words in lines if len(words) == 2]
        elif name.lower() == _README + ".json":
            usages += _usages_in_json(text)
    main = (name for name, usage in usages if usage.startswith("toplevel") and name in files)
    return next(main, None), {name for name, usage in usages if usage == "ignore"}


def _usages_in_json(text: str) -> list[tuple[str, str]]:
    """File names and usages in arXiv's `00README.json`; nothing where it is malformed."""
    try:
        listed = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return []
    sources = listed.get("sources") if isinstance(listed, dict) else None
    return [
        (str(source.get("filename")), str(source.get("usage")))
        for source in (sources if isinstance(sources, list) else ())
        if isinstance(source, dict)
    ]


def _plain_rank(sources: Mapping[str, str]) -> Callable[[str], tuple[bool, bool, int, str]]:
    """The larger, the more a paper in plain TeX, and not the macros that it inputs."""
    included = _included_by_others(sources)

    def rank(name: str) -> tuple[bool, bool, int, str]:
        text = sources[name]
        return bool(_END.search(text)), name not in included, len(text), name

    return rank


def _is_source(name: str) -> bool:
    base = posixpath.basename(name).lower()
    return not base.endswith((".sty", ".bbl", ".def", ".xxx", ".json")) and base != "readme"


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
