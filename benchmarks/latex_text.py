"""The text of papers: what our LaTeX cleaner keeps, beside what pylatexenc reads in the same files.

    python benchmarks/latex_text.py --data DIR --peer-python PYTHON [--show 15]

DIR holds arXiv's bulk tars, PYTHON runs an environment with `pylatexenc`. Its LatexNodes2Text turns
the main file and what that inputs into plain text, and our LaTeX as well, so that the two differ in
what is kept and not in how it is printed. Its settings are its own, with exceptions: math goes, it
reads from \\begin{document} on, keeps the text of six commands that it drops (\\texttt, \\mbox...)
and reads a backslash at a line's end as a space. Compared are the words of four letters and more
from the first section to the bibliography; `behind` is what it reads after that, where we keep
appendices only.

A word counts as found if the other text has it in the same five words (`in order`), or as often
anywhere in the paper (`at all`); `with labels` also counts it where our LaTeX has it unprinted, as
the label in \\ref{label}: pylatexenc prints labels where a paper has a macro of its own for that.
The words that even so are not in ours are printed, and the longest stretches, to be read.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from operator import or_
from pathlib import Path

from filters.document import Document
from filters.latex import LatexCleaner
from filters.latex.charset import decode_files
from filters.latex.project import unpack
from pipeline.cli.options import DEFAULT_RECIPE
from pipeline.readers.arxiv_bulk import read_arxiv
from pipeline.recipe import load_recipe

SETTINGS = load_recipe(DEFAULT_RECIPE).arxiv.latex
SHINGLE = 5  # words
SHOWN_WORDS = 16
SECTION, BIBLIOGRAPHY, FRONT = "\ue000", "\ue001", "\ue002"  # put in by the peer, below
_WORD = re.compile(r"[^\W\d_]{4,}")
# Parts of a paper become marks; the text of a section's title and of an abstract stays.
PEER = r"""
import json, logging, posixpath, sys
logging.disable(logging.CRITICAL)
sys.setrecursionlimit(20_000)
from pylatexenc.latex2text import (
    EnvironmentTextSpec, LatexNodes2Text, MacroTextSpec, get_default_latex_context_db)

def section(node, l2tobj):
    arguments = node.nodeargd.argnlist if node.nodeargd and node.nodeargd.argnlist else []
    title = l2tobj.nodelist_to_text([arguments[-1]]) if arguments and arguments[-1] else ""
    ends = title.strip().lower() in ("references", "bibliography", "literature cited")
    return "\n\n" + ("\ue001" if ends else "\ue000") + title + "\n"

def marked(before, after=""):
    return lambda node, l2tobj: before + l2tobj.nodelist_to_text(node.nodelist) + after

def last(node, l2tobj):
    return l2tobj.nodelist_to_text(node.nodeargd.argnlist[-1:]) if node.nodeargd else ""

bibliographies = "bibliography printbibliography".split()
dropped = "textsf texttt textup textmd mbox textcolor".split()
levels = "part chapter section subsection subsubsection paragraph subparagraph".split()
database = get_default_latex_context_db()
database.add_context_category("marks", prepend=True,
    macros=[MacroTextSpec(name, simplify_repl=section) for name in levels]
    + [MacroTextSpec(name, simplify_repl="\ue001") for name in bibliographies]
    + [MacroTextSpec("maketitle", simplify_repl="\ue002"), MacroTextSpec("\n", simplify_repl=" ")]
    + [MacroTextSpec(name, simplify_repl=last) for name in dropped],
    environments=[EnvironmentTextSpec("document", simplify_repl=marked("\ue002")),
        EnvironmentTextSpec("abstract", simplify_repl=marked("", "\ue002")),
        EnvironmentTextSpec("thebibliography", simplify_repl=lambda node, l2tobj: "\ue001")])

class Converter(LatexNodes2Text):
    def read_input_file(self, name):
        path = posixpath.normpath(posixpath.join(self.folder, name.strip()))
        if path.endswith(".bbl"):
            return "\\bibliography{}"
        return next((self.files[p] for p in (path, path + ".tex") if p in self.files), "")

texts = []
for files, main_file in json.load(open(sys.argv[1])):
    converter = Converter(latex_context=database, math_mode="remove")
    converter.set_tex_input_directory(None, latex_walker_init_args={"tolerant_parsing": True})
    converter.files, converter.folder = files, posixpath.dirname(main_file)
    try:
        text = files[main_file]
        body = text[max(text.find("\\begin{document}"), 0) :]
        texts.append(converter.latex_to_text(body, tolerant_parsing=True))
    except Exception as problem:
        print("pylatexenc failed:", main_file, repr(problem), file=sys.stderr)
        texts.append(None)
print(json.dumps(texts))
"""


@dataclass(frozen=True)
class Side:
    """The words of one paper as one tool gives them, in order, lower case."""

    words: list[str]

    @property
    def shingles(self) -> list[tuple[str, ...]]:
        return list(zip(*(self.words[start:] for start in range(SHINGLE)), strict=False))

    def found_in(self, other: Side) -> list[bool]:
        """For each word, whether it lies in five words that the other has too."""
        known, found = set(other.shingles), [False] * len(self.words)
        for start, shingle in enumerate(self.shingles):
            if shingle in known:
                found[start : start + SHINGLE] = [True] * SHINGLE
        return found

    def common(self, *others: Side) -> Counter[str]:
        """Words that one of the others has as well, as often as it has them."""
        return reduce(or_, (Counter(self.words) & Counter(other.words) for other in others))


def side(text: str) -> Side:
    return Side(_WORD.findall(unicodedata.normalize("NFKC", text).lower()))


def read_papers(folder: Path) -> list[tuple[str, dict[str, str], Document]]:
    """Id, decoded files and cleaned document of every submission that we keep."""
    papers, clean = [], LatexCleaner(SETTINGS)
    for path in sorted(folder.glob("*.tar")):
        with path.open("rb") as stream:
            for record in read_arxiv(stream, path.name, 100_000_000):
                if not isinstance(record, Document):
                    continue
                files = unpack(record.raw, SETTINGS.project)
                cleaned = clean(record)
                if isinstance(cleaned, Document) and isinstance(files, dict):
                    decoded = decode_files(files).files
                    papers.append((cleaned.id, decoded, cleaned))
    return papers


def plain(python: str, jobs: list[tuple[dict[str, str], str]]) -> list[str | None]:
    """LatexNodes2Text over the main file of every job; None where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "jobs.json")
        path.write_text(json.dumps(jobs), encoding="utf-8")
        command = [python, "-c", PEER, str(path)]
        shown = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    texts: list[str | None] = json.loads(shown)
    return texts


def body_and_rest(text: str) -> tuple[str, str]:
    """pylatexenc's text from the first section to the bibliography, and what is behind that."""
    first = text.find(SECTION, text.find(FRONT) + 1)
    start = first if first >= 0 else text.rfind(FRONT) + 1
    body, _, rest = text[start:].partition(BIBLIOGRAPHY)
    return body, rest


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:7.2f} %" if whole else "       -  "


def missing(paper: str, words: Side, found: list[bool]) -> list[tuple[int, str]]:
    """The stretches that the other text does not have: length and first words."""
    stretches = []
    for is_found, run in groupby(zip(words.words, found, strict=True), key=lambda pair: pair[1]):
        stretch = [word for word, _ in run]
        if not is_found:
            stretches.append((len(stretch), f"{paper}: {' '.join(stretch[:SHOWN_WORDS])}"))
    return stretches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with arXiv bulk tars")
    parser.add_argument("--peer-python", required=True, help="interpreter with pylatexenc")
    parser.add_argument("--show", type=int, default=15, help="stretches printed for each side")
    parsed = parser.parse_args()
    papers = read_papers(parsed.data)
    jobs = [(files, str(paper.metadata["main_file"])) for _, files, paper in papers]
    jobs += [({"paper.tex": paper.text}, "paper.tex") for *_, paper in papers]
    texts = plain(parsed.peer_python, jobs)
    total: Counter[str] = Counter()
    absent: Counter[str] = Counter()
    lost: dict[str, list[tuple[int, str]]] = {"ours": [], "pylatexenc": [], "ours, behind": []}
    print(f"{'paper':<14}{'its words':>9}{'in order':>9}{'at all':>9}{'with labels':>13}", end="")
    print(f"{'our words':>11}{'in order':>9}{'at all':>9}")
    for (name, _, paper), theirs, cleaned in zip(papers, texts, texts[len(papers) :], strict=False):
        if theirs is None or cleaned is None:
            print(f"{name:<14} pylatexenc fails on {'it' if theirs is None else 'our text'}")
            continue
        body, rest = map(side, body_and_rest(theirs))
        ours, whole, latex = side(cleaned), side(theirs), side(paper.text)
        found, back, behind = body.found_in(ours), ours.found_in(whole), rest.found_in(ours)
        row = Counter(
            theirs=len(body.words), ours=len(ours.words), behind=len(rest.words),
            found=sum(found), back=sum(back), behind_found=sum(behind),
            common=body.common(ours).total(), back_common=ours.common(whole).total(),
            labels=body.common(ours, latex).total(),
        )  # fmt: skip
        total += row
        print_row(name, row)
        absent += Counter(body.words) - body.common(ours, latex)
        lost["ours"] += missing(name, body, found)
        lost["ours, behind"] += missing(name, rest, behind)
        lost["pylatexenc"] += missing(name, ours, back)
    print_row(f"{len(papers)} papers", total)
    kept_behind = share(total["behind_found"], total["behind"])
    print(f"behind: {total['behind']} words, {kept_behind} in ours")
    print(f"not even as labels: {absent.total()} words: {' '.join(sorted(absent.elements()))}")
    for tool, stretches in lost.items():
        words = sum(length for length, _ in stretches)
        print(f"\nmissing in {tool}: {len(stretches)} stretches, {words} words")
        for length, words_shown in sorted(stretches, reverse=True)[: parsed.show]:
            print(f"{length:6} {words_shown}")


def print_row(name: str, row: Counter[str]) -> None:
    theirs, ours = row["theirs"], row["ours"]
    print(
        f"{name:<14}{theirs:9}{share(row['found'], theirs)}{share(row['common'], theirs)}    "
        f"{share(row['labels'], theirs)}{ours:11}{share(row['back'], ours)}"
        f"{share(row['back_common'], ours)}"
    )


if __name__ == "__main__":
    main()
