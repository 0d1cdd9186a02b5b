"""Bytes of TeX files to text: UTF-8, else as the paper declares, else what the bytes look like.

A paper declares its encoding with inputenc, CJK, or a class of Japanese TeX; what a comment says
does not count. Where nothing is declared, the legacy encodings of Cyrillic and East Asian scripts
are told from Western ones by their letters; what is not told is Windows-1252 if few bytes are at
stake, and a reason to reject the paper if there are many: nothing is read as what it is not.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

# inputenc's and CJK's names where Python's differ.
_ENCODINGS = {
    "ascii": "cp1252",
    "latin1": "cp1252",
    "latin2": "iso8859_2",
    "latin3": "iso8859_3",
    "latin4": "iso8859_4",
    "latin5": "iso8859_9",
    "latin9": "iso8859_15",
    "latin10": "iso8859_16",
    "ansinew": "cp1252",
    "applemac": "mac_roman",
    "macce": "mac_latin2",
    "maccyr": "mac_cyrillic",
    "cp1250": "cp1250",
    "cp1251": "cp1251",
    "cp1252": "cp1252",
    "cp1257": "cp1257",
    "cp437": "cp437",
    "cp437de": "cp437",
    "cp850": "cp850",
    "cp852": "cp852",
    "cp858": "cp858",
    "cp865": "cp865",
    "cp866": "cp866",
    "koi8-r": "koi8_r",
    "koi8-u": "koi8_u",
    "koi8-ru": "koi8_u",
    "iso88595": "iso8859_5",
    "8859-8": "iso8859_8",
    "cp1255": "cp1255",
    "utf8": "utf-8",
    "utf8x": "utf-8",
    "GB": "gb18030",
    "GBK": "gb18030",
    "Bg5": "big5hkscs",
    "Bg5+": "big5hkscs",
    "SJIS": "cp932",
    "JIS": "iso2022_jp",
    "KS": "cp949",
    "EUC-JP": "euc_jp",
    "UTF8": "utf-8",
}
_DECLARED = re.compile(
    rb"\\(?:usepackage|RequirePackage)\s{0,9}\[([\w ,=-]{2,60})\]\s{0,9}\{[\w, ]{0,40}\binputenc\b"
    rb"|\\inputencoding\s{0,9}\{([\w-]{2,12})\}"
    rb"|\\begin\s{0,9}\{CJK\*?\}\s{0,9}(?:\[[^\]\n]{0,20}\]\s{0,9})?\{([\w+-]{2,8})\}"
    rb"|\\usepackage\s{0,9}\[[\w ,=-]{0,60}\b(GBK)\b[\w ,=-]{0,60}\]\s{0,9}\{(?:ctex|ctexcap|CJK)"
)
_JAPANESE = re.compile(
    rb"\\document(?:class|style)\s{0,9}(?:\[[^\[\]]{0,300}\]\s{0,9})?"
    rb"\{[uj]?(?:t|j)?s?(?:jarticle|jbook|jreport|tarticle|tbook|jsarticle|jsbook|jlreq)\}"
)
_COMMENT = re.compile(rb"(?<!\\)(?:\\\\)*%[^\r\n]*\Z")
# Bytes; bounds time: a comment sign stands before what it hides on the same line.
_LOOK_BACK = 200
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HIGH = re.compile(rb"[\x80-\xff]")
# Bytes beyond ASCII; so few are names and signs of a Western text.
_FEW = 200
# Fewer tell nothing about an encoding.
_TELLING = 20
_SAMPLE_BYTES = 200_000
# Shares of the letters in a text, and how far the best must be from the next: 600 bytes of the
# Universal Declaration of Human Rights reach 0.56 in Belarusian and more in five other Cyrillic
# languages, at most 0.44 where Greek, Hebrew, Arabic or Thai are taken for Cyrillic.
_MINIMUM_CYRILLIC, _MINIMUM_EAST_ASIAN, _MARGIN = 0.55, 0.8, 0.1
# The letters that make up most of a text in Russian, Ukrainian, Bulgarian, Serbian.
_FREQUENT_CYRILLIC = frozenset("оеаинтсрвлкі")
# Each with the name under which it is read: KOI8-U has letters where KOI8-R has lines of boxes.
_CYRILLIC = ("cp1251", "koi8_u", "cp866", "iso8859_5")
_JAPANESE_ENCODINGS = ("euc_jp", "cp932", "iso2022_jp")
_CAPITAL = re.compile(rb"(?<![\x80-\xff])[\xc0-\xdf][\xe0-\xff]")
_APPLE_CAPITAL = re.compile(rb"(?<![\x80-\xff])[\x80-\x9f][\xe0-\xff]")
_INSIDE_WORD = re.compile(rb"(?<=[A-Za-z])[\x80-\xff](?=[A-Za-z])")
# Letters of Western languages in lower case, and the apostrophe.
_WESTERN = frozenset("àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿßœšž’".encode("cp1252"))
_SWITCH = re.compile(rb"\\inputencoding\s{0,9}\{([\w-]{2,12})\}")
_ESCAPED = re.compile("[\udc80-\udcff]")


@dataclass
class Decoded:
    """The text files of a submission.

    Attributes:
        files: text with newlines as line ends, by path.
        assumed: paths of files that are read as Windows-1252 because nothing tells otherwise.
        unknown: paths of files whose encoding is neither declared nor told by their bytes.
    """

    files: dict[str, str] = field(default_factory=dict)
    assumed: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)


def decode_files(files: Mapping[str, bytes]) -> Decoded:
    """Text of the files of a submission, each in its own encoding."""
    decoded = Decoded()
    declared = {name: declared_encodings(data) for name, data in files.items()}
    elsewhere = tuple(dict.fromkeys(found for names in declared.values() for found in names))
    for name, data in files.items():
        text, source = _decode(data, declared[name] or elsewhere)
        decoded.files[name] = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
        if source == "assumed":
            decoded.assumed.add(name)
        elif source == "unknown":
            decoded.unknown.add(name)
    return decoded


def declared_encodings(data: bytes) -> tuple[str, ...]:
    """The encodings that a file declares outside of comments, as Python calls them; best first."""
    if b"inputenc" not in data and b"CJK" not in data and b"ctex" not in data:
        return _JAPANESE_ENCODINGS if _JAPANESE.search(data) else ()
    found: list[str] = []
    for match in _DECLARED.finditer(data):
        if _COMMENT.search(data, max(0, match.start() - _LOOK_BACK), match.start()):
            continue
        # Of several options the last holds.
        options = next(filter(None, match.groups())).decode("ascii", "replace").split(",")
        name = options[-1].strip()
        encoding = _ENCODINGS.get(name) or _ENCODINGS.get(name.lower())
        if encoding is not None:
            found.append(encoding)
    if _JAPANESE.search(data):
        found += _JAPANESE_ENCODINGS
    return tuple(dict.fromkeys(found))


def _decode(data: bytes, declared: tuple[str, ...]) -> tuple[str, str]:
    """A file's text, and `assumed` or `unknown` where its encoding is not certain."""
    if data.isascii() and not ("iso2022_jp" in declared and b"\x1b$" in data):
        return data.decode("ascii"), ""
    text = _decode_declared(data, declared)
    if text is not None:
        return text, ""
    text = data.decode("utf-8", "surrogateescape")
    damaged = len(_ESCAPED.findall(text))
    # Text in a legacy encoding is nearly all errors, damaged UTF-8 nearly none.
    if len(text) - len(text.encode("ascii", "ignore")) - damaged > 4 * damaged:
        return _ESCAPED.sub(_stray_byte, text), "assumed"
    return _decode_undeclared(data)


def _decode_declared(data: bytes, declared: tuple[str, ...]) -> str | None:
    """Text by a byte order mark, as UTF-8 or as declared; None where nothing of that fits."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if "iso2022_jp" in declared and b"\x1b$" in data:
        return data.decode("iso2022_jp", "replace")
    if len(declared) > 1 and b"\\inputencoding" in data:
        return _decode_parts(data, declared[0])
    for encoding in ("utf-8", *declared):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _stray_byte(match: re.Match[str]) -> str:
    """A byte that is no UTF-8 in a text that is."""
    return _windows_1252(bytes([ord(match[0]) - 0xDC00]))


def _decode_parts(data: bytes, first: str) -> str:
    """Text of a file that changes its encoding where it says so."""
    parts, encoding, position = [], first, 0
    for match in _SWITCH.finditer(data):
        parts.append(data[position : match.end()].decode(encoding, "replace"))
        position = match.end()
        encoding = _ENCODINGS.get(match[1].decode("ascii", "replace").lower(), encoding)
    parts.append(data[position:].decode(encoding, "replace"))
    return "".join(parts)


def _decode_undeclared(data: bytes) -> tuple[str, str]:
    """Text by what its bytes look like."""
    first = _HIGH.search(data)
    start = max(0, (first.start() if first else 0) - 1)
    sample = data[start : start + _SAMPLE_BYTES]
    high = len(_HIGH.findall(sample))
    told = None
    # In these scripts, no letter stands alone between Latin letters.
    if high >= _TELLING and len(_INSIDE_WORD.findall(sample)) < high / 4:
        told = _told_east_asian(sample) or _told_cyrillic(sample)
    if told is not None:
        return data.decode(told, "replace"), ""
    certain = high < _FEW or _is_western(sample)
    return _windows_1252(data), "assumed" if certain else "unknown"


def _windows_1252(data: bytes) -> str:
    """Windows-1252, or Latin-1 where a byte is not in it."""
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("iso8859_1")


def _told_east_asian(sample: bytes) -> str | None:
    """Of the encodings with two bytes a character the one whose common characters these are."""
    shares: dict[str, float] = {}
    for encoding, share in (
        ("cp949", _hangul),
        ("euc_jp", _kana),
        ("cp932", _kana),
        ("gb18030", _common_gb),
        ("big5hkscs", _common_big5),
    ):
        # The sample may begin and end inside a character.
        text = sample.decode(encoding, "replace")
        if text.count("\ufffd") > 2 + len(text) // 1000:
            continue
        shares[encoding] = share(text)
    # Hiragana has the same bytes in GB 2312, Hangul stands where its frequent characters do.
    for encoding in ("euc_jp", "cp932", "cp949"):
        if shares.get(encoding, 0) >= _MINIMUM_EAST_ASIAN:
            return encoding
    return _best(
        {name: shares[name] for name in ("gb18030", "big5hkscs") if name in shares},
        _MINIMUM_EAST_ASIAN,
    )


def _best(shares: Mapping[str, float], minimum: float) -> str | None:
    """The name with the largest share, if that is large enough and far from the next."""
    ranked = sorted(shares, key=lambda name: -shares[name])
    if not ranked or shares[ranked[0]] < minimum:
        return None
    second = shares[ranked[1]] if ranked[1:] else 0.0
    return ranked[0] if shares[ranked[0]] - second >= _MARGIN else None


def _share(text: str, is_common: Callable[[str], bool]) -> float:
    """Of the characters beyond ASCII, punctuation of East Asia left out, how many are common."""
    characters = [
        c for c in text if c > "\x7f" and not "\u3000" <= c <= "\u3020" and not c > "\uff00"
    ]
    return sum(map(is_common, characters)) / len(characters) if len(characters) > 4 else 0.0


def _hangul(text: str) -> float:
    return _share(text, lambda c: "\uac00" <= c <= "\ud7a3")


def _kana(text: str) -> float:
    """Near 1 where every other character is hiragana, as in Japanese."""
    kana = _share(text, lambda c: "\u3041" <= c <= "\u3096")
    known = _share(text, lambda c: "\u3041" <= c <= "\u30fe" or "\u4e00" <= c <= "\u9fff")
    return known if kana > 0.25 else 0.0


def _common_gb(text: str) -> float:
    """Characters of GB 2312's first level."""
    return _share(
        text,
        lambda c: (
            b"\xb0\xa1" <= c.encode("gb18030") <= b"\xd7\xfe"
            and len(c.encode("gb18030")) == 2
            and c.encode("gb18030")[1] >= 0xA1
        ),
    )


def _common_big5(text: str) -> float:
    """Characters of Big5's first level."""
    return _share(text, lambda c: b"\xa4\x40" <= c.encode("big5hkscs", "replace") <= b"\xc6\x7e")


def _told_cyrillic(sample: bytes) -> str | None:
    """Of the Cyrillic encodings the one whose frequent letters these are."""
    shares = {}
    for encoding in _CYRILLIC:
        letters = [c for c in sample.decode(encoding, "replace") if c > "\x7f"]
        shares[encoding] = sum(c in _FREQUENT_CYRILLIC for c in letters) / max(1, len(letters))
    best = _best(shares, _MINIMUM_CYRILLIC)
    # Apple's has the same small letters, and other capitals.
    is_apple = best == "cp1251" and len(_CAPITAL.findall(sample)) < len(
        _APPLE_CAPITAL.findall(sample)
    )
    return "mac_cyrillic" if is_apple else best


def _is_western(sample: bytes) -> bool:
    """Whether the bytes inside words are letters of Western languages in Windows-1252."""
    inside = _INSIDE_WORD.findall(sample)
    high = len(_HIGH.findall(sample))
    if len(inside) < high / 5:
        return False
    return sum(byte[0] in _WESTERN for byte in inside) >= 0.95 * len(inside)
