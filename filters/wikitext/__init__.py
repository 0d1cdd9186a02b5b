"""Wikipedia's stages: which pages are articles, their text, and the URLs they cite."""

from filters.wikitext.citations import cited_urls
from filters.wikitext.cleaner import CleanPage, WikitextCleaner, WikitextSettings, clean_wikitext
from filters.wikitext.page import PageSettings, WikipediaPageFilter

__all__ = [
    "CleanPage",
    "PageSettings",
    "WikipediaPageFilter",
    "WikitextCleaner",
    "WikitextSettings",
    "cited_urls",
    "clean_wikitext",
]
