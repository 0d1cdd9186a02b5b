"""What a page says of itself that later stages want: who, when, where, in what language, on terms.

Read from the head and the JSON-LD before anything is cut; nothing is guessed: a page that does not
say has no value.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin

# In order of trust, by lower-case name or property of `<meta>`.
_AUTHOR = ("author", "article:author", "dc.creator", "dcterms.creator", "parsely-author")
_PUBLISHED = (
    "article:published_time", "datepublished", "date", "dc.date", "dcterms.created",
    "citation_publication_date", "parsely-pub-date", "sailthru.date",
)  # fmt: skip
_ROBOTS = ("robots", "ccbot", "tdm-reservation")
_JSON_DATE = re.compile(r"\"datePublished\"\s*:\s*\"([^\"]{4,40})\"")
_JSON_AUTHOR = re.compile(
    r"\"author\"\s*:\s*\[?\s*(?:\{[^{}]{0,200}?\"name\"\s*:\s*)?\"([^\"]{2,100})\""
)
_LONGEST = 500


def page_metadata(tree: Any, url: str) -> dict[str, str]:
    """Of `author`, `published`, `canonical_url`, `declared_language`, `licence_url` and `robots`
    those that the page states, as it states them; URLs absolute.

    Args:
        tree: of the page, of which nothing has been cut.
        url: of the page.
    """
    head = _meta(tree)
    links = _links(tree)
    json_ld = _json_ld(tree)
    found = {
        "author": _first(head, _AUTHOR) or _match(_JSON_AUTHOR, json_ld),
        "published": _first(head, _PUBLISHED) or _match(_JSON_DATE, json_ld),
        "canonical_url": _absolute(url, links.get("canonical", "")),
        "declared_language": tree.get("lang") or head.get("content-language", ""),
        "licence_url": _absolute(url, links.get("license", "")),
        "robots": ", ".join(f"{head[name]}" for name in _ROBOTS if head.get(name)),
    }
    values = {name: " ".join(value.split())[:_LONGEST] for name, value in found.items()}
    return {name: value for name, value in values.items() if value}


def _meta(tree: Any) -> dict[str, str]:
    values: dict[str, str] = {}
    for meta in tree.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop")
        name = name or meta.get("http-equiv")
        if name:
            values.setdefault(name.strip().lower(), meta.get("content", ""))
    return values


def _links(tree: Any) -> dict[str, str]:
    """Targets of `<link>` and `<a>` by their relation; the first of each."""
    targets: dict[str, str] = {}
    for link in tree.iter("link", "a"):
        relations = link.get("rel")
        if relations:
            for relation in relations.lower().split():
                targets.setdefault(relation, link.get("href", ""))
    return targets


def _json_ld(tree: Any) -> str:
    return "\n".join(
        script.text
        for script in tree.iter("script")
        if script.text and "ld+json" in script.get("type", "")
    )


def _first(values: dict[str, str], names: tuple[str, ...]) -> str:
    return next((values[name] for name in names if values.get(name, "").strip()), "")


def _match(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""


def _absolute(url: str, target: str) -> str:
    if not target.strip():
        return ""
    try:
        return urljoin(url, target.strip())
    except ValueError:
        return target.strip()
