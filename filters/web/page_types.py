"""What kind of page it is, by a cheap look at its head, classes and URL.

Schema.org types, Open Graph's type, the program that made it, the words of its URL, and counts of
prices, `<article>` and posts. No kind is certain; the choice of blocks (`filters.web.selection`)
leans on it and on much else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from lxml import etree

PageType = Literal[
    "article", "thread", "documentation", "product", "collection", "articles", "other"
]

_SCHEMA = re.compile(r"[\"']@type[\"']\s*:\s*\[?\s*[\"'](\w+)")
_ITEM_TYPES: Any = etree.XPath("//@itemtype")
_CLASSES: Any = etree.XPath("//@class")
_FORUM_PROGRAMS = re.compile(
    r"discourse|phpbb|vbulletin|xenforo|invision|mybb|flarum|nodebb|vanilla|simple machines",
    re.IGNORECASE,
)
_DOCUMENTATION_PROGRAMS = re.compile(
    r"sphinx|mkdocs|docusaurus|gitbook|vuepress|vitepress|rustdoc|doxygen|javadoc|docfx|docbook|"
    r"mediawiki|antora|asciidoctor|readme\.io|jsdoc|typedoc|pdoc|starlight",
    re.IGNORECASE,
)
_THREAD_URL = re.compile(
    r"//(?:\w+\.)*(?:forums?|community|discuss(?:ion)?s?|boards?|answers)\.|/(?:forums?|threads?|"
    r"topics?|t|viewtopic|showthread|discussions?|questions?|comments|boards)(?:[/.?-]|\.php)",
    re.IGNORECASE,
)
_DOCUMENTATION_URL = re.compile(
    r"//(?:\w+\.)*(?:docs?|developers?|learn|help|support|wiki|manual)\.|/(?:docs?|documentation|"
    r"reference|api|guides?|manual|tutorials?|wiki|learn|help|library)/|readthedocs",
    re.IGNORECASE,
)
_PRODUCT_URL = re.compile(r"/(?:products?|dp|p|item|itm|app)/[^/]+", re.IGNORECASE)
_COLLECTION_URL = re.compile(
    r"/(?:collections?|categor(?:y|ies)|shop|product-category|c|browse|catalogs?|brands?)(?:/|$|\?)",
    re.IGNORECASE,
)
_PRICE = re.compile(r"[$€£¥]\s?\d[\d.,]*|\d[\d.,]*\s?(?:€|USD|EUR|GBP)")
_POST = re.compile(r"\b(?:comment|comtr|post|reply|message|answer)s?\b", re.IGNORECASE)
_ARTICLES = frozenset(
    ("Article", "NewsArticle", "BlogPosting", "ReportageNewsArticle", "TechArticle", "Recipe")
)
_THREADS = frozenset(("DiscussionForumPosting", "QAPage", "Question"))
# So many of a kind make a page one of several.
_SEVERAL = 4
_MANY_PRICES = 12
_MANY_POSTS = 12


def page_type(tree: Any, url: str) -> PageType:
    """The kind of a page, of which nothing has been cut."""
    schema, head = _schema_types(tree), _head(tree)
    posts = sum(1 for value in _CLASSES(tree) if _POST.search(value))
    generator = head.get("generator", "")
    if (
        _THREADS.intersection(schema)
        or _FORUM_PROGRAMS.search(generator)
        or (posts >= _SEVERAL and _THREAD_URL.search(url))
    ):
        return "thread"
    if _DOCUMENTATION_PROGRAMS.search(generator):
        return "documentation"
    graph = head.get("og:type", "")
    shop = _by_shop(tree, url, schema, graph)
    if shop is not None:
        return shop
    is_article = graph == "article" or bool(_ARTICLES.intersection(schema))
    return _by_text(tree, url, is_article=is_article, posts=posts)


def _by_text(tree: Any, url: str, *, is_article: bool, posts: int) -> PageType:
    if is_article:
        return "article"
    articles = sum(1 for _ in tree.iter("article"))
    if _DOCUMENTATION_URL.search(url) or sum(1 for _ in tree.iter("pre")) >= _SEVERAL:
        return "documentation"
    if articles >= _SEVERAL:
        return "articles"
    if posts >= _MANY_POSTS:
        return "thread"
    return "article" if articles else "other"


def _schema_types(tree: Any) -> list[str]:
    """Schema.org types that the page names, in JSON-LD and in microdata."""
    names = [value.rstrip("/").rpartition("/")[2] for value in _ITEM_TYPES(tree)]
    for script in tree.iter("script"):
        if "ld+json" in script.get("type", "") and script.text:
            names += _SCHEMA.findall(script.text)
    return names


def _head(tree: Any) -> dict[str, str]:
    """Values of `<meta>` by lower-case name or property; the first where one is repeated."""
    values: dict[str, str] = {}
    for meta in tree.iter("meta"):
        name = meta.get("property") or meta.get("name")
        if name:
            values.setdefault(name.strip().lower(), meta.get("content", "").strip().lower())
    return values


def _by_shop(tree: Any, url: str, schema: Sequence[str], graph: str) -> PageType | None:
    products = schema.count("Product")
    if products > _SEVERAL or schema.count("ListItem") > 3 * _SEVERAL:
        return "collection"
    if products or "product" in graph:
        return "product"
    if _ARTICLES.intersection(schema) or graph == "article":
        return None
    if _COLLECTION_URL.search(url):
        return "collection"
    if _PRODUCT_URL.search(url):
        return "product"
    body = tree.find("body")
    text = "" if body is None else "".join(body.itertext())
    return "collection" if len(_PRICE.findall(text)) >= _MANY_PRICES else None
