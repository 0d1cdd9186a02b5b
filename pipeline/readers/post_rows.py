"""Read the rows of a Stack Exchange `Posts.xml`.

The stream is cut at `<`, which XML allows nowhere inside a row, and rows are parsed by lxml, some
hundred at a time, without the document around them: no entity, DTD or network is touched. Where
one is malformed, those with it are parsed one by one, so that it costs itself alone. What is held
is a batch of rows.

Format: https://meta.stackexchange.com/questions/2677 (the dump's schema).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, TypeAlias

from lxml import etree

from pipeline.readers.dump_file import UnreadableDumpError
from pipeline.readers.records import LostInput

# Small enough for the processor's cache, and for memory to be used again: a fifth faster than 1 MB.
_CHUNK_BYTES = 1 << 16
_BATCH_BYTES = 1 << 16
# Post ids are 32-bit integers in Stack Exchange's schema.
_MAXIMUM_ID = 2**31 - 1

# Of a file that is cut off nothing is unread; the rest is not in the file.
_NOT_THERE = LostInput(bytes_lost=0)
_CONTROLS = bytes(code for code in range(32) if code not in (9, 10, 13))
_STARTS_ROW = re.compile(rb"row[\s/>]")
_NUMBER = re.compile(r"-?[0-9]{1,10}")
_REFERENCE = re.compile(rb"&#(?:x([0-9a-fA-F]+)|([0-9]+));")


class Row(NamedTuple):
    """A row, and where it starts in the stream."""

    offset: int
    element: etree._Element

    def text(self, name: str) -> str:
        """An attribute; empty if it is missing."""
        return self.element.get(name, "")

    def number(self, name: str) -> int:
        """An attribute as an integer; 0 if it is missing.

        Raises:
            ValueError: it is none.
        """
        value = self.element.get(name, "0")
        if not _NUMBER.fullmatch(value):
            raise ValueError(f"{name} is {value[:40]!r}")
        return int(value)

    def identifier(self, name: str) -> int:
        """An attribute as a post's id.

        Raises:
            ValueError: it is none.
        """
        number = self.number(name)
        if not 0 < number <= _MAXIMUM_ID:
            raise ValueError(f"{name} is {number}" if number else f"no {name}")
        return number


class BadRow(NamedTuple):
    """A row, or a stretch of the stream, that cannot be read; with the input lost in the latter."""

    offset: int
    reason: str
    detail: str
    lost: LostInput | None = None


RowResult: TypeAlias = Row | BadRow


class _Piece(NamedTuple):
    """What stands between two `<`; `too_large` if only its beginning is there."""

    offset: int
    content: bytes
    too_large: bool = False
    is_last: bool = False


def read_rows(stream: BinaryIO, maximum_row_bytes: int) -> Iterator[RowResult]:
    """Yield every row of a decompressed `Posts.xml`, and what cannot be read.

    Args:
        stream: from `open_dump`.
        maximum_row_bytes: a longer row is passed over without being held.

    Yields:
        Rows, and `BadRow`s with `malformed_row`, `row_too_large`, `not_utf8`, `unexpected_markup`,
        `truncated_xml`, `not_posts` or the reason of an `UnreadableDumpError`.
    """
    scan = _Scan()
    offset = 0
    batch: list[_Piece | BadRow] = []
    size = 0
    problem = None
    pieces = _cut(stream, maximum_row_bytes)
    while not scan.ended:
        try:
            piece = next(pieces, None)
        except UnreadableDumpError as error:
            problem, piece = error, None
        if piece is None:
            break
        offset = piece.offset
        found = scan.take(piece)
        if found is not None:
            batch.append(found)
            size += len(piece.content)
        if size > _BATCH_BYTES:
            yield from _read_batch(batch)
            batch, size = [], 0
    yield from _read_batch(batch)
    if problem is not None:
        yield BadRow(offset, problem.reason, problem.detail, problem.lost)
        return
    if scan.ended:
        return
    if not scan.begun:
        yield BadRow(0, "not_posts", "no row and no root element", LostInput())
    elif scan.root_open:
        yield BadRow(offset, "truncated_xml", "the root element stays open", _NOT_THERE)


class _Scan:
    """What has been seen of the document.

    Attributes:
        begun: a row or the root element has come.
        root_open: the root element has no end yet.
        ended: there is nothing more to be read from this file.
    """

    def __init__(self) -> None:
        self.begun = self.root_open = self.ended = False
        self._in_comment = self._in_junk = False

    def take(self, piece: _Piece) -> _Piece | BadRow | None:
        """The piece if it is a row, or the damage that begins with it, None if it is neither."""
        content = piece.content
        if self._in_comment or content.startswith(b"!--"):
            self._in_comment = b"-->" not in content
            return None
        if _STARTS_ROW.match(content):
            # A row that is cut short is damaged, and so is what follows up to the next.
            self.begun, self._in_junk = True, not content.rstrip().endswith(b">")
            if piece.is_last and self._in_junk:
                self.root_open = False
                return BadRow(piece.offset, "truncated_xml", "ends inside a row", _NOT_THERE)
            return piece
        if content.startswith((b"posts>", b"posts ", b"posts/", b"/posts")):
            self.root_open = not content.startswith((b"/posts", b"posts/"))
            self.begun = True
            return None
        return self._other(piece)

    def _other(self, piece: _Piece) -> BadRow | None:
        start = f"{piece.content[:40]!r}"
        if not self.begun:
            self.ended = not piece.content.startswith((b"?", b"!"))
            detail = f"starts with {start}"
            return BadRow(piece.offset, "not_posts", detail, LostInput()) if self.ended else None
        if self._in_junk or piece.content.startswith(b"/row"):
            return None
        # A run of it is one record; what follows a bad row belongs to that row.
        self._in_junk = True
        return BadRow(piece.offset, "unexpected_markup", start)


def _cut(stream: BinaryIO, maximum: int) -> Iterator[_Piece]:
    """Cut a stream at `<`; what stands before the first is dropped.

    Raises:
        UnreadableDumpError: the stream's, after everything before it.
    """
    offset, rest = 0, b""
    started = skipping = False
    problem = None
    while True:
        try:
            chunk = stream.read(_CHUNK_BYTES)
        except UnreadableDumpError as error:
            chunk, problem = b"", error
        if not chunk:
            break
        # XML allows no control characters; where there are some, they go.
        first, *pieces = chunk.translate(None, _CONTROLS).split(b"<")
        if skipping or not started:
            offset += len(first)
        else:
            rest += first
        if pieces:
            if started and not skipping:
                yield _piece(offset, rest, maximum)
                offset += len(rest)
            started, skipping = True, False
            for content in pieces[:-1]:
                offset += 1
                yield _piece(offset, content, maximum)
                offset += len(content)
            offset += 1
            rest = pieces[-1]
        if len(rest) > maximum:
            yield _piece(offset, rest, maximum)
            offset += len(rest)
            rest, skipping = b"", True
    if started and not skipping:
        yield _Piece(offset, rest, is_last=True)
    if problem is not None:
        raise problem


def _piece(offset: int, content: bytes, maximum: int) -> _Piece:
    if len(content) > maximum:
        return _Piece(offset, content[:200], too_large=True)
    return _Piece(offset, content)


def _read_batch(batch: list[_Piece | BadRow]) -> Iterator[RowResult]:
    """Parse rows; all at once if nothing is wrong with any of them."""
    whole = [
        item.content
        for item in batch
        if isinstance(item, _Piece) and not item.too_large and item.content.rstrip()[-2:] == b"/>"
    ]
    try:
        joined = _with_tabs(b"<r><" + b"<".join(whole) + b"</r>")
        elements = list(_parse(joined)) if len(whole) == len(batch) else []
    except etree.XMLSyntaxError:
        elements = []
    if len(elements) == len(batch):
        for item, element in zip(batch, elements, strict=True):
            yield Row(item.offset, element)
    else:
        for item in batch:
            yield _read_row(item) if isinstance(item, _Piece) else item


def _read_row(piece: _Piece) -> RowResult:
    offset, content, too_large, _ = piece
    if too_large:
        return BadRow(offset, "row_too_large", "")
    content = content.rstrip()
    if not content.endswith(b">"):
        return BadRow(offset, "malformed_row", "a `<` before the end of the tag")
    try:
        content.decode()
    except UnicodeDecodeError as problem:
        return BadRow(offset, "not_utf8", str(problem))
    end = b"" if content.endswith(b"/>") else b"</row>"
    row = b"<" + _REFERENCE.sub(_allowed, content) + end
    try:
        return Row(offset, _parse(_with_tabs(row)))
    except etree.XMLSyntaxError:
        pass  # tabs may stand between the attributes
    try:
        return Row(offset, _parse(row))
    except etree.XMLSyntaxError as problem:
        return BadRow(offset, "malformed_row", str(problem))


def _with_tabs(rows: bytes) -> bytes:
    """Keep the tabs of code, which the dumps do not escape: a parser makes spaces of them."""
    return rows.replace(b"\t", b"&#9;")


def _allowed(match: re.Match[bytes]) -> bytes:
    """A character reference, or nothing if XML forbids the character."""
    digits = match[1] or match[2]
    code = int(digits, 16 if match[1] else 10) if len(digits) <= 7 else 0
    is_allowed = code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE
    return match[0] if is_allowed or 0x10000 <= code < 0x110000 else b""


def _parse(xml: bytes) -> etree._Element:
    # The input is bounded and declares no entities, so libxml2's own limits are not needed.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, encoding="utf-8"
    )
    return etree.fromstring(xml, parser)
