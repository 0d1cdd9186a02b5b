"""Verification: candidate pairs in, edges between real duplicates out.

A candidate pair stands with the unit of its later document. That unit sends what the comparison
needs (a signature, a count) to the unit of the other document, which decides: two units meet in
one shuffle, and neither loads anything but its own arrays. Locally units are taken in slices, so
that what is under way stays within a few partitions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeAlias

import apache_beam as beam
import numpy as np

from dedup.components import EDGE
from dedup.decisions import Structured
from dedup.groups import ROW_BITS
from dedup.minhash import similarity
from dedup.overlap import containment, least_shared
from dedup.runs import run_starts
from pipeline.deduplication.decision_files import Decisions, read_array
from pipeline.deduplication.key_units import KeyUnit, KeyUnits
from pipeline.deduplication.shuffle import write_rows
from pipeline.passes.engine import Engine
from pipeline.passes.run import Run
from pipeline.passes.shuffle import PARTITIONS_PER_SLICE, Numbers, meet
from pipeline.store import files
from pipeline.store.commit import Place
from pipeline.store.records import OutputFile, UnitRecord

# Unit of the sender; its rows, their ranks, the receiver's rows, what is compared: one each a pair.
Sent: TypeAlias = tuple[int, bytes, bytes, bytes, bytes]


class Check(Protocol):
    """How a pair is verified.

    Attributes:
        kind: of the keys whose side arrays are compared.
        bytes_per_pair: what one pair puts into the shuffle, at most.
    """

    @property
    def kind(self) -> str: ...

    @property
    def bytes_per_pair(self) -> int: ...

    def evidence(self, unit: KeyUnit, number: int, pairs: Structured) -> Structured:
        """What the sender, which has this number, says of each pair."""

    def holds(
        self, sender: KeyUnit, receiver: SideArrays, pairs: Structured, evidence: bytes
    ) -> Structured:
        """Which pairs (fields `row` of the sender, `other` of the receiver) are duplicates."""


def side_array(unit: KeyUnit, kind: str, name: str) -> Structured:
    """A side array of a unit's keys."""
    return read_array(unit.files[f"keys/{kind}-{name}"])


class SideArrays:
    """The side arrays of one unit, each read when it is first asked for."""

    def __init__(self, unit: KeyUnit, kind: str) -> None:
        self.unit = unit
        self._kind = kind
        self._arrays: dict[str, Structured] = {}

    def __getitem__(self, name: str) -> Structured:
        if name not in self._arrays:
            self._arrays[name] = side_array(self.unit, self._kind, name)
        return self._arrays[name]


@dataclass(frozen=True)
class SignatureCheck:
    """Pairs whose MinHash signatures are equal in at least `minimum` of their values."""

    permutations: int
    minimum: float
    kind = "minhash"

    @property
    def bytes_per_pair(self) -> int:
        return 4 * self.permutations + 16

    def evidence(self, unit: KeyUnit, number: int, pairs: Structured) -> Structured:
        return side_array(unit, self.kind, "signatures")[pairs["row"]]

    def holds(
        self, sender: KeyUnit, receiver: SideArrays, pairs: Structured, evidence: bytes
    ) -> Structured:
        sent = np.frombuffer(evidence, np.uint32).reshape(-1, self.permutations)
        own = receiver["signatures"][pairs["other"]]
        return similarity(sent, own) >= self.minimum


@dataclass(frozen=True)
class ContainmentCheck:
    """Pairs that share more than `threshold` of the smaller shingle set, counted exactly.

    The sampled shingles sort out first what cannot be near the threshold
    (`dedup.overlap.least_shared`).
    """

    threshold: float
    margin: float
    kind = "overlap"
    bytes_per_pair = 28

    def evidence(self, unit: KeyUnit, number: int, pairs: Structured) -> Structured:
        shingles, samples = self._counts(SideArrays(unit, self.kind))
        # How much a pair may share beyond what was counted (`dedup.overlap.SHARED`).
        uncounted = np.zeros(len(samples), np.uint32)
        alone = pairs[pairs["other"] == _positions(number, pairs["row"])]
        uncounted[alone["row"]] = alone["shared"]
        row = pairs["row"]
        at_most = pairs["shared"] + np.minimum(uncounted, samples)[row]
        return np.stack([at_most, shingles[row], samples[row]], axis=1).astype(np.uint32)

    def holds(
        self, sender: KeyUnit, receiver: SideArrays, pairs: Structured, evidence: bytes
    ) -> Structured:
        at_most, *sent = np.frombuffer(evidence, np.uint32).reshape(-1, 3).T.astype(np.int64)
        own = [counts[pairs["other"]] for counts in self._counts(receiver)]
        sizes, samples = (np.stack(counts, axis=1) for counts in zip(sent, own, strict=True))
        result = at_most >= least_shared(sizes, samples, self.threshold, self.margin)
        if sender == receiver.unit:
            result &= pairs["row"] != pairs["other"]
        if result.any():
            one, other = _ShingleSets(sender), _ShingleSets(receiver.unit)
            for place in np.flatnonzero(result):
                pair = pairs[place]
                overlap = containment(one[pair["row"]], other[pair["other"]])
                result[place] = overlap > self.threshold
        return result

    def _counts(self, arrays: SideArrays) -> tuple[Structured, Structured]:
        """How many shingles each document has, and how many of them are sampled."""
        return np.diff(arrays["offsets"]), arrays["samples"]


class _ShingleSets:
    """The shingle sets of a unit's documents, each read by itself; the last one is kept."""

    def __init__(self, unit: KeyUnit) -> None:
        self._offsets = side_array(unit, "overlap", "offsets")
        self._path = unit.files["keys/overlap-shingles"]
        self._row = -1
        self._set: Structured = np.empty(0, np.uint64)

    def __getitem__(self, row: int) -> Structured:
        if row != self._row:
            start, end = self._offsets[row], self._offsets[row + 1]
            with files.open_read(self._path) as file:
                np.lib.format.read_magic(file)
                np.lib.format.read_array_header_1_0(file)
                file.seek(file.tell() + 8 * int(start))
                self._set = np.frombuffer(file.read(8 * int(end - start)), np.uint64)
            self._row = row
        return self._set


@dataclass(frozen=True)
class Verification:
    """Candidates of some units, and where the edges go.

    Attributes:
        units: as in the comparison that found the candidates.
        candidates: its decision files; more than one entry of a pair counts once, `shared` adds up.
        check: how a pair is verified.
        place: of the edge files.
        partition_bytes: a slice keeps a few times so much in the shuffle.
    """

    units: KeyUnits
    candidates: Decisions
    check: Check
    place: Place
    partition_bytes: int


def verify(work: Verification, run: Run) -> list[OutputFile]:
    """Write the edge files; returns them in order of unit."""
    found = []
    for senders in _slices(work, run.engine):
        expansion = partial(expand, work=work, senders=senders)
        name = f"{work.check.kind} verification"
        result = run.run_records(name, work.place, len(senders), expansion)
        found += [file for record in result.records() for file in record.files]
    return found


def _slices(work: Verification, engine: Engine) -> Iterator[range]:
    """Units that send at the same time."""
    sizes = work.candidates.bytes
    budget = PARTITIONS_PER_SLICE * work.partition_bytes
    first = under_way = 0
    for number, unit in enumerate(work.units):
        size = sizes[unit.full_name]
        # A candidate takes at least 12 bytes of its file.
        size = size // 12 * work.check.bytes_per_pair
        if engine.is_local and number > first and under_way + size > budget:
            yield range(first, number)
            first, under_way = number, 0
        under_way += size
    yield range(first, len(work.units))


def expand(root: beam.Pipeline, work: Verification, senders: range) -> beam.PCollection:
    """The transforms of one slice; yields the records of edge files."""
    numbers = root | Numbers(senders.start, senders.stop)
    met = meet(numbers, "send", partial(_send, work=work), tuple[int, Sent])
    return met | "verify" >> beam.FlatMap(partial(_receive, work=work))


def _send(number: int, work: Verification) -> Iterator[tuple[int, Sent]]:
    unit = work.units[number]
    pairs = _distinct(work.candidates.units[unit.full_name].read())
    if not len(pairs):
        return
    evidence = work.check.evidence(unit, number, pairs)
    ranks = _ranks(SideArrays(unit, work.check.kind))[pairs["row"]]
    receivers = (pairs["other"] >> ROW_BITS).astype(np.int64)
    starts = run_starts(receivers)
    for start, end in zip(starts, [*starts[1:], len(pairs)], strict=True):
        part = pairs[start:end]
        parts = part["row"], ranks[start:end], part["other"].astype("<u4"), evidence[start:end]
        rows, own_ranks, others, compared = (array.tobytes() for array in parts)
        yield int(receivers[start]), (number, rows, own_ranks, others, compared)


def _distinct(pairs: Structured) -> Structured:
    """Each pair once, by `other`; what is counted in several parts of the key space adds up."""
    pairs = pairs[np.lexsort((pairs["row"], pairs["other"]))]
    starts = run_starts(pairs["row"], pairs["other"])
    distinct = pairs[starts]
    if "shared" in (pairs.dtype.names or ()) and len(starts):
        distinct["shared"] = np.add.reduceat(pairs["shared"], starts)
    return distinct


_PAIR = np.dtype([("row", "<u4"), ("other", "<u4")])


def _receive(item: tuple[int, Iterable[Sent]], work: Verification) -> Iterator[UnitRecord]:
    number, sent = item
    receiver = work.units[number]
    arrays = SideArrays(receiver, work.check.kind)
    ranks = _ranks(arrays)
    found = []
    for sender_number, rows, own_ranks, others, evidence in sorted(sent, key=lambda one: one[0]):
        sender = work.units[sender_number]
        pairs = np.empty(len(rows) // 4, _PAIR)
        pairs["row"], pairs["other"] = np.frombuffer(rows, "<u4"), np.frombuffer(others, "<u4")
        holds = work.check.holds(sender, arrays, pairs, evidence)
        pairs, sender_ranks = pairs[holds], np.frombuffer(own_ranks, "<u8")[holds]
        if len(pairs):
            edges = np.empty(len(pairs), EDGE)
            edges["one"] = _positions(sender_number, pairs["row"])
            edges["other"] = _positions(number, pairs["other"])
            edges["one_rank"] = sender_ranks
            edges["other_rank"] = ranks[pairs["other"]]
            found.append(edges)
    if found:
        yield write_rows(work.place, receiver.full_name, np.concatenate(found), "", "edges")


def _ranks(arrays: SideArrays) -> Structured:
    """Preference of a unit's documents: the order of sources before the rank in the source."""
    return np.uint64(arrays.unit.source) << np.uint64(32) | arrays["ranks"].astype(np.uint64)


def _positions(number: int, rows: Structured) -> Structured:
    """Where the documents of a unit stand among all."""
    return np.uint64(number) << ROW_BITS | rows.astype(np.uint64)
