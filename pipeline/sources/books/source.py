"""Books as LLaMA used them: Project Gutenberg and collections of books (arXiv 2302.13971).

One pass: text files, archives or JSON Lines -> text without what its distributor put around it.
Then, as the recipe lists it, the deduplication of books with more than 90 % content overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from filters.books import BookLayout, GutenbergFilter, ProseFilter, TextDecoder
from filters.length import LengthFilter
from pipeline.errors import InputError
from pipeline.readers.books import ARCHIVE, JSON_LINES, TEXT, is_text_of_book, read_books
from pipeline.readers.records import Records
from pipeline.recipe import Recipe
from pipeline.shards import Columns
from pipeline.sources.books.settings import BooksInputSettings, BooksSettings
from pipeline.sources.declaration import Found, Source, Step
from pipeline.stages import enabled
from pipeline.store.inputs import Inputs, find_inputs
from pipeline.store.units import Unit, group_units, members

FILES = "|".join(pattern.pattern for pattern in (TEXT, ARCHIVE, JSON_LINES))
LOOKED_FOR = "*.txt, archives of them (*.zip, *.tar, *.tar.gz, *.tar.zst) or *.jsonl(.gz, .zst)"

COLUMNS = Columns(
    metadata={
        "title": pa.string(),
        "author": pa.string(),
        "book_number": pa.int32(),
        "release_date": pa.string(),
        "path": pa.string(),
    },
    signals={
        "encoding": pa.string(),
        "encoding_source": pa.string(),
        "header_characters": pa.int32(),
        "footer_characters": pa.int32(),
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
    names = {file.relative for file in found}
    chosen, refused = [], []
    for file in found:
        if reason := _refusal(file.relative, names):
            refused.append({"path": file.relative, "reason": reason})
        else:
            chosen.append(file)
    if not chosen:
        raise InputError(
            f"none of the {len(found)} files below {inputs} is a book; found for example "
            f"{found[0].relative}"
        )
    settings = source.input
    limits = {"most_files": settings.group_files, "most_bytes": settings.group_bytes}
    return group_units(chosen, inputs.lists, **limits), refused


def _refusal(relative: str, names: set[str]) -> str:
    if TEXT.search(relative):
        return "" if is_text_of_book(relative) else "not_named_like_a_book"
    # Project Gutenberg has a zip beside every text.
    is_packed = relative.lower().endswith(".zip") and f"{relative[:-4]}.txt" in names
    return "same_book_as_txt" if is_packed else ""


def steps(settings: BooksSettings, _: Recipe, __: Sequence[Unit]) -> Iterable[Step]:
    """From files to text."""
    optional = enabled(
        (settings.gutenberg, GutenbergFilter(settings.gutenberg)),
        (settings.layout, BookLayout(settings.layout)),
        (settings.prose, ProseFilter(settings.prose)),
        (settings.length, LengthFilter(settings.length)),
    )
    return (TextDecoder(settings.decode), *optional)


SOURCE = Source(
    name="books",
    settings=BooksSettings,
    columns=COLUMNS,
    find_units=find_units,
    read=lambda settings: ReadBooks(settings.input),
    steps=steps,
)
