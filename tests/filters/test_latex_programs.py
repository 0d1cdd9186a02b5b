"""Macros that are programs, case by case: what the text decides is decided, the rest stays."""

from __future__ import annotations

import pytest
from latex_run import expand

IN_STYLE = "\\makeatletter {} \\makeatother "
LOOP = (
    r"\def\make#1{\expandafter\def\csname bb#1\endcsname{\mathbb{#1}}}"
    r"\def\all#1{\ifx\all#1\else\make{#1}\expandafter\all\fi}\all ABC\all "
)
# What papers made with the CVPR template begin with.
ONE_DOT = (
    r"\DeclareRobustCommand\onedot{\futurelet\@let@token\@onedot}"
    r"\def\@onedot{\ifx\@let@token.\else.\null\fi\xspace}"
    r"\def\eg{\emph{e.g}\onedot}\def\etal{\emph{et al}\onedot}"
)
# (source, expected)
CONDITIONALS = [
    (r"\newcommand\a[1]{\ifx&#1&none\else <#1>\fi}\a{}\a{x}", "none<x>"),
    (r"\newcommand\a[1]{\ifx\\#1\\none\else <#1>\fi}\a{}\a{x}", "none<x>"),
    (r"\newcommand\a[1]{\ifx\relax#1\relax none\else <#1>\fi}\a{}\a{x}", "none<x>"),
    (r"\newcommand\a[1]{\if\relax\detokenize{#1}\relax none\else<#1>\fi}\a{}\a{x}", "none<x>"),
    (r"\newcommand\a[1][]{\def\t{#1}\ifx\t\empty none\else <\t>\fi}\a\a[x]", "none<x>"),
    (r"\newcommand\a[1][\empty]{\ifx\empty#1none\else <#1>\fi}\a\a[x]", "none<x>"),
    (r"\newcommand\a[1]{\ifx x#1yes\else no\fi}\a{x}\a{y}", "yesno"),
    (r"\def\b{X}\def\c{X}\def\d{Y}\newcommand\a[2]{\ifx#1#2=\else/\fi}\a\b\c\a\b\d", "=/"),
    (r"\def\b{X}\ifx\b\undefined no\else yes\fi", "yes"),
    (r"\newcommand\a[1]{\ifx#1\beta yes\fi}\a\alpha", r"\a\alpha"),
    (r"\newcommand\mode{1}\if\mode1 long\else short\fi", "long"),
    (r"\newcommand\mode{0}\if\mode1 long\else short\fi", "short"),
    (r"a\if0 b\fi c", "a c"),
    (r"a\if00b\else c\fi d", "ab d"),
    (r"a\if 10 b\else c\fi d", "a c d"),
    (r"\def\n{3}\ifnum\n<10 few\else many\fi", "few"),
    (r"\def\n{3}\ifnum\n=3 three\fi", "three"),
    (r"\ifnum0=1 no\else yes\fi", "yes"),
    (r"\ifnum\value{page}>1 a\fi", r"\ifnum\value{page}>1 a\fi"),
    (r"\newtoggle{x}\iftoggle{x}{A}{B}\toggletrue{x}\iftoggle{x}{A}{B}", "BA"),
    (r"\newbool{x}\booltrue{x}\ifbool{x}{A}{B}\notbool{x}{A}{B}", "AB"),
    (r"\newboolean{x}\setboolean{x}{true}\ifthenelse{\boolean{x}}{A}{B}", "A"),
    (r"\newboolean{x}\ifthenelse{\NOT\boolean{x}}{A}{B}", "A"),
    (r"\newtoggle{x}\toggletrue{x}\providetoggle{x}\iftoggle{x}{A}{B}", "A"),
    (r"\iftoggle{x}{A}{B}", r"\iftoggle{x}{A}{B}"),
    (r"\newcommand\mode{long}\ifthenelse{\equal{\mode}{long}}{A}{B}", "A"),
    (r"\ifthenelse{\equal{\x}{long}}{A}{B}", r"\ifthenelse{\equal{\x}{long}}{A}{B}"),
    (r"\ifthenelse{\lengthtest{1pt<2pt}}{A}{B}", r"\ifthenelse{\lengthtest{1pt<2pt}}{A}{B}"),
    (r"\newcommand\a[1]{\ifstrequal{#1}{x}{A}{B}}\a{x}\a{y}", "AB"),
    (r"\newcommand\a[1]{\ifblank{#1}{A}{B}}\a{ }\a{y}", "AB"),
]
NAMES = [
    (r"\expandafter\def\csname foo\endcsname{X}\foo", "X"),
    (r"\expandafter\newcommand\csname foo\endcsname[1]{<#1>}\foo{x}", "<x>"),
    (r"\global\expandafter\def\csname foo\endcsname{X}\foo", "X"),
    (r"\expandafter\let\expandafter\b\csname alpha\endcsname $\b$", r"$\alpha$"),
    (
        r"\newcommand\make[1]{\expandafter\def\csname c#1\endcsname{\mathcal{#1}}}\make{A}$\cA$",
        r"$\mathcal{A}$",
    ),
    (LOOP + r"$\bbA\bbC$", r"$\mathbb{A}\mathbb{C}$"),
    (r"\def\foo{X}\csname foo\endcsname", "X"),
    (r"\csname alpha\endcsname", r"\alpha"),
    (r"\csname no:thing\endcsname", r"\csname no:thing\endcsname"),
    (IN_STYLE.format(r"\@namedef{foo}{X}") + r"\foo", "X"),
    (IN_STYLE.format(r"\@namedef{foo}#1{<#1>}\def\b{\@nameuse{foo}}") + r"\b x", "<x>"),
    (IN_STYLE.format(r"\newcommand\a{\my@x}\newcommand\my@x{X}") + r"\a", "X"),
    (IN_STYLE.format(r"\newcommand\a{\latex@x}") + r"\a", r"\a"),
]
NEXT_TOKEN = [
    (IN_STYLE.format(ONE_DOT) + r"as \eg this", r"as \emph{e.g}. this"),
    (IN_STYLE.format(ONE_DOT) + r"Smith \etal. And", r"Smith \emph{et al}. And"),
    (IN_STYLE.format(ONE_DOT) + r"(\eg, this)", r"(\emph{e.g}., this)"),
    (
        IN_STYLE.format(r"\def\a{\@ifnextchar[{\a@o}{\a@m}}\def\a@o[#1]#2{<#1|#2>}\def\a@m#1{<#1>}")
        + r"\a[x]{y}\a{z}",
        "<x|y><z>",
    ),
    (
        IN_STYLE.format(r"\def\a{\@ifstar\@b\@c}\def\@b#1{S#1}\def\@c#1{N#1}") + r"\a*{x}\a{x}",
        "SxNx",
    ),
    (IN_STYLE.format(r"\def\a{X\@ifnextchar.{}{.}}") + r"\a. \a{} y", "X. X. y"),
]
SIGNATURES = [
    (r"\newcommandx{\a}[2][1=q]{<#1#2>}\a{x}\a[1]{x}", "<qx><1x>"),
    (r"\newcommandx\a[3][1=p,3=q]{<#1#2#3>}\a{x}\a[1]{x}[2]", "<pxq><1x2>"),
    (r"\DeclareDocumentCommand\a{m}{<#1>}\a{x}", "<x>"),
    (r"\NewExpandableDocumentCommand\a{m}{<#1>}\a{x}", "<x>"),
    (r"\NewDocumentCommand\a{+m}{<#1>}\a{x}", "<x>"),
    (r"\NewDocumentCommand\a{s m}{\IfBooleanTF{#1}{S}{N}#2}\a{x}\a*{x}", "NxSx"),
    (r"\NewDocumentCommand\a{o m}{\IfValueTF{#1}{#1-}{}#2}\a{x}\a[y]{x}", "xy-x"),
    (r"\NewDocumentCommand\a{o m}{\IfNoValueT{#1}{no}#2}\a{x}\a[y]{x}", "noxx"),
    (r"\NewDocumentCommand\a{m O{d} m}{#1#2#3}\a{x}{y}\a{x}[e]{y}", "xdyxey"),
    (r"\NewDocumentCommand\a{m t+ m}{#1\IfBooleanT{#2}{p}#3}\a{x}{y}\a{x}+{y}", "xyxpy"),
    (r"\NewDocumentCommand\a{d<> m}{\IfValueT{#1}{#1-}#2}\a{x}\a<y>{x}", "xy-x"),
    (r"\NewDocumentCommand\a{D(){d} m}{#1#2}\a{x}\a(y){x}", "dxyx"),
    (r"\NewDocumentCommand\a{r() m}{<#1#2>}\a(y){x}", "<yx>"),
    (r"\NewDocumentCommand\a{m g}{#1\IfValueT{#2}{-#2}}\a{x}.\a{x}{y}", "x.x-y"),
    (r"\NewDocumentCommand\a{m G{d}}{#1#2}\a{x}.\a{x}{y}", "xd.xy"),
    (r"\NewDocumentCommand\a{e{_^} m}{#2}\a{x}", r"\a{x}"),
    (r"\newcommand{\a}{\begingroup\bf X\endgroup}\a", r"\begingroup\bf X\endgroup"),
    (r"\def\part{\partial}$\part f$", r"$\partial f$"),
    (r"\excludecomment{note}a\begin{note}b % \end{note}" + "\n" + r"c\end{note}d", "ad"),
]
ENDLESS = [
    (r"\def\x{\futurelet\y\x}\x a", r"\x a"),
    (r"\def\a{\expandafter\a\a}\a b", r"\a b"),
    (r"\def\a{\csname a\endcsname}\a b", r"\a b"),
    (r"\def\x{\def\y{\ifx\q\w a\fi}\y}\x\x", r"\y\y"),
]
CASES = CONDITIONALS + NAMES + NEXT_TOKEN + SIGNATURES + ENDLESS


@pytest.mark.parametrize(("source", "expected"), CASES, ids=[source for source, _ in CASES])
def test_program(source: str, expected: str) -> None:
    text = expand(source).replace("\\makeatletter", "").replace("\\makeatother", "").strip()
    assert text == expected
