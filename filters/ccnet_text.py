"""CCNet's two text normalisers, over whole documents at once.

Both follow CCNet (arXiv 1911.00359) as its published code behaves, not as the paper describes it:
the form that paragraphs are compared in keeps accents, and the form that the language model scores
loses every line break. The rules are applied to a whole document in a few passes that run in C;
the result per line is the same as line by line, which the tests check.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Literal

Newlines = Literal["delete", "space"]

# `ccnet` reproduces the decisions of cc_net's code, quirks included.
Mode = Literal["standard", "ccnet"]

# What the language model's form puts for 34 punctuation marks; the comparison form deletes them.
# The full-width digit one stands among the quotation marks by a slip of the original; digits are
# mapped first, so it never takes effect.
_PUNCTUATION_BY_REPLACEMENT = {
    ",": "\u3001\uff0c",
    ".": "\u3002",
    ". ": "\uff0e",
    '"': "\u00ab\u00bb\u201c\u201d\u201e\u300a\u300b\u300c\u300d\uff11",
    "'": "\u00b4\u2019",
    ":": "\u2236\uff1a",
    "?": "\uff1f",
    "!": "\uff01",
    "(": "\uff08",
    ")": "\uff09",
    ";": "\uff1b",
    "-": "\u2013\u2501\u25ba",
    " - ": "\u2014",
    "~": "\uff5e",
    "...": "\u2026",
    "<": "\u3008",
    ">": "\u3009",
    "[": "\u3010",
    "]": "\u3011",
    "%": "\uff05",
}
PUNCTUATION = {
    mark: replacement
    for replacement, marks in _PUNCTUATION_BY_REPLACEMENT.items()
    for mark in marks
}
_UPPER_CONTROLS = frozenset(map(chr, range(0x80, 0xA0)))

# ASCII is mapped on UTF-8 bytes: capitals to small letters, digits to 0.
_ASCII_MAP = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789", b"abcdefghijklmnopqrstuvwxyz" + b"0" * 9
)
_ASCII_MAP_SPACE = bytearray(_ASCII_MAP)
for _control in b"\t\n\v\f\r":
    _ASCII_MAP_SPACE[_control] = ord(" ")
_CONTROLS = bytes([*range(0x20), 0x7F])
_CONTROLS_BUT_NEWLINE = _CONTROLS.replace(b"\n", b"")
_CONTROLS_BUT_BLANKS = bytes(c for c in _CONTROLS if c not in b"\t\n\v\f\r")


# One pass per character beats one pass over a table up to about this many characters.
_MANY_CHANGES = 50


def _search_pattern(wanted: Callable[[str], bool]) -> re.Pattern[str]:
    """Match each non-ASCII character that may change; above U+FFFF all do, to keep it fast."""
    basic_plane = (chr(c) for c in range(0x80, 0x10000))
    return re.compile(f"[{''.join(filter(wanted, basic_plane))}\U00010000-\U0010ffff]")


def _replace_found(text: str, pattern: re.Pattern[str], replacement: Callable[[str], str]) -> str:
    """Replace every character that `pattern` finds; most documents have few different ones."""
    found = {character: replacement(character) for character in set(pattern.findall(text))}
    changes = {character: new for character, new in found.items() if new != character}
    if len(changes) > _MANY_CHANGES:
        return text.translate({ord(character): new for character, new in changes.items()})
    for character, new in changes.items():
        text = text.replace(character, new)
    return text


def _deleted_or_zero(character: str) -> str:
    if character.isdecimal():
        return "0"
    return "" if character in PUNCTUATION or character in _UPPER_CONTROLS else character


def _plain_form(character: str) -> str:
    if character.isdecimal():
        return "0"
    if character in _UPPER_CONTROLS or unicodedata.category(character) == "Mn":
        return ""
    return PUNCTUATION.get(character, character)


_DEDUP_PATTERN = _search_pattern(lambda character: _deleted_or_zero(character) != character)
_PLAIN_PATTERN = _search_pattern(lambda character: _plain_form(character) != character)


def normalized_lines(lines: list[str]) -> list[bytes]:
    """The form in which CCNet compares paragraphs, as UTF-8, one per line.

    Each line is stripped and lower-cased, every decimal digit becomes 0, 34 non-ASCII punctuation
    marks and the control characters are deleted. Accents and ASCII punctuation stay.

    Raises:
        ValueError: a line holds a newline.
        UnicodeEncodeError: a line holds a lone surrogate.
    """
    text = "\n".join(map(str.strip, lines))
    if not text.isascii():
        text = _replace_found(text.lower(), _DEDUP_PATTERN, _deleted_or_zero)
    normalized = text.encode().translate(_ASCII_MAP, _CONTROLS_BUT_NEWLINE).split(b"\n")
    if len(normalized) != max(len(lines), 1):
        raise ValueError("a line holds a newline")
    return normalized if lines else []


def normalize_for_dedup(text: str) -> str:
    """The form in which CCNet compares paragraphs; line n of the result belongs to line n."""
    return b"\n".join(normalized_lines(text.split("\n"))).decode()


def normalize_for_language_model(text: str, *, newlines: Newlines) -> str:
    """The form in which CCNet's language models see a document.

    The text is stripped, lower-cased and freed of accents, every decimal digit becomes 0, the 34
    punctuation marks become ASCII, and control characters are deleted.

    Args:
        text: a whole document.
        newlines: `delete` drops line breaks and tabs with the other control characters, as CCNet
            does, so the last word of a line fuses with the first of the next. `space` puts a space.
    """
    text = text.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFD", text.lower())
        text = _replace_found(text, _PLAIN_PATTERN, _plain_form)
    if newlines == "space":
        return text.encode().translate(_ASCII_MAP_SPACE, _CONTROLS_BUT_BLANKS).decode()
    return text.encode().translate(_ASCII_MAP, _CONTROLS).decode()
