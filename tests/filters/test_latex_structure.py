"""Where papers begin and end, in the forms that templates and old papers have."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from latex_run import SETTINGS, clean, paper, text_of

from filters.document import Document, Rejected

S = "\\section{One}\ntext"
APPENDIX = S + "\n\n\\appendix\n\\section{A} b"
BIBITEMS = "\\begin{thebibliography}{9}\\bibitem{a} A\\end{thebibliography}\n"
FIGURE = "\n\n\\begin{figure}F\\end{figure}"
LEADS_UP = [
    "{\\small\n\\bibliographystyle{ieee_fullname}\n\\bibliography{egbib}\n}\n",
    "\\begingroup\n\\raggedright\n\\bibliography{x}\n\\endgroup\n",
    "\\begin{multicols}{2}\n\\bibliography{x}\n\\end{multicols}\n",
    "\\newpage\n\\addcontentsline{toc}{section}{References}\n\\bibliography{x}\n",
    "\\clearpage\\vspace*{-2mm}\\setlength{\\bibsep}{2pt}\\bibliography{x}\n",
    "\\begin{small}\\begin{spacing}{0.9}" + BIBITEMS + "\\end{spacing}\\end{small}\n",
    "\\begin{center}\\bf References\\end{center}\n\\bibitem{a} A\n\\bibitem{b} B\n",
    "\\centerline{\\bf REFERENCES}\n" + BIBITEMS,
    "\\noindent{\\large\\textbf{Bibliography}}\n\\medskip\n" + BIBITEMS,
    "\\hypertarget{refs}{%\n\\section*{References}\\label{refs}}\n\\bibitem{a} A\n",
    "\\section*{6. References}\n[1] A\n",
]


@pytest.mark.parametrize("end", LEADS_UP, ids=LEADS_UP)
def test_what_leads_up_to_the_bibliography_goes(end: str) -> None:
    assert text_of(paper(S + "\n" + end)) == S
    assert text_of(paper(S + "\n" + end + "\\appendix\n\\section{A} b")) == APPENDIX


STAYS = [
    "\\section{One}\nthe references",
    "\\section{One}\n\\textbf{see the\nreferences}",
    "\\section{One}\n$\\{$",
    "\\section{One}\n{\\small set small}",
]


@pytest.mark.parametrize("text", STAYS, ids=STAYS)
def test_prose_before_the_bibliography_stays(text: str) -> None:
    assert text_of(paper(text + "\n\\bibliography{x}")) == text


GROUPS = [
    # What a cut leaves open is closed, and what closes nothing goes.
    ("\\IEEEraisesectionheading{\\section{One}\\label{a}}\ntext", "\\section{One}\\label{a}\ntext"),
    ("{\\large front \\section{One} text}", "\\section{One} text"),
    ("\\begin{spacing}{2}\\section{One} text\\end{spacing}", "\\section{One} text"),
    (
        "\\section{One}\\begin{small} text \\bibliography{x} more\\end{small}",
        "\\section{One}\\begin{small} text\n\nmore\\end{small}",
    ),
    (
        "\\section{One}{\\tt text \\bibliography{x}}\\appendix\\section{A}",
        "\\section{One}{\\tt text}\n\n\\appendix\\section{A}",
    ),
    ("\\section{One} \\begin{a} x \\end{b}", "\\section{One} \\begin{a} x \\end{b}"),
    (
        "x\\hypertarget{a}{%\n\\section{One}\\label{a}}\nt\n\\hypertarget{b}{\\section{Two}}",
        "\\section{One}\\label{a}\nt\n\\section{Two}",
    ),
    (
        "\\section{One} \\hypertarget{a}{text} \\hypertarget{b}",
        "\\section{One} \\hypertarget{a}{text} \\hypertarget{b}",
    ),
]
BEHIND = [
    (
        "\\bibliography{x}\n\\onecolumn\n\\begin{center}\\textbf{Supplement}\\end{center}\n"
        "\\section{Proofs} b",
        "\n\\onecolumn\n\\begin{center}\\textbf{Supplement}\\end{center}\n\n\\section{Proofs} b",
    ),
    (
        BIBITEMS + "\\textbf{Appendix}\n\\section{Proofs} b",
        "\n\\textbf{Appendix}\n\n\\section{Proofs} b",
    ),
    (
        BIBITEMS + "\\section{1. Appendix} b\\section{More}",
        "\n\n\\section{1. Appendix} b\\section{More}",
    ),
    (
        "\\bibliography{x}\\section*{Acknowledgements} thanks",
        "\n\n\\section*{Acknowledgements} thanks",
    ),
    (
        "\\begin{thebibliography}{9}\nSupplement to A\\end{thebibliography}\\section{Figures} b",
        "\n\n\\section{Figures} b",
    ),
    (
        "\\printbibliography\nAbout the authors\n\\section{A. B.} was born",
        "\n\nAbout the authors\n\\section{A. B.} was born",
    ),
    ("\\bibliography{x} Data are at our site.", "\n\nData are at our site."),
    ("{\\small\\bibliography{x}} Data are at our site.", " Data are at our site."),
    ("\\section{References}\n[1] A\n\\section{Proof} b", "\n\n\\section{Proof} b"),
    ("\\section{References}\n[1] A\n\\subsection{Proof} b", "\n\n\\subsection{Proof} b"),
    ("\\section{References}\n" + BIBITEMS + "Data.", "\n\nData."),
    ("\\section{References}\n\\bibliography{x}\nData.", "\n\nData."),
    ("\\begin{thebibliography}{9}\\subsection*{Books}\\bibitem{a}\\end{thebibliography}", ""),
    ("\\begin{thebibliography}{9}\\bibitem{a} A\\section{Proof} b", "\n\n\\section{Proof} b"),
    ("\\section{References}\n[1] A\n\\begin{figure}F\\end{figure}\n[2] B", FIGURE),
    ("\\section{References}\n[1] A\n\\chapter{Two} b\\bibliography{y}", "\n\n\\chapter{Two} b"),
]
REDEFINED = [
    ("\\def\\part{\\partial}" + S + " $\\part f$", S + " $\\partial f$"),
    ("\\newcommand{\\part}{\\partial}" + S + " $\\part{f}$", S + " $\\partial{f}$"),
    ("\\let\\part\\partial" + S + " $\\part$", S + " $\\partial$"),
    ("\\renewcommand{\\part}[1]{<#1>}x\\part{One} y", "\\part{One} y"),
    ("\\newcommand{\\head}{h}" + S + " $\\head$", S + " $h$"),
]


@pytest.mark.parametrize(("body", "expected"), GROUPS + REDEFINED)
def test_groups_and_names(body: str, expected: str) -> None:
    assert text_of(paper(body)) == expected


@pytest.mark.parametrize(("end", "expected"), BEHIND)
def test_what_stands_behind_the_bibliography_stays(end: str, expected: str) -> None:
    assert text_of(paper(S + "\n" + end)) == S + expected


def test_bibliographies_are_counted_where_they_stood() -> None:
    items = "\\begin{thebibliography}{9}\\bibitem{a} A\\end{thebibliography}"
    result = clean(paper(f"\\chapter{{One}} a {items} \\chapter{{Two}} b \\bibliography{{y}}"))
    assert isinstance(result, Document)
    assert result.text == "\\chapter{One} a\n\n\\chapter{Two} b"
    assert result.signals["bibliography_characters"] == len(items)
    assert result.signals["bibliographies_at"] == [len("\\chapter{One} a"), len(result.text)]


LETTER = " ".join(["Fifteen words of a letter that has no section are written here in a row."] * 7)
FRONT = "\\title{T}\\begin{abstract}A\\end{abstract}\\maketitle\n"
LETTERS = [
    LETTER + "\n\\section*{Acknowledgments} We thank.",
    LETTER + "\n\\section*{Methods} How.",
    LETTER + "\n\\paragraph{Setup} How.",
    LETTER + "\n\\section*{Results} What.",
    LETTER[:200] + "\n\\section*{Acknowledgments} We thank.",
]


@pytest.mark.parametrize("body", LETTERS)
def test_a_letter_begins_behind_its_front_matter(body: str) -> None:
    result = clean(paper(FRONT + body))
    assert isinstance(result, Document)
    assert (result.text, result.signals["start"]) == (body, "front_matter")


@pytest.mark.parametrize("title", ["Supplemental material", "Methods", "Proof of Theorem 1"])
def test_a_letter_with_sections_behind_its_bibliography(title: str) -> None:
    body, behind = LETTER[:200], f"\n\n\\section{{{title}}} More."
    result = clean(paper(FRONT + body + "\n\\bibliography{x}" + behind))
    assert isinstance(result, Document)
    assert (result.text, result.signals["start"]) == (body + behind, "front_matter")


def test_a_supplement_has_a_title_of_its_own() -> None:
    again = "\\title{Supplement}\\maketitle\n\\section{One} b"
    result = clean(paper(FRONT + LETTER + "\n\\bibliography{x}\n" + again))
    assert isinstance(result, Document)
    assert result.text.startswith(LETTER)
    assert result.text.endswith("\\title{Supplement}\\maketitle\n\n\\section{One} b")
    assert result.metadata["title"] == "T"


SHORT_LEAD = [
    ("\n" + LETTER[:300] + "\n", "section"),
    ("\\begin{figure}\\caption{" + LETTER + "}\\end{figure}", "section"),
    ("\\begin{CCSXML}" + LETTER + "\\end{CCSXML}", "section"),
    ("\\thanks{" + LETTER + "}", "section"),
    ("\\section*{Acknowledgments} " + LETTER, "section"),
]


@pytest.mark.parametrize(("lead", "start"), SHORT_LEAD)
def test_what_is_no_prose_goes_before_the_first_section(lead: str, start: str) -> None:
    result = clean(paper(FRONT + lead + S))
    assert isinstance(result, Document)
    assert (result.text, result.signals["start"]) == (S, start)


def test_lead_words_of_none_is_the_rule_of_the_paper() -> None:
    settings = replace(SETTINGS, structure=replace(SETTINGS.structure, lead_words=0))
    result = clean(paper(FRONT + LETTER + S), settings)
    assert isinstance(result, Document)
    assert (result.text, result.signals["start"]) == (S, "section")


def test_sections_of_an_abstract_are_the_abstract() -> None:
    result = clean(paper("\\begin{abstract}\\section*{Background} A\\end{abstract}" + S))
    assert isinstance(result, Document)
    assert result.metadata["abstract"] == "\\section*{Background} A"
    assert result.text == S


PLAIN = "\\magnification=1200\n\\def\\x{X}\n\\beginsection 1. One\n\nHello \\x.\n"
AMSTEX = (
    "\\input amstex\n\\documentstyle{amsppt}\n\\topmatter\\title T\\endtitle\\endtopmatter\n"
    "\\document\n\\head 1. One\\endhead\nHello.\n\\Refs\n\\ref\\key 1\\endref\n\\enddocument"
)
OLD = [
    (PLAIN + "\\beginsection References\n\n[1] A\n\\bye", "\\beginsection 1. One\n\nHello X."),
    (PLAIN + "\\bye \\beginsection No", "\\beginsection 1. One\n\nHello X."),
    (AMSTEX, "\\head 1. One\\endhead\nHello."),
    ("\\newsec{One}\ntext\n\\begin{thebibliography}{9}a", "\\newsec{One}\ntext"),
]


@pytest.mark.parametrize(("source", "expected"), OLD)
def test_plain_tex(source: str, expected: str) -> None:
    assert text_of({"p.tex": source}) == expected


ABSTRACTS = [
    "\\section*{Abstract} About.\n" + S,
    "\\begin{center}x\\end{center}\\section*{ABSTRACT.}About.\n" + S,
    "\\begin{abstract}About." + S,
    "\\abstract{About.}" + S,
    "\\ABSTRACT{About.}" + S,
    "\\IEEEtitleabstractindextext{\\begin{abstract}About.\\end{abstract}}" + S,
]


@pytest.mark.parametrize("body", ABSTRACTS, ids=ABSTRACTS)
def test_abstracts(body: str) -> None:
    result = clean(paper(body))
    assert isinstance(result, Document)
    assert result.metadata["abstract"] == "About."
    assert result.text == S


def test_abstract_as_the_only_section_is_the_text() -> None:
    assert text_of(paper("\\section*{Abstract} About.")) == "About."


TITLES = [
    "\\title{\\vspace{-1em}On X\\\\[2mm]and Y\\vspace*{3pt}}",
    "\\title{\\Large On X \\large and Y}",
    "\\Title{On X and Y}",
    "\\icmltitle{On X and Y}",
    "\\TITLE{On X and Y\\thanks{Z}}",
    "\\title[Short]{On X\\newline and Y}",
]


@pytest.mark.parametrize("title", TITLES, ids=TITLES)
def test_titles(title: str) -> None:
    result = clean(paper(S, title))
    assert isinstance(result, Document)
    assert result.metadata["title"] == "On X and Y"


NOT_THIS = paper("\\section{No}" + "x" * 99)
FILES = [
    ({"ms.tex": paper("\\input{Intro}"), "intro.tex": S}, S),
    ({"ms.tex": paper("\\input{a}"), "A.TEX": S}, S),
    ({"ms.tex": paper("\\input{sec.one}"), "sec.one.tex": S}, S),
    ({"ms.tex": paper("\\input{m.def}\\section{\\x}"), "m.def": "\\def\\x{X}"}, "\\section{X}"),
    ({"ms.tex": paper("\\makeatletter\\@input{a.tex}\\makeatother"), "a.tex": S}, S),
    (
        {"ms.tex": paper("\\include{a}\\include{b}", "\\includeonly{a}"), "a.tex": S, "b.tex": "x"},
        S,
    ),
    ({"ms.tex": paper("\\InputIfFileExists{a}{ yes}{ no}"), "a.tex": S}, S + " yes"),
    ({"ms.tex": paper(S + "\\InputIfFileExists{a}{ yes}{ no}")}, S + " no"),
    ({"ms.tex": paper("\\IfFileExists{a.tex}{\\input{a}}{x}"), "a.tex": S}, S),
    ({"ms.tex": paper(S + "\\IfFileExists")}, S + "\\IfFileExists"),
    (
        {
            "p.tex": paper(S),
            "main.tex": NOT_THIS,
            "00README.json": json.dumps({"sources": [{"filename": "p.tex", "usage": "toplevel"}]}),
        },
        S,
    ),
    ({"p.tex": paper(S), "main.tex": NOT_THIS, "00README.XXX": "main.tex ignore\n"}, S),
    ({"p.tex": paper(S), "00README.json": "[{"}, S),
    ({"p.tex": paper(S), "00README.json": '{"sources": {"p.tex": 1}}'}, S),
    ({"p.tex": paper(S), "00README.XXX": "p.tex ignore\n"}, S),
    (
        {"p.tex": "\\input m\n\\newsec{One}\n\\x\n\\bye", "m.tex": "\\def\\x{X}" * 99},
        "\\newsec{One}\nX",
    ),
]


@pytest.mark.parametrize(("files", "expected"), FILES, ids=range(len(FILES)))
def test_files(files: dict[str, str | bytes], expected: str) -> None:
    assert text_of(files) == expected


def test_readme_alone_is_no_paper() -> None:
    result = clean({"00README.json": "{}"})
    assert isinstance(result, Rejected)
    assert result.reason == "no_tex_file"
