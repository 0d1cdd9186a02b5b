"""Books: from the bytes of a plain text to a book without what its distributor put around it."""

from filters.books.decoding import TextDecoder, TextDecoderSettings
from filters.books.gutenberg import GutenbergFilter
from filters.books.gutenberg_settings import GutenbergSettings
from filters.books.html_edition import HtmlEdition, HtmlEditionSettings
from filters.books.layout import BookLayout, LayoutSettings
from filters.books.prose import ProseFilter, ProseSettings
from filters.books.scans import ScanCleaner, ScanSettings

__all__ = [
    "BookLayout",
    "GutenbergFilter",
    "GutenbergSettings",
    "HtmlEdition",
    "HtmlEditionSettings",
    "LayoutSettings",
    "ProseFilter",
    "ProseSettings",
    "ScanCleaner",
    "ScanSettings",
    "TextDecoder",
    "TextDecoderSettings",
]
