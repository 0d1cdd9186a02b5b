"""Books as LLaMA used them: Project Gutenberg and collections of books (arXiv 2302.13971).

One pass: text files, archives or JSON Lines -> text without what its distributor put around it.
Then, as the recipe lists it, the deduplication of books with more than 90 % content overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from filters.books import (
    BookLayout,
    GutenbergFilter,
    HtmlEdition,
    ProseFilter,
    ScanCleaner,
    TextDecoder,
)
from filters.length import LengthFilter
from pipeline.errors import InputError
from pipeline.passes.shards import Columns
from pipeline.passes.stages import enabled
from pipeline.readers.books import (
    ARCHIVE,
    EPUB,
    HTML,
    JSON_LINES,
    TEXT,
    UNREAD,
    read_books,
    refusals,
)
from pipeline.readers.records import Records
from pipeline.recipe import Recipe
from pipeline.sources.books.settings import BooksInputSettings, BooksSettings
from pipeline.sources.declaration import Found, Source, Step
from pipeline.store.inputs import Inputs, find_inputs
from pipeline.store.units import Unit, group_units, members

FILES = "|".join(pattern.pattern for pattern in (TEXT, HTML, EPUB, ARCHIVE, JSON_LINES, UNREAD))
LOOKED_FOR = (
    "*.txt, *.html, *.epub, archives of them (*.zip, *.tar, *.tar.gz, *.tar.zst) or "
    "*.jsonl(.gz, .zst)"
)

COLUMNS = Columns(
    metadata={
        "title": pa.string(),
        "author": pa.string(),
        "book_number": pa.int32(),
        "release_date": pa.string(),
        "edition": pa.int32(),
        "path": pa.string(),
        "form": pa.string(),
    },
    signals={
        "encoding": pa.string(),
        "encoding_source": pa.string(),
        "page_marks": pa.int32(),
        "header_characters": pa.int32(),
        "footer_characters": pa.int32(),
        "has_end": pa.bool_(),
        "copyright_year": pa.int32(),
        "joined_lines": pa.int32(),
        "line_breaks": pa.int32(),
        "accented_letters": pa.int32(),
        "letter_share": pa.float64(),
        "frequent_letter_share": pa.float64(),
    },
)


@dataclass(frozen=True)
class ReadBooks:
    """Reads a unit as the files it is made of."""

    settings: BooksInputSettings

    def __call__(self, stream: BinaryIO, unit: Unit) -> Records:
        return read_books(stream, members(unit), self.settings)


def find_units(inputs: Inputs, source: BooksSettings) -> Found:
    """Units below a folder, and the files that are refused with their reason.

    Raises:
        InputError: nothing is there that may be a book.
    """
    found = find_inputs(inputs, FILES, LOOKED_FOR)
    reasons = refusals([file.relative for file in found])
    chosen = [file for file in found if file.relative not in reasons]
    refused = [{"path": path, "reason": reason} for path, reason in sorted(reasons.items())]
    if not chosen:
        raise InputError(
            f"none of the {len(found)} files below {inputs} is a book; found for example "
            f"{found[0].relative}"
        )
    settings = source.input
    limits = {"most_files": settings.group_files, "most_bytes": settings.group_bytes}
    return group_units(chosen, inputs.lists, **limits), refused


def steps(settings: BooksSettings, _: Recipe, __: Sequence[Unit]) -> Iterable[Step]:
    """From files to text."""
    optional = enabled(
        (settings.scans, ScanCleaner(settings.scans)),
        (settings.gutenberg, GutenbergFilter(settings.gutenberg)),
        (settings.layout, BookLayout(settings.layout)),
        (settings.prose, ProseFilter(settings.prose)),
        (settings.length, LengthFilter(settings.length)),
    )
    return (HtmlEdition(settings.html), TextDecoder(settings.decode), *optional)


SOURCE = Source(
    name="books",
    settings=BooksSettings,
    columns=COLUMNS,
    find_units=find_units,
    read=lambda settings: ReadBooks(settings.input),
    steps=steps,
)
