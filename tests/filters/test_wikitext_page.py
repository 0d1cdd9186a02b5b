"""Which pages are articles."""

from __future__ import annotations

from typing import Any

import pytest

from filters.document import Document, Rejected
from filters.wikitext import PageSettings, WikipediaPageFilter

PAGES = WikipediaPageFilter(PageSettings(enabled=True, languages=("en", "it", "ru")))


def page(text: str = "Prose.", **metadata: Any) -> Document:
    base = {"language": "en", "namespace": 0, "redirect": False}
    return Document("enwiki/1", "wikipedia", text, {**base, **metadata})


def test_an_article_is_kept() -> None:
    article = page()
    assert PAGES(article) is article


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (page(language="fi"), "language_not_wanted"),
        (page(language=None), "language_not_wanted"),
        (page(namespace=1), "not_article"),
        (page(model="Scribunto"), "not_wikitext"),
        (page(redirect=True), "redirect"),
        (page("#REDIRECT [[x]]"), "redirect"),
        (page(" #redirect[[x]]"), "redirect"),
        (page("#RINVIA [[x]]", language="it"), "redirect"),
        (page("#перенаправление: [[x]]", language="ru"), "redirect"),
        (page("#Weiterleitung [[x]]"), "redirect"),
        (page("#ÁTIRÁNYÍTÁS [[x]]"), "redirect"),
    ],
)
def test_reasons(document: Document, reason: str) -> None:
    result = PAGES(document)
    assert isinstance(result, Rejected)
    assert result.reason == reason


@pytest.mark.parametrize("text", ["# [[x]] first of a list", "The word #redirect [[x]]"])
def test_lists_are_no_redirects(text: str) -> None:
    assert isinstance(PAGES(page(text)), Document)
