"""What RedPajama v1's cleaner gets wrong (arxiv_cleaner.py), and what it must be."""

from __future__ import annotations

import pytest
from latex_run import clean, paper, text_of

from filters.document import Document

CASES = {
    "character before a comment": ("\\section{S} abc% x\n\ndef", "", "\\section{S} abc\n\ndef"),
    "bare percent sign stays": ("\\section{S} abc %\ndef", "", "\\section{S} abc\ndef"),
    "only paragraphs": ("\\paragraph{P} text", "", "\\paragraph{P} text"),
    "value over lines": ("\\section{\\x}", "\\newcommand{\\x}{a\n b}", "\\section{a\n b}"),
    "comment behind": ("\\section{\\x}", "\\newcommand{\\x}{a} % b", "\\section{a}"),
    "arguments": ("\\section{\\x{a}}", "\\newcommand{\\x}[1]{#1#1}", "\\section{aa}"),
    "renewcommand": ("\\section{\\x}", "\\renewcommand{\\x}{a}", "\\section{a}"),
    "operator": (
        "\\section{\\x}",
        "\\DeclareMathOperator{\\x}{a}",
        "\\section{\\operatorname{a}}",
    ),
    "defined later": (
        "\\section{\\x}",
        "\\newcommand{\\y}{a}\n\\newcommand{\\x}{\\y}",
        "\\section{a}",
    ),
    "defined earlier": (
        "\\section{\\x}",
        "\\newcommand{\\x}{\\y}\n\\newcommand{\\y}{a}",
        "\\section{a}",
    ),
    "definition in the body": (
        "\\section{S}\n\\def\\x{a}\n\\x\n\\def\\x{b}\n\\x",
        "",
        "\\section{S}\na\nb",
    ),
    "value that is not ASCII": ("\\section{\\x}", "\\newcommand{\\x}{\u00e9}", "\\section{\u00e9}"),
    "appendix": (
        "\\section{S}\n\\appendix\n\\section{A}",
        "",
        "\\section{S}\n\\appendix\n\\section{A}",
    ),
    "letter or digit behind": (
        "\\section{\\x1 \\xy}",
        "\\newcommand{\\x}{a}\\newcommand{\\xy}{b}",
        "\\section{a1 b}",
    ),
}


@pytest.mark.parametrize(("body", "preamble", "expected"), CASES.values(), ids=CASES)
def test_case(body: str, preamble: str, expected: str) -> None:
    assert text_of(paper(body, preamble)) == expected


def test_files_are_read_in_the_order_of_the_paper() -> None:
    files: dict[str, str | bytes] = {
        "a.tex": "\\section{Two}",
        "ms.tex": paper("\\section{One}\n\\input{z}\n\\input{a}"),
        "z.tex": "\\section{Half}\nfor\n",
    }
    assert text_of(files) == "\\section{One}\n\\section{Half}\nfor\n\n\\section{Two}"


def test_one_byte_that_is_not_utf8_costs_nothing() -> None:
    source = paper("\\section{S} caf\u00e9").encode("latin-1")
    assert text_of({"ms.tex": source, "unused.tex": b"\xff\xfe\xfa"}) == "\\section{S} caf\u00e9"


def test_the_abstract_is_not_lost() -> None:
    result = clean(paper("\\begin{abstract}About.\\end{abstract}\\section{S} text"))
    assert isinstance(result, Document)
    assert result.metadata["abstract"] == "About."
