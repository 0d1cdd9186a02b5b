"""Sorted tables meet by key: ranges of them as Arrow blobs through one GroupByKey.

As in `pipeline.deduplication.shuffle`: the top bits of a key name its partition; locally the key
space is processed in slices of a few partitions, each of which reads its own range of every table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, TypeAlias

import apache_beam as beam
import pyarrow as pa

from pipeline.deduplication.key_units import KeyUnits
from pipeline.deduplication.shuffle import PARTITIONS_PER_SLICE
from pipeline.passes.engine import Engine
from pipeline.passes.spread import Spread, Spreading
from pipeline.sources.github.tables import KEYS, read_range

# A partition and, by number, what each table has of it.
Met: TypeAlias = tuple[int, Iterable[tuple[int, bytes]]]


def cuts(size: int, partition_bytes: int, engine: Engine) -> tuple[int, int]:
    """Bits of a key that name its partition, and slices of the key space, for tables of a size."""
    bits = max(0, (-(-size // partition_bytes) - 1).bit_length())
    if not engine.is_local:
        return bits, 1
    return bits, max(1, (1 << bits) // PARTITIONS_PER_SLICE)


def slice_partitions(number: int, slices: int, bits: int) -> range:
    """The partitions of a slice."""
    return range(number * (1 << bits) // slices, (number + 1) * (1 << bits) // slices)


def meet(root: beam.Pipeline, tables: KeyUnits, partitions: range, bits: int) -> beam.PCollection:
    """Partitions with the blobs of all sorted tables that have rows in them."""
    split = partial(_split, tables=tables, partitions=partitions, bits=bits)
    return (
        root
        | "tables" >> Spreading(tables.ranges())
        | "numbers" >> beam.FlatMap(lambda pair: range(*pair))
        | "spread" >> Spread()
        | "partition" >> beam.FlatMap(split).with_output_types(tuple[int, tuple[int, bytes]])
        | "meet" >> beam.GroupByKey()
    )


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
