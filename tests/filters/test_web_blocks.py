"""Blocks of a page: what a browser shows, line by line, with what each line is."""

from __future__ import annotations

import pytest

from filters.web.blocks import BlockReader
from filters.web.parsing import keep_seen, parse
from filters.web.writing import Markup, write


def written(body: str, markup: Markup = "plain") -> tuple[str, str]:
    html = f"<html><head><title>t</title></head><body>{body}</body></html>"
    tree = parse(html)
    keep_seen(tree, html)
    return write(BlockReader(markdown=markup == "markdown").read(tree), markup)


PLAIN = {
    "source line breaks": (
        "<p>Use <code>a()</code> for\n   it,\n and\tmore.</p>",
        "Use a() for it, and more.",
        "p",
    ),
    "text in div": (
        "<div>One\nline<blockquote>two\n  lines</blockquote>three</div>",
        "One line\ntwo lines\nthree",
        "ppp",
    ),
    "words in elements": ("<p>un<b>believ</b>able <i>so</i>so</p>", "unbelievable soso", "p"),
    "links side by side": ("<p><a>One</a><a>Two</a> <a>x</a>yz</p>", "One Two xyz", "p"),
    "headings": ("<h1>A</h1><h3>B <em>c</em></h3><p>d</p>", "A\nB c\nd", "hhp"),
    "list": ("<ul><li>a<li>b<ol><li>c<li>d</ol></ul>", "- a\n- b\n  1. c\n  2. d", "iiii"),
    "numbers": ("<ol start=4><li>a<li value=9>b<li>c</ol>", "4. a\n9. b\n10. c", "iii"),
    "item of two paragraphs": ("<ul><li><p>a</p><p>b</p><li>c</ul>", "- a\n  b\n- c", "iii"),
    "definitions": ("<dl><dt>Term</dt><dd>What it is.</dd></dl>", "Term\n: What it is.", "ii"),
    "table": ("<table><tr><th>a<th>b<tr><td>1<td><tr><td><td>4</table>", "a | b\n1 |\n| 4", "rrr"),
    "spans": (
        "<table><tr><td rowspan=2>a<td>b<tr><td>c<tr><td colspan=2>d</table>",
        "a | b\n| c\nd |",
        "rrr",
    ),
    "list in a cell": (
        "<table><tr><th>n<th>m<tr><td>x<td><ul><li>a<ul><li>b</ul></ul></table>",
        "n | m\nx | - a   - b",
        "rr",
    ),
    "caption": (
        "<table><caption>Of wool</caption><tr><td>1<td>2<tr><td>3<td>4</table>",
        "Of wool\n1 | 2\n3 | 4",
        "prr",
    ),
    "layout table": ("<table><tr><td><p>a</p><td><h2>b</h2><p>c</p></table>", "a\nb\nc", "php"),
    "figure": (
        "<figure><img alt=x><figcaption>Sheep in May</figcaption></figure>",
        "Sheep in May",
        "p",
    ),
    "verse": (
        "<p>I've been a rover<br>for many a year<br>\n<br>And now</p>",
        "I've been a rover\nfor many a year\nAnd now",
        "vvp",
    ),
    "code": ("<pre>\nif x:\n    y()\n\n  z</pre>", "if x:\n    y()\n\n  z", "cccc"),
    "code in lines": ("<pre><div>a</div><div> b</div><span>c</span></pre>", "a\n b\nc", "ccc"),
    "line numbers": (
        "<pre><span class=lineno>1 </span>a\n<span class=lineno>2 </span>b</pre>",
        "a\nb",
        "cc",
    ),
    "quotation inline": ("<p>He said <q>no</q> to it.</p>", "He said “no” to it.", "p"),
    "changes": ("<p>It is <del>old</del><ins>new</ins>.</p>", "It is old new.", "p"),
    "exponents": (
        "<p>x<sup>2</sup>, H<sub>2</sub>O, a<sup>n+1</sup>, 1<sup>st</sup></p>",
        "x², H₂O, a^(n+1), 1st",
        "p",
    ),
    "ruby": ("<p><ruby>漢<rt>かん</rt></ruby></p>", "漢(かん)", "p"),
    "joiners": (
        "<p>می\u200cخواهم 👨\u200d👩\u200d👧 soft\u00adly</p>",
        "می\u200cخواهم 👨\u200d👩\u200d👧 softly",
        "p",
    ),
    "hidden": (
        "<p>a</p><p hidden>b</p><div style='display: none'>c</div><template><p>d</p></template>"
        "<p style='visibility:hidden'>e</p><script>f</script><p>seen by all readers</p>",
        "a\nseen by all readers",
        "pp",
    ),
    "without scripts": (
        "<div>Home</div><noscript><p>All that a crawler sees of it.</p></noscript>",
        "Home\nAll that a crawler sees of it.",
        "pp",
    ),
    "buttons": (
        "<button>Copy</button><h3><button>What is it?</button></h3><p>Wool</p>",
        "What is it?\nWool",
        "hp",
    ),
}


@pytest.mark.parametrize("case", PLAIN)
def test_plain(case: str):
    body, text, kinds = PLAIN[case]
    assert written(body) == (text, kinds)


MARKDOWN = {
    "headings": ("<h2>A</h2><p>b</p>", "## A\n\nb", "h-p"),
    "code": ("<pre><code class=language-python>x = 1</code></pre>", "```python\nx = 1\n```", "ccc"),
    "highlighter": (
        "<div class=highlight-source-c><pre>int i;</pre></div>",
        "```c\nint i;\n```",
        "ccc",
    ),
    "inline code": ("<p>Call <code>f()</code> now</p>", "Call `f()` now", "p"),
    "tight list": ("<p>x</p><ul><li>a<li>b</ul><p>y</p>", "x\n\n- a\n- b\n\ny", "p-ii-p"),
    "table": (
        "<table><tr><th>a<th>b<tr><td>1|2<td></table>",
        "| a | b |\n| --- | --- |\n| 1\\|2 |  |",
        "rrr",
    ),
    "quotation": ("<blockquote><p>a</p><p>b</p></blockquote>", "> a\n>\n> b", "p-p"),
    "verse": ("<p>one line<br>and two</p>", "one line\\\nand two", "vv"),
}


@pytest.mark.parametrize("case", MARKDOWN)
def test_markdown(case: str):
    body, text, kinds = MARKDOWN[case]
    assert written(body, "markdown") == (text, kinds)


FORMULAS = {
    "annotation": (
        "<math alttext='y'><semantics><mi>E</mi><annotation encoding='application/x-tex'>"
        "{\\displaystyle E_{n}}</annotation></semantics></math>",
        "$E_{n}$",
    ),
    "alttext": ("<math alttext='\\alpha'><mi>α</mi></math>", "$\\alpha$"),
    "elements": (
        "<math><mrow><msup><mi>x</mi><mn>2</mn></msup><mo>+</mo><mfrac><mn>1</mn><mi>β</mi>"
        "</mfrac><mo>≤</mo><msqrt><mi>y</mi></msqrt></mrow></math>",
        "$x^{2}+\\frac{1}{\\beta}\\leq\\sqrt{y}$",
    ),
    "sum": (
        "<math display=block><munderover><mo>∑</mo><mi>i</mi><mi>n</mi></munderover></math>",
        "$$\\sum_{i}^{n}$$",
    ),
    "Wikipedia": (
        "<span class='mwe-math-element'><span style='display: none'><math><semantics><mi>E</mi>"
        "<annotation encoding='application/x-tex'>E_n</annotation></semantics></math></span>"
        "<img class='mwe-math-fallback-image-inline' alt='E_n'></span>",
        "$E_n$",
    ),
    "KaTeX": (
        "<span class='katex'><span class='katex-mathml'><math><semantics><mi>E</mi><annotation "
        "encoding='application/x-tex'>E=mc^2</annotation></semantics></math></span>"
        "<span class='katex-html' aria-hidden='true'>E=mc2</span></span>",
        "$E=mc^2$",
    ),
    "MathJax 2": (
        "<span class='MathJax_Preview'>x2</span><span class='MathJax'>x2</span>"
        "<script type='math/tex'>x^2</script>",
        "$x^2$",
    ),
    "MathJax 3": (
        "<mjx-container><mjx-math>x2</mjx-math><mjx-assistive-mml><math><msup><mi>x</mi><mn>2</mn>"
        "</msup></math></mjx-assistive-mml></mjx-container>",
        "$x^{2}$",
    ),
    "image": ("<img src='eq.png' class='tex' alt='\\sqrt{3}'>", "$\\sqrt{3}$"),
    "no formula": ("<img alt='C:\\pictures of sheep'>", ""),
}


@pytest.mark.parametrize("case", FORMULAS)
def test_formulas_are_latex_once(case: str):
    markup, latex = FORMULAS[case]
    text, _ = written(f"<p>So {markup} is it.</p>")
    assert text == f"So {latex} is it.".replace("  ", " ")
