"""Read a part of a large bzip2 file by itself, so that one file becomes many units.

bzip2 packs blocks of up to 900 kB that do not depend on one another; each begins, at any bit, with
the same 48 bits, and each stream ends with another 48. A part of a file owns the blocks that begin
in it, and the records that begin in these: whoever reads it goes on behind its end until the last
of them is complete. No index is needed, streams may be one or many, and all parts together give
what the whole file gives. Every block's own checksum is verified.

Format: Julian Seward, bzip2 1.0.8; Joe Tsai, "bzip2: Format Specification" (2016).
"""

from __future__ import annotations

import bz2
import re
import sys
from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import BinaryIO, NamedTuple, cast

from pipeline.readers.dump_file import ChunkStream, UnreadableDumpError
from pipeline.readers.records import LostInput

_CHUNK_BYTES = 1 << 20
# A block of 900,000 bytes at 20 bits each, the longest code, and its tables.
_MAXIMUM_BLOCK_BYTES = 2_500_000
# Data that looks like a mark comes once in some 17,000 GB.
_TRIES = 3
# The longest beginning of a record that may stand across two blocks.
_MARK_BYTES = 64
_MARK_BITS = 48
_BLOCK = 0x314159265359
_END = 0x177245385090
_HEADER = int.from_bytes(b"BZh9", "big")
# At each of the eight places in a byte: the five whole bytes after the mark's first bits.
_NEEDLES = tuple(
    (mark, shift, (mark >> shift & (1 << 40) - 1).to_bytes(5, "big"))
    for mark in (_BLOCK, _END)
    for shift in range(1, 9)
)


def cut(size: int, target_bytes: int) -> list[tuple[int, int]]:
    """Offset and length of the parts of a file, of about so many bytes each."""
    number = max(1, round(size / target_bytes))
    borders = [size * index // number for index in range(number + 1)]
    return [(start, end - start) for start, end in pairwise(borders)]


def open_slice(
    stream: BinaryIO, length: int, begins: re.Pattern[bytes], *, is_first: bool
) -> BinaryIO:
    """The decompressed text of the records that begin in a part of a bzip2 file.

    Args:
        stream: the compressed bytes from the part's beginning to the end of the file.
        length: bytes of the part.
        begins: matches the beginning of a record, in at most 64 bytes, and nothing else.
        is_first: the part is the file's first: what stands before its first record is given too.

    Raises:
        UnreadableDumpError: from `read` of the returned stream: `truncated_bz2`, `malformed_bz2`.
    """
    chunks = _records(_texts(stream, 8 * length), begins, is_first)
    return cast(BinaryIO, ChunkStream(filter(None, chunks)))


def _records(
    texts: Iterator[tuple[bool, bytes]], begins: re.Pattern[bytes], has_begun: bool
) -> Iterator[bytes]:
    """The texts from the first record that begins in the part to the end of the last."""
    held = b""
    own = 0  # bytes of `held` that belong to the part
    for is_own, text in texts:
        window = held + text
        if is_own:
            own = len(window)
        if not has_begun:
            first = begins.search(window)
            if first is not None and first.start() < own:
                has_begun = True
                window = window[first.start() :]
                own -= first.start()
            elif not is_own:
                return
        following = None if is_own else begins.search(window, own)
        if following is not None:
            yield window[: following.start()]
            return
        border = max(0, len(window) - _MARK_BYTES)
        if has_begun:
            yield window[:border]
        held = window[border:]
        own = max(0, own - border)
    if has_begun:
        yield held


class _Mark(NamedTuple):
    """Where a block begins or a stream ends, in bits from the part's beginning."""

    bit: int
    kind: int


class _Window:
    """The compressed bytes that are looked at, and the marks in them, in order.

    Attributes:
        end: bits in all, once the end of the file has been reached.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._data = bytearray(1)  # a mark's first bits may stand in the byte before
        self._start = -1  # of the data, in bytes from the part's beginning
        self._searched = 1
        self._marks: deque[_Mark] = deque()
        self.end: int | None = None

    def mark(self, index: int, farthest: int) -> _Mark | None:
        """One of the next marks, the first is number 0; None if it is not at or before a bit."""
        while len(self._marks) <= index and self._reached() <= farthest and self._fill():
            pass
        found = self._marks[index] if index < len(self._marks) else None
        return found if found is not None and found.bit <= farthest else None

    def bits(self, start: int, end: int) -> int:
        """The bits between two places, as a number."""
        piece = self._data[start // 8 - self._start : -(-end // 8) - self._start]
        return int.from_bytes(piece, "big") >> -end % 8 & (1 << end - start) - 1

    def drop(self, count: int) -> None:
        """Forget the next marks, and the bytes before those that follow."""
        for _ in range(count):
            self._marks.popleft()
        following = self._marks[0].bit // 8 - self._start if self._marks else self._searched
        del self._data[: following - 1]
        self._start += following - 1
        self._searched -= following - 1

    def _reached(self) -> int:
        """Up to which bit marks have been looked for."""
        return 8 * (self._start + self._searched - 1)

    def _fill(self) -> bool:
        """Read on; False at the end."""
        chunk = self._stream.read(_CHUNK_BYTES)
        self._data += chunk
        size = len(self._data)
        if not chunk:
            self.end = 8 * (self._start + size)
        found = []
        for kind, shift, needle in _NEEDLES:
            at = self._data.find(needle, self._searched, size - 1)
            while at >= 0:
                bit = 8 * (self._start + at - 1) + shift
                if bit >= 0 and self.bits(bit, bit + _MARK_BITS) == kind:
                    found.append(_Mark(bit, kind))
                at = self._data.find(needle, at + 1, size - 1)
        self._marks.extend(sorted(found))
        self._searched = max(self._searched, size - 5)
        return bool(chunk)


def _texts(stream: BinaryIO, own_bits: int) -> Iterator[tuple[bool, bytes]]:
    """The text of each block from the first that begins in the part on, and whether it does."""
    window = _Window(stream)
    if window.mark(0, own_bits - 1) is None:
        if own_bits > 8 * _MAXIMUM_BLOCK_BYTES:
            detail = f"no block in {own_bits // 8} bytes"
            raise UnreadableDumpError("malformed_bz2", detail, LostInput())
        return
    while (mark := window.mark(0, sys.maxsize)) is not None:
        if mark.kind == _END:
            _check_next_stream(window, mark)
            window.drop(1)
        else:
            text, marks = _block(window, mark.bit)
            yield mark.bit < own_bits, text
            window.drop(marks)


def _block(window: _Window, start: int) -> tuple[bytes, int]:
    """The text of the block at a bit, and how many marks it passes over.

    Raises:
        UnreadableDumpError: it is damaged or has no end.
    """
    farthest = start + 8 * _MAXIMUM_BLOCK_BYTES
    for index in range(1, _TRIES + 1):
        end = window.mark(index, farthest)
        if end is None:
            break
        text = _decompressed(window.bits(start, end.bit), end.bit - start)
        if text is not None:
            return text, index
    lost = LostInput(start // 8)
    if window.end is not None and window.mark(1, farthest) is None:
        raise UnreadableDumpError("truncated_bz2", "the file ends inside a bzip2 stream", lost)
    detail = f"the block at bit {start} of the slice is damaged"
    raise UnreadableDumpError("malformed_bz2", detail, lost)


def _decompressed(block: int, bits: int) -> bytes | None:
    """The text of a block by itself, as the only one of a stream; None if it is none."""
    if bits < _MARK_BITS + 32:
        return None
    checksum = block >> bits - _MARK_BITS - 32 & 0xFFFFFFFF
    stream = ((_HEADER << bits | block) << _MARK_BITS | _END) << 32 | checksum
    size = 32 + bits + _MARK_BITS + 32
    decompressor = bz2.BZ2Decompressor()
    try:
        text = decompressor.decompress((stream << -size % 8).to_bytes(-(-size // 8), "big"))
    except OSError:
        return None
    return text if decompressor.eof else None


def _check_next_stream(window: _Window, mark: _Mark) -> None:
    """Raise UnreadableDumpError unless the file ends behind the end of a stream, or one begins."""
    header = -(-(mark.bit + _MARK_BITS + 32) // 8) * 8
    first = header + 32
    following = window.mark(1, first)
    if window.end == header:
        return
    if following is not None and following.bit == first:
        if window.bits(header, first - 8) == _HEADER >> 8:
            return
    elif window.end is not None and window.end < first + _MARK_BITS:
        detail = "the file ends inside a bzip2 stream"
        raise UnreadableDumpError("truncated_bz2", detail, LostInput(header // 8))
    where = f"no stream begins at byte {header // 8} of the slice"
    raise UnreadableDumpError("malformed_bz2", where, LostInput(header // 8))
