"""Which lines of a plain text were broken by a word wrap, and which by the author.

Nothing is published on this. Each run of lines is judged by how much likelier its line breaks are
in wrapped prose than in verse, a list or a table: prose breaks anywhere in a sentence, so that its
lines begin with capitals and end with marks as often as any word does, and where the line was full.
How often words have capitals and marks, how wide lines are, and how carefully they were filled is
measured on the book itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import exp, log

from filters.document import StageSettings, setting

BLOCK = re.compile(r"^[^\n]+(?:\n[^\n]+)+", re.MULTILINE)
_OPENING = " \t\u3000\"'(\u2018\u201c\u201e\u00ab\u00bb_*[\u00a1\u00bf"
_CLOSING = "\"')\u2019\u201d\u00bb\u00ab_*]"
_MARKS = ".,;:!?\u2026\u037e\u0387\u060c\u061b\u061f\u0964\u06d4"
_RULE = re.compile(r"^[\W_]+$")
_COLUMNS = re.compile(r"\S(?: {3,}|\t+)\S|\|")
# Scripts that have no spaces between words: Chinese and Japanese, and those that stay as they are.
_CJK = "\u3001-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff60"
_UNSPACED = re.compile(rf"[{_CJK}\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff]")
_IS_CJK = re.compile(rf"[{_CJK}]")
_CJK_MARKS = "。，；：！？、…．」』）"
# Bounds time: so many blocks of lines, evenly from all of the book, tell how it is set.
_SAMPLE = 2000
_WORDS_SAMPLE = 400
_UNSPACED_FROM = "\u0e00"
# Logarithm of odds that no neighbour changes.
_CERTAIN = 100.0
# Of two likelihoods that differ by more than that, the smaller one adds nothing.
_NEARLY_SURE = 30.0
# Of each line that is broken by hand: as likely here as one word on.
_BY_HAND = log(0.5)
_ROUNDS = 3
# A share that was never seen is not impossible.
_LEAST = 0.02


@dataclass(frozen=True, kw_only=True)
class UnwrapSettings(StageSettings):
    """What tells wrapped prose from lines that are the author's; part of [books.layout].

    Attributes:
        minimum_width: of a text that was wrapped, in characters.
        minimum_odds: natural logarithm of the odds for prose from which on lines are joined.
        indented_odds: what the odds lose where all lines are set in, as verse and letters are.
        neighbour_weight: what of the odds of the runs of lines before and behind counts, too.
        prose_capital_share, prose_mark_share: at most so many lines of a book's prose are taken to
            begin with a capital, and to end with a mark (0 to 1).
        verse_capital_share: of verse's lines that begin with a capital (0 to 1).
        verse_mark_share: of verse's lines that end with a mark of punctuation (0 to 1).
        verse_width: in characters; verse with longer lines, and small letters at their beginnings,
            is a hundred times rarer.
        verse_plain_share: of verse that begins lines with a capital only where a sentence begins.
        verse_full_share: of verse's lines that reach the width of the book's prose (0 to 1).
        verse_own_share: of verse's lines that are as long as the longest of their stanza (0 to 1).
        ragged_share: of prose that somebody broke by hand, anywhere (0 to 1).
        column_share: of lines with wide gaps inside, above which they are a table (0 to 1).
        number_share: of lines that end with a number, above which they are an index (0 to 1).
        short_share: of the width, below which a line that ends a sentence ends a paragraph, too.
    """

    minimum_width: int = setting(40, "ours: not tuned; nobody wraps prose at less, poets do")
    minimum_odds: float = setting(1.0, "ours: in doubt lines stay; measured: docs/books.md")
    indented_odds: float = setting(
        2.0, "ours: not tuned; verse and letters are set in, prose is not"
    )
    neighbour_weight: float = setting(0.25, "ours: not tuned; stanzas and paragraphs come in runs")
    prose_capital_share: float = setting(0.4, "ours: not tuned; beyond it prose looks like verse")
    prose_mark_share: float = setting(0.5, "ours: not tuned; beyond it prose looks like verse")
    verse_capital_share: float = setting(0.93, "measured: docs/books.md")
    verse_mark_share: float = setting(0.6, "measured: docs/books.md")
    verse_width: int = setting(60, "ours: not tuned; prose is wrapped at about 70, verse at none")
    verse_plain_share: float = setting(0.1, "ours: not tuned; verse in Latin, and some since 1900")
    verse_full_share: float = setting(0.08, "measured: docs/books.md")
    verse_own_share: float = setting(0.35, "measured: docs/books.md")
    ragged_share: float = setting(0.1, "ours: not tuned; two typists of one book")
    column_share: float = setting(0.25, "ours: not tuned; a table has gaps in most of its lines")
    number_share: float = setting(0.5, "ours: not tuned; an index has numbers in most of its lines")
    short_share: float = setting(0.6, "ours: not tuned; hand-wrapped lines are longer than that")


@dataclass(frozen=True, slots=True)
class Setting:
    """How a book's prose is set.

    Attributes:
        width: that 95 % of wrapped lines keep, in characters.
        fits: share of wrapped lines into which the next word would have fitted (0 to 1).
        capitals: share of lines of prose that begin with a capital (0 to 1).
        marks: share of lines of prose that end with a mark of punctuation (0 to 1).
    """

    width: int
    fits: float
    capitals: float
    marks: float


class Run:
    """Consecutive lines of one block that are set alike; the first may be indented otherwise.

    Attributes:
        lines: as they are.
        breaks: how many line breaks are in it.
        capitals, small: line starts, but the first, with a capital or a small letter.
        marks: line ends, but the last, with a mark of punctuation.
        needs: characters that each line would have had with the first word of the next.
        width: characters of its longest line.
        indent: characters in front of its last line.
    """

    __slots__ = ("breaks", "capitals", "indent", "lines", "marks", "needs", "small", "width")

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.breaks = len(lines) - 1
        self.capitals = self.small = self.marks = self.indent = 0
        self.needs: list[int] = []
        before = lines[0]
        self.width = len(before)
        for line in lines[1:]:
            size = len(line)
            self.indent = size - len(line.lstrip())
            space = line.find(" ", self.indent)
            self.needs.append(len(before) + 1 + (size if space < 0 else space) - self.indent)
            start = line.lstrip(_OPENING)[:1]
            if start.islower() or (before[-1] == "-" and start.isalpha()):
                self.small += 1  # a word cut in two begins with no capital of a verse
            elif start.isupper():
                self.capitals += 1
            if before.rstrip(_CLOSING)[-1:] in _MARKS:
                self.marks += 1
            self.width = max(self.width, size)
            before = line


def runs_of(block: str) -> list[Run]:
    """The runs of a block of lines: a new one begins where the indentation changes.

    None where lines are set in by turns, as only verse is.
    """
    lines = block.split("\n")
    if "\n " not in block and "\n\t" not in block and "\n\u3000" not in block:
        return [Run(lines)]
    indents = [len(line) - len(line.lstrip()) for line in lines]
    found, start = [], 0
    while start < len(lines):
        end = start + 1
        while end < len(lines) and indents[end] == indents[min(start + 1, len(lines) - 1)]:
            end += 1
        found.append(Run(lines[start:end]))
        start = end
    if len(found) > 2 and sum(run.breaks < 2 for run in found) > len(found) / 2:
        return []
    return found


def book_setting(blocks: Sequence[Sequence[Run]], settings: UnwrapSettings) -> Setting:
    """How the prose of a text is set, from blocks of lines all over it.

    Measured on the words inside the lines first, then on the line breaks of what that shows to be
    prose: some typists prefer to break lines where a sentence or a clause ends.
    """
    runs = [run for block in blocks[:: 1 + len(blocks) // _SAMPLE] for run in block]
    book = Setting(*_line_widths(runs), *_word_shares(runs[:: 1 + len(runs) // _WORDS_SAMPLE]))
    for _ in range(_ROUNDS):
        odds = Odds(book, settings)
        prose = [run for run in runs if odds.of(run) > 0]
        breaks = sum(run.breaks for run in prose)
        if not breaks:
            break
        cased = sum(run.capitals + run.small for run in prose)
        capitals = _share(sum(run.capitals for run in prose), cased)
        marks = _share(sum(run.marks for run in prose), breaks)
        book = replace(
            book,
            capitals=min(max(book.capitals, capitals), settings.prose_capital_share),
            marks=min(max(book.marks, marks), settings.prose_mark_share),
        )
    return book


def _line_widths(runs: Sequence[Run]) -> tuple[int, float]:
    """The width that 95 % of wrapped lines keep, and how many would have had room for a word."""
    lengths, all_lengths = [], []
    fits = wrapped = 0
    for run in runs:
        for line, after, need in zip(run.lines, run.lines[1:], run.needs, strict=False):
            all_lengths.append(len(line))
            if after.lstrip(_OPENING)[:1].islower():
                lengths.append(len(line))
                wrapped += run.breaks > 2
                fits += run.breaks > 2 and need <= run.width
    if not all_lengths:
        return 0, _share(fits, wrapped)
    if len(lengths) * 10 < len(all_lengths):
        # No prose, or a script without capitals.
        cased = sum(run.capitals + run.small for run in runs)
        if cased * 2 > len(all_lengths):
            return max(all_lengths), _share(fits, wrapped)
        lengths = all_lengths
    # Not the longest: a line that nobody wrapped would set the width for all.
    return sorted(lengths)[len(lengths) * 95 // 100], _share(fits, wrapped)


def _word_shares(runs: Sequence[Run]) -> tuple[float, float]:
    """Shares of words inside lines that begin with a capital, and that a mark follows."""
    words = [line.split() for run in runs for line in run.lines]
    starts = [word.lstrip(_OPENING)[:1] for line in words for word in line[1:]]
    ends = [word.rstrip(_CLOSING)[-1:] for line in words for word in line[:-1]]
    return (
        _share(sum(start.isupper() for start in starts), len(starts)),
        _share(sum(end in _MARKS for end in ends), len(ends)),
    )


def _share(part: int, whole: int) -> float:
    """A share that is never 0 or 1."""
    return min(1 - _LEAST, max(_LEAST, part / whole if whole else 0.5))


class Odds:
    """How much likelier line breaks are in wrapped prose than anywhere else, in one book."""

    def __init__(self, book: Setting, settings: UnwrapSettings) -> None:
        self._book = book
        self._settings = settings
        # Each pair: what an event says for prose against verse, and what its absence says.
        self._capital = log(book.capitals), log(1 - book.capitals)
        share = settings.verse_capital_share
        self._verse_capital = log(share), log(1 - share)
        share = settings.verse_mark_share
        self._mark = log(book.marks / share), log((1 - book.marks) / (1 - share))
        self._fill = log(1 - book.fits), log(book.fits)
        self._verse_full = log(settings.verse_full_share)
        share = settings.verse_own_share
        self._verse_filled = log(share), log(1 - share)

    def of(self, run: Run) -> float:
        """Natural logarithm of the odds for prose; 0 for a line by itself."""
        if run.breaks < 1:
            return 0.0
        settings = self._settings
        if run.lines[0][-1] >= _UNSPACED_FROM and _is_unspaced(run):
            return _CERTAIN if _is_wrapped_unspaced(run, settings) else -_CERTAIN
        if run.width < settings.minimum_width or _is_list(run, settings):
            return -_CERTAIN
        odds = self._of_capitals(run) + self._of_marks(run) + self._of_widths(run)
        return odds - settings.indented_odds if run.indent else odds

    def _of_capitals(self, run: Run) -> float:
        prose = run.capitals * self._capital[0] + run.small * self._capital[1]
        verse = run.capitals * self._verse_capital[0] + run.small * self._verse_capital[1]
        plain = self._settings.verse_plain_share
        if run.width > self._settings.verse_width:
            plain /= 100
        return prose - _mixed(verse, prose, plain)

    def _of_marks(self, run: Run) -> float:
        return run.marks * self._mark[0] + (run.breaks - run.marks) * self._mark[1]

    def _of_widths(self, run: Run) -> float:
        width, own_width = self._book.width, run.width
        full = len([need for need in run.needs if need > width])
        filled = 0
        if run.breaks > 2 and own_width < width:
            # Where there are lines to tell, a narrower setting has a width of its own.
            filled = len([need for need in run.needs if need > own_width]) - full
        short = run.breaks - full - filled
        in_prose = (full + filled) * self._fill[0] + short * self._fill[1]
        in_verse = (
            full * self._verse_full + filled * self._verse_filled[0] + short * self._verse_filled[1]
        )
        return _mixed(in_prose, run.breaks * _BY_HAND, self._settings.ragged_share) - in_verse


def _is_list(run: Run, settings: UnwrapSettings) -> bool:
    """Whether lines are a table, an index or set off by rules, whatever else they look like."""
    lines = run.lines
    gaps = rules = numbers = 0
    for line in lines:
        if "   " in line or "|" in line or "\t" in line:
            gaps += bool(_COLUMNS.search(line))
        last = line[-1]
        if last.isdigit() or line[-2:-1].isdigit():
            numbers += 1
        elif not last.isalnum() and not line.lstrip()[:1].isalnum():
            rules += bool(_RULE.match(line))
    return (
        rules > 0
        or gaps > max(1, settings.column_share * len(lines))
        or (run.breaks > 1 and numbers > settings.number_share * len(lines))
    )


def _mixed(one: float, other: float, share: float) -> float:
    """Logarithm of a likelihood that is one, or with a probability of `share` the other."""
    if one > other + _NEARLY_SURE or one < other - _NEARLY_SURE:
        return max(one + log(1 - share), other + log(share))
    return other + log((1 - share) * exp(one - other) + share)


def judged(runs: Sequence[float], settings: UnwrapSettings) -> Iterator[bool]:
    """Whether each of a text's runs is prose, given their odds in the order of the text."""
    reach = 4.0  # a neighbour that is certain says no more than one that is nearly so
    near = [min(reach, max(-reach, odds)) for odds in runs]
    for number, odds in enumerate(runs):
        around = (near[number - 1] if number else 0.0) + (
            near[number + 1] if number + 1 < len(near) else 0.0
        )
        yield odds + settings.neighbour_weight * around > settings.minimum_odds


def _is_unspaced(run: Run) -> bool:
    """Whether most line breaks of a run are between letters that no space goes between."""
    between = sum(
        bool(_UNSPACED.match(line[-1]) and _UNSPACED.match(after.lstrip()[:1]))
        for line, after in pairwise(run.lines)
    )
    return between * 2 > run.breaks


def is_cjk(last: str, first: str) -> bool:
    """Whether two characters, on either side of a line break, have no space between them."""
    return last >= _UNSPACED_FROM and bool(_IS_CJK.match(last) and _IS_CJK.match(first))


def _is_wrapped_unspaced(run: Run, settings: UnwrapSettings) -> bool:
    """Whether lines of Chinese or Japanese were wrapped: nearly all full, and not all sentences."""
    lines, width = run.lines[:-1], run.width
    if width * 2 < settings.minimum_width or not _IS_CJK.match(run.lines[0][-1]):
        return False
    full = sum(len(line) >= width - 2 for line in lines)
    ended = sum(line[-1] in _CJK_MARKS for line in lines)
    return full >= 0.85 * run.breaks and ended * 2 <= run.breaks


def is_end(line: str, after: str, width: int, settings: UnwrapSettings) -> bool:
    """Whether a line inside wrapped prose ends a paragraph, or is a heading."""
    if len(line) >= settings.short_share * width:
        return False
    if line.isupper() and not after.isupper():
        return True
    start = after.lstrip(_OPENING)[:1]
    is_sentence = line.rstrip(_CLOSING)[-1:] in ".!?:"
    return is_sentence and (start.isupper() or start.isdigit())
