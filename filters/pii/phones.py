"""Phone numbers: candidates by shape and by the words before them, validated by phonenumbers.

A number is taken where one of these holds:
- it starts with `+` (or `00`) and is valid (E.164 and the plan of its country);
- a word like `Tel` or `call` stands before it and it is valid in one of the regions;
- it has the shape of a national number of one of the regions (`(212) 555-0123`, `030 1234567`) and
  is valid there;
- a label like `Tel.:` stands directly before it and it has a plausible number of digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import phonenumbers

from filters.pii.spans import Span, continues_number, in_url, is_digit, is_word

# E.164's longest.
MAXIMUM_DIGITS = 15
# Shorter numbers are prices, years and counts more often than phones, whatever word is near...
MINIMUM_DIGITS = 7
# ...but for `Tel.:` directly before; without any word only the length of a whole number tells.
MINIMUM_LABELLED_DIGITS = 6
MINIMUM_SHAPED_DIGITS = 9
# Bounds the spans tried from each group; French numbers in pairs, with country code, have seven.
MAXIMUM_GROUPS = 8

# Characters: the longest label, with a word like "number" and its colon.
_LABEL_REACH = 30

_GROUP = re.compile(r"[0-9]+")
_GAP = re.compile(r"[)]?[ \u00a0\u200b]?[-–‑/.]?[ \u00a0\u200b]?[(]?")
_LEAD = re.compile(r"(?:\(?\+ ?\(?|\()$")
_EXTENSION = re.compile(r",? ?(?:ext\.?|extension|x|DW) ?[0-9]{1,5}(?![\w])", re.IGNORECASE)

# Lower-case words before a number that make it a phone number, and starts of such words.
_WORDS = frozenset(
    (
        *("tel", "tél", "phone", "phones", "telefax", "fax", "mob", "mobil", "mobile", "handy"),
        *("handynummer", "cell", "cellphone", "gsm", "call", "calls", "calling", "dial", "sms"),
        *("whatsapp", "hotline", "helpline", "tollfree", "freephone", "rufnummer", "durchwahl"),
        *("notruf", "appel", "appelez", "appeler", "llama", "llame", "llamar", "móvil", "celular"),
        *("fono", "fone", "ligue", "ligar", "telemóvel", "chiama", "chiamare", "chiamate"),
        *("cellulare", "portable", "bellen", "belt", "tlf", "tfn", "komórka", "zadzwoń", "dzwoń"),
        *("тел", "моб", "факс", "звоните", "звонить"),
    )
)
_STEMS = ("telef", "teleph", "téléph", "teléf", "mobiltel", "anruf", "телефон", "τηλ", "τηλέφ")
_LETTERS = re.compile(r"[^\W\d]+")
_LABEL = re.compile(
    r"(?<![^\W\d_])(?:tel|tél|phone|telephone|telefone?|telefono|téléphone|teléfonos?|fax|telefax"
    r"|mobile?|mob|cell|handy|hotline|whatsapp|fono|fone|telefoon|тел|телефон|факс|τηλ)\.?"
    r"(?: ?(?:no|nr|number|n°)\.?)? ?[:：] {0,2}$|(?<![^\W\d_])(?:tel|fax|тел|факс)\.? {0,2}$",
    re.IGNORECASE,
)
_FIGURE = re.compile(
    r"(?:1[5-9]|20)\d\d[-./ ](?:0?[1-9]|1[0-2])[-./ ](?:0?[1-9]|[12]\d|3[01])(?: \d\d?)?"
    r"|(?:0?[1-9]|[12]\d|3[01])[-./ ](?:0?[1-9]|1[0-2]|[12]\d|3[01])[-./ ](?:1[5-9]|20)?\d\d"
    r"(?: \d\d?)?"
    r"|(?:1[0-9]|20)\d\d ?[-–/.‑ ] ?(?:1[0-9]|20)\d\d"
    r"|(?:[01]?\d|2[0-4])[.][0-5]\d ?[-–‑] ?(?:[01]?\d|2[0-4])[.][0-5]\d"  # opening hours
    r"|\d{1,3}(?:\.\d{3})+"  # thousands
)
# Dots in numbers with other separators are decimal points: "21.576 41.494-64.73".
_DECIMALS = re.compile(r"(?=.*\d\.\d).*\d[ –-]+\d.*")
_COMPACT_DATE = re.compile(r".*[ –-](?:19|20)\d{6}")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:[ \u00a0]\d{3})+")
# North America: an area code and an exchange start with 2 to 9.
_NANP = re.compile(
    r"(?:1[-. ])?(?:\([2-9]\d\d\)[ -]?|[2-9]\d\d([-.]))[2-9]\d\d[-.]\d{4}"
    r"|(?:1-)?[2-9]\d\d [2-9]\d\d[- ]\d{4}"
)
# The trunk prefix 0 with a code of two to five digits, then one to five more groups.
_TRUNK = re.compile(
    r"\(?0[1-9]\d{1,4}\)?(?: ?[-/–] ?| )\d{2,8}(?:[ -]\d{1,6}){0,4}|0[1-9](?:[ .-]\d\d){4}"
)
_NORTH_AMERICA = frozenset({"US", "CA"})


class TooManyCandidates(Exception):
    """A text with more candidates than the recipe allows."""


@dataclass(slots=True)
class PhoneFinder:
    """The search of one document.

    Attributes:
        regions: ISO 3166 codes of the countries whose national numbers are looked for, in order.
        context_characters: how far before a number a word like `Tel` counts.
        maximum_candidates: bound on the work of a document.
    """

    regions: Sequence[str]
    context_characters: int
    maximum_candidates: int
    candidates: int = 0

    def find(self, text: str, runs: Iterable[Span]) -> list[Span]:
        """Spans of phone numbers.

        Raises:
            TooManyCandidates: more strings than `maximum_candidates` were to be validated.
        """
        spans: list[Span] = []
        reach = 0
        for groups in _chains(text, runs):
            if _count_digits(groups) < MINIMUM_LABELLED_DIGITS:
                continue
            reach = max(reach, self._reach(text, groups[0][0]))
            index = 0
            while index < len(groups):
                start = _start(text, groups, index, announced=groups[index][0] < reach)
                last = None
                if start is not None:
                    last = self._last_group(text, start, groups, index, start < reach)
                if start is None or last is None:
                    index += 1
                    continue
                end = groups[last][1]
                extension = _EXTENSION.match(text, end)
                spans.append((start, extension.end() if extension else end))
                if start < reach:
                    # What a word says of one number it says of the next in a list.
                    reach = end + self.context_characters
                index = last + 1
        return spans

    def _reach(self, text: str, start: int) -> int:
        """Up to where a word like `Tel` before `start` announces numbers; 0: there is none."""
        low = max(0, start - self.context_characters)
        for match in _LETTERS.finditer(text, low, start):
            word = match.group().lower()
            if (word in _WORDS or word.startswith(_STEMS)) and not is_word(text, match.start() - 1):
                return match.end() + self.context_characters
        return 0

    def _last_group(
        self, text: str, start: int, groups: Sequence[Span], first: int, context: bool
    ) -> int | None:
        """The last group of the number that begins at `start`; None where there is no number."""
        whole = len(groups) - 1
        if "+" in text[start : groups[first][0]] or context or text.startswith("00", start):
            for last in range(min(whole, first + MAXIMUM_GROUPS - 1), first - 1, -1):
                end = groups[last][1]
                if _is_closed(text, end) and self._is_number(text[start:end], context):
                    return last
        if first:
            return None
        end = groups[whole][1]
        if not _is_closed(text, end):
            return None
        if self._has_shape(text[start:end]) or _is_labelled(text, start, groups):
            return whole
        return None

    def _is_number(self, candidate: str, context: bool) -> bool:
        """Whether it is valid with its country code or, where a word announces it, without."""
        digits = "".join(_GROUP.findall(candidate))
        if not MINIMUM_DIGITS <= len(digits) <= MAXIMUM_DIGITS + 2 or _is_one_digit(digits):
            return False
        if "+" in candidate:
            told = context or "+ " not in candidate or _NANP.fullmatch(candidate, 2) is not None
            return told and self._is_valid("+" + digits, None)
        if digits.startswith("00"):
            told = context or len(digits) < len(candidate)
            return told and self._is_valid("+" + digits[2:], None)
        figures = (_FIGURE, _THOUSANDS, _DECIMALS)
        if not context or any(figure.fullmatch(candidate) for figure in figures):
            return False
        return any(self._is_valid(digits, region) for region in self.regions)

    def _has_shape(self, candidate: str) -> bool:
        """Whether it is written as national numbers are, and valid in a region."""
        if _NANP.fullmatch(candidate):
            regions = [region for region in self.regions if region in _NORTH_AMERICA]
        elif _COMPACT_DATE.fullmatch(candidate) or _FIGURE.fullmatch(candidate):
            return False
        elif _TRUNK.fullmatch(candidate):
            regions = [region for region in self.regions if region not in _NORTH_AMERICA]
        else:
            return False
        digits = "".join(_GROUP.findall(candidate))
        return len(digits) >= MINIMUM_SHAPED_DIGITS and any(
            self._is_valid(digits, region) for region in regions
        )

    def _is_valid(self, number: str, region: str | None) -> bool:
        self.candidates += 1
        if self.candidates > self.maximum_candidates:
            raise TooManyCandidates
        try:
            parsed = phonenumbers.parse(number, region)
        except phonenumbers.NumberParseException:
            return False
        return phonenumbers.is_valid_number(parsed)


def _count_digits(groups: Sequence[Span]) -> int:
    return sum([stop - start for start, stop in groups])


def _is_one_digit(candidate: str) -> bool:
    """Whether one digit is repeated: a form's default, not a number."""
    return len(set("".join(_GROUP.findall(candidate)))) == 1


def _is_labelled(text: str, start: int, groups: Sequence[Span]) -> bool:
    """Whether `Tel.:` or its like stands before a plausible number of digits."""
    if not MINIMUM_LABELLED_DIGITS <= _count_digits(groups) <= MAXIMUM_DIGITS:
        return False
    candidate = text[start : groups[-1][1]]
    if _FIGURE.fullmatch(candidate) or _DECIMALS.fullmatch(candidate) or _is_one_digit(candidate):
        return False
    return _LABEL.search(text[max(0, start - _LABEL_REACH) : start]) is not None


def _chains(text: str, runs: Iterable[Span]) -> Iterator[list[Span]]:
    """Groups of digits that may be one number, or several in a row."""
    for start, stop in runs:
        groups: list[Span] = []
        for match in _GROUP.finditer(text, start, stop):
            gap = text[groups[-1][1] : match.start()] if groups else ""
            if groups and (_GAP.fullmatch(gap) is None or ". " in gap):
                yield groups
                groups = []
            groups.append(match.span())
        yield groups


def _start(text: str, groups: Sequence[Span], index: int, announced: bool) -> int | None:
    """Where a number that begins with this group starts, `+` and `(` included; None: none can."""
    first = groups[index][0]
    if index and not announced and not text.startswith("00", first):
        return None
    lead = _LEAD.search(text, max(0, first - 4), first)
    start = lead.start() if lead else first
    if index and not lead and text[first] != "0" and text[first - 1] != " ":
        return None
    if is_word(text, start - 1) or _is_figure_before(text, start) or in_url(text, start):
        return None
    if lead and lead.group() == "(" and ")" not in text[first : groups[-1][1]]:
        return first
    return start


def _is_figure_before(text: str, start: int) -> bool:
    """Whether the character before makes it a sum, an anchor, a decimal or part of a code."""
    before = text[max(0, start - 1) : start]
    if not before:
        return False
    if before == " ":
        return start > 1 and text[start - 2] in "$€£"
    if before == "/":
        return text[start] != "+"
    return before in "=&#\\$€£%~^@+*<-–" or (before in ".,:" and is_digit(text, start - 2))


def _is_closed(text: str, end: int) -> bool:
    """Whether nothing behind `end` belongs to the number, or makes it another thing."""
    after = text[end : end + 1]
    if is_word(text, end) or continues_number(text, end) or (after and after in "%€$£°=@\\^_"):
        return False
    return not (after in ("-", "/") and is_word(text, end + 1) and not text[end + 1].isdigit())
