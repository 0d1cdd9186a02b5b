"""Which of a submission's files is the paper.

arXiv's own answer is taken where the submission has one (`00README.XXX`, `00README.json`,
`00README.yaml`); else every file that begins a document, or inputs one that does, is a candidate,
and those are ranked by what tells a paper from its figures, drafts, supplements and letters to the
editor.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping

_INCLUDES = re.compile(
    r"\\(?:input|include|subfile|subfileinclude|import|subimport)[ \t]*(?:\{([^{}]*)\})?"
    r"[ \t]*\{?([^{}\\\s]*)\}?"
)
# Options are bounded, because their bracket may never close.
_CLASS = re.compile(
    r"\\document(?:class|style)\s{0,20}(?:\[[^\[\]]{0,2000}\]\s{0,20})?\{([^{}]*)\}"
)
_ESCAPED_OR_COMMENT = re.compile(r"\\[\\%]|%[^\n]*")
_NO_PAPER_CLASSES = frozenset(("standalone", "subfiles", "letter", "minimal", "beamer", "moderncv"))
_USUAL_NAMES = frozenset(("ms", "main", "paper", "article", "arxiv", "manuscript", "root"))
# As words of the name: "diffusion" is no latexdiff, "threshold" is not old.
_UNUSUAL = re.compile(
    r"(?<![a-z])(?:supp|suppl|supplement\w*|supplemental|supplementary|si|response\w*|rebuttal|reply"
    r"|replies|referees?|cover|letter|coverletter|drafts?|old|backup|diff|latexdiff|changes|template"
    r"|sample|appendix|appendices)(?![a-z])"
)
_README = "00readme"
_MAXIMUM_REACHED = 50
# How plain TeX and AMS-TeX end.
_END = re.compile(r"\\(?:bye|enddocument|end)(?![a-zA-Z{])")
_YAML_ENTRY = re.compile(r"^\s*-?\s*(filename|usage)\s*:\s*['\"]?([^'\"\n#]*)['\"]?\s*$")


def choose_main_file(files: Mapping[str, str]) -> str | None:
    """The path of the file that begins the paper; None if no file is TeX.

    Args:
        files: decoded text files by path.
    """
    declared, ignored = _declared(files)
    if declared is not None:
        return declared
    # arXiv does not compile what lies in anc/.
    names = [name for name in files if _is_source(name) and not name.startswith("anc/")]
    sources = {name: files[name] for name in names if name not in ignored or ignored >= {*names}}
    live = {
        name: _without_comments(text)
        for name, text in sources.items()
        if "\\document" in text or "\\begin{document}" in text
    }
    bodies = {
        name: text
        for name, text in live.items()
        if "\\begin{document}" in text or _CLASS.search(text)
    }
    if not bodies:
        named = [name for name in sources if not name.lower().endswith(".txt")]
        return max(named or sources, key=_plain_rank(sources), default=None)
    bodies |= _that_input(bodies, sources)
    if len(bodies) == 1:
        return next(iter(bodies))
    included = _included_by_others(bodies)
    inside = {
        name: [path for path in _paths_in(name, files[name]) if path in files] for name in sources
    }
    return max(bodies, key=lambda name: (_rank(name, bodies[name], included, files, inside), name))


def _without_comments(text: str) -> str:
    return _ESCAPED_OR_COMMENT.sub(lambda found: "" if found[0][0] == "%" else found[0], text)


def _that_input(bodies: Mapping[str, str], sources: Mapping[str, str]) -> dict[str, str]:
    """Files without a class that input the file with the class, and that no other file inputs."""
    without = {name: text for name, text in sources.items() if name not in bodies}
    documents = {
        name
        for name, text in bodies.items()
        if (match := _CLASS.search(text)) and match[1] not in _NO_PAPER_CLASSES
    }
    found = {}
    for name, text in without.items():
        if "\\input" in text or "\\include" in text:
            live = _without_comments(text)
            if not documents.isdisjoint(_paths_in(name, live)):
                found[name] = live
    if found:
        inputted = _included_by_others(sources)
        found = {name: text for name, text in found.items() if name not in inputted}
    return found


def _declared(files: Mapping[str, str]) -> tuple[str | None, set[str]]:
    """The main file and the files to ignore that the submission's own list names."""
    usages: list[tuple[str, str]] = []
    for name, text in files.items():
        if name.lower() == _README + ".xxx":
            lines = (line.split() for line in text.splitlines())
            usages += [(words[0], words[1]) for words in lines if len(words) == 2]
        elif name.lower() == _README + ".json":
            usages += _usages_in_json(text)
        elif name.lower() in (_README + ".yaml", _README + ".yml"):
            usages += _usages_in_yaml(text)
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


def _usages_in_yaml(text: str) -> list[tuple[str, str]]:
    """The same in arXiv's `00README.yaml`, a list of small mappings under `sources`."""
    usages: list[tuple[str, str]] = []
    entry: dict[str, str] = {}
    for line in text.splitlines():
        if line.lstrip().startswith("-"):
            entry = {}
        match = _YAML_ENTRY.match(line)
        if match is not None:
            entry[match[1]] = match[2].strip()
            if len(entry) == 2:
                usages.append((entry["filename"], entry["usage"]))
    return usages


def _plain_rank(sources: Mapping[str, str]) -> Callable[[str], tuple[bool, bool, int, str]]:
    """The larger, the more a paper in plain TeX, and not the macros that it inputs."""
    included = _included_by_others(sources)

    def rank(name: str) -> tuple[bool, bool, int, str]:
        text = sources[name]
        return bool(_END.search(text)), name not in included, len(text), name

    return rank


def _is_source(name: str) -> bool:
    base = posixpath.basename(name).lower()
    no_source = (".sty", ".bbl", ".def", ".xxx", ".json", ".yaml", ".yml")
    return not base.endswith(no_source) and base != "readme"


def _paths_in(name: str, body: str) -> Iterable[str]:
    """The paths that a file may mean by what it includes."""
    for match in _INCLUDES.finditer(body):
        for found in match.groups(""):
            if found.strip():
                path = posixpath.normpath(posixpath.join(posixpath.dirname(name), found.strip()))
                yield path
                yield path + ".tex"


def _included_by_others(bodies: Mapping[str, str]) -> set[str]:
    return {path for name, body in bodies.items() for path in _paths_in(name, body) if path != name}


def _reached(name: str, inside: Mapping[str, list[str]]) -> list[str]:
    """The files that one includes, and those that these include."""
    found, waiting = {name}, [name]
    # Bounds time: a few files of each level tell a paper from a figure.
    while waiting and len(found) < _MAXIMUM_REACHED:
        for path in inside.get(waiting.pop(), ()):
            if path not in found and len(found) < _MAXIMUM_REACHED:
                found.add(path)
                waiting.append(path)
    return sorted(found - {name})


def _rank(
    name: str,
    body: str,
    included: set[str],
    files: Mapping[str, str],
    inside: Mapping[str, list[str]],
) -> tuple[int, ...]:
    """The larger, the more a paper."""
    stem = posixpath.splitext(posixpath.basename(name))[0].lower()
    match = _CLASS.search(body)
    texts = [files[path] for path in _reached(name, inside)]
    whole = "\\begin{document}" in body or any("\\begin{document}" in text for text in texts)
    has_class = match is not None or any(_CLASS.search(text) for text in texts)
    return (
        whole and has_class,
        name not in included and (match is None or match[1] not in _NO_PAPER_CLASSES),
        not _UNUSUAL.search(stem),
        # arXiv asks for the bibliography under the paper's own name.
        posixpath.splitext(name)[0] + ".bbl" in files,
        any("\\title" in text or "\\maketitle" in text for text in (body, *texts)),
        stem in _USUAL_NAMES,
        -name.count("/"),
        len(body) + sum(map(len, texts)),
    )
