"""Wikitext to text: what is kept, what goes, and that nothing hurts."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.document import Document, Rejected
from filters.wikitext import CleanPage, WikitextCleaner, WikitextSettings, clean_wikitext
from filters.wikitext.names import SectionKind

FORBIDDEN = ("{{", "[[", "<ref", "{|")
DROPPED: tuple[SectionKind, ...] = ("references", "external_links", "see_also")


def clean(wikitext: str, language: str = "en") -> str:
    return page(wikitext, language).text


def page(wikitext: str, language: str = "en") -> CleanPage:
    return clean_wikitext(wikitext, language=language, title="A title", dropped_sections=DROPPED)


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("A [[link]], a [[target|label]] and [[foot]]s.", "A link, a label and foots."),
        ("[[2001: A Space Odyssey|the film]] ran", "the film ran"),
        ("see [[:Category:Ships|the ships]]", "see the ships"),
        ("a [[wikt:word]]", "a word"),
        ("before [[File:x.jpg|thumb|a [[caption]] here]] after", "before after"),
        ("eins [[Datei:x.jpg|mini]] zwei", "eins zwei"),
        ("text\n[[Kategorie:Stadt]]\n[[fr:Ville]]\n[[zh-min-nan:X]]", "text"),
        ("a [http://x.org label] and [http://x.org] b", "a label and b"),
        ("one<ref>note</ref> two<ref name=a /> three<!-- no -->.", "one two three."),
        ("kept <ref name=open> prose <ref>x</ref> stays", "kept prose stays"),
        ("a {{cite|x={{y}}}} b", "a b"),
        ("a {{{parameter|default}}} b", "a b"),
        ("text\n{| class=x\n| cell\n{|\n| inner\n|}\n|}\nmore", "text\n\nmore"),
        ("text\n<table><tr><td>cell</td></tr></table>\nmore", "text\n\nmore"),
        ("'''bold''' and ''italic'' and '''''both'''''", "bold and italic and both"),
        ("l'''homme'' et '''Berlín''' (''Berlin'')", "l'homme et Berlín (Berlin)"),
        ("* one\n** two\n# three\n: four\n; five", "one\ntwo\nthree\nfour\nfive"),
        ("__NOTOC__text __KEIN_INHALTSVERZEICHNIS__", "text"),
        ("x<br />y", "x\ny"),
        ("H<sub>2</sub>O, 10<sup>6</sup>, 1<sup>er</sup>", "H₂O, 10⁶, 1er"),
        ("AT&amp;T&nbsp;x ?a=1&copy=2", "AT&T x ?a=1&copy=2"),
        ('<span style="display:none">0012</span>12', "12"),
        ("<gallery>\nFile:x.jpg|caption\n</gallery>text", "text"),
        ("-{sr-ec: реч; sr-el: reč}- и -{URL}-", "реч и URL"),
    ],
)
def test_markup_goes_and_prose_stays(wikitext: str, expected: str) -> None:
    assert clean(wikitext) == expected


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        (
            "is {{convert|5|to|8|km2|sqmi}} big",
            "is 5 to 8 square kilometres (1.9 to 3.1 sq mi) big",
        ),
        ("the {{lang|fr|mot ''juste''}} is", "the mot juste is"),
        ("({{lang-ru|слово}})", "(Russian: слово)"),
        ("{{nowrap|a {{nobr|[[b|c]]}} d}}", "a c d"),
        ("{{As of|2014|5|lc=y}}, x", "as of May 2014, x"),
        ("{{formatnum:1234}} people", "1,234 people"),
        ("{{chem|H|2|O}}", "H₂O"),
        ("x{{snd}}y", "x – y"),
        ("{{nihongo|Manga|漫画|manga}}", "Manga (漫画, manga)"),
        ("'''{{PAGENAME}}''' is", "A title is"),
    ],
)
def test_templates_that_carry_text(wikitext: str, expected: str) -> None:
    assert clean(wikitext) == expected


def test_a_template_may_mean_something_else_on_another_wiki() -> None:
    assert clean("au {{s|XX}}.", "fr") == "au XXe siècle."
    assert clean("uno {{S|chimica}} stub", "it") == "uno stub"


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("Rome ({{x}}) is", "Rome is"),
        ("Rome ({{x}}; {{y}}) is", "Rome is"),
        ("Rome ({{x}}; born 1900) is", "Rome (born 1900) is"),
        ("Rome (Latin: {{x}}, city) is", "Rome (Latin, city) is"),
        ("Rome (city, {{x}}) is", "Rome (city) is"),
        ("a, {{x}}, b", "a, b"),
        ("end {{x}}.", "end."),
        ("end <ref>x</ref>.", "end."),
        ("{{x}}, begins", "begins"),
        ("call f() there", "call f() there"),
        ("a ( ; ) b", "a b"),
    ],
)
def test_punctuation_is_mended_where_something_stood(wikitext: str, expected: str) -> None:
    assert clean(wikitext) == expected


def test_literal_parts_are_kept_as_they_are() -> None:
    assert clean("<math>x^{2}_{n}\n+ 1</math>") == "$x^{2}_{n} + 1$"
    assert clean("<nowiki>''a''</nowiki> &amp; <code>if (a  <  b)</code>") == (
        "''a'' & if (a  <  b)"
    )
    code = "<syntaxhighlight lang=c>\nint f() {\n    return 0;\n}\n</syntaxhighlight>"
    assert clean(f"Before\n{code}\nAfter") == "Before\n\nint f() {\n    return 0;\n}\n\nAfter"
    assert clean("<code>[[link|shown]]</code>") == "shown"


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("<nowiki>{{x}} [[y]]</nowiki>", "{{x}} [[y]]"),
        ("<math>\\frac{{a}}</math>", "$\\frac{{a}}$"),
        ("&#91;&#91;a &lt;ref&gt;", "[[a <ref>"),
        ("<code>[[NSObject alloc] init]</code>", "[[NSObject alloc] init]"),
        ("<code>{{ y }}</code>", ""),
        ("<code><nowiki>{{ y }}</nowiki></code>", "{{ y }}"),
        (
            "<syntaxhighlight lang=bash>\nif [[ -f x ]]; then echo ok; fi\n</syntaxhighlight>",
            "if [[ -f x ]]; then echo ok; fi",
        ),
        ("an XML element <reference> of it", "an XML element <reference> of it"),
    ],
)
def test_code_and_formulas_are_kept_to_the_letter(wikitext: str, expected: str) -> None:
    assert clean(wikitext) == expected


def test_sections() -> None:
    page = (
        "lead\n== Kept ==\ntext\n=== Empty ===\n== Also empty ==\n{{navbox}}\n"
        "== Other ==\n=== Sub ===\nmore\n== See also ==\n* [[x]]\n=== below ===\ny\n"
        "== Quellen ==\nlast\n== Einzelnachweise ==\n<references />\ngone\n"
    )
    assert clean(page) == "lead\n\nKept\n\ntext\n\nOther\n\nSub\n\nmore\n\nQuellen\n\nlast"


def test_sections_are_kept_when_the_recipe_says_so() -> None:
    wikitext = "a\n== See also ==\n* [[x]]"
    kept = clean_wikitext(wikitext, language="en", title="", dropped_sections=())
    assert kept.text == "a\n\nSee also\n\nx"


def test_filter_contract() -> None:
    cleaner = WikitextCleaner(WikitextSettings(enabled=True, dropped_sections=DROPPED))
    metadata = {"language": "en", "title": "T"}
    wikitext = "word<ref>[http://a.org/x y]</ref>"
    kept = cleaner(Document("enwiki/1", "wikipedia", wikitext, dict(metadata)))
    assert isinstance(kept, Document)
    assert kept.text == "word"
    assert kept.metadata["cited_urls"] == ["http://a.org/x"]
    assert kept.signals["wikitext_characters"] == len(wikitext)
    dropped = cleaner(Document("enwiki/2", "wikipedia", "{{only}}", dict(metadata)))
    assert isinstance(dropped, Rejected)
    assert dropped.reason == "empty"


MANY = 20_000
HOSTILE = {
    "nested 1,000 deep": "{{a|" * 1000 + "x" + "}}" * 1000,
    "nested text templates": "{{nowrap|" * MANY + "prose " * MANY + "}}" * MANY,
    "unclosed templates": "{{ " * 100_000,
    "unclosed text templates": "{{nowrap|a " * MANY,
    "braces": "{" * MANY + "}" * MANY,
    "unclosed links": "[[a|b " * MANY,
    "nested links": "[[a|" * MANY + "x" + "]]" * MANY,
    "unclosed files": "[[File:a|" * MANY,
    "unclosed references": "<ref>a " * MANY,
    "references with one end": "<ref name=a>" * MANY + "</ref>",
    "code with one end": "<code>[[" * MANY + "</code>",
    "unclosed comments": "<!--" * MANY,
    "unclosed tags": "<span " * MANY + "<div>" * MANY,
    "hidden": '<span style="display:' * MANY,
    "unclosed tables": "\n{|\n| a" * MANY,
    "nested tables": "\n{|" * MANY + "\n|}" * MANY,
    "HTML tables": "<table>" * MANY,
    "external links": "[http://a b" * MANY + "[http://a" + " " * 300_000,
    "spaces": " " * 300_000 + "x" + "\t " * MANY + "\n \t:" * MANY,
    "apostrophes": "'" * 300_000 + "a'''" * MANY + "''b'''",
    "underscores": "__A" * MANY + "__" + "A_" * MANY,
    "equals": "=" * 300_000 + "\n=a=" * MANY,
    "gaps": "x" * 300_000 + ":" + "{{a}}, " * MANY + "({{a}}" * MANY,
    "brackets": " (,,," * MANY,
    "ampersands": "&#" * MANY + "&" + "a" * 300_000,
    "parameters": "{{nowrap|" + "a " * 300_000 + "=" + "|b" * MANY + "}}",
    "brackets after an address": "<ref>http://a.b/" + ")" * 300_000 + "</ref>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_time_is_linear_in_hostile_wikitext(name: str) -> None:
    started = time.process_time()
    text = clean(HOSTILE[name])
    # A quadratic step takes minutes on these; a linear one some hundredths of a second.
    assert time.process_time() - started < 3
    assert not [mark for mark in ("{{", "<ref", "{|") if mark in text]


FRAGMENTS = st.sampled_from(
    [
        *("{{", "}}", "{{{", "}}}", "{", "}", "[[", "]]", "[", "]", "|", ":", "=", "==", "==="),
        *("'", "''", "'''", "'''''", "#", "*", ";", "<", ">", "<ref>", "</ref>", "<ref />"),
        *("<!--", "-->", "{|", "|}", "|-", "!", "!!", "<nowiki>", "</nowiki>", "<math>"),
        *("</math>", "<code>", "</code>", "<pre>", "</pre>", "<table>", "</table>", "<gallery>"),
        *("</gallery>", "-{", "}-", "__TOC__", "File:", "Category:", "fr:", "nowrap", "lang"),
        *("convert", "quote", "http://a.b/c", "&lt;", "&#91;", "&#123;", "&#xE000;", "\ue000"),
        *(
            "\ue001",
            "\ue002",
            "\ue003",
            "\ue006",
            "0",
            "word",
            "(",
            ")",
            ",",
            ".",
            "<ref",
            "<br>",
            "\n",
            " ",
        ),
        *("\u00a0", "\r\n", "\t"),
    ]
)
# What shows marks of wikitext to the letter.
LITERAL = ("<math>", "<code>", "<pre>", "<nowiki>", "&lt;", "&#91;", "&#123;")
WIKITEXT = st.lists(FRAGMENTS.filter(lambda part: part not in LITERAL), max_size=40).map("".join)


@settings(max_examples=400)
@given(st.lists(FRAGMENTS, max_size=40).map("".join))
def test_any_wikitext_can_be_cleaned(wikitext: str) -> None:
    text = clean(wikitext)
    assert not [code for code in range(0xE000, 0xE010) if chr(code) in text]
    assert text == text.strip("\n")


@settings(max_examples=400)
@given(WIKITEXT)
def test_marks_stay_only_where_they_are_literal(wikitext: str) -> None:
    text = clean(wikitext)
    assert not re.search(r"\{\{|\[\[|\}\}|\]\]|</?ref\b", text)
    assert not [line for line in text.split("\n") if line.startswith("{|")]


@settings(max_examples=100)
@given(st.text(alphabet=st.characters(categories=["L"]), min_size=1, max_size=80))
def test_words_without_markup_stay(words: str) -> None:
    assert clean(words) == words


def test_structure_is_markdown() -> None:
    wikitext = (
        "Lead.\n== History ==\n* one\n** two ''x''\n# first\n: def\n"
        '{| class="wikitable sortable"\n|+ Cap\n! Name !! style="x" | Born\n|-\n'
        "| [[A|Anna]] || {{cvt|5|km|mi}}\n|-\n| rowspan=2 | Bob<br />B\n| 1950\n|}\n"
        "{|\n| layout\n|}\n=== Code ===\n"
        '<syntaxhighlight lang="python">\ndef f():\n    return 1\n</syntaxhighlight>'
    )
    made = clean_wikitext(
        wikitext, language="en", title="", dropped_sections=DROPPED, structure=True
    )
    assert made.text == (
        "Lead.\n\n## History\n\n- one\n  - two x\n1. first\ndef\n\n"
        "| Name | Born |\n| --- | --- |\n| Anna | 5 km (3.1 mi) |\n| Bob B | 1950 |\n\n"
        "### Code\n\n```python\ndef f():\n    return 1\n```"
    )
    plain = clean(wikitext)
    assert plain == ("Lead.\n\nHistory\n\none\ntwo x\nfirst\ndef\n\nCode\n\ndef f():\n    return 1")
