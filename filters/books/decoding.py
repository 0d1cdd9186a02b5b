"""Bytes of a plain text file to text: which encoding it is really in.

In this order: byte order mark; UTF-16 without one; valid UTF-8; what the file says of itself
("Character set encoding: ISO-8859-1", Project Gutenberg's header line); what the bytes look like.
ISO-8859-1 and ASCII are read as windows-1252, as the WHATWG Encoding standard has it: files of
those labels use its quotation marks and dashes.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from resiliparse.parse.encoding import detect_encoding

from filters.charsets import python_encoding
from filters.document import Document, Rejected, Settings, setting

_DECLARED = re.compile(rb"^Character set encoding:[ \t]*([^\r\n]{1,60})", re.I | re.M)
# Project Gutenberg names the encoding in its header, before the small print ends.
_HEADER_BYTES = 20_000
# Bounds time: the words around the first doubtful byte tell the encoding as all would.
_SAMPLE_BYTES = 200_000
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16's, which it begins with
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Accented letters inside words, as DOS code pages and as Latin-1 have them.
_DOS_LETTER = re.compile(rb"[a-z][\x80-\x90\x93-\xa5][a-z]")
_LATIN_LETTER = re.compile(rb"[a-z][\xc0-\xff][a-z]")
# No control character but line feed and tab has a meaning in a text; form feed began a new page.
_CONTROLS: dict[int, str | None] = {
    **dict.fromkeys([*range(9), *range(11, 32), 127, 0xFEFF]),
    **dict.fromkeys([ord("\f"), ord("\v")], "\n"),
}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufeff]")
# But form feed; and 1A, which ended a file in CP/M and DOS.
_CONTROL_BYTES = bytes([*range(9), *range(14, 26), *range(27, 32)])


@dataclass(frozen=True, kw_only=True)
class TextDecoderSettings(Settings):
    """What is taken for a text.

    Attributes:
        maximum_control_share: of bytes that are control characters (0 to 1); above it is binary.
        maximum_undecodable_share: of characters that are U+FFFD after decoding (0 to 1).
    """

    maximum_control_share: float = setting(
        0.001, "ours: not tuned; texts have none, binary files 0.1"
    )
    maximum_undecodable_share: float = setting(
        0.001, "ours: not tuned; a character in a thousand is damage"
    )


class TextDecoder:
    """Set `text`, lines ended by a newline, and the signals `encoding` and `encoding_source`.

    Sources: `bom`, `declared`, `bytes`. A document that came as text keeps it.
    Reasons: `empty`, `binary`, `undecodable`.
    """

    name = "decode"

    def __init__(self, settings: TextDecoderSettings | None = None) -> None:
        self.settings = settings or TextDecoderSettings()

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        raw = document.raw
        text = document.text
        if raw:
            text, encoding, source = decode_text(raw)
            document.signals["encoding"] = encoding
            document.signals["encoding_source"] = source
            if not encoding.startswith(("utf-16", "utf-32")):
                share = 1 - len(raw.translate(None, _CONTROL_BYTES)) / len(raw)
                if share > self.settings.maximum_control_share:
                    return Rejected("binary", f"{share:.1%} control characters")
            share = text.count("\ufffd") / max(1, len(text))
            if share > self.settings.maximum_undecodable_share:
                return Rejected("undecodable", f"{share:.1%} undecodable as {encoding}")
        document.raw = b""
        document.text = _plain_lines(text)
        if not document.text or document.text.isspace():
            return Rejected("empty", f"{len(raw) or len(text)} bytes of white space")
        return document


def decode_text(raw: bytes) -> tuple[str, str, str]:
    """Text, Python's name of its encoding, and where that was found (see `TextDecoder`)."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(encoding, "replace"), encoding, "bom"
    if wide := _utf_16(raw[:4096]):
        return raw.decode(wide, "replace"), wide, "bytes"
    declared = declared_encoding(raw)
    if declared == "iso2022_jp" and b"\x1b" in raw:  # a UTF-8 decoder takes it for ASCII
        return raw.decode(declared, "replace"), declared, "declared"
    source = "declared" if declared == "utf-8" else "bytes"
    try:
        return raw.decode("utf-8"), "utf-8", source
    except UnicodeDecodeError as error:
        return _decode_legacy(raw, declared, error.start)


def _decode_legacy(raw: bytes, declared: str, first: int) -> tuple[str, str, str]:
    """Text of a file that is no valid UTF-8, of which the first bytes that are not stand there."""
    if declared == "utf-8" and _is_damaged_utf_8(raw):
        return raw.decode("utf-8", "replace"), "utf-8", "declared"
    if declared and declared != "utf-8":
        text = raw.decode(declared, "replace")
        # The declaration is wrong where it fails on more than a character in a thousand.
        if text.count("\ufffd") <= len(text) // 1000:
            return text, declared, "declared"
    encoding = _guess(raw[max(0, first - _SAMPLE_BYTES // 2) : first + _SAMPLE_BYTES // 2])
    return raw.decode(encoding, "replace"), encoding, "bytes"


def _plain_lines(text: str) -> str:
    """Lines ended by a newline alone, without white space at their end or control characters."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _CONTROL.search(text):
        text = text.translate(_CONTROLS)
    return "\n".join(line.rstrip() for line in text.split("\n"))


def declared_encoding(raw: bytes) -> str:
    """Python's codec for what the file says of itself; empty if it says nothing that stands."""
    found = _DECLARED.search(raw, 0, _HEADER_BYTES)
    if not found:
        return ""
    label = found[1].decode("ascii", "replace").strip().lower()
    if re.search(r"latin-?\s?1\b", label):
        return "cp1252"
    # "ISO-646-US (US-ASCII)", "Unicode UTF-8", "Windows-1252"
    for part in [label, *re.findall(r"[a-z0-9][\w.:-]+", label)]:
        encoding = python_encoding(part)
        if encoding.startswith(("utf-16", "utf-32")):
            continue  # could not have been read
        if encoding:
            return encoding
        try:
            found_codec = codecs.lookup(part)
        except (LookupError, ValueError):
            continue
        if found_codec._is_text_encoding and found_codec.name not in ("ascii", "idna", "punycode"):
            return found_codec.name
    return "cp1252" if "ascii" in label else ""


def _utf_16(start: bytes) -> str:
    """UTF-16 without a mark: every other byte of western text is zero."""
    half = len(start) // 2
    if half < 8 or start.count(0) < half // 2:
        return ""
    even, odd = start[::2].count(0), start[1::2].count(0)
    if odd > half // 2 and even < half // 20:
        return "utf-16-le"
    return "utf-16-be" if even > half // 2 and odd < half // 20 else ""


def _is_damaged_utf_8(raw: bytes) -> bool:
    """Whether characters beyond ASCII far outnumber what cannot be decoded."""
    text = raw.decode("utf-8", "replace")
    errors = text.count("\ufffd")
    # Text in a legacy encoding is nearly all errors, cut UTF-8 nearly none: any factor tells.
    return len(text) - len(text.encode("ascii", "ignore")) - errors > 4 * errors


def _guess(sample: bytes) -> str:
    dos, latin = len(_DOS_LETTER.findall(sample)), len(_LATIN_LETTER.findall(sample))
    # A stray byte or two is no code page.
    if dos > 3 and dos > 4 * latin:
        return "cp850"
    found = python_encoding(detect_encoding(sample) or "")
    return "cp1252" if found in ("", "utf-8") else found
