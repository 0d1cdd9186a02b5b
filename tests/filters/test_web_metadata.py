"""What a page says of itself, and what kind of page it is."""

from __future__ import annotations

import pytest

from filters.web.metadata import page_metadata
from filters.web.page_types import page_type
from filters.web.parsing import parse

URL = "https://a.example/2024/wool"


def metadata(head: str, body: str = "<p>x</p>") -> dict[str, str]:
    html = f"<html lang=en-GB><head>{head}</head><body>{body}</body></html>"
    return page_metadata(parse(html), URL)


def test_what_the_page_states():
    found = metadata(
        "<meta name=author content=' A.  Shepherd'><link rel='canonical' href='/wool'>"
        "<meta property='article:published_time' content='2024-05-01T10:00:00Z'>"
        "<meta name=robots content='noindex, noai'>",
        "<a rel='license nofollow' href='https://creativecommons.org/licenses/by/4.0/'>CC BY</a>",
    )
    assert found == {
        "author": "A. Shepherd",
        "published": "2024-05-01T10:00:00Z",
        "canonical_url": "https://a.example/wool",
        "declared_language": "en-GB",
        "licence_url": "https://creativecommons.org/licenses/by/4.0/",
        "robots": "noindex, noai",
    }


def test_nothing_is_guessed():
    assert metadata("<title>x</title>", "<p>By A. Shepherd, 1 May 2024</p>") == {
        "declared_language": "en-GB"
    }


def test_json_ld():
    found = metadata(
        '<script type="application/ld+json">{"@type": "Article", "datePublished": "2024-05-01", '
        '"author": [{"@type": "Person", "name": "A. Shepherd"}]}</script>'
    )
    assert (found["author"], found["published"]) == ("A. Shepherd", "2024-05-01")


POSTS = "<div class='comment'>x</div>" * 4
TYPES = {
    "article": ("<meta property=og:type content=article>", "<p>x</p>", URL),
    "thread": ("<meta name=generator content='Discourse 3.1'>", "<p>x</p>", URL),
    "thread ": ("", POSTS, "https://forum.a.example/t/wool/12"),
    "other": ("", POSTS, URL),
    "documentation": ("<meta name=generator content='Sphinx 7.2'>", "<p>x</p>", URL),
    "documentation ": ("", "<p>x</p>", "https://docs.a.example/wool"),
    "product": (
        '<script type="application/ld+json">{"@type": "Product"}</script>',
        "<p>x</p>",
        URL,
    ),
    "collection": ("", "<p>Wool $12.50</p>" * 12, URL),
    "articles": ("", "<article>x</article>" * 4, URL),
}


@pytest.mark.parametrize("kind", TYPES)
def test_page_types(kind: str):
    head, body, url = TYPES[kind]
    tree = parse(f"<html><head>{head}</head><body>{body}</body></html>")
    assert page_type(tree, url) == kind.strip()
