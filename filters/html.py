"""Bytes of an HTML page to text: which encoding it is really in.

Follows the WHATWG Encoding standard for labels and for what they stand for (`latin1` is
windows-1252, `gb2312` is GB 18030), and the HTML standard for where they are looked up: byte order
mark, HTTP header, `<meta>`, then the bytes themselves. One deviation: bytes that are valid UTF-8
are UTF-8, whatever is declared, because text in another encoding is never valid UTF-8 by chance.

Markup that takes a parser quadratic time (nesting thousands deep, a tag of thousands of attributes)
is found here by linear scans, before any parser sees it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate

from filters.charsets import decode_legacy, python_encoding
from filters.document import Document, Rejected, Settings, setting

# Declarations further down are not looked at; browsers stop at 1,024 bytes, some pages are later.
PROLOGUE_BYTES = 8192
_META = re.compile(rb"""<meta\b[^>]{0,500}?\bcharset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_XML = re.compile(rb"""<\?xml\b[^>]{0,200}?\bencoding\s*=\s*["']\s*([\w.:-]+)""", re.IGNORECASE)
_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
# Elements without content, or whose end tag may be left out: they do not nest.
_NESTING_TAG = re.compile(
    r"<(/?)(?!(?:area|base|br|col|dd|dt|embed|hr|img|input|li|link|meta|option|p|param|path|source"
    r"|t[dhr]|tbody|thead|tfoot|track|wbr)\b)[a-z]",
    re.IGNORECASE,
)
_VALUE = re.compile(r"=\s*(?:\"[^\"]*\"|'[^']*')")
_STEP = {"": 1, "/": -1}
_TEXT_CONTROLS = b"\t\n\x0c\r\x1b"
_CONTROLS = bytes(c for c in range(32) if c not in _TEXT_CONTROLS)


@dataclass(frozen=True, kw_only=True)
class HtmlDecoderSettings(Settings):
    """What is taken for an HTML page.

    Attributes:
        maximum_bytes: longest page.
        maximum_control_share: of bytes that are control characters (0 to 1); above it is binary.
        maximum_undecodable_share: of characters that are U+FFFD after decoding (0 to 1).
        maximum_depth: of nested elements, closed or not.
        maximum_attributes: of one tag.
    """

    maximum_bytes: int = setting(
        20_000_000, "ours: as a record of a crawl; Common Crawl cuts at a few megabytes"
    )
    maximum_control_share: float = setting(
        0.02, "ours: not tuned; pages have next to none, binary files 0.1"
    )
    maximum_undecodable_share: float = setting(
        0.02, "ours: not tuned; more than a broken letter in fifty is no text"
    )
    maximum_depth: int = setting(5000, "measured: Resiliparse takes 5 s for 10,000 (docs/warc.md)")
    maximum_attributes: int = setting(
        10_000, "measured: parsers take 20 s for 200,000 (docs/warc.md)"
    )


class HtmlDecoder:
    """Set `text` to the page's HTML, and the signals `encoding` and `encoding_source`.

    Sources: `bom`, `http`, `meta` (declared there and true), `bytes` (found out).
    Reasons: `empty`, `too_large`, `binary`, `undecodable`, `too_deep`, `too_many_attributes`.
    """

    name = "decode"

    def __init__(self, settings: HtmlDecoderSettings | None = None) -> None:
        self.settings = settings or HtmlDecoderSettings()

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        raw = document.raw
        if len(raw) > self.settings.maximum_bytes:
            return Rejected("too_large", f"{len(raw)} bytes > {self.settings.maximum_bytes}")
        if not raw or raw.isspace():
            return Rejected("empty", f"{len(raw)} bytes of white space")
        text, encoding, source = decode_html(raw, document.metadata.get("http_charset", ""))
        document.signals["encoding"] = encoding
        document.signals["encoding_source"] = source
        if not encoding.startswith("utf-16"):
            share = 1 - len(raw.translate(None, _CONTROLS)) / len(raw)
            if share > self.settings.maximum_control_share:
                return Rejected("binary", f"{share:.1%} control characters")
        share = text.count("\ufffd") / max(1, len(text))
        if share > self.settings.maximum_undecodable_share:
            return Rejected("undecodable", f"{share:.1%} undecodable as {encoding}")
        problem = self._hostile_markup(text)
        if problem:
            return problem
        document.text = text.replace("\0", "") if b"\0" in raw else text
        document.raw = b""
        return document

    def _hostile_markup(self, html: str) -> Rejected | None:
        depth = nesting_depth(html, self.settings.maximum_depth)
        if depth > self.settings.maximum_depth:
            return Rejected("too_deep", f"{depth} nested elements > {self.settings.maximum_depth}")
        limit = self.settings.maximum_attributes
        attributes = attribute_count(html, limit)
        if attributes > limit:
            return Rejected("too_many_attributes", f"{attributes} in one tag > {limit}")
        return None


def decode_html(raw: bytes, http_charset: str) -> tuple[str, str, str]:
    """Text, Python's name of the encoding, and where it was found (see `HtmlDecoder`)."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(encoding, "replace"), encoding, "bom"
    declared = declared_encodings(raw, http_charset)
    sources = dict(reversed(declared))
    encoding = _not_ascii_compatible(raw, declared)
    if encoding:
        return raw.decode(encoding, "replace"), encoding, sources.get(encoding, "bytes")
    source = sources.get("utf-8", "bytes")
    try:
        return raw.decode("utf-8"), "utf-8", source
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "replace")
    if _is_damaged_utf_8(text):
        return text, "utf-8", source
    return decode_legacy(raw, [pair for pair in declared if pair[0] != "utf-8"])


def declared_encodings(raw: bytes, http_charset: str) -> list[tuple[str, str]]:
    """(encoding, `http` or `meta`) of every label that stands for one, by rank."""
    declared = [(python_encoding(http_charset), "http")]
    prologue = raw[:PROLOGUE_BYTES]
    for pattern in (_XML, _META):
        match = pattern.search(prologue)
        if match:
            # A label that could be read is not in UTF-16: the HTML standard says UTF-8.
            encoding = python_encoding(match[1].decode("ascii", "replace"))
            declared.append(("utf-8" if encoding.startswith("utf-16") else encoding, "meta"))
    return [(encoding, source) for encoding, source in declared if encoding]


def _not_ascii_compatible(raw: bytes, declared: list[tuple[str, str]]) -> str:
    """UTF-16 without a mark, or ISO-2022-JP, which a UTF-8 decoder takes for ASCII; else empty."""
    if b"\x1b" in raw and ("iso2022_jp" in dict(declared) or _is_iso_2022_jp(raw)):
        return "iso2022_jp"
    start = raw[:64]
    if start.count(0) * 3 < len(start):
        return ""
    return {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}.get(start[:2], "")


def _is_iso_2022_jp(raw: bytes) -> bool:
    """Whether it switches to Japanese characters and back, and decodes so."""
    if b"\x1b$B" not in raw and b"\x1b$@" not in raw:
        return False
    try:
        raw.decode("iso2022_jp")
    except UnicodeDecodeError:
        return False
    return True


def _is_damaged_utf_8(text: str) -> bool:
    """Whether it is UTF-8 with a cut or a foreign snippet: characters far outnumber errors."""
    errors = text.count("\ufffd")
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    # Text in a legacy encoding is nearly all errors, cut UTF-8 nearly none: any factor tells.
    return beyond_ascii - errors > 4 * errors


def nesting_depth(html: str, enough: int) -> int:
    """How deep elements nest by their tags; 0 where there are too few tags to pass `enough`."""
    if html.count("<") <= enough or html.count("<") - html.count("</") <= enough:
        return 0
    return max(accumulate(map(_STEP.__getitem__, _NESTING_TAG.findall(html))), default=0)


def attribute_count(html: str, enough: int) -> int:
    """How many attributes the largest tag has; 0 where no tag is long enough for `enough`.

    Words inside a quoted value are none: pages put whole JSON documents there.
    """
    length = 2 * enough
    step = length // 2
    # A tag of that length leaves a whole step without the end of one.
    starts = range(0, len(html) - step, step)
    if all(html.find(">", start, start + step) >= 0 for start in starts):
        return 0
    tags = re.findall(rf"<[a-zA-Z][^<>]{{{length},}}", html)
    return max((len(_VALUE.sub("=v", tag).split()) for tag in tags), default=0)
