"""The HTML of posts as text: what must read well, what must be gone, what must end in time."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.stackexchange import post_text

CASES = {
    "paragraphs": ("<p>One.</p>\n\n<p>Two.</p>\n", "One.\n\nTwo."),
    "white space": ("<p>a\nb  c\t d&nbsp;e</p>", "a b c d e"),
    "inline tags": ("<p>a <em>b</em> <strong>c</strong><i>d</i></p>", "a b cd"),
    "upper case": ("<P>a <EM>b</EM></P><P>c</P>", "a b\n\nc"),
    "link": (
        '<p>see <a href="https://a.test/?x=1&amp;y=2" rel="nofollow">this</a>.</p>',
        "see this.",
    ),
    "greater in attribute": (
        '<p><a href="x" title="a > b">t</a> <img alt="p > q" src="y"></p>',
        "t p > q",
    ),
    "less in attribute": ('<p><a title="a < b" href="x">t</a> z</p>', "t z"),
    "image": ('<p><img src="https://i.test/x.png" alt="a graph"></p>', "a graph"),
    "image, editor's alt": ('<p>a <img src="x" alt="enter image description here"> b</p>', "a b"),
    "line break": ("<p>one<br>\ntwo<br/>three<br /></p>", "one\ntwo\nthree"),
    "line break beside a rare entity": ("<p>one<br>two &eacute;&nbsp;x</p>", "one\ntwo é x"),
    "entities once": (
        "<p>&amp;lt;b&amp;gt; &lt;b&gt; &#39;x&#39; &eacute; &amp;amp;</p>",
        "&lt;b&gt; <b> 'x' é &amp;",
    ),
    "literal less": ("<p>3 < 4, a <3 b</p>", "3 < 4, a <3 b"),
    "comment": ("<!-- language: lang-py -->\n<p>a<!-- <b>x</b> --> b</p>", "a b"),
    "comment unclosed": ("<p>a</p><!-- <p>b</p>", "a"),
    "inline code": (
        "<p>use <code>List&lt;T&gt;</code>, <code>a  b</code></p>",
        "use `List<T>`, `a b`",
    ),
    "code with backtick": ("<p><code>a`b</code> <code>&#96;</code></p>", "`` a`b `` `` ` ``"),
    "code first": ("<p><code>x</code></p><ul><li><code>y</code></li></ul>", "`x`\n\n- `y`"),
    "code block": (
        '<pre class="lang-py prettyprint-override"><code>'
        'if a &lt; b:\n    print("&lt;p&gt;")\n\n\tc \n</code></pre>',
        '```\nif a < b:\n    print("<p>")\n\n\tc \n```',
    ),
    "code block with fence": ("<pre><code>```\nx\n```\n</code></pre>", "````\n```\nx\n```\n````"),
    "pre with markup": ("<pre>a <b>b</b>\n <p>c</p><li>d</li>\n</pre>", "```\na b\n  c  d \n```"),
    "pre unclosed": ("<pre><code>x = 1\n  y", "```\nx = 1\n  y\n```"),
    "list": ("<ul>\n<li>a</li>\n<li>b\nc</li>\n</ul>\n<p>d</p>", "- a\n- b c\n\nd"),
    "numbers": ('<ol start="9"><li>a</li><li>b</li></ol>', "9. a\n10. b"),
    "nested": (
        "<ul><li>a<ol><li>x</li><li>y</li></ol></li><li>b</li></ul>",
        "- a\n  1. x\n  2. y\n- b",
    ),
    "loose list": (
        "<ol><li><p>a</p><p>b</p></li><li><p>c</p></li><li><p>d</p></li></ol>",
        "1. a\n\n   b\n\n2. c\n3. d",
    ),
    "code in item": (
        "<ol><li><p>a</p><pre><code>x\n\ny\n</code></pre></li><li>b</li></ol>",
        "1. a\n\n   ```\n   x\n\n   y\n   ```\n\n2. b",
    ),
    "items never closed": ("<ul><li>a<li>b</ul>c", "- a\n- b\n\nc"),
    "quote": (
        "<blockquote>\n<p>a</p>\n<p>b<br>c</p>\n</blockquote>\n<p>d</p>",
        "> a\n>\n> b\n> c\n\nd",
    ),
    "two quotes": ("<blockquote>a</blockquote><blockquote>b</blockquote>", "> a\n\n> b"),
    "quote in item": ("<ul><li>a<blockquote><p>q</p></blockquote></li></ul>", "- a\n\n  > q"),
    "table": (
        '<table><thead><tr><th>A</th><th style="x">B</th></tr></thead><tbody>\n'
        "<tr>\n<td>1</td>\n<td><code>2</code></td>\n</tr></tbody></table><p>z</p>",
        "A | B\n1 | `2`\n\nz",
    ),
    "rule and heading": ("<h2>T</h2><hr><p>a</p>", "T\n\n---\n\na"),
    "powers": ("<p>10<sup>6</sup> m<sup>-2</sup> H<sub>2</sub>O</p>", "10⁶ m⁻² H₂O"),
    "exponents": ("<p>x<sup>n</sup> a<sub>i+1</sub> 1<sup>st</sup></p>", "x^n a_(i+1) 1st"),
    "exponents in exponents": (
        "<p>e<sup>x<sup>2</sup></sup> a<sup>b<sup>c</sup></sup> 2<sup>n<sub>i+1</sub></sup></p>",
        "e^(x²) a^(b^c) 2^(n_(i+1))",
    ),
    "functions in exponents": (
        "<p>n<sup>log n</sup>, see<sup>note b</sup></p>",
        "n^(log n), seenote b",
    ),
    "small print": (
        "<p>a<sup>[1]</sup></p><p><sub>This is small print.</sub></p>",
        "a[1]\n\nThis is small print.",
    ),
    "maths": ("<p>for $a &lt; b$ and  $x\n  y$</p>", "for $a < b$ and $x\n  y$"),
    "display maths": (
        "<p>so\n$$\\begin{align}\n a &amp;= b \\\\\n\n c\n\\end{align}$$\nthen\nmore</p>",
        "so\n$$\\begin{align}\n a &= b \\\\\n c\n\\end{align}$$\nthen more",
    ),
    "environment": (
        "<p>\\begin{eqnarray*}\nx\n\\end{eqnarray*}\nso\nit</p>",
        "\\begin{eqnarray*}\nx\n\\end{eqnarray*}\nso it",
    ),
    "one dollar": (
        "<p>costs $5\nnow, and\nthen $$x\ny$$\nz</p>",
        "costs $5 now, and then $$x\ny$$\nz",
    ),
    "escaped dollar": ("<p>\\$5\nand $a\nb$</p>", "\\$5 and $a\nb$"),
    "definition list": ("<dl><dt>a</dt><dd>b</dd></dl>", "a\nb"),
    "spoiler, key, struck": (
        '<blockquote class="spoiler"><p>a <kbd>Ctrl</kbd> <s>b</s></p></blockquote>',
        "> a Ctrl b",
    ),
    "unknown element": ("<p><foo bar=1>a</foo> <custom-x>b</custom-x></p>", "a b"),
    "broken tag": ('<p>a <a href="x>b</a> c</p> d', "a b c\n\nd"),
    "tag never ends": ("<p>a</p><a href=x", "a"),
    "empty": ("<p></p>\n<ul><li></li></ul> ", ""),
}


@pytest.mark.parametrize(("source", "expected"), CASES.values(), ids=CASES.keys())
def test_reads_as_it_should(source: str, expected: str) -> None:
    assert post_text(source) == expected


TAGS = [
    "p",
    "a",
    "em",
    "strong",
    "code",
    "pre",
    "ul",
    "ol",
    "li",
    "blockquote",
    "br",
    "hr",
    "h1",
    "table",
    "tr",
    "td",
    "sup",
    "sub",
    "img",
    "div",
    "kbd",
    "b",
]
PIECES = st.one_of(
    st.sampled_from([f"<{tag}>" for tag in TAGS] + [f"</{tag}>" for tag in TAGS]),
    st.sampled_from(['<a href="x">', "<img alt='y' src=z>", "<!--", "-->", "&lt;", "&amp;", "\n"]),
    st.text(st.characters(exclude_characters="<>", exclude_categories=("Cs",)), max_size=8),
    st.sampled_from(["<", ">", '"', "'", "$", "$$", "`", "\\begin{a}", "\\end{a}", "<a '", "</"]),
)
TAG = re.compile(rf"</?(?:{'|'.join(TAGS)})(?:\s[^<>]*)?/?>", re.IGNORECASE)


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_pieces_become_text_without_tags(source: str) -> None:
    text = post_text(source)
    assert text == text.strip("\n")
    assert "\0" not in text
    text.encode()
    if "&lt;" not in source and "&amp;" not in source:
        assert not TAG.search(text)


@given(st.lists(st.text("abc xyz,.", min_size=1).filter(str.strip), min_size=1, max_size=5))
def test_prose_stays_whole(paragraphs: list[str]) -> None:
    source = "\n\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    assert post_text(source).split() == " ".join(paragraphs).split()


@pytest.mark.parametrize(
    "unit",
    [
        "<blockquote>",
        "<ul><li>",
        "<ul><li>a",
        "</ul>",
        "<li>",
        "<sup>",
        "<sup>a</sup>",
        "x<sup>",
        "<code>",
        "<code>a",
        "<pre>",
        '<a "',
        "<a '\"",
        '<a title="<p>',
        "<!--",
        "<",
        "<p",
        "\\begin{a}\n",
        "$$\n$",
        "<br>",
        "  \n",
        "<table><tr><td>",
        "&amp",
        "`",
        "<p>a</p><li>b</li>",
    ],
)
def test_hostile_repetition_takes_linear_time(unit: str) -> None:
    def seconds(count: int) -> float:
        source = unit * count + "</ul></li></sup>" * count
        started = time.process_time()
        post_text(source)
        return time.process_time() - started

    assert seconds(20_000) < 1.5
