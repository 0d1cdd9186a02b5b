"""Formulas of a page as LaTeX between dollars, once each, however the page draws them.

MathML with an annotation or `alttext`, MathML without (written here from its elements), KaTeX,
MathJax 2 and 3, Wikipedia's hidden `<math>` beside an image, and images whose `alt` is LaTeX.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from filters.web.mathml import mathml_latex

_MATH: Any = etree.XPath("//math|//*[local-name()='math' and not(self::math)]")
_SCRIPTS: Any = etree.XPath("//script[starts-with(@type, 'math/')]")
# What a library drew of a formula whose source stands elsewhere in the page.
_DRAWN: Any = etree.XPath(
    "//*[contains(@class, 'katex-html') or contains(@class, 'MathJax') or "
    "contains(@class, 'mwe-math-fallback-image') or contains(@class, 'MJX_Assistive_MathML')]"
)
_WITH_SOURCE: Any = etree.XPath(
    "//*[contains(concat(' ', @class, ' '), ' katex ') or self::mjx-container or "
    "contains(@class, 'mwe-math-element')][.//*[local-name()='math']]"
)
_IMAGES: Any = etree.XPath("//img[@alt][contains(@alt, '\\') or contains(@class, 'tex')]")
_ANNOTATION: Any = etree.XPath(
    "string(.//*[local-name()='annotation'][contains(@encoding, 'tex') or "
    "contains(@encoding, 'TeX')][1])"
)
_STYLE = re.compile(r"\{\\(?:display|text)style\s*(.*)\}", re.DOTALL)
_LATEX = re.compile(r"\\[a-zA-Z]{2,}|[_^]\{|\\[,;!]")
_HINT = re.compile(r"\b(?:tex|latex|math|mathjax|equation|formula)\b", re.IGNORECASE)

# Any of them stands in a page with formulas; substrings are found ten times as fast as patterns.
_TRACES = (
    "<math",
    ":math",
    "katex",
    "MathJax",
    "mjx-",
    "math/",
    '="\\',
    "alt='\\",
    "{\\",
    "\\frac",
)


def may_have_formulas(html: str) -> bool:
    """Whether anything in a page's HTML looks like the markup of a formula; cheap."""
    return any(trace in html for trace in _TRACES)


def write_formulas(tree: Any) -> None:
    """Put the LaTeX of every formula where a reader sees the formula, in place."""
    for element in _WITH_SOURCE(tree):
        math = next(element.iter("{*}math"))
        _replace(element, _dollars(_source(math), is_display=_is_display(element, math)))
    for script in _SCRIPTS(tree):
        is_display = "display" in script.get("type", "")
        _replace(script, _dollars(script.text or "", is_display=is_display))
    for math in _MATH(tree):
        _replace(math, _dollars(_source(math), is_display=math.get("display") == "block"))
    for element in _DRAWN(tree):
        _replace(element, "")
    for image in _IMAGES(tree):
        alt = image.get("alt")
        hinted = _HINT.search(f"{image.get('class', '')} {image.get('src', '')}")
        if _LATEX.search(alt) and (hinted or "\\" in alt) and len(alt) < 5000:
            _replace(image, _dollars(alt, is_display=False))


def _is_display(element: Any, math: Any) -> bool:
    parent = element.getparent()
    around = element.get("class", "") + (parent.get("class", "") if parent is not None else "")
    return math.get("display") == "block" or "display" in around


def _replace(element: Any, text: str) -> None:
    """Leave a `<span>` with the text in an element's place."""
    if element.getparent() is None:
        return
    tail = element.tail
    element.clear()
    element.tag, element.text, element.tail = "span", text or None, tail


def _dollars(latex: str, *, is_display: bool) -> str:
    latex = " ".join(latex.split()).strip("$ ")
    # Authors' delimiters, and what MediaWiki puts around every formula.
    for opening, closing in ((r"\(", r"\)"), (r"\[", r"\]")):
        if latex.startswith(opening) and latex.endswith(closing):
            latex = latex[2:-2].strip()
    styled = _STYLE.fullmatch(latex)
    latex = styled[1].strip() if styled else latex
    mark = "$$" if is_display else "$"
    return f"{mark}{latex}{mark}" if latex else ""


def _source(math: Any) -> str:
    """The author's LaTeX of a `<math>`, or what its elements say."""
    annotated: str = _ANNOTATION(math).strip() or math.get("alttext", "").strip()
    return annotated or mathml_latex(math)
