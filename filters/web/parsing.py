"""HTML to a tree that holds what a browser shows: nothing hidden, formulas as LaTeX.

libxml2 parses; elements that no reader sees (the `hidden` attribute, `display: none`, templates)
are cut before any extractor measures the page, so that they neither count nor come out.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from filters.web.formulas import may_have_formulas, write_formulas

# libxml2 cuts what is nested deeper than 256.
MAXIMUM_DEPTH = 250
_TOO_DEEP = etree.XPath(f"boolean({'/*' * MAXIMUM_DEPTH})")
# XML has no such characters, so lxml takes no text with them: C0 controls, U+FFFE, U+FFFF.
_CONTROLS = bytes(c for c in range(32) if c not in b"\t\n\r") + b"\x7f"
_NONCHARACTERS = ("\ufffe".encode(), "\uffff".encode())
# lxml.html chooses an element's class in Python, once per access; nothing here needs more than one.
_CLASSES = etree.ElementDefaultClassLookup(
    element=lxml_html.HtmlElement,
    comment=lxml_html.HtmlComment,
    pi=lxml_html.HtmlProcessingInstruction,
    entity=lxml_html.HtmlEntity,
)
_HIDEABLE: Any = etree.XPath("//*[@hidden or @style]")
_HIDING_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_UNSEEN = ("script", "style", "template")


def parse(html: str) -> Any:
    """The page's tree, or none where there is no element."""
    parser = lxml_html.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False
    )
    parser.set_element_class_lookup(_CLASSES)
    encoded = html.encode().translate(None, _CONTROLS)
    for character in _NONCHARACTERS:
        encoded = encoded.replace(character, b"")
    try:
        return lxml_html.document_fromstring(encoded, parser=parser)
    except etree.ParserError:
        return None


def is_too_deep(tree: Any) -> bool:
    """Whether elements are nested so deep that libxml2 may have cut some."""
    return bool(_TOO_DEEP(tree))


def keep_seen(tree: Any, html: str) -> None:
    """Cut what a browser does not show of a page, and write formulas as LaTeX, in place."""
    # Formulas first: the LaTeX of many stands in an element that is hidden.
    if may_have_formulas(html):
        write_formulas(tree)
    for element in list(tree.iter(*_UNSEEN)):
        cut(element)
    fallbacks = list(tree.iter("noscript"))
    hidden = [element for element in _HIDEABLE(tree) if _is_hidden(element)]
    if not hidden and not fallbacks:
        return
    total = _length(tree)
    for element in fallbacks:
        # Where scripts make the page, this is what a crawler gets of it.
        if _length(element) * 4 < total:
            cut(element)
        else:
            element.tag = "div"
    for element in hidden:
        # A page that hides most of itself shows it by a script.
        if _length(element) * 2 < total:
            cut(element)


def cut(element: Any) -> None:
    """Take an element out of the tree; the text behind it stays."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        previous = element.getprevious()
        if previous is None:
            parent.text = (parent.text or "") + element.tail
        else:
            previous.tail = (previous.tail or "") + element.tail
        element.tail = None
    parent.remove(element)


def _is_hidden(element: Any) -> bool:
    hidden = element.get("hidden")
    if hidden is not None and hidden.strip().lower() not in ("false", "until-found"):
        return True
    return _HIDING_STYLE.search(element.get("style", "")) is not None


def _length(element: Any) -> int:
    return sum(map(len, element.itertext()))
