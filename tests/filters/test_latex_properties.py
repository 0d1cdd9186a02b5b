"""What must hold for every text: no macros, no change; and an end, whatever is defined."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st
from latex_run import expand

from filters.latex.expander import ExpansionLimitError

NAMES = st.sampled_from(
    [
        r"\alpha",
        r"\frac",
        r"\item",
        r"\\",
        r"\%",
        r"\{",
        r"\verb|%|",
        r"\[",
        r"~",
        r"\ref",
        r"\textbf",
        r"\begin{align}",
        r"\end{align}",
        r"\url{a%b}",
        r"\iff",
        r"\expandafter",
        r"\csname",
        r"\@",
        r"\hypertarget",
        r"\begin{verbatim}%\end{verbatim}",
    ]
)
# Without what a macro would run, or drop.
COMMANDS = NAMES.filter(lambda name: name not in (r"\expandafter", r"\csname", r"\@"))
WORDS = st.sampled_from(["a", "B c", "x\ny", " ", "\n", "1.5", "&", "#1", "é", "[", "]", "$", "*"])
GROUPS = st.recursive(
    st.lists(NAMES | WORDS).map("".join), lambda inner: inner.map(lambda text: "{" + text + "}")
)


def tidied(text: str) -> str:
    """A text without trailing white space and rows of blank lines."""
    lines = [line.rstrip(" ") for line in text.split("\n")]
    expected = "\n".join(lines)
    while "\n\n\n" in expected:
        expected = expected.replace("\n\n\n", "\n\n")
    return expected.strip()


@settings(max_examples=300)
@given(st.lists(NAMES | WORDS | GROUPS).map(" ".join))
def test_text_without_macros_stays(text: str) -> None:
    """Nothing but trailing white space and rows of blank lines may change."""
    assert expand(text) == tidied(text)


@settings(max_examples=200)
@given(st.lists(NAMES | WORDS | GROUPS).map(" ".join))
def test_unused_macros_change_nothing(text: str) -> None:
    assert expand("\\newcommand{\\zz}[2][d]{#1#2}\\def\\zzz#1.{#1}\n" + text) == tidied(text)


@settings(max_examples=200)
@given(st.lists(COMMANDS | WORDS, max_size=8).map(" ".join))
def test_expansion_is_the_body_with_its_argument(text: str) -> None:
    """An argument comes out as it is, once per parameter."""
    assert expand("\\newcommand{\\zz}[1]{<#1|#1>}\\zz{" + text + "}") == tidied(f"<{text}|{text}>")


@settings(max_examples=300)
@given(st.text("\\{}[]#%ab1 \n$", max_size=60))
def test_any_text_ends(text: str) -> None:
    prefix = "\\def\\a#1{<#1>}\\newcommand{\\b}[2][x]{\\a{#1}#2}\\let\\c\\a"
    expand(prefix + text)


DEFINING = st.sampled_from(
    [
        r"\def",
        r"\newcommand",
        r"\let",
        r"\ifx",
        r"\if",
        r"\ifnum",
        r"\else",
        r"\fi",
        r"\csname",
        r"\endcsname",
        r"\expandafter",
        r"\futurelet",
        r"\a",
        r"\b",
        r"\iftrue",
        r"\newif",
        r"\ifthenelse",
        r"\equal",
        r"\@ifstar",
        r"\@ifnextchar",
        r"\edef",
        r"{",
        r"}",
        r"{",
        r"}",
        r"[",
        r"]",
        r"#1",
        r"##",
        r"*",
        r"=",
        r"1",
        r"x",
    ]
)


@settings(max_examples=500)
@given(st.lists(DEFINING, max_size=60).map("".join))
def test_any_program_ends(text: str) -> None:
    """Within the limits, or with the error that says that they are reached."""
    with suppress(ExpansionLimitError):
        assert len(expand("\\makeatletter" + text)) < 30_000_000
