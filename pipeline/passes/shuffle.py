"""The one way to shuffle: units send parts of what they have, parts meet by key, results return.

    numbers of units -> send -> (key, part) -> meet -> decide -> (unit, part) -> return -> write

Units, and tasks that are none, go by their numbers in a file, so that a graph is small however many
there are. Nothing but packed bytes crosses. Where keys are hashes their top bits name a partition;
locally the key space is processed in slices of a few partitions, so that memory stays flat, and
another engine gets all partitions at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import apache_beam as beam

from pipeline.passes.engine import Engine
from pipeline.passes.spread import Spread, Spreading

PARTITIONS_PER_SLICE = 8
# Numbers that are handed out together.
RANGE = 1000
# Takes the place of a unit's number for what belongs to no unit.
WHOLE = -1

# A unit's number and something about it.
ForUnit: TypeAlias = tuple[int, bytes]


@dataclass(frozen=True)
class Cut:
    """How a key space is cut.

    Attributes:
        bits: of a key that name its partition.
        slices: that are processed one after another.
    """

    bits: int
    slices: int

    def __iter__(self) -> Iterator[range]:
        """The partitions of each slice."""
        every = 1 << self.bits
        for number in range(self.slices):
            yield range(number * every // self.slices, (number + 1) * every // self.slices)


def cut(sizes: Sequence[int], partition_bytes: int, engine: Engine) -> Cut:
    """A cut in which a partition has about so many bytes.

    Args:
        sizes: bytes of each key space; those of several share the partitions' numbers.
        partition_bytes: bound on one partition of one key space.
        engine: where it runs.
    """
    bits = _bits(max(sizes, default=0), partition_bytes)
    if not engine.is_local:
        return Cut(bits, 1)
    # Many small key spaces fill a slice as one large one does.
    total, budget = sum(sizes), PARTITIONS_PER_SLICE * partition_bytes
    bits = max(bits, _bits(total, budget))
    return Cut(bits, max(1, min(1 << bits, -(-total // budget))))


def _bits(size: int, partition_bytes: int) -> int:
    return max(0, (-(-size // partition_bytes) - 1).bit_length())


class Numbers(beam.PTransform):
    """The numbers from `first` up to `end`, spread over all workers."""

    def __init__(self, first: int, end: int) -> None:
        super().__init__()
        self._ranges = [(at, min(at + RANGE, end)) for at in range(first, end, RANGE)]

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection:
        return (
            root
            | "ranges" >> Spreading(self._ranges)
            | "numbers" >> beam.FlatMap(lambda pair: range(*pair)).with_output_types(int)
            | "spread" >> Spread()
        )


def meet(
    numbers: beam.PCollection,
    name: str,
    send: Callable[[int], Iterable[tuple[Any, Any]]],
    sent: Any,
) -> beam.PCollection:
    """What units send, by key.

    Args:
        numbers: of the units.
        name: of what they do, for the graph.
        send: yields keys with what is sent there.
        sent: type of what it yields.
    """
    return (
        numbers | name >> beam.FlatMap(send).with_output_types(sent) | "meet" >> beam.GroupByKey()
    )


def give_back(
    root: beam.Pipeline,
    units: int,
    decided: beam.PCollection,
    write: Callable[[tuple[int, Iterable[bytes]]], Any],
) -> beam.PCollection:
    """The record of each unit, and of the whole, made of what was decided on it.

    Args:
        root: of the graph.
        units: how many there are; each gets its record, also where nothing was decided.
        decided: `ForUnit`.
        write: makes a record; empty parts among those that it gets say nothing.
    """
    numbers = root | "every unit" >> Numbers(WHOLE, units)
    every = numbers | "nothing" >> beam.Map(_nothing).with_output_types(ForUnit)
    return (
        (every, decided)
        | "both" >> beam.Flatten()
        | "return" >> beam.GroupByKey()
        | "write" >> beam.Map(write)
    )


def _nothing(number: int) -> ForUnit:
    return number, b""
