"""Framing of WARC files: headers and blocks of every record, and what is left of damaged ones.

Follows ISO 28500 (WARC 1.0, 1.1) and reads WARC 0.18, uncompressed, with one gzip member per record
(what Common Crawl writes), with many records in a member, or Zstandard. A damaged record never
hides the ones before it, and reading goes on at the next gzip member, or the next `WARC/1.0` line.

FastWARC is not used here, although it inflates twice as fast: it reads ahead across members, so
after damage it cannot tell which of the records around it are whole.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO, TypeAlias

from pipeline.readers.inflated import GZIP, Inflated, is_compressed
from pipeline.readers.records import LostInput

READ_BYTES = 1 << 18
# Small steps keep the copy of what follows a member short, and lose little before damage.
INFLATE_BYTES = 1 << 14
HEADER_BYTES = 1 << 16
GZIP_MAGIC = b"\x1f\x8b\x08"
_RECORD_START = re.compile(rb"WARC/\d\.\d\d?\r?\n")
_RECORD_START_BYTES = len(b"WARC/1.00\r\n")
_HEADER_END = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A whole record.

    Attributes:
        location: where it starts, for people and for ids: `1234`, or `1234+99` inside a member.
        headers: values by lower-case name; the first one where a name is repeated.
        block: everything between the header and the two closing line breaks.
    """

    location: str
    headers: dict[str, str]
    block: bytes


@dataclass(frozen=True, slots=True)
class DamagedRecord:
    """A record, or a stretch between records, that cannot be read.

    Attributes:
        location: as in `RawRecord`.
        reason: `truncated_gzip`, `corrupt_gzip`, `truncated_record`, `wrong_content_length`,
            `bad_warc_header`, `record_too_large`, `garbage`, `truncated_zstd` or `corrupt_zstd`.
        headers: what is known of them, else empty.
        lost: the input that is lost with it, where it is not one record that is damaged in itself:
            what cannot be inflated, what the file's end cuts off, what is no WARC.
    """

    location: str
    reason: str
    detail: str
    headers: dict[str, str] = field(default_factory=dict)
    lost: LostInput | None = None


FramedRecord: TypeAlias = RawRecord | DamagedRecord


def parse_headers(head: bytes) -> dict[str, str]:
    """Values of `Name: value` lines by lower-case name; folded lines are joined."""
    headers: dict[str, str] = {}
    name = ""
    for line in head.decode("utf-8", "replace").split("\n"):
        if line[:1] in (" ", "\t") and name:
            headers[name] += " " + line.strip()
            continue
        key, colon, value = line.partition(":")
        if colon:
            name = key.strip().lower()
            headers.setdefault(name, value.strip())
    return headers


def read_raw_records(stream: BinaryIO, *, maximum_record_bytes: int) -> Iterator[FramedRecord]:
    """Every record of a WARC file in order; never raises for bad input.

    Args:
        stream: the file's own bytes (not decompressed by whoever opened it), seekable.
        maximum_record_bytes: longest block kept in memory; longer ones become `record_too_large`.
    """
    start = stream.read(4)
    stream.seek(0)
    # Gzip members are inflated one by one, which tells damage in one from damage in the next.
    inflated = Inflated(stream) if is_compressed(start) and not start.startswith(GZIP) else None
    source = _Source(inflated or stream)
    offset = 0
    while prefix := source.prefix(offset, 5):
        block: _GzipMember | _PlainFile
        if prefix.startswith(GZIP_MAGIC):
            block = _GzipMember(source, offset)
        elif prefix.startswith(b"WARC/"):
            block = _PlainFile(source, offset)
        else:
            found = source.find_start(offset)
            if offset or source.prefix(found, 1):
                lost = LostInput(offset, found - offset)
                yield DamagedRecord(str(offset), "garbage", f"{found - offset} bytes", lost=lost)
                offset = found
                continue
            block = _PlainFile(source, offset)
        following = None
        for record in _Parser(block, maximum_record_bytes).records():
            if isinstance(record, DamagedRecord) and record.reason == block.damage:
                following = source.find_start(offset + 1)
                yield replace(record, lost=LostInput(offset, following - offset))
            else:
                yield record
        offset = block.end if following is None else following
    if inflated is not None and inflated.failure:
        lost = LostInput(inflated.consumed)
        yield DamagedRecord(str(offset), inflated.failure, "the rest is lost", lost=lost)


class _Source:
    """Bytes of the file by offset, read forward in large chunks; seeks only after damage."""

    def __init__(self, stream: BinaryIO | Inflated) -> None:
        self._stream = stream
        self._start = 0
        self._chunk = b""

    def at(self, offset: int) -> memoryview:
        """Some bytes from `offset` on; empty at the end of the file."""
        end = self._start + len(self._chunk)
        if not self._start <= offset < end:
            if offset != end:
                self._stream.seek(offset)
            self._start = offset
            self._chunk = self._stream.read(READ_BYTES)
        return memoryview(self._chunk)[offset - self._start :]

    def prefix(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset` on."""
        data = bytes(self.at(offset)[:length])
        if data and len(data) < length:
            data += bytes(self.at(offset + len(data))[: length - len(data)])
        return data

    def find_start(self, offset: int) -> int:
        """Offset of the next gzip member that holds a record; or the end."""
        overlap = len(GZIP_MAGIC) - 1
        while view := self.at(offset):
            length = len(view)
            chunk = bytes(view) + self.prefix(offset + length, overlap)
            found = chunk.find(GZIP_MAGIC)
            while found >= 0:
                if self._inflates_to_record(offset + found):
                    return offset + found
                found = chunk.find(GZIP_MAGIC, found + 1)
            offset += length
        return offset

    def _inflates_to_record(self, offset: int) -> bool:
        try:
            head = zlib.decompressobj(31).decompress(self.prefix(offset, 1024), 5)
        except zlib.error:
            return False
        return head == b"WARC/"


class _PlainFile:
    """What is left of an uncompressed file, as chunks."""

    damage = ""

    def __init__(self, source: _Source, offset: int) -> None:
        self._source = source
        self.offset = offset
        self.end = offset

    def chunks(self) -> Iterator[bytes]:
        """All bytes."""
        while view := self._source.at(self.end):
            self.end += len(view)
            yield bytes(view)

    def location(self, position: int) -> str:
        """Name of a place in this block."""
        return str(self.offset + position)


class _GzipMember:
    """One gzip member, inflated as it is read.

    Attributes:
        end: offset behind the member, once all of it is read.
        damage: why it cannot be read to its end (known once the bytes before are read), else empty.
    """

    def __init__(self, source: _Source, offset: int) -> None:
        self._source = source
        self.offset = offset
        self.end = offset
        self.damage = ""

    def chunks(self) -> Iterator[bytes]:
        """Inflated bytes, as far as they can be had."""
        inflater = zlib.decompressobj(31)
        while not inflater.eof:
            piece: memoryview | bytes = self._source.at(self.end)[:INFLATE_BYTES]
            if not piece:
                self.damage = "truncated_gzip"
                return
            self.end += len(piece)
            # Behind the member's end zlib gives what follows it as unconsumed, too.
            while piece and not inflater.eof:
                before = inflater.copy()
                try:
                    chunk = inflater.decompress(piece, READ_BYTES)
                except zlib.error:
                    self.damage = "corrupt_gzip"
                    yield _inflate_bytewise(before, piece)
                    return
                yield chunk
                piece = inflater.unconsumed_tail
        self.end -= len(inflater.unused_data)

    def location(self, position: int) -> str:
        """Name of a place in this block."""
        return f"{self.offset}+{position}" if position else str(self.offset)


def _inflate_bytewise(inflater: zlib._Decompress, piece: memoryview | bytes) -> bytes:
    """All that can be had before the damage, of which zlib's larger steps give nothing."""
    inflated = []
    for index in range(len(piece)):
        try:
            inflated.append(inflater.decompress(piece[index : index + 1]))
        except zlib.error:
            break
    return b"".join(inflated)


class _Parser:
    """Records of one block (a gzip member or a plain file).

    A window on the block is held: `_data` starts at the current record, `_index` is where reading
    stands in it, `_dropped` how much of the block lies before it.
    """

    def __init__(self, block: _GzipMember | _PlainFile, maximum_record_bytes: int) -> None:
        self._block = block
        self._maximum = maximum_record_bytes
        self._chunks = block.chunks()
        self._data = b""
        self._index = 0
        self._dropped = 0
        self._damage_told = False

    def records(self) -> Iterator[FramedRecord]:
        """Every record, and what lies between them."""
        has_record = False
        while True:
            self._skip_line_breaks()
            self._data, self._index, self._dropped = self._data[self._index :], 0, self._position
            if not self._ensure(1):
                break
            if self._starts_record():
                has_record = True
                yield self._record()
            else:
                length = self._seek_record()
                lost = self._garbage(length, is_all=not has_record and not self._ensure(1))
                start = self._position - length
                yield self._damaged(start, "garbage", f"{length} bytes", lost=lost)
        if self._block.damage and not self._damage_told:
            yield self._damaged(self._position, self._block.damage, "no record could be read here")

    def _garbage(self, length: int, *, is_all: bool) -> LostInput:
        """What of the input is in the stretch that has just been passed."""
        block = self._block
        if isinstance(block, _PlainFile):
            return LostInput(block.offset + self._position - length, length)
        # How much of a member's input a part of it takes is not known.
        return LostInput(block.offset, block.end - block.offset if is_all else 0)

    def _record(self) -> FramedRecord:
        start = self._position
        headers = self._header()
        if headers is None:
            self._index += 1
            self._seek_record()
            return self._damaged(start, "bad_warc_header", "the record's header has no end")
        declared = headers.get("content-length", "")
        if not (declared.isascii() and declared.isdigit() and len(declared) < 19):
            self._seek_record()
            detail = f"Content-Length {declared[:40]!r}"
            return self._damaged(start, "wrong_content_length", detail, headers)
        length = int(declared)
        content = self._index
        if length <= self._maximum and self._ensure(length):
            self._index += length
            if self._ends_record():
                block = self._data[content : content + length]
                return RawRecord(self._block.location(start), headers, block)
            self._index = content
        return self._unfinished(start, length, headers)

    def _unfinished(self, start: int, length: int, headers: dict[str, str]) -> DamagedRecord:
        """A record too large, or that does not end where its header says; go on at the next."""
        found = self._seek_record()
        at_end = not self._ensure(1)
        lost = None
        detail = f"Content-Length {length}, next record or end {found} bytes on"
        if length > self._maximum and found > self._maximum:
            reason = "record_too_large"
        elif at_end and found < length and isinstance(self._block, _PlainFile):
            reason = "truncated_record"
            lost = LostInput(self._block.offset + start, self._position - start)
        else:
            reason = "wrong_content_length"
        return self._damaged(start, reason, detail, headers, lost)

    def _damaged(
        self,
        start: int,
        reason: str,
        detail: str,
        headers: dict[str, str] | None = None,
        lost: LostInput | None = None,
    ) -> DamagedRecord:
        if self._block.damage and not self._ensure(1):
            # Whatever was seen first, this is why; and nothing after it is left to tell.
            reason = self._block.damage
            self._damage_told = True
        return DamagedRecord(self._block.location(start), reason, detail, headers or {}, lost)

    def _header(self) -> dict[str, str] | None:
        """The headers, with `_index` moved behind them; none if they do not end."""
        wanted = 1024
        while True:
            complete = self._ensure(wanted)
            end = _HEADER_END.search(self._data, self._index, self._index + wanted)
            if end:
                head = self._data[self._index : end.start()]
                self._index = end.end()
                return parse_headers(head)
            if not complete or wanted >= HEADER_BYTES:
                return None
            wanted *= 4

    def _seek_record(self) -> int:
        """Move to the next `WARC/1.0` line, or to the end; give the bytes passed."""
        before = self._position
        while self._ensure(1):
            self._ensure(READ_BYTES)
            found = _RECORD_START.search(self._data, self._index)
            if found:
                self._index = found.start()
                break
            # What may be the first half of a start stays; all before it is not needed again.
            passed = max(1, len(self._data) - _RECORD_START_BYTES - self._index)
            self._dropped += self._index + passed
            self._data, self._index = self._data[self._index + passed :], 0
        return self._position - before

    @property
    def _position(self) -> int:
        return self._dropped + self._index

    def _ends_record(self) -> bool:
        """Whether what follows may follow a whole record; line breaks are passed."""
        block_end = self._index
        self._skip_line_breaks()
        if not self._ensure(1):
            return not self._block.damage
        closed = self._data.startswith(b"\r\n\r\n", block_end)
        return closed or self._starts_record()

    def _starts_record(self) -> bool:
        self._ensure(6)
        return self._data.startswith(b"WARC/", self._index)

    def _ensure(self, count: int) -> bool:
        """Have `count` bytes at hand, if the block has as many."""
        have = len(self._data) - self._index
        if have >= count:
            return True
        parts = [self._data]
        for chunk in self._chunks:
            parts.append(chunk)
            have += len(chunk)
            if have >= count:
                break
        self._data = b"".join(parts)
        return have >= count

    def _skip_line_breaks(self) -> None:
        while self._ensure(1) and self._data[self._index] in b"\r\n":
            self._index += 1
