"""Cut a multistream dump into slices by its index, so that one large file becomes many units.

A multistream dump is a row of bzip2 streams of up to 100 pages each, after one with the header and
before one with the end of the root element. Its index (`...-multistream-index.txt.bz2`) names the
byte offset of each page's stream: `offset:page id:title`, one page a line. Any range of whole
streams decompresses and reads on its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from pipeline.readers.dump_file import open_dump

_CHUNK_BYTES = 1 << 20


def split_multistream(
    index_stream: BinaryIO, dump_size: int, target_bytes: int
) -> list[tuple[int, int]]:
    """Return (offset, length) of slices that cover the whole dump, in order.

    Args:
        index_stream: the index, bzip2 or plain.
        dump_size: bytes of the compressed dump.
        target_bytes: a slice ends at the first stream border at or after this many bytes.

    Raises:
        ValueError: the index is malformed or belongs to another dump.
        UnreadableDumpError: the index is damaged.
    """
    starts = [0]
    previous = 0
    for line in _lines(open_dump(index_stream, "index.txt")):
        digits, colon, _ = line.partition(b":")
        if not colon or not digits.isdigit():
            raise ValueError(f"not a line of a multistream index: {line[:80]!r}")
        offset = int(digits)
        if not previous <= offset < dump_size:
            raise ValueError(f"offset {offset} does not fit a dump of {dump_size} bytes in order")
        previous = offset
        if offset - starts[-1] >= target_bytes:
            starts.append(offset)
    ends = [*starts[1:], dump_size]
    return [(start, end - start) for start, end in zip(starts, ends, strict=True)]


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read(_CHUNK_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    if rest:
        yield rest
