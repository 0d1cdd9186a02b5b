"""[books]."""

from __future__ import annotations

from dataclasses import dataclass, field

from filters.books import (
    GutenbergSettings,
    HtmlEditionSettings,
    LayoutSettings,
    ProseSettings,
    ScanSettings,
    TextDecoderSettings,
)
from filters.document import setting
from filters.length import LengthSettings
from pipeline.deduplication.sections import MethodName
from pipeline.readers.archive_members import ArchiveSettings
from pipeline.setting_types import Positive
from pipeline.sources.base_settings import SourceSettings


@dataclass(frozen=True, kw_only=True)
class BooksInputSettings(ArchiveSettings):
    """[books.input]: how files are read. A text file and a line of JSON count as members.

    Attributes:
        group_files, group_bytes: small files make up a unit together, up to either.
    """

    group_files: Positive = setting(
        500, "ours: files opened for one unit; group_bytes bounds their text"
    )
    group_bytes: Positive = setting(
        32_000_000, "ours: a unit is 8 s of work, at 0.24 s a megabyte (docs/books.md)"
    )


@dataclass(frozen=True, kw_only=True)
class BookLengthSettings(LengthSettings):
    """[books.length]: bounds on a book, in characters."""

    minimum_characters: int = setting(1000, "ours: shorter are stubs of recordings and pictures")
    maximum_characters: int = setting(0, "ours: no bound; the longest works are books, too")


@dataclass(frozen=True, kw_only=True)
class BooksSettings(SourceSettings):
    """[books]: what is taken off a book, and what is none."""

    input: BooksInputSettings = field(default_factory=BooksInputSettings)
    html: HtmlEditionSettings = field(default_factory=HtmlEditionSettings)
    decode: TextDecoderSettings = field(default_factory=TextDecoderSettings)
    scans: ScanSettings = field(default_factory=ScanSettings)
    gutenberg: GutenbergSettings = field(default_factory=GutenbergSettings)
    layout: LayoutSettings = field(default_factory=LayoutSettings)
    prose: ProseSettings = field(default_factory=ProseSettings)
    length: BookLengthSettings = field(default_factory=BookLengthSettings)
    deduplicate: tuple[MethodName, ...] = setting(
        ("overlap",), "paper: LLaMA, books with more than 90 % content overlap go"
    )


SECTION = BooksSettings
