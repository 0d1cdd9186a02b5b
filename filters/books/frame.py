"""Where the book is in a Project Gutenberg file: between which markers.

Four generations of files: `*** START OF THIS PROJECT GUTENBERG EBOOK` or `THE`, with or without a
space, and an END marker; before them the "small print" in front of the text, which ends with
`*END*THE SMALL PRINT!`; between, a START marker in front and the small print behind.
"""

from __future__ import annotations

from dataclasses import dataclass

from filters.books.marks import END, HEADER_NOTICE, SMALL_PRINT_END, START


@dataclass(frozen=True, slots=True)
class Frame:
    """Offsets in a text: the book is `text[start:end]`.

    Attributes:
        start: after the last marker in front of it.
        end: before the first marker behind it, or the length of the text.
        second: characters of the next longest stretch that may be a book.
    """

    start: int
    end: int
    second: int


def find_frame(text: str) -> Frame | None:
    """The longest stretch from a marker of a beginning to the next marker of either kind.

    None where no marker says that the header has ended.
    """
    starts = sorted(
        _behind_notice(text, match.end())
        for marker in (START, SMALL_PRINT_END)
        for match in marker.finditer(text)
    )
    if not starts:
        return None
    ends = [
        match.start() for marker in (START, SMALL_PRINT_END, END) for match in marker.finditer(text)
    ]
    borders = sorted([*ends, len(text)])
    stretches = []
    position = 0
    for start in starts:
        while borders[position] < start:
            position += 1
        stretches.append((borders[position] - start, start, borders[position]))
    stretches.sort(key=lambda stretch: (-stretch[0], stretch[1]))
    second = stretches[1][0] if len(stretches) > 1 else 0
    _, start, end = stretches[0]
    return Frame(start, end, second)


def _behind_notice(text: str, position: int) -> int:
    """Where the book begins behind a marker: behind a notice on the header itself, if one follows.

    That notice has a year of copyright, which is none of the book's.
    """
    notice = HEADER_NOTICE.match(text, position)
    return notice.end() if notice else position
