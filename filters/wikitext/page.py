"""Which pages of a dump are articles in a wanted language.

LLaMA kept twenty languages (arXiv 2302.13971, 2.1); namespace 0 and no redirects follow RedPajama,
except that redirects count in every language, not only as `#REDIRECT`.
"""

from __future__ import annotations

from dataclasses import dataclass

from filters.document import Document, Rejected, StageSettings, setting
from filters.wikitext.names import is_redirect

# fmt: off
LLAMA_LANGUAGES: tuple[str, ...] = (
    "bg", "ca", "cs", "da", "de", "en", "es", "fr", "hr", "hu", "it", "nl", "pl", "pt", "ro", "ru",
    "sl", "sr", "sv", "uk",
)
# fmt: on


@dataclass(frozen=True, kw_only=True)
class PageSettings(StageSettings):
    """Recipe section of the page filter.

    Attributes:
        languages: codes as in a dump's file name (`en`, `simple`, `zh_min_nan`).
    """

    languages: tuple[str, ...] = setting(
        LLAMA_LANGUAGES, "paper: LLaMA, section 2.1: Latin or Cyrillic script"
    )


class WikipediaPageFilter:
    """Keep articles: namespace 0, wikitext, no redirect, a wanted language.

    Reads `language`, `namespace`, `redirect` and `model` of the metadata, and the wikitext.
    """

    name = "page"

    def __init__(self, settings: PageSettings | None = None) -> None:
        self.settings = settings or PageSettings()
        self._languages = frozenset(self.settings.languages)

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        """Reject with `language_not_wanted`, `not_article`, `not_wikitext` or `redirect`."""
        language = document.metadata.get("language")
        if language not in self._languages:
            return Rejected("language_not_wanted", str(language))
        namespace = document.metadata["namespace"]
        if namespace != 0:
            return Rejected("not_article", f"namespace {namespace}")
        if model := document.metadata.get("model"):
            return Rejected("not_wikitext", f"model {model}")
        if document.metadata["redirect"] or is_redirect(document.text):
            return Rejected("redirect", document.text[:100])
        return document
