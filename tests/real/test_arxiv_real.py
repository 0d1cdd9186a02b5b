"""The arXiv source on real submissions: what must be gone is gone, and nothing is invented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from filters.document import Document, Rejected
from filters.latex import LatexCleaner
from filters.latex.charset import decode_files
from filters.latex.project import unpack
from pipeline.readers.arxiv_bulk import read_arxiv
from pipeline.recipe import RECIPES, load_recipe

pytestmark = pytest.mark.real

SETTINGS = load_recipe(str(RECIPES / "llama1.toml")).arxiv.latex
DEFINED = re.compile(
    r"\\(?:(?:new|renew|provide)command|DeclareRobustCommand|DeclareMathOperator)\*?\s*\{?\s*"
    r"(\\[a-zA-Z@]+)|\\[gex]?def\s*(\\[a-zA-Z@]+)|\\let\s*(\\[a-zA-Z@]+)"
)
# Commands of LaTeX whose redefinition changes how they look, not what they say.
STRUCTURE = {"\\section", "\\subsection", "\\subsubsection", "\\paragraph", "\\appendix", "\\title"}
GONE = re.compile(
    r"\\(?:bibliography|bibliographystyle|bibitem|printbibliography|begin\{thebibliography\}"
    r"|documentclass|usepackage|begin\{document\}|end\{document\}|maketitle|input|include"
    r"|(?:new|renew|provide)command|[gex]?def|let|newif|newtheorem|newenvironment|makeatletter"
    r"|DeclareMathOperator|iffalse)(?![a-zA-Z])"
)
LITERAL = re.compile(
    r"\\begin\{(verbatim|lstlisting|minted|CodeInput|CodeOutput|Code)\*?\}.*?\\end\{\1|"
    r"\\(?:url|href)\{[^}]*\}|\\verb(.).*?\2",
    re.DOTALL,
)


@pytest.fixture(scope="module")
def submissions(real_data: Path) -> list[Document]:
    """Every member of every bulk tar."""
    found = []
    for path in sorted((real_data / "arxiv").glob("*.tar")):
        with path.open("rb") as stream:
            for record in read_arxiv(stream, path.name, 100_000_000):
                assert isinstance(record, Document), record
                found.append(record)
    return found


@pytest.fixture(scope="module")
def papers(submissions: list[Document]) -> dict[str, tuple[Document, dict[str, str]]]:
    """The papers that are kept, with the files they were made from."""
    kept = {}
    rejected = {}
    for submission in submissions:
        unpacked = unpack(submission.raw, SETTINGS.project)
        result = LatexCleaner(SETTINGS)(submission)
        if isinstance(result, Rejected):
            rejected[submission.id] = result.reason
        else:
            assert isinstance(unpacked, dict)
            files = decode_files(unpacked).files
            kept[submission.id] = result, files
    # A manuscript that was only begun (a title and two words), and a submission without source.
    assert rejected == {"1607.90004": "too_short", "1805.90004": "pdf_only"}
    return kept


Papers = dict[str, tuple[Document, dict[str, str]]]


def test_each_begins_at_its_first_section(papers: Papers) -> None:
    assert len(papers) == 31
    for name, (paper, _) in papers.items():
        if paper.signals["start"] == "section":
            assert re.match(r"\\(?:sub)*section\*?\s*[\[{]", paper.text), name
    # A letter to a physics journal has no sections.
    assert [name for name in papers if papers[name][0].signals["start"] != "section"] == [
        "2304.90004"
    ]


def test_nothing_is_left_of_preamble_bibliography_and_definitions(papers: Papers) -> None:
    for name, (paper, _) in papers.items():
        text = LITERAL.sub("", paper.text)
        assert GONE.findall(text) == [], name
        assert re.findall(r"(?<!\\)(?:\\\\)*%.*", text) == [], name


def test_no_macro_of_the_paper_is_left(papers: Papers) -> None:
    for name, (paper, files) in papers.items():
        sources = [text for path, text in files.items() if path.endswith(".tex")]
        code = "\n".join(re.sub(r"(?<!\\)%.*", "", text) for text in sources)
        defined = {next(filter(None, groups)) for groups in DEFINED.findall(code)}
        used = set(re.findall(r"\\[a-zA-Z@]+", LITERAL.sub("", paper.text)))
        assert defined & used - STRUCTURE - set(paper.signals["macros_left"]) == set(), name
        assert set(paper.signals["macros_left"]) <= used, name


def test_prose_is_kept_word_for_word(papers: Papers) -> None:
    """Of a one-file paper's plain lines from first section to bibliography, all are there."""
    compared = 0
    for name, (paper, files) in papers.items():
        source = files[paper.metadata["main_file"]]
        begin = re.search(r"^\\section", source, re.MULTILINE)
        end = re.search(
            r"\\(?:begin\{thebibliography|bibliography\{|end\{document|section\*?\{Ref)", source
        )
        if paper.signals["tex_files"] != 1 or begin is None or end is None:
            continue
        body = re.sub(r"\\begin\{comment\}.*?\\end\{comment\}", "", source, flags=re.DOTALL)
        text = " ".join(paper.text.split())
        for line in body[begin.start() : end.start()].splitlines():
            if re.fullmatch(r"[A-Za-z ,.;()'-]{40,}", line.strip()):
                assert " ".join(line.split()) in text, (name, line)
                compared += 1
    assert compared > 1000


def test_cuts_leave_no_group_open(papers: Papers) -> None:
    for name, (paper, _) in papers.items():
        if name == "1606.03757":
            continue  # its listings of code have braces of their own
        level = 0
        for token in re.findall(r"\\.|[{}]", paper.text, re.DOTALL):
            level += (token == "{") - (token == "}")
            assert level >= 0, name
        assert level == 0, name


def test_titles_and_abstracts(papers: Papers) -> None:
    titled = [paper for paper, _ in papers.values() if paper.metadata["title"]]
    # One has none: it calls its first section so.
    assert len(titled) == 30
    assert not any("\\vspace" in paper.metadata["title"] for paper in titled)
    assert all("\n" not in paper.metadata["title"] for paper in titled)
    assert sum(1 for paper, _ in papers.values() if paper.metadata["abstract"]) >= 26
    assert papers["1406.2692"][0].metadata["title"].startswith("The Milky Way Project")
