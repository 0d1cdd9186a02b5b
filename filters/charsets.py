"""Legacy encodings: what their labels stand for, and which one bytes are in, whatever is declared.

Labels mean what the WHATWG Encoding standard says. Resiliparse's detector (Chromium's) guesses an
encoding from the bytes; a declared one is believed unless the text that it gives is implausible
beside the guess's: single-byte encodings never fail, so that they decode tells nothing.
"""

from __future__ import annotations

import re
import unicodedata

from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

# Python's codecs by WHATWG's names that decode less than WHATWG's.
_SUPERSETS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "ascii": "cp1252",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
}
# What the detector says where no page is in it, and what such pages are in: Romanian differs in the
# commas below two letters, Ukrainian has letters where Russian KOI8 draws boxes.
_LIKELIER = {"iso8859-16": "iso8859-2", "koi8-r": "koi8-u", "iso8859-13": "cp1257"}
# Tried where the detector knows nothing or its guess reads badly.
_OTHERS = ("cp949", "mac_roman", "mac_cyrillic")
_OTHER_LATIN = frozenset(("cp1250", "cp1254", "cp1257", "cp1258", "iso8859-2"))
_MARKUP = re.compile(r"<(?:script|style)\b.*?</(?:script|style)|<[^>]*>", re.DOTALL | re.IGNORECASE)
# Two characters on one of which at least an encoding decides; ASCII is the same in all.
_PAIRS = re.compile(r"(?=([^\W\d_][^\x00-\x7f\s]|[^\x00-\x7f\s][^\W\d_]))")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_C1 = re.compile("[\x80-\x9f]")
_SAMPLE = 200_000
# A guess must read better by so much of all pairs before it wins against what is declared.
_MARGIN = 0.1
_BAD = 0.15


def python_encoding(label: str) -> str:
    """Python's codec for a WHATWG label, or empty for a label that stands for none."""
    name = map_encoding_to_html5(label, fallback_utf8=False) or ""
    return _SUPERSETS.get(name, name)


def decode_legacy(raw: bytes, declared: list[tuple[str, str]]) -> tuple[str, str, str]:
    """Text of bytes that are no UTF-8, Python's name of the encoding, and where that was found.

    Args:
        raw: the page.
        declared: (encoding, source) by rank; the source of an encoding that the bytes tell is
            `bytes`.
    """
    guess = python_encoding(detect_encoding(raw) or "")
    guess = "cp1252" if guess in ("", "utf-8") else _LIKELIER.get(guess, guess)
    text, encoding, source = raw.decode(guess, "replace"), guess, "bytes"
    if guess == "iso8859-2" and _C1.search(text):
        # Quotation marks of Windows, where ISO has controls.
        text, encoding = raw.decode("cp1250", "replace"), "cp1250"
    worst = implausibility(text)
    if worst > _BAD:
        for other in _OTHERS:
            candidate = raw.decode(other, "replace")
            badness = implausibility(candidate) + (other == "cp949" and not _is_korean(raw))
            if badness <= min(worst - _MARGIN, _BAD) and _decodes(candidate, text):
                text, encoding, worst = candidate, other, badness
    # Header and <meta> may differ: a server's default against the author's word.
    for candidate, where in sorted(declared, key=lambda pair: pair[0] != encoding):
        if candidate == encoding:
            return text, encoding, where
        decoded = raw.decode(candidate, "replace")
        if candidate == "cp1252" and where == "http" and encoding in _OTHER_LATIN:
            # A server's default, over letters that Western languages have not.
            continue
        margin = _MARGIN if candidate == "cp1252" else 3 * _MARGIN
        if _decodes(decoded, text) and implausibility(decoded) <= worst + margin:
            return decoded, candidate, where
    return text, encoding, source


def _is_korean(raw: bytes) -> bool:
    """Whether nearly all is of KS X 1001: CP949 has a syllable for most pairs of any bytes."""
    text = raw.decode("euc_kr", "replace")
    return text.count("\ufffd") * 50 <= len(_HANGUL.findall(text))


def _decodes(decoded: str, other: str) -> bool:
    return decoded.count("\ufffd") <= max(other.count("\ufffd"), len(decoded) // 1000)


def implausibility(text: str) -> float:
    """Share of neighbours, one of them not ASCII, that hardly stand in one word (0 to 1).

    A small letter before a capital, a letter beside a sign, two alphabets: so words look in the
    wrong encoding. 0 where there is nothing to tell by.
    """
    visible = _MARKUP.sub(" ", text[:_SAMPLE])
    pairs: list[str] = _PAIRS.findall(visible)
    if not pairs:
        return 0.0
    return sum(map(_is_odd, pairs)) / len(pairs)


def _is_odd(pair: str) -> bool:
    first, second = pair[0], pair[1]
    if not (first.isalpha() and second.isalpha()):
        sign = second if first.isalpha() else first
        return sign not in _BESIDE_LETTERS and not _is_mark(sign)
    if first.islower() and second.isupper():
        return True
    ours, theirs = _alphabet(first), _alphabet(second)
    # Two accented capitals, or three signs of Latin-1 in a row, are no word of Latin script.
    return ours != theirs or (ours == "latin" and first > "\x7f" and second > "\x7f")


# Quotation marks, dashes, dots and signs that touch words in ordinary text.
_BESIDE_LETTERS = frozenset(
    "‘’‚“”„«»‹›–—…·®™©¿¡ºª°\u00ad\u3000、。，：！？（）「」『』《》،؟؛・ー．•【】"
)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _alphabet(letter: str) -> str:
    code = ord(letter)
    for last, name in _ALPHABETS:
        if code <= last:
            return name
    return "other"


_ALPHABETS = (
    (0x24F, "latin"), (0x36F, "other"), (0x3FF, "greek"), (0x52F, "cyrillic"), (0x58F, "armenian"),
    (0x5FF, "hebrew"), (0x77F, "arabic"), (0xDFF, "indic"), (0xE7F, "thai"), (0x10FF, "other"),
    (0x11FF, "hangul"), (0x1EFF, "latin"), (0x1FFF, "greek"), (0x2E7F, "other"),
    (0x9FFF, "east"), (0xABFF, "other"), (0xD7FF, "hangul"), (0xF8FF, "private"), (0xFAFF, "east"),
)  # fmt: skip
