"""Submissions that once came out as what they do not say, and others of their kinds."""

from __future__ import annotations

import pytest
from latex_run import clean, expand, paper, text_of

from filters.document import Document, Rejected

S = "\\section{S} "
WRAPPED = "\\let\\old\\vec\\renewcommand{\\vec}[1]{\\old{\\mathbf{#1}}}"
# (preamble, body, expected)
SCOPES = [
    (
        "\\pdfstringdefDisableCommands{\\def\\texttt#1{<#1>}\\def\\gamma{g}\\def\\sqrt#1{s(#1)}}",
        "$V=\\sqrt{\\gamma}$ in \\texttt{x}.",
        "$V=\\sqrt{\\gamma}$ in \\texttt{x}.",
    ),
    (
        "",
        "\\emph{a} {\\renewcommand{\\emph}[1]{<#1>}\\emph{b}} \\emph{c}",
        "\\emph{a} {<b>} \\emph{c}",
    ),
    ("", "\\x {\\def\\x{X}\\x} \\x", "\\x {X} \\x"),
    ("\\def\\x{1}", "\\x{\\def\\x{2}\\x{\\def\\x{3}\\x}\\x}\\x", "1{2{3}2}1"),
    ("", "\\begin{a}\\def\\x{X}\\x\\end{a}\\x", "\\begin{a}X\\end{a}\\x"),
    ("", "\\begingroup\\def\\x{X}\\x\\endgroup\\x", "\\begingroup X\\endgroup\\x"),
    ("", "$\\def\\x{X}\\x$ \\x \\[\\def\\x{X}\\x\\] \\x", "$X$ \\x \\[X\\] \\x"),
    ("", "{\\gdef\\x{X}}\\x", "{}X"),
    ("", "{\\global\\let\\x=y}\\x", "{}y"),
    ("", "{\\global\\long\\def\\x{X}\\def\\y{Y}}\\x\\y", "{}X\\y"),
    ("\\newif\\ify", "{\\ytrue\\ify a\\fi}\\ify b\\else c\\fi", "{a}c"),
    ("\\def\\x{1}", "\\footnote{\\renewcommand\\x{2}\\x}\\x", "\\footnote{2}1"),
    ("\\unknown{\\def\\x{X}}", "\\x", "\\x"),
    ("\\AtBeginDocument{\\def\\x{X}}", "\\x", "X"),
    ("\\AtBeginDocument{\\let\\x\\y}\\def\\y{Y}", "\\x", "Y"),
    ("\\AtEndOfClass{\\def\\x{X}}", "\\x", "X"),
    ("\\newtoggle{t}\\iftoggle{t}{\\def\\x{1}}{\\def\\x{2}}", "\\x", "2"),
    ("\\ifthenelse{\\lengthtest{1pt<2pt}}{\\def\\x{1}}{\\def\\x{2}}", "\\x", "\\x"),
    ("\\ifdim 1pt<2pt \\def\\x{1}\\else\\def\\x{2}\\fi", "\\x", "\\x"),
    ("", "\\x\\newcommand{\\x}{X}\\x", "\\x X"),
]
ONCE = [
    (WRAPPED, "$\\vec{x}$", "$\\vec{\\mathbf{x}}$"),
    ("\\let\\old\\ref\\renewcommand{\\ref}[1]{(\\old{#1})}", "\\ref{a}", "(\\ref{a})"),
    ("\\LetLtxMacro\\old\\vec\\renewcommand\\vec[1]{\\old{<#1>}}", "\\vec{x}", "\\vec{<x>}"),
    (
        "\\NewCommandCopy{\\old}{\\vec}\\renewcommand\\vec[1]{\\old{<#1>}}",
        "\\vec{x}",
        "\\vec{<x>}",
    ),
    ("\\let\\a\\footnote\\def\\footnote{\\protect\\a}", "\\footnote{x}", "\\protect\\footnote{x}"),
    ("\\let\\t\\phi\\let\\phi\\varphi\\let\\varphi\\t", "$\\phi\\varphi$", "$\\varphi\\phi$"),
    (WRAPPED + "\\edef\\y{\\vec{x}}", "\\y", "\\vec{\\mathbf{x}}"),
    ("\\edef\\l{a}\\edef\\l{\\l,b}\\edef\\l{\\l,c}", "\\l", "a,b,c"),
    ("\\def\\x{1}\\edef\\y#1{\\x#1}\\def\\x{2}", "\\y{a}\\x", "1a2"),
    ("\\def\\x{1}\\edef\\y{\\noexpand\\x}\\def\\x{2}", "\\y", "2"),
    (
        "\\let\\old\\sqrt\\def\\sqrt{\\mathpalette\\my}\\def\\my#1#2{\\setbox0=\\hbox{$#1\\old{#2}$}}",
        "$\\sqrt{x}+y$",
        "$\\sqrt{x}+y$",
    ),
]
MACROS = [
    (
        "\\newcommand{\\x}{ab}\\newcommand\\y{c}",
        "$\\frac\\x2\\mathbf\\y$",
        "$\\frac{ab}2\\mathbf c$",
    ),
    (
        "\\newcommand{\\x}{a\\alpha}",
        "$\\frac\\x2\\mathbf\\x$",
        "$\\frac{a\\alpha}2\\mathbf{a\\alpha}$",
    ),
    (
        "\\newcommand{\\ie}{i.e.\\@\\xspace}\\newcommand{\\eg}{e.g.\\@}",
        "so \\ie this, \\eg, that",
        "so i.e. this, e.g., that",
    ),
    (
        "\\DeclarePairedDelimiterX{\\KL}[2]{(}{)}{#1\\,\\delimsize\\|\\,#2}",
        "$\\KL{p}{q}\\KL*{p}{q}\\KL[\\big]{p}{q}$",
        "$(p\\,\\|\\,q)\\left(p\\,\\middle\\|\\,q\\right)\\big(p\\,\\big\\|\\,q\\big)$",
    ),
    (
        "\\DeclarePairedDelimiterXPP\\E[1]{\\mathbb{E}}{[}{]}{}{#1}",
        "$\\E{x}$",
        "$\\mathbb{E}[x]$",
    ),
]


@pytest.mark.parametrize(("preamble", "body", "expected"), SCOPES + ONCE + MACROS)
def test_definitions(preamble: str, body: str, expected: str) -> None:
    assert text_of(paper(S + body, preamble)) == S + expected


def test_a_definition_below_the_title_page_does_not_reach_the_text() -> None:
    body = (
        "\\begin{titlepage}\\def\\x{X}\\end{titlepage}\\begin{abstract}\\def\\y{Y}\\end{abstract}"
    )
    assert text_of(paper(body + S + "\\x\\y")) == S + "\\x\\y"


LEFT = [
    ("", "\\x\\newcommand{\\x}{X}", ["\\x"]),
    ("\\newcommand{\\x}{\\ifcase1 a\\fi}", "\\x", ["\\x"]),
    ("\\newenvironment{e}{\\def\\x{X}}{}", "\\x", ["\\x"]),
    ("\\unknown{\\newcommand\\x{X}}", "\\x", ["\\x"]),
    ("\\NewDocumentCommand\\x{e{^}}{X}", "\\x", ["\\x"]),
    ("\\newcommand{\\x}{X}", "\\x", []),
    ("\\newcommand{\\x}{\\ifcase1 a\\fi}", "y", []),
    (WRAPPED, "$\\vec{x}$", []),
]


@pytest.mark.parametrize(("preamble", "body", "left"), LEFT)
def test_what_is_defined_and_stands_unexpanded_is_named(
    preamble: str, body: str, left: list[str]
) -> None:
    result = clean(paper(S + body, preamble))
    assert isinstance(result, Document)
    assert result.signals["macros_left"] == left


STYLE = "\\newcommand{\\R}{\\mathbb{R}}\n\\newcommand{\\ie}{i.e.\\@}\n"
PUBLISHER = "\\def\\R{\\@x}\\def\\@x{\\@y\\@z}\\let\\@w\\@v"
LONG = "text " * 50
# (files, expected)
FILES = [
    ({"p.tex": paper(S + "$\\R$", "\\usepackage{m}"), "m.sty": STYLE}, S + "$\\mathbb{R}$"),
    ({"a/p.tex": paper(S + "$\\R$", "\\usepackage{m}"), "a/m.sty": STYLE}, S + "$\\mathbb{R}$"),
    ({"p.tex": paper(S + "$\\R$", "\\usepackage{s/m}"), "s/m.sty": STYLE}, S + "$\\mathbb{R}$"),
    ({"p.tex": paper(S + "$\\R$", "\\input{m.sty}"), "m.sty": STYLE}, S + "$\\mathbb{R}$"),
    ({"p.tex": paper(S + "$\\R$", "\\usepackage{m}"), "m.sty": PUBLISHER}, S + "$\\R$"),
    (
        {
            "p.tex": paper(S + "\\R", "\\usepackage{m}"),
            "m.sty": STYLE * 9 + "\\def\\R{\\@x}\\def\\@x{Y}",
        },
        S + "Y",
    ),
    (
        {
            "p.tex": paper(S + "\\R", "\\usepackage{m,n}"),
            "m.sty": "\\def\\R{1}",
            "n.sty": "\\def\\R{2}",
        },
        S + "2",
    ),
    (
        {
            "main.tex": "\\input{pre}\n\\begin{document}\n" + S + "\\x\n\\end{document}\n",
            "pre.tex": "\\documentclass{article}\n\\newcommand{\\x}{X}\n",
        },
        S + "X",
    ),
    (
        {
            "main.tex": "\\input{pre}\\input{body}\\input{post}",
            "pre.tex": "\\documentclass{article}\\newcommand{\\x}{X}\\begin{document}",
            "body.tex": S + "\\x",
            "post.tex": "\\end{document}",
        },
        S + "X",
    ),
    ({"m.tex": paper("\\import{s/}{a}"), "s/a.tex": S + "\\input{b}", "s/b.tex": "B"}, S + "B"),
    (
        {"m.tex": paper("\\import{s/}{a}\\input{b}"), "s/a.tex": S, "s/b.tex": "no", "b.tex": "B"},
        "\\section{S} B",
    ),
    (
        {"m.tex": paper("\\import{s/}{a}"), "s/a.tex": S + "\\subimport{t/}{b}", "s/t/b.tex": "B"},
        S + "B",
    ),
    ({"m.tex": paper("\\subfile{s/a}"), "s/a.tex": S + "\\input{b}", "s/b.tex": "B"}, S + "B"),
    ({"m.tex": paper(S + "\\input{t.tab}"), "t.tab": "B"}, S + "B"),
    ({"m.tex": paper(S + "\\input{\\jobname-b}"), "m-b.tex": "B"}, S + "B"),
    ({"m.tex": paper(S + "\\input{a}C"), "a.tex": "B\\ifx1\\x\\else\\endinput\\fi no"}, S + "BC"),
    # The paper among several.
    (
        {
            "diffusion.tex": paper("\\title{T}" + S + LONG),
            "diffusion.bbl": "x",
            "fig.tex": paper(S),
        },
        (S + LONG).strip(),
    ),
    ({"threshold.tex": paper(S + LONG), "a-old.tex": paper(S + 2 * LONG)}, (S + LONG).strip()),
    ({"anc/x.tex": paper(S), "anc/x.bbl": "x", "ms.tex": paper(S + LONG)}, (S + LONG).strip()),
    ({"ms.tex": paper(S + LONG), "anc/data.txt": "1 " * 11_000_000}, (S + LONG).strip()),
    (
        {
            "a.tex": paper(S + LONG),
            "b.tex": paper(S + 2 * LONG),
            "00README.yaml": "sources:\n- filename: b.tex\n  usage: ignore\n- usage: toplevel\n"
            "  filename: a.tex\n",
        },
        (S + LONG).strip(),
    ),
    # Old kinds of TeX.
    (
        {
            "p.tex": "\\input amstex\n\\documentstyle{amsppt}\n\\define\\R{\\Bbb R}\n\\document\n"
            "\\head One\\endhead\n$\\R$ text\n\\enddocument"
        },
        "\\head One\\endhead\n$\\Bbb R$ text",
    ),
    (
        {
            "p.tex": "\\input harvmac\n\\newsec{One}\nText.\n"
            "\\lref\\oth{A. Other, B 2.}\nMore \\oth, \\ref\\new{B. New, C 3.}.\n\\listrefs\n\\bye"
        },
        "\\newsec{One}\nText.\nMore \\oth, \\new.",
    ),
    (
        {
            "p.tex": paper(
                "\\begin{IEEEkeywords}k\\end{IEEEkeywords}\\begin{section}{S} t\\end{section}"
            )
        },
        "\\begin{section}{S} t\\end{section}",
    ),
]


@pytest.mark.parametrize(("files", "expected"), FILES, ids=range(len(FILES)))
def test_files(files: dict[str, str | bytes], expected: str) -> None:
    assert text_of(files) == expected


LITERALS = [
    ("\\MakeShortVerb{\\|}", "use |a%b| and |c| here\nnext", None),
    ("\\MakeShortVerb|", "use |a%b| here", None),
    ("\\DefineShortVerb{\\+}", "use +a%b+ here", None),
    ("\\MakeShortVerb{\\|}", "use |a%b| \\DeleteShortVerb{\\|}|c % d", "use |a%b| |c"),
    ("\\lstMakeShortInline[a=b]|", "use |a%b| here", None),
    ("", "use \\verb[a%b[ here", None),
    ("", "use \\url|a%b| here", None),
    ("\\let\\code\\lstinline", "use \\code|a%b| here", "use \\lstinline|a%b| here"),
    ("\\newcommand{\\code}{\\lstinline}", "use \\code{a%b} here", "use \\lstinline{a%b} here"),
    (
        "\\newcommand\\py{\\mintinline{python}}",
        "use \\py{a%b} here",
        "use \\mintinline{python}{a%b} here",
    ),
    ("\\newmintinline{c}{}", "use \\cinline|a%b| here", "use \\mintinline{c}|a%b| here"),
    ("\\DeclareUrlCommand\\mail{}", "use \\mail{a%b} here", "use \\url{a%b} here"),
    ("\\newenvironment{code}{\\verbatim}{\\endverbatim}", "\\begin{code}%\\end{code} here", None),
    ("\\newminted{c}{}", "\\begin{ccode}%\\end{ccode} here", None),
    ("\\newenvironment{hide}{\\comment}{\\endcomment}", "a\\begin{hide}%\\end{hide} b", "a b"),
    ("\\newenvironment{hide}{\\iffalse}{\\fi}", "a\\begin{hide}%\\end{hide} b", "a b"),
    ("%\\MakeShortVerb{\\|}", "|a % b\n|c", "|a\n|c"),
]


@pytest.mark.parametrize(("preamble", "body", "expected"), LITERALS)
def test_literal_text_keeps_its_percent_signs(
    preamble: str, body: str, expected: str | None
) -> None:
    assert text_of(paper(S + body, preamble)) == S + (body if expected is None else expected)


RUSSIAN = "Это статья о том, как писать статьи на русском языке и не терять ни одной буквы. " * 5
JAPANESE = "日本語の論文である。これはひらがなとカタカナと漢字で書かれている。" * 5
CHINESE = "这是一篇关于数学的文章，我们在这里证明一个定理，然后给出几个例子。" * 8
KOREAN = "이 논문은 수학에 관한 것이며 우리는 여기에서 정리를 증명하고 예를 든다. " * 5
FRENCH = "Le théorème énoncé ci-dessous a été démontré en détail à l'été dernier. " * 30
ENCODINGS = [
    ("café", "latin-1", "%\\usepackage[cp1251]{inputenc}\n\\usepackage[latin1]{inputenc}"),
    ("мир", "cp1251", "\\usepackage[T2A]{fontenc}\\usepackage[koi8-r,cp1251]{inputenc}"),
    ("мир", "koi8-u", "\\usepackage[koi8-ru]{inputenc}"),
    ("мир", "cp1251", "\\inputencoding{cp1251}"),
    ("数学", "gbk", "\\usepackage{CJK}\\AtBeginDocument{\\begin{CJK}{GBK}{song}}"),
    *[(RUSSIAN, encoding, "") for encoding in ("cp1251", "koi8-r", "cp866", "iso8859-5")],
    *[(JAPANESE, encoding, "") for encoding in ("euc-jp", "cp932")],
    (CHINESE, "gbk", ""),
    (CHINESE.replace("这", "").replace("们", "").replace("个", ""), "gb2312", ""),
    (KOREAN, "euc-kr", ""),
    (FRENCH, "cp1252", ""),
]


@pytest.mark.parametrize(("text", "encoding", "preamble"), ENCODINGS, ids=range(len(ENCODINGS)))
def test_encodings(text: str, encoding: str, preamble: str) -> None:
    source = paper(S + text, preamble).encode(encoding)
    assert text_of({"p.tex": source}).endswith(text.strip())


def test_a_japanese_class_is_a_declaration() -> None:
    source = paper(S + "論文。").replace("article", "jarticle").encode("cp932")
    assert text_of({"p.tex": source}) == S + "論文。"


def test_two_encodings_in_one_file() -> None:
    parts = ["\\inputencoding{cp1251} мир ", "\\inputencoding{latin1} café"]
    source = (
        paper(S + "X").encode().replace(b"X", parts[0].encode("cp1251") + parts[1].encode("latin1"))
    )
    assert text_of({"p.tex": source}) == S + "".join(parts)


def test_a_stray_byte_costs_no_other_letter() -> None:
    source = paper(S + "Ångström, Erdős, Poincaré, Gödel X").encode().replace(b"X", b"caf\xe9")
    result = clean({"p.tex": source})
    assert isinstance(result, Document)
    assert result.text == S + "Ångström, Erdős, Poincaré, Gödel café"
    assert result.signals["encoding_assumed"]


def test_an_encoding_that_nothing_tells_is_no_text() -> None:
    hebrew = "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם. " * 9
    result = clean({"p.tex": paper(S + hebrew).encode("cp1255")})
    assert isinstance(result, Rejected)
    assert (result.reason, result.detail) == ("unknown_encoding", "p.tex")


def test_few_bytes_are_windows_1252_and_said_to_be() -> None:
    result = clean({"p.tex": paper(S + "café").encode("cp1252")})
    assert isinstance(result, Document)
    assert (result.text, result.signals["encoding_assumed"]) == (S + "café", True)


def test_a_notice_of_withdrawal_is_no_paper() -> None:
    result = clean(paper(S + "This paper has been withdrawn by the author due to an error. " * 4))
    assert isinstance(result, Rejected)
    assert result.reason == "withdrawn"


def test_an_expanded_definition_is_bounded() -> None:
    assert len(expand("\\edef\\a{x}" + "\\edef\\a{\\a\\a}" * 10 + "\\a")) == 1024
