"""Papers: comments, structure, files, encodings, and what is rejected."""

from __future__ import annotations

import gzip
import time
from dataclasses import replace
from itertools import pairwise

import pytest
from latex_run import SETTINGS, clean, expand, paper, submission, text_of

from filters.document import Document, Rejected

COMMENTS = [
    ("a % c\nb", "a\nb"),
    ("a% c\nb", "ab"),
    ("a%\n  b", "ab"),
    ("a\n% c\nb", "a\nb"),
    ("a\n  % c\n  b", "a\nb"),
    ("a\n% c\n% d\nb", "a\nb"),
    ("a % c\n% d\nb", "a\nb"),
    ("a\n% c\n\nb", "a\n\nb"),
    ("a % c\n\nb", "a\n\nb"),
    ("a%\n\nb", "a\n\nb"),
    ("% c\na", "a"),
    ("a\n% c", "a"),
    ("a%", "a"),
    ("a" + " " * 50 + "&" + " " * 9 + "b", "a &" + " " * 9 + "b"),
    ("a\\%b", "a\\%b"),
    ("a\\\\% c\nb", "a\\\\b"),
    ("a\\\\\\% c\nb", "a\\\\\\% c\nb"),
    ("100\\% of % c\nb", "100\\% of\nb"),
    ("\\alpha% c\nb", "\\alpha\nb"),
    ("\\begin{x}% c\nb", "\\begin{x}\nb"),
    ("{a}% c\n{b}", "{a}{b}"),
    ("\\url{h/%20x} % c\nb", "\\url{h/%20x}\nb"),
    ("\\href{h/%20x}{t}% c\n", "\\href{h/%20x}{t}"),
    ("\\url{a{b}%c}", "\\url{a{b}%c}"),
    ("\\verb|%| % c", "\\verb|%|"),
    ("\\verb*!%!x", "\\verb*!%!x"),
    ("\\lstinline|%|x", "\\lstinline|%|x"),
    ("\\lstinline[language=C]{%}x", "\\lstinline[language=C]{%}x"),
    ("\\mintinline{c}|%|x", "\\mintinline{c}|%|x"),
    ("\\begin{verbatim}\n% c\n\\end{verbatim}", "\\begin{verbatim}\n% c\n\\end{verbatim}"),
    ("\\begin{lstlisting}[a=b]\n%c\n\\end{lstlisting}", None),
    ("\\begin{minted}{c}\n%c\n\n\n\nx\n\\end{minted}", None),
    ("\\begin{comment}\na\n\\end{comment}\nb", "b"),
    ("a\n\\begin{comment}\n\\end{document}\n\\end{comment}\nb", "a\nb"),
    ("% \\begin{comment}\na", "a"),
    ("% \\iffalse\na", "a"),
    ("a % \\verb|\nb", "a\nb"),
    ("\\verb", "\\verb"),
    ("\\verb|a\nb|", "\\verb|a\nb|"),
    ("\\makeatletter\\def\\a@b{X}\\a@b\\makeatother\\a@b", "\\makeatletter X\\makeatother\\a@b"),
    ("\\lstnewenvironment{x}{}{}\\begin{x}%\\end{x}", None),
]


@pytest.mark.parametrize(("source", "expected"), COMMENTS, ids=[source for source, _ in COMMENTS])
def test_comments(source: str, expected: str | None) -> None:
    if "\\lstnewenvironment" in source:
        text = text_of(paper("\\section{S}\\begin{x}%\\end{x}", "\\lstnewenvironment{x}{}{}"))
        assert text == "\\section{S}\\begin{x}%\\end{x}"
        return
    assert expand(source) == (source if expected is None else expected)


S = "\\section{One}\ntext"
BIBLIOGRAPHY = "\\begin{thebibliography}{9}\\bibitem{a} A\\end{thebibliography}"
STRUCTURE = [
    ("abstract and more\n" + S, S),
    ("\\section*{One} text", "\\section*{One} text"),
    ("\\section[Short]{One} text", "\\section[Short]{One} text"),
    ("\\section [S] {One} text", "\\section [S] {One} text"),
    *[
        (f"front \\{name}{{One}} text", f"\\{name}{{One}} text")
        for name in ("part", "chapter", "subsection", "subsubsection", "paragraph", "subparagraph")
    ],
    ("\\paragraph{One} a \\section{Two} b", "\\paragraph{One} a \\section{Two} b"),
    ("\\newcommand{\\s}[1]{\\section{#1}}x\\s{One} text", "\\section{One} text"),
    ("\\newcommand{\\s}{\\section}x\\s{One} text", "\\section{One} text"),
    ("\\renewcommand{\\section}[1]{X}" + S, S),
    ("\\begin{abstract}\\paragraph{A} b\\end{abstract}" + S, S),
    ("\\begin{abstract} never closed " + S, S),
    (S + "\n" + BIBLIOGRAPHY, S),
    (S + "\n" + BIBLIOGRAPHY + " more", S + "\n\nmore"),
    (S + "\n\\bibliographystyle{x}\n\\bibliography{y}", S),
    (S + "\n\\printbibliography[heading=none]", S),
    (S + "\n\\begin{references}\\bibitem{a}\\end{references}", S),
    (S + "\n\\begin{REFERENCES}\\end{REFERENCES}", S),
    (S + "\n\\input{ms.bbl}", S),
    (S + "\n\\begin{bibdiv}\\begin{biblist}\\end{biblist}\\end{bibdiv}", S),
    (S + "\n\\section*{References}\n[1] A", S),
    (S + "\n\\section{REFERENCES:}\n[1] A", S),
    (S + "\n\\subsection*{Bibliography}\n[1] A", S),
    ("\\newcommand{\\bb}{\\begin{thebibliography}{9}}" + S + "\n\\bb x", S),
    (S + BIBLIOGRAPHY + "\\section{Two}", S + "\n\n\\section{Two}"),
    (S + BIBLIOGRAPHY + "\\appendix\\section{A} b", S + "\n\n\\appendix\\section{A} b"),
    (
        S + "\\bibliography{x}\\begin{appendix}\\section{A}\\end{appendix}",
        S + "\n\n\\begin{appendix}\\section{A}\\end{appendix}",
    ),
    (S + BIBLIOGRAPHY + "\\section{Appendix A} b", S + "\n\n\\section{Appendix A} b"),
    (S + BIBLIOGRAPHY + "\\section*{Supplementary} b", S + "\n\n\\section*{Supplementary} b"),
    (
        S + "\\appendix\\section{A}" + BIBLIOGRAPHY + "\\section{B}",
        S + "\\appendix\\section{A}\n\n\\section{B}",
    ),
    (
        S + BIBLIOGRAPHY + "\\appendix\\section{A} b" + BIBLIOGRAPHY + "c",
        S + "\n\n\\appendix\\section{A} b\n\nc",
    ),
    ("\\bibliography{x}" + S, S),
    (S + "\n\\nocite{*}\nend", S + "\nend"),
    (S + "\\end{document} after \\section{No}", S),
    (S + "\\newpage \\title{kept}", S + "\\newpage \\title{kept}"),
    (S + "\\begin{abstract}a\\end{abstract}", S + "\\begin{abstract}a\\end{abstract}"),
    ("\\titleformat{\\section}{x}" + S, S),
]


@pytest.mark.parametrize(("body", "expected"), STRUCTURE, ids=[body for body, _ in STRUCTURE])
def test_structure(body: str, expected: str) -> None:
    assert text_of(paper(body)) == expected


def test_front_matter_goes_to_the_metadata() -> None:
    result = clean(
        paper(
            "\\title[Short]{On \\x\\thanks{Grant 1} and \\\\ more}\n\\author{A. B.\\footnote{C}}"
            "\\author{D. E.}\\maketitle\\begin{abstract}\nAbout \\x.\n\\end{abstract}" + S,
            "\\newcommand{\\x}{$X$}",
        )
    )
    assert isinstance(result, Document)
    assert result.metadata["title"] == "On $X$ and more"
    assert result.metadata["authors"] == ["A. B.", "D. E."]
    assert result.metadata["abstract"] == "About $X$."
    assert result.text == S
    assert result.raw == b""


def test_abstract_as_a_command_of_several_groups() -> None:
    result = clean(paper("\\abstract{Why.}{How.}\n{What.}{}{So.}" + S))
    assert isinstance(result, Document)
    assert result.metadata["abstract"] == "Why. How. What. So."
    assert result.text == S


def test_paper_without_section() -> None:
    letter = paper(
        "\\title{T}\\begin{abstract}A\\end{abstract}\\maketitle\nProse.\n\\bibliography{x}"
    )
    result = clean(letter)
    assert isinstance(result, Document)
    assert (result.text, result.signals["start"]) == ("Prose.", "front_matter")
    rejected = clean(letter, replace(SETTINGS, without_section="reject"))
    assert isinstance(rejected, Rejected)
    assert rejected.reason == "no_section"


FILES = [
    ({"ms.tex": paper("\\input{a}"), "a.tex": S}, S),
    ({"ms.tex": paper("\\input{a.tex}"), "a.tex": S}, S),
    ({"ms.tex": paper("\\input a \n"), "a.tex": S}, S),
    ({"ms.tex": paper("\\input a.tex\n"), "a.tex": S}, S),
    ({"ms.tex": paper('\\input{"a b"}'), "a b.tex": S}, S),
    ({"ms.tex": paper("\\include{s/a}"), "s/a.tex": S}, S),
    ({"ms.tex": paper("\\input{./s/../s/a}"), "s/a.tex": S}, S),
    ({"ms.tex": paper("\\input{a}\n\\input{a}"), "a.tex": S}, S),
    ({"ms.tex": paper(S + "\n\\input{ms}"), "a.tex": "x"}, S),
    ({"ms.tex": paper("\\input{a}"), "a.tex": "\\input{b}", "b.tex": S + "\\input{a}"}, S),
    ({"ms.tex": paper(S + "\n%\\input{a}"), "a.tex": "x"}, S),
    ({"ms.tex": paper(S + "\n\\input{missing}\nend"), "a.tex": "x"}, S + "\nend"),
    ({"ms.tex": paper(S + "\\input{../a}"), "../a.tex": "x"}, S),
    ({"ms.tex": paper(S + "\\input{/etc/passwd}"), "/etc/passwd.tex": "x"}, S),
    ({"ms.tex": paper("\\import{s/}{a}"), "s/a.tex": S}, S),
    ({"ms.tex": paper("\\subimport*{s}{a}"), "s/a.tex": S}, S),
    ({"ms.tex": paper("\\subfile{s/a}"), "s/a.tex": paper(S).replace("article", "subfiles")}, S),
    ({"ms.tex": paper("\\newcommand{\\d}{s}\\input{\\d/a}"), "s/a.tex": S}, S),
    ({"ms.tex": paper("\\input{a}"), "a.tex": S + "\\endinput no"}, S),
    ({"ms.tex": paper("\\input{m}\\section{\\x}"), "m.tex": "\\def\\x{X}"}, "\\section{X}"),
    ({"ms.tex": paper("\\section{\\x}", "\\input{m}"), "m.tex": "\\def\\x{X}"}, "\\section{X}"),
    (
        {"ms.tex": paper("\\section{\\x}", "\\usepackage{m}"), "m.sty": "\\def\\x{X}"},
        "\\section{X}",
    ),
    (
        {"ms.tex": paper("\\section{\\x}", "\\usepackage{m}"), "m.sty": "\\def\\x{\\@y}"},
        "\\section{\\x}",
    ),
    ({"ms.tex": paper("\\section{\\x}"), "z.tex": "\\newcommand{\\x}{X}"}, "\\section{X}"),
    # A definition counts from where it stands.
    ({"ms.tex": paper("\\section{\\x}\\newcommand{\\x}{X}")}, "\\section{\\x}"),
    # Which file is the paper.
    ({"a.tex": "\\section{No}", "b.tex": paper(S)}, S),
    ({"b.tex": paper(S), "b_old.tex": paper("\\section{No}" + "x" * 99)}, S),
    ({"b.tex": paper(S), "suppl.tex": paper("\\section{No}" + "x" * 99)}, S),
    ({"fig.tex": paper("x" * 999).replace("article", "standalone"), "p.tex": paper(S)}, S),
    ({"p.tex": paper(S), "._p.tex": b"\0\5\26\7" + b"\\documentclass" * 99}, S),
    ({"p.tex": paper(S), "q.tex": "% \\documentclass{article}\n\\section{No}" + "x" * 999}, S),
    ({"p1.tex": paper(S), "p2.tex": paper("\\section{No}" + "x" * 99), "p1.bbl": "y"}, S),
    ({"p1.tex": paper("\\section{No}"), "p2.tex": paper(S + "x" * 99)}, S + "x" * 99),
    (
        {
            "p1.tex": paper(S),
            "p2.tex": paper("\\section{No}" + "x" * 99),
            "00README.XXX": "p1.tex toplevelfile\np2.tex ignore\n",
        },
        S,
    ),
    ({"p": paper(S), "fig.eps": "%!PS"}, S),
    ({"p.tex": paper(S).replace("\\documentclass", "\\documentstyle[12pt]")}, S),
    ({"p.tex": "\\section{One}\ntext\n\\bye no"}, S),
    ({"p.tex": paper(S).replace("\n", "\r\n")}, S),
    ({"p.tex": paper(S).replace("\n", "\r")}, S),
]


@pytest.mark.parametrize(("files", "expected"), FILES, ids=range(len(FILES)))
def test_files(files: dict[str, str | bytes], expected: str) -> None:
    assert text_of(files) == expected


CHARSETS = [
    ("caf\u00e9", "utf-8", ""),
    ("caf\u00e9", "utf-8-sig", ""),
    ("caf\u00e9", "iso8859-1", ""),
    ("caf\u00e9", "utf-16", ""),
    ("\u201ccaf\u00e9\u201d", "cp1252", ""),
    ("\u201ccaf\u00e9\u201d", "cp1252", "\\usepackage[ansinew]{inputenc}"),
    ("za\u017c\u00f3\u0142\u0107", "iso8859-2", "\\usepackage[latin2]{inputenc}"),
    ("\u043c\u0438\u0440", "cp1251", "\\usepackage[cp1251]{inputenc}"),
    ("\u043c\u0438\u0440", "koi8-r", "\\usepackage[koi8-r]{inputenc}"),
    ("10 \u20ac", "iso8859-15", "\\usepackage[latin9]{inputenc}"),
    ("caf\u00e9", "mac-roman", "\\usepackage[applemac]{inputenc}"),
    ("a\u0081b", "iso8859-1", ""),
]


@pytest.mark.parametrize(("word", "encoding", "declared"), CHARSETS, ids=range(len(CHARSETS)))
def test_charsets(word: str, encoding: str, declared: str) -> None:
    source = paper("\\section{S} " + word, declared)
    assert text_of({"p.tex": source.encode(encoding)}) == "\\section{S} " + word


SMALL = replace(
    SETTINGS,
    minimum_characters=20,
    project=replace(
        SETTINGS.project,
        maximum_unpacked_bytes=200_000,
        maximum_source_bytes=50_000,
        maximum_members=20,
    ),
    expansion=replace(SETTINGS.expansion, maximum_characters=50_000),
)
LETTERS = "abcdefghijklmnopqrst"
DOUBLING = "".join(f"\\def\\{a}{{\\{b}\\{b}}}" for a, b in pairwise(LETTERS))
LONG = "\\def\\x{" + "y" * 1000 + "}"
REJECTS = [
    (b"%PDF-1.4 ...", "pdf_only"),
    (gzip.compress(b"%PDF-1.4 ..."), "pdf_only"),
    (submission({"paper.pdf": b"%PDF"}), "pdf_only"),
    (submission({"readme.md": "x"}), "no_tex_file"),
    (gzip.compress(b"%!PS-Adobe"), "postscript_only"),
    (gzip.compress(b"<html>Withdrawn</html>"), "html_only"),
    (gzip.compress(b"%auto-ignore\nThis paper has been withdrawn"), "withdrawn"),
    (gzip.compress(b"\0\1\2\3" * 99), "not_tex"),
    (gzip.compress(b" \n"), "empty_submission"),
    (b"", "empty_submission"),
    (submission({"a.tex": paper(S)})[:-20], "truncated_gzip"),
    (gzip.compress(paper(S).encode())[:-20], "truncated_gzip"),
    (gzip.compress(b"x")[:10] + b"\xff" * 99, "malformed_gzip"),
    (gzip.compress(b"x" * 300_000), "unpacked_too_large"),
    (submission({"a.tex": paper(S), "fig.eps": b"x" * 300_000}), "unpacked_too_large"),
    (submission({"a.tex": "x" * 60_000}), "source_too_large"),
    (gzip.compress(b"x" * 60_000), "source_too_large"),
    (submission({f"{number}.tex": "x" for number in range(30)}), "too_many_members"),
    (gzip.compress(paper("\\section{S}").encode()), "too_short"),
    (gzip.compress(b"no LaTeX at all, just words in a file"), "no_section"),
    (gzip.compress(paper(S + "\\a" * 99, DOUBLING).encode()), "expansion_too_large"),
    (
        gzip.compress(paper(S + "\\x" * 500, "\\def\\x{" + "y" * 1000 + "}").encode()),
        "expansion_too_large",
    ),
]


@pytest.mark.parametrize(("raw", "reason"), REJECTS, ids=range(len(REJECTS)))
def test_rejects(raw: bytes, reason: str) -> None:
    result = clean(raw, SMALL)
    assert isinstance(result, Rejected)
    assert result.reason == reason


HOSTILE = [
    "\\def\\x{\\x\\x}" + "\\x" * 5000,
    "\\def\\x#1{\\x{#1#1}}\\x{ab}" * 50,
    DOUBLING + "\\a " * 20,
    "{" * 100_000,
    "}" * 100_000,
    "\\newcommand{\\x}[1]{#1}" + "\\x{" * 20_000,
    "\\newcommand{\\x}[1]{#1}" + "\\x{" * 2_000 + "}" * 2_000,
    "\\url{" * 50_000,
    "\\begin{verbatim}" * 20_000,
    "\\begin" * 100_000,
    "\\verb|" * 50_001,
    "\\iffalse " * 3_000,
    "\\if " * 50_000,
    "\\newcommand{" * 20_000,
    "\\def\\x" * 20_000,
    "\\newcommand{\\x}[2][d]{#2}" + "\\x[" * 5_000,
    "%\n" * 100_000,
    " " * 500_000 + "x",
    ("a" + " " * 1000) * 500,
    "\\title{" * 20_000,
    "\\section{" * 20_000,
    "\\def\\x{\\begin{\\x}}\\x" * 1_000,
    "{" * 100_000 + "}" * 100_000,
    "\\newcommand{\\x}[1]{#1}" + "{" * 50_000 + "\\x" + "}" * 50_000,
    "\\begin{a}" * 50_000 + "\\end{a}" * 50_000,
    "{\\small" * 50_000 + "\\bibliography{x}",
    "{\\small\\bibliography{x}\\appendix" * 10_000,
    "\\bibliography{x}\\section{Appendix}" * 20_000,
    "\\hypertarget{a}{" * 5_000 + "\\section{b}" + "}" * 5_000,
    "\\expandafter" * 100_000,
    "\\csname a" * 50_000 + "\\endcsname" * 50_000,
    "\\if0 " * 50_000,
    "\\ifx" * 100_000,
    "\\ifnum1=1 " * 20_000 + "\\fi" * 20_000,
    "\\def\\x{\\futurelet\\y\\x}" + "\\x a" * 20_000,
    "\\def\\x{\\def\\y{\\ifx\\q\\w a\\fi}\\y}" + "\\x" * 20_000,
    "\\makeatletter\\def\\x{\\@ifnextchar[{\\x}{\\x}}" + "\\x" * 3_000,
    "\\newcommand{\\y}[1]{\\z{#1}{#1}}\\newcommand{\\z}[2]{\\y{#1#2}}" + "\\y{x}" * 100,
    "\\excludecomment{n}" + "\\begin{n}" * 20_000,
    "\\newtoggle{a}" + "\\iftoggle{a}{" * 10_000,
    "{" * 30_000 + "\\def\\a{x}" + "\\gdef\\b{x}" * 10_000 + "}" * 30_000,
    "{\\def\\a{x}" * 20_000 + "\\a" + "}" * 20_000,
    "$" + "\\def\\a{x}{$" * 10_000,
    "\\edef\\a{x}" + "\\edef\\a{\\a\\a}" * 60,
    "\\section{References}" * 10_000,
    "\\bibitem{a}\\begin{figure}\\end{figure}" * 10_000,
    "\\begin{abstract}" * 3_000,
    "\\AtBeginDocument{" * 5_000,
    "\\jobname\\string" * 20_000,
]


@pytest.mark.parametrize("body", HOSTILE, ids=[body[:30] for body in HOSTILE])
def test_hostile_text_ends(body: str) -> None:
    started = time.process_time()
    result = clean(paper(S + body))
    assert time.process_time() - started < 3
    assert isinstance(result, Document) or result.reason == "expansion_too_large"
    if isinstance(result, Document):
        assert len(result.text) < 30_000_000
