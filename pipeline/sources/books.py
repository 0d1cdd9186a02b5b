"""Books as LLaMA used them: Project Gutenberg and collections of books (arXiv 2302.13971).

One pass: text files, archives or JSON Lines -> text without what its distributor put around it.
Then, as the recipe lists it, the deduplication of books with more than 90 % content overlap.
"""

from __future__ import annotations

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
from filters.document import Filter, StageSettings
from filters.length import LengthFilter
from pipeline.deduplication.chain import complete, documents_place
from pipeline.errors import InputError
from pipeline.job import Job
from pipeline.passes.documents import DocumentsPass
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
from pipeline.shards import Columns
from pipeline.sources.settings import BooksInputSettings, BooksSettings
from pipeline.stages import ReadUnit, Stage
from pipeline.store.commit import Place
from pipeline.store.inputs import Inputs, find_inputs
from pipeline.store.units import Unit, group_units, members
from pipeline.writer import WriterSettings

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


def find_units(
    inputs: Inputs, settings: BooksInputSettings, lists: str
) -> tuple[list[Unit], list[dict[str, str]]]:
    """Units below a folder, and the files that are refused with their reason.

    Args:
        inputs: with the raw files.
        settings: how many files make a unit.
        lists: folder for the lists of the units' files.

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
    limits = {"most_files": settings.group_files, "most_bytes": settings.group_bytes}
    return group_units(chosen, lists, **limits), refused


def run(job: Job) -> None:
    """Run the source."""
    settings = job.recipe.books
    methods = settings.deduplicate
    place = documents_place(job, methods)
    units, refused = find_units(job.input, settings.input, job.lists)
    job.check_stages(stages(job))
    result = job.run_pass(documents_pass(job, place), units)
    complete(job, methods, result, refused)


def stages(job: Job) -> tuple[Stage, ...]:
    """From files to text."""
    return (*own_stages(job.recipe.books), *job.last_stages)


def own_stages(settings: BooksSettings) -> tuple[Filter, ...]:
    """The stages of this source alone."""
    optional: tuple[tuple[StageSettings, Filter], ...] = (
        (settings.scans, ScanCleaner(settings.scans)),
        (settings.gutenberg, GutenbergFilter(settings.gutenberg)),
        (settings.layout, BookLayout(settings.layout)),
        (settings.prose, ProseFilter(settings.prose)),
        (settings.length, LengthFilter(settings.length)),
    )
    used = (stage for stage_settings, stage in optional if stage_settings.enabled)
    return (HtmlEdition(settings.html), TextDecoder(settings.decode), *used)


def documents_pass(job: Job, place: Place) -> DocumentsPass:
    """Books to documents."""
    columns, rows_per_group = job.columns(COLUMNS), job.recipe.run.rows_per_group
    writer = WriterSettings(columns, (), rows_per_group)
    read = ReadUnit(ReadBooks(job.recipe.books.input), job.batching)
    return DocumentsPass(
        "books", place, read, stages(job), job.batching, writer, job.document_seconds
    )
