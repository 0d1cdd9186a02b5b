"""ARC files (Internet Archive's format before WARC, versions 1 and 2) to documents.

A record is a line `URL IP-address date content-type length`, so many bytes of HTTP response, and a
line break; version 2 has five fields more in front of the length. A page is read as a WARC's is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from pipeline.readers.inflated import Inflated, is_compressed
from pipeline.readers.records import BadRecord, LostInput, Records, SkippedRecord
from pipeline.readers.warc import read_response
from pipeline.readers.warc_records import RawRecord

_HEADER = re.compile(
    rb"(\S+) (\S{1,60}) (\d{8,14}) ([^\n]{1,200}?)(?: \S+ \S+ \S+ \d+ \S+)? (\d{1,18})\r?\n"
)
_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)")
_HEADER_BYTES = 1 << 13
_READ_BYTES = 1 << 18


def read_arc(stream: BinaryIO, *, maximum_record_bytes: int) -> Records:
    """Documents with their HTML in `raw`, undecoded, and all other records; never raises for input.

    Args:
        stream: the file's own bytes, gzip or not; seekable.
        maximum_record_bytes: longest record, and longest decoded body, that is kept.
    """
    start = stream.read(4)
    stream.seek(0)
    source = Inflated(stream) if is_compressed(start) else stream
    reader = _Reader(source)
    for item in reader.records(maximum_record_bytes):
        if isinstance(item, RawRecord):
            url = item.headers["warc-target-uri"]
            if url.startswith(("http://", "https://")):
                yield read_response(item, maximum_record_bytes)
            else:
                yield SkippedRecord(url.partition(":")[0] or "no_url")
        else:
            yield item
    if isinstance(source, Inflated) and source.failure:
        lost = LostInput(source.consumed)
        yield BadRecord(f"offset {reader.position}", "", source.failure, "the rest is lost", lost)


class _Reader:
    """Reads records one after another.

    Attributes:
        position: bytes read of what is in the file.
    """

    def __init__(self, source: BinaryIO | Inflated) -> None:
        self._source = source
        self._data = b""
        self.position = 0

    def records(self, maximum: int) -> Iterator[RawRecord | BadRecord]:
        """Every record, and what lies between them."""
        while self._have(1):
            if self._data[:1] in b"\r\n":
                self._take(1)
                continue
            start = self.position
            self._have(_HEADER_BYTES)
            header = _HEADER.match(self._data)
            if header is None:
                passed = self._seek_header()
                lost = LostInput(start, passed)
                yield BadRecord(f"offset {start}", "", "bad_arc_header", f"{passed} bytes", lost)
                continue
            self._take(header.end())
            yield self._record(start, header, maximum)

    def _record(self, start: int, header: re.Match[bytes], maximum: int) -> RawRecord | BadRecord:
        url = header[1].decode("utf-8", "replace")
        length, identifier = int(header[5]), f"offset {start}"
        if length > maximum:
            missing = length - self._pass(length)
            reason = "record_too_large" if not missing else "truncated_record"
            lost = LostInput(start) if missing else None
            return BadRecord(identifier, url, reason, f"length {length}", lost)
        if not self._have(length):
            self._take(len(self._data))
            detail = f"length {length}, file ends before"
            return BadRecord(identifier, url, "truncated_record", detail, LostInput(start))
        date = _DATE.sub(r"\1-\2-\3T\4:\5:\6Z", header[3].decode().ljust(14, "0"))
        headers = {"warc-target-uri": url, "warc-date": date}
        return RawRecord(str(start), headers, self._take(length))

    def _have(self, count: int) -> bool:
        parts, have = [self._data], len(self._data)
        while have < count and (part := self._source.read(_READ_BYTES)):
            parts.append(part)
            have += len(part)
        self._data = b"".join(parts)
        return have >= count

    def _take(self, count: int) -> bytes:
        taken, self._data = self._data[:count], self._data[count:]
        self.position += count
        return taken

    def _pass(self, count: int) -> int:
        """Pass over so many bytes, or as many as there are; returns how many."""
        passed = 0
        while passed < count and self._have(1):
            passed += len(self._take(min(len(self._data), count - passed)))
        return passed

    def _seek_header(self) -> int:
        """Move to the next line that starts a record, or to the end; returns the bytes passed."""
        start = self.position
        while self._have(1):
            self._have(_HEADER_BYTES)
            end = self._data.find(b"\n") + 1
            self._take(end or len(self._data))
            self._have(_HEADER_BYTES)
            if _HEADER.match(self._data):
                break
        return self.position - start
