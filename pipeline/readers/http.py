"""The HTTP response in a WARC record: status, headers, and the body as the browser would see it.

Follows RFC 9112 (messages, chunked coding) and RFC 9110 (content codings), leniently: crawlers
store bodies that are decoded already under the headers of the encoded ones, and line breaks vary.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import zstandard
from fastwarc.stream_io import BrotliReader

from filters.charsets import python_encoding
from pipeline.readers.warc_records import parse_headers

HEADER_BYTES = 1 << 16
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)?\s+(\d{3})\b")
_CHUNK_SIZE = re.compile(rb"\s*([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([^\s"';,]+)""")


class BadResponse(Exception):
    """A response that cannot be used.

    Attributes:
        reason: `not_http`, `record_too_large`, `bad_content_encoding` or
            `unknown_content_encoding`.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Response:
    """Status and headers (by lower-case name), and the body as stored."""

    status: int
    headers: dict[str, str]
    stored_body: bytes

    def content_type(self) -> tuple[str, str]:
        """Media type and charset, lower case, each empty if not given."""
        value = self.headers.get("content-type", "").lower()
        charset = _CHARSET.search(value)
        return re.split("[;,]", value)[0].strip(), charset[1] if charset else ""

    def body(self, *, maximum_bytes: int, cut: bool = False) -> bytes:
        """The body without transfer and content codings.

        Args:
            maximum_bytes: longest body made.
            cut: the crawler cut the body short; what can be decoded of it is enough.

        Raises:
            BadResponse: `record_too_large`, `bad_content_encoding` if it decodes in part only, or
                `unknown_content_encoding`.
        """
        body = self.stored_body
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            body = join_chunks(body)
        codings = self.headers.get("content-encoding", "").lower().split(",")
        for coding in reversed([coding.strip() for coding in codings]):
            body = decode_content(body, coding, maximum_bytes=maximum_bytes, cut=cut)
        return body


def parse_response(block: bytes) -> Response:
    """Split a record's block into status, headers and body.

    Raises:
        BadResponse: `not_http`, if there is no status line or the header does not end.
    """
    status = _STATUS_LINE.match(block)
    end = _HEADER_END.search(block, 0, HEADER_BYTES)
    if not status or not end:
        raise BadResponse("not_http", repr(block[:40]))
    headers = parse_headers(block[: end.start()])
    return Response(int(status[1]), headers, block[end.end() :])


def join_chunks(body: bytes) -> bytes:
    """Body of a chunked message; what has no chunk sizes (joined by the crawler) stays as it is."""
    parts: list[bytes] = []
    position = 0
    while size := _CHUNK_SIZE.match(body, position):
        length = int(size[1], 16)
        if not length:
            return b"".join(parts)
        parts.append(body[size.end() : size.end() + length])
        position = size.end() + length
    # Sizes that lead to the end: cut short. Sizes that lead nowhere: they were no sizes.
    return b"".join(parts) if parts and position >= len(body) else body


def decode_content(body: bytes, coding: str, *, maximum_bytes: int, cut: bool) -> bytes:
    """Undo one content coding; a body that is not in that coding stays as it is.

    Raises:
        BadResponse: `record_too_large`, `bad_content_encoding` if it decodes in part only, or
            `unknown_content_encoding` for a coding that is none of RFC 9110's, `br` or `zstd`.
    """
    decode = _DECODERS.get(coding)
    if not body or _looks_like_markup(body):
        return body
    if decode is None:
        # Some servers put a charset or a media type there.
        if coding in _UNCODED or "/" in coding or python_encoding(coding):
            return body
        raise BadResponse("unknown_content_encoding", coding[:40])
    decoded, whole = decode(body, maximum_bytes)
    if not decoded and (whole or coding in ("deflate", "br")):
        return body
    if len(decoded) > maximum_bytes:
        raise BadResponse("record_too_large", f"decoded body > {maximum_bytes} bytes")
    if not whole and not cut:
        raise BadResponse("bad_content_encoding", f"{coding} broken after {len(decoded)} bytes")
    return decoded


def _looks_like_markup(body: bytes) -> bool:
    return body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _gunzip(body: bytes, maximum_bytes: int) -> tuple[bytes, bool]:
    """Up to about `maximum_bytes` of all members, and whether they are the whole.

    What follows the last member and is none itself is padding.
    """
    if not body.startswith(_GZIP):
        return body, True
    parts: list[bytes] = []
    length = 0
    while body.startswith(_GZIP) and length <= maximum_bytes:
        inflater = zlib.decompressobj(31)
        try:
            parts.append(inflater.decompress(body, maximum_bytes + 1 - length))
        except zlib.error:
            parts.append(_inflate_until_error(body, 31, maximum_bytes + 1 - length))
            return b"".join(parts), False
        length += len(parts[-1])
        if not inflater.eof:
            return b"".join(parts), False
        body = inflater.unused_data
    return b"".join(parts), True


def _inflate(body: bytes, maximum_bytes: int) -> tuple[bytes, bool]:
    """zlib, as RFC 9110 says, or the raw deflate that some servers send."""
    decoded, whole = _inflate_stream(body, 15, maximum_bytes)
    return (decoded, whole) if decoded else _inflate_stream(body, -15, maximum_bytes)


def _inflate_stream(body: bytes, window_bits: int, maximum_bytes: int) -> tuple[bytes, bool]:
    inflater = zlib.decompressobj(window_bits)
    try:
        decoded = inflater.decompress(body, maximum_bytes + 1)
        return decoded, inflater.eof
    except zlib.error:
        return _inflate_until_error(body, window_bits, maximum_bytes), False


def _inflate_until_error(body: bytes, window_bits: int, maximum_bytes: int) -> bytes:
    inflater = zlib.decompressobj(window_bits)
    parts = []
    for position in range(0, len(body), 256):
        try:
            parts.append(inflater.decompress(body[position : position + 256], maximum_bytes))
        except zlib.error:
            break
    return b"".join(parts)


def _unbrotli(body: bytes, maximum_bytes: int) -> tuple[bytes, bool]:
    reader = BrotliReader(io.BytesIO(body))
    parts = []
    length = 0
    try:
        while length <= maximum_bytes and (part := reader.read(1 << 16)):
            parts.append(part)
            length += len(part)
    except (OSError, ValueError):
        return b"".join(parts), False
    return b"".join(parts), True


def _unzstd(body: bytes, maximum_bytes: int) -> tuple[bytes, bool]:
    """All frames (RFC 8878); browsers refuse windows of more than 8 MB, and so do we."""
    if not body.startswith(_ZSTD):
        return body, True
    decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 23)
    parts: list[bytes] = []
    length = 0
    while body.startswith(_ZSTD) and length <= maximum_bytes:
        frame, position = decompressor.decompressobj(), 0
        # Small steps: a few bytes can be a megabyte of zeros.
        while not frame.eof and position < len(body) and length <= maximum_bytes:
            try:
                parts.append(frame.decompress(body[position : position + _ZSTD_STEP]))
            except zstandard.ZstdError:
                return b"".join(parts), False
            length += len(parts[-1])
            position += _ZSTD_STEP
        if not frame.eof:
            return b"".join(parts), length > maximum_bytes
        body = frame.unused_data + body[position:]
    return b"".join(parts), True


_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_ZSTD_STEP = 256
_UNCODED = frozenset(("", "identity", "none", "binary", "unicode", "utf8", "chunked"))
_DECODERS: dict[str, Callable[[bytes, int], tuple[bytes, bool]]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
