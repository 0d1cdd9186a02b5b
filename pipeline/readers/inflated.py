"""A compressed stream as the bytes in it: gzip of several members, or Zstandard of several frames.

For files that are read from start to end. Zstandard is as the WARC specification has it: one frame
a record, and a dictionary, if there is one, in a skippable frame in front (IIPC, WARC/1.1 with
Zstandard). Nothing is raised for bad input: reading ends there, and `failure` says why.
"""

from __future__ import annotations

import zlib
from typing import Any, BinaryIO

import zstandard

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
_DICTIONARY = b"\x5d\x2a\x4d\x18"
# A few bytes can be a megabyte of zeros, so little is inflated at a time.
_STEP = 1 << 10
_MAXIMUM_DICTIONARY = 1 << 24
_ERRORS = (zlib.error, zstandard.ZstdError)


def is_compressed(start: bytes) -> bool:
    """Whether a file that starts so is gzip or Zstandard."""
    return start.startswith((GZIP, ZSTD, _DICTIONARY))


class Inflated:
    """Reads the bytes in a compressed stream.

    Attributes:
        failure: `corrupt_gzip`, `truncated_gzip`, `corrupt_zstd` or `truncated_zstd` once reading
            has ended at damage, else empty.
        consumed: compressed bytes that have been read.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._start()

    def _start(self) -> None:
        self._stream.seek(0)
        self.failure = ""
        self.consumed = self._position = 0
        self._input = self._output = b""
        self._part: Any = None
        self._need(4)
        self._is_zstd = not self._input.startswith(GZIP)
        self._name = "zstd" if self._is_zstd else "gzip"
        self._zstd = zstandard.ZstdDecompressor(dict_data=self._dictionary())

    def _need(self, count: int) -> bool:
        """Have so many compressed bytes at hand, if there are as many."""
        while len(self._input) < count:
            more = self._stream.read(max(count - len(self._input), 1 << 16))
            if not more:
                return False
            self.consumed += len(more)
            self._input += more
        return True

    def _dictionary(self) -> zstandard.ZstdCompressionDict | None:
        if not self._input.startswith(_DICTIONARY) or not self._need(8):
            return None
        size = int.from_bytes(self._input[4:8], "little")
        if size > _MAXIMUM_DICTIONARY or not self._need(8 + size):
            self.failure = "corrupt_zstd"
            return None
        content, self._input = self._input[8 : 8 + size], self._input[8 + size :]
        try:
            if content.startswith(ZSTD):
                plain = zstandard.ZstdDecompressor()
                content = plain.decompress(content, max_output_size=_MAXIMUM_DICTIONARY)
            return zstandard.ZstdCompressionDict(content)
        except zstandard.ZstdError:
            self.failure = "corrupt_zstd"
            return None

    def read(self, size: int) -> bytes:
        """Up to so many bytes; fewer, and none at last, where the stream ends."""
        parts, length = [self._output], len(self._output)
        while length < size and not self.failure:
            part = self._inflate()
            if part is None:
                break
            parts.append(part)
            length += len(part)
        data = b"".join(parts)
        data, self._output = data[:size], data[size:]
        self._position += len(data)
        return data

    def seek(self, offset: int) -> int:
        """Go to a byte; from the start again if it has been read."""
        if offset < self._position:
            self._start()
        while self._position < offset and self.read(min(offset - self._position, 1 << 18)):
            pass
        return self._position

    def _inflate(self) -> bytes | None:
        """Some bytes more; none at the end, or at damage."""
        if not self._need(1):
            if self._part is not None:
                self.failure = f"truncated_{self._name}"
            return None
        if self._part is None:
            self._part = self._zstd.decompressobj() if self._is_zstd else zlib.decompressobj(31)
        step, self._input = self._input[:_STEP], self._input[_STEP:]
        try:
            inflated: bytes = self._part.decompress(step)
        except _ERRORS:
            self.failure = f"corrupt_{self._name}"
            return None
        if self._part.eof:
            self._input = self._part.unused_data + self._input
            self._part = None
        return inflated
