"""Rows of an exported table: Parquet, Avro, or JSON lines (plain, gzip, bzip2), in bounded memory.

Rows count from 0 in file order, damaged ones too, whichever columns are read: what is decided on
row 7 in one pass concerns row 7 in the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, TypeAlias, cast

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.readers.avro import MAGIC, AvroError, read_avro
from pipeline.readers.jsonl import read_jsonl
from pipeline.readers.records import BadRecord

_ROWS_PER_BATCH = 64


@dataclass(frozen=True, slots=True)
class DamagedRows:
    """Rows that cannot be read.

    Attributes:
        row: the first of them.
        reason: snake_case.
        detail: what a person wants to know.
    """

    row: int
    reason: str
    detail: str


Row: TypeAlias = "tuple[int, dict[str, Any]] | DamagedRows"


def read_rows(
    stream: BinaryIO, name: str, columns: Sequence[str], maximum_row_bytes: int
) -> Iterator[Row]:
    """Rows with some of their columns; a column that the file lacks is None.

    Args:
        stream: raw bytes, seekable.
        name: of the file; the first bytes count for more.
        columns: names.
        maximum_row_bytes: longest row, uncompressed; longer ones are damaged.
    """
    magic = stream.read(4)
    stream.seek(0)
    if magic == b"PAR1" or name.endswith(".parquet"):
        return _parquet(stream, columns, maximum_row_bytes)
    if magic == MAGIC or name.endswith(".avro"):
        return _avro(stream, columns, maximum_row_bytes)
    return _json_lines(stream, name, columns, maximum_row_bytes)


def _parquet(stream: BinaryIO, columns: Sequence[str], maximum_row_bytes: int) -> Iterator[Row]:
    try:
        # A small buffer makes column chunks stream instead of being read whole.
        table = pq.ParquetFile(cast(IO[bytes], stream), buffer_size=1 << 20, pre_buffer=False)
        present = [name for name in columns if name in table.schema_arrow.names]
        groups = table.metadata.num_row_groups
    except (pa.ArrowException, OSError, ValueError) as error:
        yield DamagedRows(0, "not_parquet", str(error)[:500])
        return
    missing = {name: None for name in columns if name not in present}
    start = 0
    for number in range(groups):
        rows = table.metadata.row_group(number).num_rows
        at = start
        try:
            _check_group(table, number, maximum_row_bytes)
            for batch in table.iter_batches(
                _ROWS_PER_BATCH, row_groups=[number], columns=present, use_threads=False
            ):
                for row in batch.to_pylist():
                    yield at, row | missing
                    at += 1
        except (pa.ArrowException, OSError, ValueError) as error:
            detail = f"{start + rows - at} rows of a row group are lost: {error}"
            yield DamagedRows(at, "malformed_parquet", detail[:500])
        start += rows


def _check_group(table: pq.ParquetFile, number: int, maximum_row_bytes: int) -> None:
    """Raise ValueError for a group that claims more than its rows may hold."""
    group = table.metadata.row_group(number)
    for column in range(group.num_columns):
        size = group.column(column).total_uncompressed_size
        if size > group.num_rows * maximum_row_bytes:
            raise ValueError(f"{size} bytes in {group.num_rows} rows")


def _avro(stream: BinaryIO, columns: Sequence[str], maximum_row_bytes: int) -> Iterator[Row]:
    start = 0
    try:
        for count, records in read_avro(stream, 16 * maximum_row_bytes):
            if isinstance(records, AvroError):
                detail = f"{count} rows of a block are lost: {records}"
                yield DamagedRows(start, records.reason, detail)
            else:
                for row, record in enumerate(records, start):
                    yield row, {name: record.get(name) for name in columns}
            start += count
    except AvroError as error:
        yield DamagedRows(start, error.reason, str(error))


def _json_lines(
    stream: BinaryIO, name: str, columns: Sequence[str], maximum_row_bytes: int
) -> Iterator[Row]:
    # JSON writes a control character in six bytes.
    lines = read_jsonl(stream, name=name, maximum_line_bytes=6 * maximum_row_bytes)
    for row, line in enumerate(lines):
        if isinstance(line, BadRecord):
            yield DamagedRows(row, line.reason, line.detail)
        else:
            yield row, {column: line.fields.get(column) for column in columns}
