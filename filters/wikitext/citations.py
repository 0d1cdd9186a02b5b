"""The external URLs that a page cites: what LLaMA's reference classifier learns from.

A URL counts where it stands inside `<ref>...</ref>`: as a parameter of a citation template
(whatever the parameter is called in the wiki's language), as `[http://... label]`, or bare. A copy
in the Wayback Machine counts as the page it copies, so that it can be joined with a crawl.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from filters.wikitext.opaque import split_opaque, unescape

_URL = re.compile(r"https?://[^\s\[\]<>\"|{}]+", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_ARCHIVED = re.compile(
    r"https?://(?:(?:web\.|wayback\.|www\.)?archive\.org/(?:web/)?|wayback\.archive-it\.org/\w+/)"
    r"(?:\d{1,14}|\*)(?:[a-z]{2}_)?/"
    r"(?=https?:/|[\w-]+\.[\w-])",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"https?:/{1,2}", re.IGNORECASE)
_TRAILING = ".,;:!?'”’»"


def cited_urls(wikitext: str) -> list[str]:
    """Return every http or https URL inside `<ref>...</ref>`, without repetitions, in order."""
    return urls_of_references(split_opaque(wikitext).references)


def urls_of_references(references: Iterable[str]) -> list[str]:
    """Return the distinct URLs in the contents of references, in order."""
    text = "\n".join(references)
    if "<!--" in text:
        text = _COMMENT.sub("", text)
    found: dict[str, None] = {}
    for match in _URL.finditer(text):
        url = _original(_strip(unescape(match[0])))
        if url is not None:
            found[url] = None
    return list(found)


def _strip(url: str) -> str:
    """Drop what wikitext puts behind a URL: emphasis, punctuation, a bracket opened before it."""
    url = url.split("''", 1)[0]
    unopened = url.count(")") - url.count("(")
    end = len(url)
    while end and (url[end - 1] in _TRAILING or (url[end - 1] == ")" and unopened > 0)):
        unopened -= url[end - 1] == ")"
        end -= 1
    return url[:end]


def _original(url: str) -> str | None:
    """Return the URL that an archived copy is of, or the URL itself; None for an empty one."""
    archived = _ARCHIVED.match(url)
    if archived:
        rest = url[archived.end() :]
        scheme = _SCHEME.match(rest)
        # Some tools squeeze the double slash of the inner URL into one.
        url = (
            f"{scheme[0].lower().rstrip('/')}//{rest[scheme.end() :]}"
            if scheme
            else f"http://{rest}"
        )
    scheme = _SCHEME.match(url)
    return url if scheme and "." in url[scheme.end() :].split("/", 1)[0] else None
