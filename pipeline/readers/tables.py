"""Rows of an exported table: Parquet, Avro, or JSON lines (plain, gzip, bzip2), in bounded memory.

Rows count from 0 in file order, damaged ones too, whichever columns are read: what is decided on
row 7 in one pass concerns row 7 in the next. A large Parquet file is cut at borders of row groups;
a slice is read with the footer of the file, and its rows are numbered as in the whole.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, TypeAlias, cast

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.readers.arrow_rows import Unreadable, python_rows
from pipeline.readers.avro import MAGIC, AvroError, read_avro
from pipeline.readers.jsonl import read_jsonl
from pipeline.readers.records import BadRecord, LostInput
from pipeline.store import files
from pipeline.store.units import Unit

_ROWS_PER_BATCH = 64


@dataclass(frozen=True, slots=True)
class DamagedRows:
    """Rows that cannot be read.

    Attributes:
        row: the first of them.
        reason: snake_case.
        detail: what a person wants to know.
        lost: the input that they are in, where it is more than a row.
    """

    row: int
    reason: str
    detail: str
    lost: LostInput | None = None


Row: TypeAlias = "tuple[int, dict[str, Any]] | DamagedRows"


def read_rows(
    stream: BinaryIO, unit: Unit, columns: Sequence[str], maximum_row_bytes: int
) -> Iterator[Row]:
    """Rows with some of their columns; a column that the file lacks is None.

    Args:
        stream: raw bytes of the unit, seekable; for a slice from its start to the end of the file.
        unit: a file, or a slice of a Parquet file.
        columns: names.
        maximum_row_bytes: longest row, uncompressed; longer ones are damaged.
    """
    if unit.length:
        return _parquet(stream, unit, columns, maximum_row_bytes)
    magic = stream.read(4)
    stream.seek(0)
    if magic == b"PAR1" or unit.relative.endswith(".parquet"):
        return _parquet(stream, unit, columns, maximum_row_bytes)
    if magic == MAGIC or unit.relative.endswith(".avro"):
        return _avro(stream, columns, maximum_row_bytes)
    return _json_lines(stream, unit.relative, columns, maximum_row_bytes)


def split_parquet(unit: Unit, target_bytes: int) -> list[tuple[int, int]]:
    """(offset, length) of slices that cover a whole Parquet file, in order.

    A slice ends at the first border of row groups at or after so many bytes. A file with a damaged
    footer, or with row groups in another order than their bytes, is one slice.
    """
    starts = [0]
    try:
        with files.open_read(unit.path) as stream:
            offsets = _group_offsets(pq.read_metadata(cast(IO[bytes], stream)))
    except (pa.ArrowException, ValueError):
        offsets = []
    if offsets != sorted(offsets) or (offsets and not 0 <= offsets[0] <= offsets[-1] < unit.size):
        offsets = []
    for offset in offsets[1:]:
        if offset - starts[-1] >= target_bytes:
            starts.append(offset)
    ends = [*starts[1:], unit.size]
    return [(start, end - start) for start, end in zip(starts, ends, strict=True)]


def _group_offsets(footer: pq.FileMetaData) -> list[int]:
    """Where each row group starts."""
    found = []
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        columns = [group.column(place) for place in range(group.num_columns)]
        pages = [(one.dictionary_page_offset, one.data_page_offset) for one in columns]
        found.append(min((at for pair in pages for at in pair if at), default=0))
    return found


def _groups_of(unit: Unit, footer: pq.FileMetaData) -> range:
    """Numbers of the row groups that start in a unit; all of them in a whole file."""
    if not unit.length:
        return range(footer.num_row_groups)
    offsets, end = _group_offsets(footer), unit.offset + unit.length
    # The first slice starts at 0, before the first row group.
    first = sum(offset < unit.offset for offset in offsets)
    return range(first, sum(offset < end for offset in offsets))


class _Shifted(io.RawIOBase):
    """A stream from the start of a slice on, with the places of the whole file.

    What is before the slice reads as zeros: Arrow takes the last 64 KiB of a file to find the
    footer, and looks at what is behind the row groups only.
    """

    def __init__(self, stream: BinaryIO, offset: int) -> None:
        super().__init__()
        self._stream = stream
        self._offset = offset
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END:
            offset += self._offset + self._stream.seek(0, os.SEEK_END)
        self._position = offset
        return offset

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        before = min(len(view), max(0, self._offset - self._position))
        view[:before] = bytes(before)
        self._stream.seek(self._position + before - self._offset)
        # In one go: Arrow takes a short read for the end.
        data = self._stream.read(len(view) - before)
        view[before : before + len(data)] = data
        self._position += before + len(data)
        return before + len(data)


def _parquet(
    stream: BinaryIO, unit: Unit, columns: Sequence[str], maximum_row_bytes: int
) -> Iterator[Row]:
    source = _Shifted(stream, unit.offset) if unit.length else stream
    try:
        # A small buffer makes column chunks stream instead of being read whole.
        table = pq.ParquetFile(cast(IO[bytes], source), buffer_size=1 << 20, pre_buffer=False)
        present = [name for name in columns if name in table.schema_arrow.names]
        sizes = [table.metadata.row_group(at).num_rows for at in range(table.num_row_groups)]
        groups = _groups_of(unit, table.metadata)
    except (pa.ArrowException, OSError, ValueError) as error:
        yield DamagedRows(0, "not_parquet", str(error)[:500], LostInput())
        return
    missing = {name: None for name in columns if name not in present}
    for number in groups:
        at = start = sum(sizes[:number])
        try:
            _check_group(table, number, maximum_row_bytes)
            for batch in table.iter_batches(
                _ROWS_PER_BATCH, row_groups=[number], columns=present, use_threads=False
            ):
                for row in python_rows(batch):
                    if isinstance(row, Unreadable):
                        yield DamagedRows(at, "malformed_row", row.detail)
                    else:
                        yield at, row | missing
                    at += 1
        except (pa.ArrowException, OSError, ValueError) as error:
            detail = f"{start + sizes[number] - at} rows of a row group are lost: {error}"
            lost = _lost_group(table.metadata, number, unit, (start + sizes[number] - at))
            yield DamagedRows(at, "malformed_parquet", detail[:500], lost)


def _lost_group(footer: pq.FileMetaData, number: int, unit: Unit, rows: int) -> LostInput:
    """The input that the last so many rows of a row group are in, taking rows for equally long."""
    group = footer.row_group(number)
    size = sum(group.column(place).total_compressed_size for place in range(group.num_columns))
    lost = size * rows // max(1, group.num_rows)
    end = max(0, _group_offsets(footer)[number] - unit.offset) + size
    return LostInput(max(0, end - lost), lost)


def _check_group(table: pq.ParquetFile, number: int, maximum_row_bytes: int) -> None:
    """Raise ValueError for a group that claims more than its rows may hold."""
    group = table.metadata.row_group(number)
    for column in range(group.num_columns):
        size = group.column(column).total_uncompressed_size
        if size > group.num_rows * maximum_row_bytes:
            raise ValueError(f"{size} bytes in {group.num_rows} rows")


def _avro(stream: BinaryIO, columns: Sequence[str], maximum_row_bytes: int) -> Iterator[Row]:
    start = position = 0
    try:
        for count, records in read_avro(stream, 16 * maximum_row_bytes):
            before, position = position, stream.tell()
            if isinstance(records, AvroError):
                detail = f"{count} rows of a block are lost: {records}"
                lost = LostInput(before, position - before)
                yield DamagedRows(start, records.reason, detail, lost)
            else:
                for row, record in enumerate(records, start):
                    yield row, {name: record.get(name) for name in columns}
            start += count
    except AvroError as error:
        yield DamagedRows(start, error.reason, str(error), LostInput(position))


def _json_lines(
    stream: BinaryIO, name: str, columns: Sequence[str], maximum_row_bytes: int
) -> Iterator[Row]:
    # JSON writes a control character in six bytes.
    lines = read_jsonl(stream, name=name, maximum_line_bytes=6 * maximum_row_bytes)
    for row, line in enumerate(lines):
        if isinstance(line, BadRecord):
            yield DamagedRows(row, line.reason, line.detail, line.lost)
        else:
            yield row, {column: line.fields.get(column) for column in columns}
