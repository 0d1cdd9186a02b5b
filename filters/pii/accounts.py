"""Bank accounts (IBAN, ISO 13616) and payment cards (ISO/IEC 7812): what a checksum confirms."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stdnum import iban, luhn

from filters.pii.spans import Span, continues_number, in_url, is_digit, is_word

# Norway's are the shortest; 34 is the standard's longest (ISO 13616).
MINIMUM_IBAN = 15
MAXIMUM_IBAN = 34
# Diners Club's are the shortest.
MINIMUM_CARD = 14

_IBAN = re.compile(r"[A-Z]{2} ?[0-9]{2}(?:[ \u00a0.-]?[A-Z0-9]){11,30}")
# An IBAN's first long run of digits starts at most so many characters behind its start.
_IBAN_REACH = 14
_CARD = re.compile(
    r"[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{3})?(?![0-9])"
    r"|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5}(?![0-9])"
    r"|[0-9]{14,19}(?![0-9])"
)
# First and last issuer prefix, and the lengths of its numbers.
_ISSUERS: tuple[tuple[int, int, tuple[int, ...]], ...] = (
    (4, 4, (16,)),  # Visa; its 13 and 19 digits are lost among article numbers and ids
    (51, 55, (16,)),  # Mastercard
    (2221, 2720, (16,)),
    (34, 34, (15,)),  # American Express
    (37, 37, (15,)),
    (300, 305, (14,)),  # Diners Club
    (36, 36, (14,)),
    (38, 39, (14,)),
    (3528, 3589, (16,)),  # JCB
    (6011, 6011, (16,)),  # Discover
    (644, 659, (16,)),
    (62, 62, (16, 19)),  # UnionPay
)


def find_ibans(text: str, runs: Sequence[Span]) -> list[Span]:
    """Spans of IBANs, in one piece or in groups; country length, structure and checksum hold."""
    spans: list[Span] = []
    for run_start, _ in runs:
        low = max(run_start - _IBAN_REACH, spans[-1][1] if spans else 0)
        match = _IBAN.search(text, low, run_start + MAXIMUM_IBAN * 2)
        while match and match.start() <= run_start:
            span = _iban_span(text, match)
            if span is not None:
                spans.append(span)
                break
            match = _IBAN.search(text, match.start() + 1, run_start + MAXIMUM_IBAN * 2)
    return spans


def _iban_span(text: str, match: re.Match[str]) -> Span | None:
    start = match.start()
    if is_word(text, start - 1) or in_url(text, start):
        return None
    for end in _ends(text, start, match.end()):
        if iban.is_valid(text[start:end].replace("\u00a0", " ")):
            return (start, end)
    return None


def _ends(text: str, start: int, limit: int) -> list[int]:
    """Ends at which a run of groups may be a whole IBAN, longest first."""
    ends = []
    length = 0
    for index in range(start, limit):
        length += text[index].isalnum()
        if length < MINIMUM_IBAN or not text[index].isalnum():
            continue
        after = text[index + 1 : index + 2]
        if not (after.isascii() and after.isalnum()):
            ends.append(index + 1)
    return ends[::-1]


def find_cards(text: str, runs: Sequence[Span]) -> list[Span]:
    """Spans of card numbers: an issuer's prefix and length, the Luhn checksum, usual groups."""
    return [
        match.span()
        for start, end in runs
        if end - start >= MINIMUM_CARD
        for match in _CARD.finditer(text, start, end)
        if _stands_alone(text, *match.span()) and _is_card(re.sub("[ -]", "", match.group()))
    ]


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Neither part of a word, a decimal, a row of groups, a path nor a URL."""
    if is_word(text, start - 1) or is_word(text, end) or continues_number(text, end):
        return False
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    if (before and before in ".,-+/=&#\\$€£@%~^") or (after and after in "/=&\\@%~^"):
        return False
    in_row = before == " " and is_digit(text, start - 2)
    goes_on = after in (" ", "-") and text[end + 1 : end + 4].isdigit()
    return not in_row and not goes_on and not in_url(text, start)


def _is_card(digits: str) -> bool:
    issued = any(
        low <= int(digits[: len(str(low))]) <= high and len(digits) in lengths
        for low, high, lengths in _ISSUERS
    )
    return issued and len(set(digits)) > 1 and luhn.is_valid(digits)
