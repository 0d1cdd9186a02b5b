"""Open a dump file as a stream of its text: plain, gzip, bzip2 (also multistream), 7z, Zstandard.

Memory stays at a few chunks whatever the ratio of compression. Damage ends the stream with
`UnreadableDumpError` after everything before it has been read.
"""

from __future__ import annotations

import bz2
import codecs
import importlib.util
import io
import lzma
import queue
import threading
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO, cast

import pyarrow as pa

from pipeline.errors import MissingLibrary
from pipeline.readers.records import BadRecord, LostInput

_CHUNK_BYTES = 1 << 20
_SEVEN_ZIP_QUEUE = 8
# A header, then a block or the end: a text or a tar may begin with the letters alone.
BZIP2 = tuple(
    b"BZh%d" % level + mark for level in range(1, 10) for mark in (b"1AY&SY", b"\x17rE8P\x90")
)


class UnreadableDumpError(Exception):
    """The rest of a dump cannot be decompressed.

    Attributes:
        reason: snake_case: `truncated_bz2`, `malformed_bz2`, the same with gzip, zstd and 7z,
            `encrypted_7z`.
        detail: what the decompressor said.
        lost: where in the input it is.
    """

    def __init__(self, reason: str, detail: str, lost: LostInput = LostInput()) -> None:  # noqa: B008
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.lost = lost

    def row(self, identifier: str) -> BadRecord:
        """Its row in the rejects."""
        return BadRecord(identifier, "", self.reason, self.detail, self.lost)


def open_dump(
    stream: BinaryIO, name: str, member: str | None = None, *, is_text: bool = True
) -> BinaryIO:
    """Return the decompressed bytes of a dump file.

    Args:
        stream: raw bytes; 7z needs it seekable.
        name: file name; says what is to be expected where the first bytes do not.
        member: the one member of a 7z that is read; all of them, one after another, if None.
        is_text: whether a byte order mark at the beginning says how the rest is encoded.

    Raises:
        UnreadableDumpError: from `read` of the returned stream, where the data is damaged.
    """
    counted = _Counted(stream)
    first = counted.read()
    chunks = chain([first] if first else [], iter(counted.read, b""))
    if first.startswith(b"7z\xbc\xaf\x27\x1c"):
        decompressed = _seven_zip(stream, member)
    else:
        decompressed = _decompress(chunks, first, name)
    decompressed = counted.located(decompressed)
    # An empty chunk would end the stream.
    content = filter(None, _as_utf8(decompressed) if is_text else decompressed)
    return cast(BinaryIO, ChunkStream(content, counted))


class _Counted:
    """Reads a stream chunk by chunk.

    Attributes:
        start: where the last chunk began.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.start = self._end = 0

    def read(self) -> bytes:
        chunk = self._stream.read(_CHUNK_BYTES)
        self.start, self._end = self._end, self._end + len(chunk)
        return chunk

    def located(self, decompressed: Iterator[bytes]) -> Iterator[bytes]:
        """The same; damage with the chunk that it is in, a missing end with the end."""
        try:
            yield from decompressed
        except UnreadableDumpError as problem:
            is_truncated = problem.reason.startswith("truncated")
            problem.lost = LostInput(self._end if is_truncated else self.start)
            raise


def seven_zip_sizes(stream: BinaryIO) -> dict[str, int]:
    """Bytes of each member of a 7z when decompressed, from its header alone.

    Raises:
        UnreadableDumpError: the header cannot be read.
        MissingLibrary: py7zr is not installed.
    """
    _need_py7zr()
    import py7zr  # noqa: PLC0415

    try:
        with py7zr.SevenZipFile(stream) as archive:
            return {info.filename: int(info.uncompressed) for info in archive.list()}
    except py7zr.exceptions.PasswordRequired as problem:
        raise UnreadableDumpError("encrypted_7z", "a password is needed") from problem
    except OSError:
        raise  # storage, not the header
    except Exception as problem:  # py7zr meets a damaged header with any of a dozen types
        raise UnreadableDumpError("malformed_7z", f"{type(problem).__name__}: {problem}") from None


def check_seven_zip(names: Iterable[str]) -> None:
    """Fail before any work if a file of these is a 7z and cannot be opened here.

    Raises:
        MissingLibrary: py7zr is not installed.
    """
    if any(name.lower().endswith(".7z") for name in names):
        _need_py7zr()


def _need_py7zr() -> None:
    if importlib.util.find_spec("py7zr") is None:
        raise MissingLibrary("7z archives are read with py7zr: pip install py7zr")


def _decompress(chunks: Iterator[bytes], first: bytes, name: str) -> Iterator[bytes]:
    """By the first bytes; where they say nothing, by the name."""
    formats = (
        (BZIP2, ".bz2", _bzip2),
        (b"\x1f\x8b", ".gz", _gzip),
        (b"\x28\xb5\x2f\xfd", ".zst", _zstd),
    )
    for magic, _, decompressed in formats:
        if first.startswith(magic):
            return decompressed(chunks)
    for _, ending, decompressed in formats:
        if _claims(name, first, ending):
            return decompressed(chunks)
    return chunks


def _as_utf8(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks; re-encoded where a byte order mark says UTF-16, as editors save XML."""
    first = next(chunks, b"")
    chunks = chain([first], chunks)
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        decoder = codecs.getincrementaldecoder("utf-16")("replace")
        chunks = (decoder.decode(chunk).encode() for chunk in chunks)
    yield from chunks


def _claims(name: str, first: bytes, ending: str) -> bool:
    """A name's claim counts unless the file is empty or visibly XML or JSON already."""
    return name.endswith(ending) and bool(first) and not first.lstrip().startswith((b"<", b"{"))


class ChunkStream(io.RawIOBase):
    """A raw stream over an iterator of chunks, which may be made of those of an input."""

    def __init__(self, chunks: Iterator[bytes], counted: _Counted | None = None) -> None:
        super().__init__()
        self._chunks = chunks
        self._input = counted
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    @property
    def input_bytes(self) -> int | None:
        """Bytes of the input before the chunk that was read last; None if there is no input."""
        return None if self._input is None else self._input.start

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._chunks, b""))
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _bzip2(chunks: Iterator[bytes]) -> Iterator[bytes]:
    decompressor = bz2.BZ2Decompressor()
    begun = False
    data = b""
    while True:
        if decompressor.eof:
            data = decompressor.unused_data
            decompressor = bz2.BZ2Decompressor()
            begun = False
        if not data and decompressor.needs_input:
            data = next(chunks, b"")
            if not data:
                break
        try:
            output = decompressor.decompress(data, _CHUNK_BYTES)
        except OSError as problem:
            raise UnreadableDumpError("malformed_bz2", str(problem)) from problem
        begun = True
        data = b""
        if output:
            yield output
    if begun and not decompressor.eof:
        raise UnreadableDumpError("truncated_bz2", "the file ends inside a bzip2 stream")


def _gzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    decompressor = zlib.decompressobj(wbits=31)
    begun = False
    data = b""
    while True:
        if decompressor.eof:
            # Members may be followed by zeros up to a block's end.
            data = decompressor.unused_data.lstrip(b"\0")
            decompressor = zlib.decompressobj(wbits=31)
            begun = False
        if not data:
            data = next(chunks, b"")
            if not data:
                break
        try:
            output = decompressor.decompress(data, _CHUNK_BYTES)
        except zlib.error as problem:
            raise UnreadableDumpError("malformed_gzip", str(problem)) from problem
        begun = True
        data = decompressor.unconsumed_tail
        if output:
            yield output
    if begun and not decompressor.eof:
        raise UnreadableDumpError("truncated_gzip", "the file ends inside a gzip member")


def _zstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    with pa.CompressedInputStream(ChunkStream(chunks), "zstd") as stream:
        while True:
            try:
                output = stream.read(_CHUNK_BYTES)
            except OSError as problem:
                kind = "truncated" if "Truncated" in str(problem) else "malformed"
                raise UnreadableDumpError(f"{kind}_zstd", str(problem)) from problem
            if not output:
                return
            yield output


def _seven_zip(stream: BinaryIO, member: str | None) -> Iterator[bytes]:
    """Members one after the other; py7zr pushes, so it runs in a thread behind a short queue."""
    _need_py7zr()
    import py7zr  # noqa: PLC0415

    handed: queue.Queue[bytes | Exception | None] = queue.Queue(_SEVEN_ZIP_QUEUE)
    abandoned = threading.Event()

    class Writer(py7zr.Py7zIO):
        def write(self, data: bytes | bytearray) -> int:
            # py7zr hands over up to 128 MB at once where data is highly compressible.
            for start in range(0, len(data), _CHUNK_BYTES):
                _put(handed, bytes(data[start : start + _CHUNK_BYTES]), abandoned)
            return len(data)

        def read(self, size: int | None = None) -> bytes:
            return b""

        def seek(self, offset: int, whence: int = 0) -> int:
            return 0

        def flush(self) -> None:
            """Nothing is held back."""

        def size(self) -> int:
            return 0

    class Writers(py7zr.WriterFactory):
        def create(self, filename: str) -> Writer:
            return Writer()

    def work() -> None:
        try:
            with py7zr.SevenZipFile(stream) as archive:
                archive.extract(targets=None if member is None else {member}, factory=Writers())
            _put(handed, None, abandoned)
        except _AbandonedError:
            return
        except Exception as problem:  # handed over: the reader decides what it means
            _put(handed, problem, abandoned)

    stream.seek(0)
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while (item := handed.get()) is not None:
            if isinstance(item, py7zr.exceptions.PasswordRequired):
                raise UnreadableDumpError("encrypted_7z", "a password is needed") from item
            if isinstance(item, (py7zr.exceptions.ArchiveError, lzma.LZMAError, EOFError)):
                raise UnreadableDumpError("malformed_7z", str(item)) from item
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        abandoned.set()
        thread.join()


class _AbandonedError(Exception):
    """Nobody reads on."""


def _put(
    handed: queue.Queue[bytes | Exception | None],
    item: bytes | Exception | None,
    abandoned: threading.Event,
) -> None:
    while True:
        try:
            handed.put(item, timeout=0.2)
            return
        except queue.Full:
            if abandoned.is_set():
                raise _AbandonedError from None
