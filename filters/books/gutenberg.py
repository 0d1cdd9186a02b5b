"""Project Gutenberg's header, licence and notices off a book; no licence text ever gets through.

LLaMA (arXiv 2302.13971, section 2.1) names the Gutenberg Project as a source and says no more. The
book is what stands between the markers (`frame`); where no marker says that the header has ended,
or anything of a licence is left after the cut, the book is rejected.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from filters.books.frame import Frame, find_frame
from filters.books.gutenberg_settings import GutenbergSettings
from filters.books.header import header_metadata
from filters.books.licence import find_licence
from filters.books.marks import (
    COPYRIGHT_YEAR,
    COPYRIGHTED,
    GUTENBERG,
    PUBLIC_DOMAIN,
)
from filters.books.notes import drop_bracketed_notes, drop_notices
from filters.document import Document, Rejected

_URL = "https://www.gutenberg.org/ebooks/"
# "frank15.txt", "hfinn12a.txt": how Project Gutenberg numbered a book's editions until 2003.
_OLD_EDITION = re.compile(r"^[a-z][a-z0-9]{0,4}[a-z](\d\d)[a-z]?$", re.IGNORECASE)
_FILE_NUMBER = re.compile(r"^(?:pg)?(\d{1,6})(?:[-_.]|$)")

_SUFFIX = re.compile(
    r"\.(?:te?xt|x?html?|epub3?)(?:\.utf-?8)?(?:\.(?:gz|bz2|zst))?$", re.IGNORECASE
)


class GutenbergFilter:
    """Leave the book and put what its header says into the metadata; of texts from elsewhere only
    what the project's producers wrote at the ends goes.

    Reasons: `boilerplate_end_not_found`, `several_books`, `copyrighted`, `too_many_notices`,
    `licence_text_left`.
    """

    name = "gutenberg"

    def __init__(self, settings: GutenbergSettings | None = None) -> None:
        self.settings = settings or GutenbergSettings()

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        text = document.text
        frame = find_frame(text)
        if frame is None:
            return self._without_frame(document)
        header, book, footer = (
            text[: frame.start],
            text[frame.start : frame.end],
            text[frame.end :],
        )
        _annotate(document, header, footer)
        document.signals["has_end"] = frame.end < len(text)
        problem = self._several(frame, len(text)) or self._copyrighted(header, book, footer)
        return problem or self._without_notices(document, book, is_framed=True)

    def _without_frame(self, document: Document) -> Document | Rejected:
        """The document, if nothing of the project's boilerplate is in it."""
        text = document.text
        boilerplate = GUTENBERG.search(text)
        found = boilerplate[0] if boilerplate else find_licence(text, is_framed=False)
        if found:
            detail = f"neither a START marker nor an end of the small print, but {found!r}"
            return Rejected("boilerplate_end_not_found", detail)
        return self._without_notices(document, text, is_framed=False)

    def _without_notices(
        self, document: Document, book: str, *, is_framed: bool
    ) -> Document | Rejected:
        settings = self.settings
        if is_framed:
            book = drop_bracketed_notes(book, settings.maximum_note_characters)
        found = drop_notices(book, settings, everywhere=is_framed)
        if found.count > settings.maximum_notices:
            return Rejected("too_many_notices", f"{found.count} paragraphs name the project")
        if left := find_licence(found.text, is_framed=is_framed):
            return Rejected("licence_text_left", left)
        document.text = found.text
        year = self._copyright_year(found.text)
        if year:
            document.signals["copyright_year"] = year
        if year >= settings.protected_since and settings.drop_protected:
            return Rejected("copyrighted", f"a notice of {year}")
        return document

    def _copyright_year(self, book: str) -> int:
        """The latest year of a notice on the first or the last pages; 0 if there is none."""
        pages = self.settings.title_page_characters
        ends = f"{book[:pages]}\n{book[max(pages, len(book) - pages) :]}"
        return max((int(notice[1]) for notice in COPYRIGHT_YEAR.finditer(ends)), default=0)

    def _several(self, frame: Frame, length: int) -> Rejected | None:
        settings, book = self.settings, frame.end - frame.start
        if frame.second > settings.maximum_second_share * book:
            return Rejected("several_books", f"{book} and {frame.second} characters")
        longest = max(frame.start, length - frame.end)
        if longest > settings.maximum_boilerplate_characters:
            return Rejected("several_books", f"{longest} characters outside the markers")
        return None

    def _copyrighted(self, header: str, book: str, footer: str) -> Rejected | None:
        first_pages = book[: self.settings.title_page_characters]
        for part in (header, first_pages, footer):
            if notice := COPYRIGHTED.search(part):
                return Rejected("copyrighted", " ".join(notice[0].split()))
        for notice in COPYRIGHT_YEAR.finditer(first_pages):
            if int(notice[1]) >= self.settings.protected_since:
                return Rejected("copyrighted", " ".join(notice[0].split()))
        return None


def _annotate(document: Document, header: str, footer: str) -> None:
    """Put what is known of the book into the document's metadata, and give it its id."""
    metadata = document.metadata
    metadata.update(header_metadata(header))
    document.signals["header_characters"] = len(header)
    document.signals["footer_characters"] = len(footer)
    if PUBLIC_DOMAIN.search(header) or PUBLIC_DOMAIN.search(footer):
        metadata["licence"] = "public domain (USA)"
    path = str(metadata.get("path", ""))
    if "book_number" not in metadata and (number := _FILE_NUMBER.match(PurePosixPath(path).name)):
        metadata["book_number"] = int(number[1])
    if edition := _OLD_EDITION.match(PurePosixPath(_SUFFIX.sub("", path)).name):
        metadata["edition"] = int(edition[1])
    if "book_number" in metadata:
        document.id = book_id(metadata["book_number"], path)
        metadata["url"] = f"{_URL}{metadata['book_number']}"


def book_id(number: int, path: str) -> str:
    """`gutenberg/11`, and for other files of that book what their path says beyond the number:
    `gutenberg/11@11-0`, `gutenberg/11@old/alice30`.
    """
    parts = list(PurePosixPath(_SUFFIX.sub("", path)).parts)
    folders = [index for index, part in enumerate(parts[:-1]) if part == str(number)]
    if folders:
        parts = parts[folders[-1] + 1 :]
    edition = "/".join(parts)
    return (
        f"gutenberg/{number}"
        if edition in ("", f"{number}", f"pg{number}")
        else (f"gutenberg/{number}@{edition}")
    )
