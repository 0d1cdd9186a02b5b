"""JSON Lines: one object per line, plain or compressed (gzip, bzip2, Zstandard).

Follows jsonlines.org. A line that cannot be used costs itself only; memory is bounded by one line.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import orjson

from pipeline.readers.dump_file import UnreadableDumpError, open_dump
from pipeline.readers.records import BadRecord, LostInput

_SKIP_BYTES = 1 << 20
# What a server sends in place of a file.
_ERROR_PAGE = re.compile(rb"\s*<(?:!doctype\s|html[\s>]|\?xml\s)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class JsonLine:
    """An object.

    Attributes:
        id: `<name>#<line number>`, counted from 1.
        fields: of the object.
    """

    id: str
    fields: dict[str, Any]

    def text(self, name: str) -> str:
        """A field's string; empty if it is missing or no string."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""


def read_jsonl(
    stream: BinaryIO, *, name: str, maximum_line_bytes: int
) -> Iterator[JsonLine | BadRecord]:
    """Every line that is not blank; never raises for bad input.

    Reasons: `line_too_long`, `not_json` (also for what is no UTF-8), `not_object`; and, where the
    rest of the file is lost, those of `UnreadableDumpError`, and `not_json` for a page of HTML or
    XML under the file's name.

    Args:
        stream: the file's own bytes, not decompressed by whoever opened it; seekable.
        name: of the file, for ids and for how it is compressed.
        maximum_line_bytes: longer lines are passed over without being held.
    """
    number = 0
    try:
        lines = io.BufferedReader(cast(io.RawIOBase, open_dump(stream, name)), _SKIP_BYTES)
        while line := lines.readline(maximum_line_bytes + 1):
            number += 1
            identifier = f"{name}#{number}"
            if len(line) > maximum_line_bytes and not line.endswith(b"\n"):
                size = len(line) + _skip_line(lines)
                detail = f"{size} bytes > {maximum_line_bytes}"
                yield BadRecord(identifier, "", "line_too_long", detail)
                continue
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
                if _ERROR_PAGE.match(line):
                    detail = f"an HTML or XML page: {line[:80].decode('utf-8', 'replace').strip()}"
                    yield BadRecord(identifier, "", "not_json", detail, LostInput())
                    return
            if not line.isspace():
                yield _parse(identifier, line)
    except UnreadableDumpError as problem:
        yield problem.row(f"{name}#{number + 1}")


def _skip_line(lines: io.BufferedReader[io.RawIOBase]) -> int:
    """Read to the end of the line; the bytes passed over."""
    skipped = 0
    while rest := lines.readline(_SKIP_BYTES):
        skipped += len(rest)
        if rest.endswith(b"\n"):
            break
    return skipped


def _parse(identifier: str, line: bytes) -> JsonLine | BadRecord:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as problem:
        return BadRecord(identifier, "", "not_json", str(problem))
    if not isinstance(value, dict):
        return BadRecord(identifier, "", "not_object", type(value).__name__)
    return JsonLine(identifier, value)
