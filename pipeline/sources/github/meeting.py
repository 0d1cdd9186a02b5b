"""Sorted tables meet by key: ranges of them as Arrow blobs through the shuffle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, TypeAlias

import apache_beam as beam
import pyarrow as pa

from pipeline.deduplication.key_units import KeyUnits
from pipeline.passes import shuffle
from pipeline.sources.github.tables import KEYS, read_range

# A partition and, by number, what each table has of it.
Met: TypeAlias = tuple[int, Iterable[tuple[int, bytes]]]


def meet(root: beam.Pipeline, tables: KeyUnits, partitions: range, bits: int) -> beam.PCollection:
    """Partitions with the blobs of all sorted tables that have rows in them."""
    split = partial(_split, tables=tables, partitions=partitions, bits=bits)
    numbers = root | shuffle.Numbers(0, len(tables))
    return shuffle.meet(numbers, "partition", split, tuple[int, tuple[int, bytes]])


def _split(
    number: int, tables: KeyUnits, partitions: range, bits: int
) -> Iterator[tuple[int, tuple[int, bytes]]]:
    shift = 64 - bits
    path = tables[number].files[KEYS]
    table = read_range(path, partitions.start << shift, partitions.stop << shift)
    keys = table.column("key").to_numpy()
    of = keys >> shift if bits else keys * 0
    for partition in partitions:
        part = table.filter(pa.array(of == partition))
        if len(part):
            yield partition, (number, to_bytes(part))


def to_bytes(table: pa.Table) -> bytes:
    """A table as a blob."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def from_bytes(data: bytes) -> pa.Table:
    """The table of a blob."""
    with pa.ipc.open_stream(data) as reader:
        return reader.read_all()


def tables_of(met: Met, numbers: range, schema: pa.Schema) -> pa.Table:
    """The tables with these numbers one after another, in order of number."""
    found = sorted((number, data) for number, data in met[1] if number in numbers)
    tables: list[Any] = [from_bytes(data) for _, data in found]
    return pa.concat_tables([schema.empty_table(), *tables])
