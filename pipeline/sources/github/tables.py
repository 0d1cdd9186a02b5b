"""BigQuery's tables as sorted tables of keys: what a join needs of them, and no content.

    work/tables.<kind>/keys/<unit>.<attempt>.parquet    rows in chunks, each chunk sorted by `key`

`key` is xxh3-64 of the repository (files, licenses) or of the blob's id (contents). Row groups are
small and know their smallest and largest key, so that a range of keys is read without the rest.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Literal, TypeAlias, cast

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from pipeline.fingerprints import Fingerprinted
from pipeline.readers.tables import DamagedRows, read_rows
from pipeline.store import files
from pipeline.store.accounting import Funnel
from pipeline.store.commit import Attempt, Place
from pipeline.store.records import UnitInput, UnitRecord
from pipeline.store.streams import HashingReader
from pipeline.store.units import Unit, open_unit

Kind: TypeAlias = Literal["files", "licenses", "contents"]

_CHUNK_ROWS = 200_000
_GROUP_ROWS = 8_192


def schema(**columns: pa.DataType) -> pa.Schema:
    """A schema of nullable columns."""
    return pa.schema(list(columns.items()))


SCHEMAS: dict[Kind, pa.Schema] = {
    "files": schema(
        key=pa.uint64(),
        repository=pa.string(),
        path=pa.string(),
        mode=pa.int64(),
        id=pa.string(),
    ),
    "licenses": schema(key=pa.uint64(), repository=pa.string(), licence=pa.string()),
    "contents": schema(key=pa.uint64(), id=pa.string(), row=pa.int64()),
}


def key_of(text: str) -> int:
    """The key of a repository or a blob id."""
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{type(value).__name__} where a name is expected")
    return value


def _mode(value: Any) -> int:
    """A mode as git has them, in 16 bits."""
    mode = int(value or 0)  # JSON exports have 64-bit numbers as strings
    if not 0 <= mode < 1 << 16:
        raise ValueError(f"mode {mode:o}")
    return mode


def _file_row(_: int, row: dict[str, Any]) -> tuple[Any, ...]:
    repository, path, blob = (_text(row[name]) for name in ("repo_name", "path", "id"))
    return key_of(repository), repository, path, _mode(row["mode"]), blob


def _licence_row(_: int, row: dict[str, Any]) -> tuple[Any, ...]:
    repository = _text(row["repo_name"])
    return key_of(repository), repository, _text(row["license"])


def _content_row(number: int, row: dict[str, Any]) -> tuple[Any, ...]:
    blob = _text(row["id"])
    return key_of(blob), blob, number


_ROWS: dict[Kind, tuple[tuple[str, ...], Callable[[int, dict[str, Any]], tuple[Any, ...]]]] = {
    "files": (("repo_name", "path", "mode", "id"), _file_row),
    "licenses": (("repo_name", "license"), _licence_row),
    "contents": (("id",), _content_row),
}


# Kind of file, and what records say of it besides counts of damaged rows.
KEYS = "keys"
TABLE_BYTES = "table_bytes"


@dataclass(frozen=True)
class TablePass(Fingerprinted):
    """The keys of every file of one table.

    Attributes:
        kind: of table.
        place: where its keys go.
        maximum_row_bytes: longer rows are damaged.
    """

    kind: Kind
    place: Place
    maximum_row_bytes: int

    @property
    def name(self) -> str:
        return f"keys of {self.kind}"

    def decided_by(self) -> tuple[Any, ...]:
        return self.kind, self.maximum_row_bytes

    def through(self, units: beam.PCollection) -> tuple[beam.PCollection, ...]:
        return (units | "keys" >> beam.Map(self.make),)

    def make(self, unit: Unit) -> UnitRecord:
        """Write the keys of one unit."""
        damaged: Counter[str] = Counter()
        lost: Counter[str] = Counter()
        rows = size = 0
        attempt = Attempt(self.place, unit)
        try:
            writer = pq.ParquetWriter(
                cast(IO[bytes], attempt.create(KEYS, "parquet")), SCHEMAS[self.kind]
            )
            stream = open_unit(unit)
            for chunk in self._chunks(unit, stream, damaged, lost):
                writer.write_table(chunk.sort_by("key"), row_group_size=_GROUP_ROWS)
                rows, size = rows + len(chunk), size + chunk.nbytes
            writer.close()
            read = UnitInput(
                unit.relative,
                unit.identity,
                unit.size,
                *stream.finish(),
                lost_bytes=sum(lost.values()),
                lost=" ".join(sorted(lost)),
            )
            extra = {TABLE_BYTES: size, **dict(sorted(damaged.items()))}
            key, funnel = unit.key(self.fingerprint), Funnel().to_json()
            return attempt.commit(key, read, funnel, {KEYS: rows}, extra=extra)
        except BaseException:
            attempt.discard()
            raise

    def _chunks(
        self,
        unit: Unit,
        reader: HashingReader,
        damaged: Counter[str],
        lost: Counter[str],
    ) -> Iterator[pa.Table]:
        """Tables of at most so many rows; damaged rows, and bytes lost, are counted by reason."""
        columns, take = _ROWS[self.kind]
        rows: list[tuple[Any, ...]] = []
        stream = io.BufferedReader(reader, 1 << 20)
        for row in read_rows(stream, unit, columns, self.maximum_row_bytes):
            if isinstance(row, DamagedRows):
                damaged[row.reason] += 1
                if row.lost is not None:
                    lost[row.reason] += row.lost.bytes_of(unit.size)
                continue
            try:
                rows.append(take(*row))
            except (ValueError, TypeError, OverflowError):
                damaged["malformed_row"] += 1
            if len(rows) >= _CHUNK_ROWS:
                yield _table(rows, SCHEMAS[self.kind])
                rows = []
        if reader.failure is not None:
            raise reader.failure  # storage failed, not the input: the unit must be tried again
        yield _table(rows, SCHEMAS[self.kind])


def _table(rows: list[tuple[Any, ...]], of: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(of)
    arrays = [
        pa.array([_encodable(value) for value in column], kind)
        for column, kind in zip(columns, of.types, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=of)


def _encodable(value: Any) -> Any:
    """A lone surrogate, which JSON may have, as a replacement character."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def sorted_bytes(table: pa.Table) -> bytes:
    """A table as a file that `read_range` can read."""
    sink = io.BytesIO()
    pq.write_table(table.sort_by("key"), sink, row_group_size=_GROUP_ROWS)
    return sink.getvalue()


def read_range(path: str, low: int, high: int) -> pa.Table:
    """The rows of a sorted table whose key is at least `low` and below `high`."""
    with files.open_read(path) as file:
        table = pq.ParquetFile(cast(IO[bytes], file))
        groups = [
            number
            for number in range(table.metadata.num_row_groups)
            if _overlaps(table.metadata.row_group(number), low, high)
        ]
        found = table.read_row_groups(groups)
    keys = found.column("key")
    inside = pc.and_(
        pc.greater_equal(keys, pa.scalar(low, pa.uint64())),
        pc.less_equal(keys, pa.scalar(high - 1, pa.uint64())),
    )
    return found.filter(inside)


def _overlaps(group: Any, low: int, high: int) -> bool:
    if not group.num_rows:
        return False  # an empty group has no statistics
    statistics = group.column(0).statistics
    return bool(statistics.min < high and statistics.max >= low)
