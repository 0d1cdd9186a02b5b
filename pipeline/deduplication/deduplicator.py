"""Compares units whose keys are made: what the methods of deduplication decide with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from dedup.components import MEMBER_ROW
from dedup.decisions import Decided, Summary, summarize
from dedup.groups import ROW_BITS, Groups
from pipeline.deduplication import decision_files
from pipeline.deduplication.decision_files import Decisions, digest
from pipeline.deduplication.key_units import KeyUnits, write_key_units
from pipeline.deduplication.keys import KeyMaker
from pipeline.deduplication.shuffle import Comparison, compare, write_rows
from pipeline.deduplication.verification import Check, Verification, verify
from pipeline.passes.run import Run
from pipeline.store.commit import Place
from pipeline.store.records import OutputFile
from pipeline.store.tables import TableFile, write_table

# Documents with duplicates whose clusters are counted at a time: about 100 bytes each.
CLUSTERED = 10_000_000


@dataclass(frozen=True)
class Deduplicator:
    """Compares units whose keys are made.

    Attributes:
        units: in order of source, and of preference within a source.
        keys: how many are compared, by scope.
        maker: of the keys.
        root: the dataset's folder.
        step: name of the step; those that lead to its decisions are called after it.
        run: that it is part of.
        partition_bytes: bound on the keys of one partition.
    """

    units: KeyUnits
    keys: dict[int, int]
    maker: KeyMaker
    root: str
    step: str
    run: Run
    partition_bytes: int

    def compare(
        self,
        decide: Callable[[Groups], Iterable[Decided]],
        dtype: np.dtype[Any],
        fingerprint: str,
    ) -> Decisions:
        """What follows from equal keys."""
        return self._compare(self.units, decide, dtype, fingerprint, "decisions")

    def finished(self, fingerprint: str) -> tuple[Place, Decisions | None]:
        """Where decisions are, and those that were made under this fingerprint."""
        place = self._place("decisions")
        return place, decision_files.finished(place, fingerprint)

    def edges(
        self,
        check: Check,
        decide: Callable[[Groups], Iterable[Decided]],
        dtype: np.dtype[Any],
        fingerprint: str,
    ) -> list[OutputFile]:
        """Pairs that equal keys make candidates and that are verified, as edge files."""
        # Which source is preferred does not matter to what is a candidate.
        path = f"{self.units.path.removesuffix('.parquet')}.one-source.parquet"
        units = write_key_units(path, [replace(unit, source=0) for unit in self.units])
        candidates = self._compare(units, decide, dtype, fingerprint, "candidates")
        place = self._place("edges")
        work = Verification(self.units, candidates, check, place, self.partition_bytes)
        return verify(work, self.run)

    def written(self, place: Place, decided: Iterable[Decided]) -> tuple[TableFile, ...]:
        """The files of all units, where one process has decided."""
        found, nothing = dict(decided), np.empty(0, MEMBER_ROW)
        records = [
            write_rows(place, unit.full_name, own, digest(own, self.units))
            for number, unit in enumerate(self.units)
            for own in [found.get(number, nothing)]
        ]
        name = f"{place.inner('tables')}/{place.step}.{place.attempt()}.parquet"
        return (write_table(place.root, name, records),)

    def _compare(
        self,
        units: KeyUnits,
        decide: Callable[[Groups], Iterable[Decided]],
        dtype: np.dtype[Any],
        fingerprint: str,
        part: str,
    ) -> Decisions:
        kind, combine, place = self.maker.kind, self.maker.combine, self._place(part)
        work = Comparison(units, kind, decide, dtype, place, self.partition_bytes, combine)
        return compare(work, self.keys, fingerprint, self.run)

    def _place(self, part: str) -> Place:
        return self.run.place(self.root, f"{self.step}.{part}")

    def finish(self, place: Place, tables: tuple[TableFile, ...], fingerprint: str) -> Decisions:
        """Record the decisions with the statistics of clusters.

        One worker, in as many rounds over the decisions as keep it to `CLUSTERED` documents.
        """
        sources = self.units.sources()
        made = Decisions(place, tables, {})
        summary = Summary.empty(int(sources.max(initial=0)) + 1)
        rounds = 1 + sum(made.bytes.values()) // MEMBER_ROW.itemsize // CLUSTERED
        for number in range(rounds):
            summary.add(summarize(self._clusters(made, number, rounds), sources))
        return decision_files.finish(place, fingerprint, tables, {"summary": asdict(summary)})

    def _clusters(self, decisions: Decisions, number: int, rounds: int) -> Groups:
        """The clusters whose representative falls to a round."""
        nothing = np.empty(0, np.uint64)
        positions, kept = [nothing], [nothing]
        for unit_number, unit in enumerate(self.units):
            rows = decisions.units[unit.full_name].read()
            rows = rows[rows["representative"] % np.uint64(rounds) == number]
            positions.append(np.uint64(unit_number) << ROW_BITS | rows["row"].astype(np.uint64))
            kept.append(rows["representative"])
        members, representatives = np.concatenate(positions), np.concatenate(kept)
        order = np.lexsort((members, members != representatives, representatives))
        _, starts = np.unique(representatives[order], return_index=True)
        return Groups(members[order], starts, len(members))
