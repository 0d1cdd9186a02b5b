"""Presentation MathML as LaTeX, for formulas of which a page holds nothing else.

Elements of MathML Core become the commands that an author would write; one that is not known gives
what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lxml import etree

_OPERATORS = {
    "∑": r"\sum", "∏": r"\prod", "∫": r"\int", "∞": r"\infty", "≤": r"\leq", "≥": r"\geq",
    "≠": r"\neq", "≈": r"\approx", "≡": r"\equiv", "±": r"\pm", "×": r"\times", "⋅": r"\cdot",
    "·": r"\cdot", "÷": r"\div", "∈": r"\in", "∉": r"\notin", "⊂": r"\subset", "⊆": r"\subseteq",
    "∪": r"\cup", "∩": r"\cap", "→": r"\to", "←": r"\leftarrow", "⇒": r"\Rightarrow",
    "⇔": r"\Leftrightarrow", "∂": r"\partial", "∇": r"\nabla", "∀": r"\forall", "∃": r"\exists",
    "∧": r"\wedge", "∨": r"\vee", "¬": r"\neg", "…": r"\ldots", "⋯": r"\cdots", "∘": r"\circ",
    "√": r"\surd", "∝": r"\propto", "∼": r"\sim", "−": "-", "′": "'", "{": r"\{", "}": r"\}",
    "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "\u2061": "", "\u2062": "", "\u2063": ",",
    "⟨": r"\langle", "⟩": r"\rangle", "‖": r"\|",
}  # fmt: skip
_LETTERS = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon",
    "ζ": r"\zeta", "η": r"\eta", "θ": r"\theta", "ι": r"\iota", "κ": r"\kappa", "λ": r"\lambda",
    "μ": r"\mu", "ν": r"\nu", "ξ": r"\xi", "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma",
    "τ": r"\tau", "υ": r"\upsilon", "φ": r"\varphi", "χ": r"\chi", "ψ": r"\psi", "ω": r"\omega",
    "Γ": r"\Gamma", "Δ": r"\Delta", "Θ": r"\Theta", "Λ": r"\Lambda", "Ξ": r"\Xi", "Π": r"\Pi",
    "Σ": r"\Sigma", "Υ": r"\Upsilon", "Φ": r"\Phi", "Ψ": r"\Psi", "Ω": r"\Omega",
    "ϵ": r"\epsilon", "ϕ": r"\phi",
}  # fmt: skip
_COMMANDS = _OPERATORS | _LETTERS
_ACCENTS = {
    "^": "hat", "ˆ": "hat", "¯": "bar", "‾": "overline", "→": "vec", "⃗": "vec", "~": "tilde",
    "˜": "tilde", "˙": "dot", "¨": "ddot", "⏞": "overbrace",
}  # fmt: skip
_FUNCTIONS = frozenset((
    "arccos", "arcsin", "arctan", "cos", "cosh", "cot", "csc", "deg", "det", "dim", "exp",
    "gcd", "inf", "ker", "lim", "ln", "log", "max", "min", "sec", "sin", "sinh", "sup", "tan",
    "tanh",
))  # fmt: skip


def mathml_latex(element: Any) -> str:
    """LaTeX of an element of presentation MathML."""
    name = etree.QName(element).localname if isinstance(element.tag, str) else ""
    if name in _UNREAD:
        return ""
    if name in _TOKENS:
        return _token(name, " ".join("".join(element.itertext()).split()))
    parts = [mathml_latex(child) for child in element]
    write = _WRITERS.get((name, len(parts))) or _WRITERS.get((name, -1))
    return write(parts, element) if write else _joined(parts)


def _token(name: str, text: str) -> str:
    if name == "mtext":
        return rf"\text{{{text}}}" if text else ""
    if text in _FUNCTIONS:
        return f"\\{text}"
    if name == "mi" and len(text) > 1:
        return rf"\mathrm{{{text}}}"
    return _joined([_COMMANDS.get(character, character) for character in text])


def _over(parts: list[str], element: Any) -> str:
    mark = "".join(element[1].itertext()).strip()
    if mark in _ACCENTS:
        return rf"\{_ACCENTS[mark]}{{{parts[0]}}}"
    command = parts[0].startswith("\\")
    return f"{parts[0]}^{{{parts[1]}}}" if command else rf"\overset{{{parts[1]}}}{{{parts[0]}}}"


def _under(parts: list[str], _: Any) -> str:
    command = parts[0].startswith("\\")
    return f"{parts[0]}_{{{parts[1]}}}" if command else rf"\underset{{{parts[1]}}}{{{parts[0]}}}"


def _fenced(parts: list[str], element: Any) -> str:
    return element.get("open", "(") + ", ".join(parts) + element.get("close", ")")


def _table(parts: list[str], _: Any) -> str:
    rows = r" \\ ".join(parts)
    return rf"\begin{{matrix}} {rows} \end{{matrix}}"


def _joined(parts: list[str]) -> str:
    """Side by side; a command's name needs a blank in front of a letter."""
    joined = ""
    for part in filter(None, parts):
        glued = _COMMAND_END.search(joined) and part[0].isalpha()
        joined += (" " if glued else "") + part
    return joined


_UNREAD = frozenset(("", "annotation", "annotation-xml", "mphantom", "mprescripts", "none"))
_TOKENS = frozenset(("mi", "mo", "mn", "mtext", "ms"))
_COMMAND_END = re.compile(r"\\[a-zA-Z]+$")
# By an element's name and how many children it has; -1 for any number.
_WRITERS: dict[tuple[str, int], Callable[[list[str], Any], str]] = {
    ("mfrac", 2): lambda p, _: rf"\frac{{{p[0]}}}{{{p[1]}}}",
    ("msup", 2): lambda p, _: f"{p[0]}^{{{p[1]}}}",
    ("msub", 2): lambda p, _: f"{p[0]}_{{{p[1]}}}",
    ("msubsup", 3): lambda p, _: f"{p[0]}_{{{p[1]}}}^{{{p[2]}}}",
    ("munderover", 3): lambda p, _: f"{p[0]}_{{{p[1]}}}^{{{p[2]}}}",
    ("mroot", 2): lambda p, _: rf"\sqrt[{p[1]}]{{{p[0]}}}",
    ("mover", 2): _over,
    ("munder", 2): _under,
    ("msqrt", -1): lambda p, _: rf"\sqrt{{{_joined(p)}}}",
    ("mtr", -1): lambda p, _: " & ".join(p),
    ("mtable", -1): _table,
    ("mfenced", -1): _fenced,
}
