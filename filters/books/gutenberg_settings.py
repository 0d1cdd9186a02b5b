"""[books.gutenberg]: how much of a file is Project Gutenberg's and not the book's."""

from __future__ import annotations

from dataclasses import dataclass

from filters.document import StageSettings, setting


@dataclass(frozen=True, kw_only=True)
class GutenbergSettings(StageSettings):
    """[books.gutenberg]

    Attributes:
        protected_since: a copyright notice of this year or a later one on the first pages means
            that the work may still be protected in the USA.
        drop_protected: whether a text that is not the project's goes, too, where its first or last
            pages have such a notice.
        maximum_boilerplate_characters: a header or footer that is longer is more than that.
        maximum_second_share: a file with another stretch between markers that is longer than this
            share of the book (0 to 1) is more than one book.
        maximum_notices: paragraphs in a book that name the project and are taken out.
        maximum_paragraph_characters: of one such paragraph; more is more than a notice.
        maximum_note_characters: of the producers' notes in brackets or at the end.
        maximum_credit_characters: of a paragraph that says who made the file.
        title_page_characters: of the book's beginning, where a copyright notice counts.
        edge_paragraphs: first and last ones, among which thanks to the producers stand.
        closing_share: last part of the text (0 to 1), where lists of corrections stand.
        editing_every: a list that only may be the producers' has a word of editing in so many
            characters.
    """

    protected_since: int = setting(
        1964, "ours: in the USA works with such a notice are protected for 95 years"
    )
    drop_protected: bool = setting(
        False, "ours: who brings a collection knows its rights; the year is a signal"
    )
    maximum_boilerplate_characters: int = setting(
        60_000, "measured: the licence has 19,000, the longest small print 15,000"
    )
    maximum_second_share: float = setting(
        0.2, "ours: not tuned; a second header is shorter, a second book is not"
    )
    maximum_notices: int = setting(10, "ours: not tuned; a book with more is about the project")
    maximum_paragraph_characters: int = setting(
        2000, "ours: not tuned; more is text of the book around the name"
    )
    maximum_note_characters: int = setting(
        20_000, "ours: not tuned; lists of corrections can be long"
    )
    maximum_credit_characters: int = setting(1000, "ours: not tuned; thanks are a few lines")
    title_page_characters: int = setting(
        6000, "ours: not tuned; title page, its back and a list of contents"
    )
    edge_paragraphs: int = setting(15, "ours: not tuned; behind titles, dedication and contents")
    closing_share: float = setting(0.25, "ours: not tuned; behind the text of short books, too")
    editing_every: int = setting(500, "ours: not tuned; an author's own errata have hardly one")
