"""What scanning leaves in a text: the library's notices, running heads and page numbers.

A page number is told from the number of a chapter or a sonnet by where it stands: in the middle of
a sentence. Running heads carry the number of their page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from filters.document import Document, Rejected, StageSettings, setting

# The page that Google puts in front of its scans, to its last line; what libraries put on pages.
_GOOGLE = re.compile(
    r"(?:Google\s{1,9})?(?:This is a digital copy of a book that was preserved"
    r"|Dies ist ein digitales Exemplar eines Buches|Ceci est une copie num\u00e9rique d)"
    r"[\s\S]{200,9000}?"
    r"(?:books\s?\.\s?google\s?\.\s?com\S{0,9}|http\s?:\s?/\s?/\s?books\S{0,40})"
)
_HINTS = ("oogle", "igitized", "archive.org")
_NOTICE = re.compile(
    r"^[^\w\n]{0,9}(?:(?:Digitized|Digitised|Scanned) by\b[^\n]{0,80}|in \d{4} with funding from"
    r"[^\n]{0,80}|https?\s?:\s?//(?:www\s?\.\s?)?archive\s?\.\s?org/details/[^\n]{0,80}"
    r"|Google)[ \t]*$",
    re.MULTILINE,
)
# A line by itself with a number in front, behind, or alone; the decoder left no blanks at its end.
_PAGE = re.compile(
    r"\n\n[ \t]{0,80}[\[(\u2014\u2013-]{0,2}[ \t]{0,3}(?:(?P<alone>\d{1,4})"
    r"|(?P<front>\d{1,4})[ \t.]{1,9}(?P<head>[^\d\n]{3,70})|(?P<title>[^\d\n]{3,70}?)[ \t.]{1,9}"
    r"(?P<behind>\d{1,4}))[ \t]{0,3}[\])\u2014\u2013-]{0,2}(?=\n(?:\n|$))"
)
_SENTENCE_END = re.compile(r"[.!?:;\"'\u201d\u2019)\]\u2014*-][ \t\n]*$")


@dataclass(frozen=True, kw_only=True)
class ScanSettings(StageSettings):
    """[books.scans]

    Attributes:
        minimum_pages: so many numbers in order are the pages of a scan.
        maximum_step: by which the number of a page is above the one before that was read.
        minimum_cut_share: of them that stand in the middle of a sentence (0 to 1); numbers of
            chapters do not.
    """

    minimum_pages: int = setting(10, "ours: not tuned; a pamphlet has as many")
    maximum_step: int = setting(12, "ours: not tuned; recognition loses some, plates have none")
    minimum_cut_share: float = setting(
        0.2, "ours: not tuned; most pages end in the middle of a sentence"
    )


class ScanCleaner:
    """Text without the marks of scanning; sets the signal `page_marks`, how many went."""

    name = "scans"

    def __init__(self, settings: ScanSettings | None = None) -> None:
        self.settings = settings or ScanSettings()

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        text = document.text
        if any(hint in text for hint in _HINTS):
            text = _NOTICE.sub("", _GOOGLE.sub("", text))
        pages = _pages(text, self.settings)
        document.signals["page_marks"] = len(pages)
        if pages:
            text = _without(text, pages)
        document.text = text
        return document if text.strip() else Rejected("empty", "nothing but marks of a scan")


def _pages(text: str, settings: ScanSettings) -> list[re.Match[str]]:
    """Lines that are the numbers, or the running heads, of pages; none where they are no scan's."""
    found = list(_PAGE.finditer(text))
    if len(found) < settings.minimum_pages:
        return []
    heads: dict[str, int] = {}
    for one in found:
        heads[_head(one)] = heads.get(_head(one), 0) + 1
    pages: list[re.Match[str]] = []
    last = 0
    for one in found:
        number = int(one["alone"] or one["front"] or one["behind"])
        head = _head(one)
        is_head = not head or heads[head] > 2 or (one["head"] or one["title"]).strip().isupper()
        if is_head and last < number <= last + settings.maximum_step + (not pages) * number:
            pages.append(one)
            last = number
    cut = sum(_is_cut(text, one) for one in pages)
    is_scan = len(pages) >= settings.minimum_pages
    return pages if is_scan and cut >= settings.minimum_cut_share * len(pages) else []


def _head(page: re.Match[str]) -> str:
    return "".join(filter(str.isalpha, (page["head"] or page["title"] or "").lower()))


def _is_cut(text: str, page: re.Match[str]) -> bool:
    """Whether a page's number stands in the middle of a sentence."""
    before = text[max(0, page.start() - 80) : page.start()]
    after = text[page.end() : page.end() + 80].lstrip()
    return after[:1].islower() and bool(before.strip()) and not _SENTENCE_END.search(before)


def _without(text: str, pages: list[re.Match[str]]) -> str:
    kept, position = [], 0
    for page in pages:
        kept.append(text[position : page.start()])
        position = page.end()
        if _is_cut(text, page):
            # The sentence goes on: its lines are consecutive again.
            kept.append("\n")
            position += len(text[position : position + 80]) - len(
                text[position : position + 80].lstrip()
            )
    kept.append(text[position:])
    return "".join(kept)
