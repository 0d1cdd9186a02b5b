"""Bytes of a TeX file to text: UTF-8, else as the paper declares, else Windows-1252 or Latin-1."""

from __future__ import annotations

import codecs
import re

# inputenc's names where Python's differ.
_INPUTENC = {
    "latin1": "iso8859_1",
    "latin2": "iso8859_2",
    "latin3": "iso8859_3",
    "latin4": "iso8859_4",
    "latin5": "iso8859_9",
    "latin9": "iso8859_15",
    "latin10": "iso8859_16",
    "ansinew": "cp1252",
    "applemac": "mac_roman",
    "koi8-r": "koi8_r",
    "cp1250": "cp1250",
    "cp1251": "cp1251",
    "cp1252": "cp1252",
    "cp437": "cp437",
    "cp850": "cp850",
    "cp852": "cp852",
    "cp866": "cp866",
}
_DECLARED = re.compile(rb"\\(?:usepackage|RequirePackage)\s*\[([a-z0-9-]{2,12})\]\s*\{inputenc\}")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def declared_encoding(data: bytes) -> str | None:
    """The encoding that a file's inputenc line names, as Python calls it; None if none is."""
    match = _DECLARED.search(data)
    return _INPUTENC.get(match[1].decode()) if match else None


def decode(data: bytes, declared: str | None) -> str:
    """Text with newlines as line ends. Never fails: Latin-1 knows every byte.

    Args:
        data: a TeX file.
        declared: what the paper's inputenc line says, for files that are not UTF-8.
    """
    text = None
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = data[len(mark) :].decode(encoding, "replace")
            break
    if text is None:
        text = _first_that_fits(data, ("utf-8", declared or "cp1252", "cp1252"))
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _first_that_fits(data: bytes, encodings: tuple[str, ...]) -> str:
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("iso8859_1")
