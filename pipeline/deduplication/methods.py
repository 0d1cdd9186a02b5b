"""Each method of deduplication, from keys to decisions.

Exact, URL and line deduplication follow from equal keys at once. MinHash and overlap find candidate
pairs that way, verify them, and then choose: clusters of a similarity graph, or, for overlap, in
order of preference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from dedup.components import EDGE, MEMBER_ROW
from dedup.decisions import (
    CANDIDATE,
    REMOVED,
    Decided,
    Summary,
    by_unit,
    candidate_pairs,
    cluster_rows,
    removed_rows,
    summarize,
)
from dedup.groups import ROW_BITS, Groups
from dedup.overlap import SHARED, choose, shared_pairs
from pipeline.deduplication.components import cluster_units
from pipeline.deduplication.decisions import Decisions, digest, finish, finished, read_array
from pipeline.deduplication.key_pass import KeyMaker
from pipeline.deduplication.key_units import KeyUnits, write_key_units
from pipeline.deduplication.makers import (
    ExactKeys,
    LineKeys,
    MetadataKeys,
    MinHashKeys,
    OverlapKeys,
)
from pipeline.deduplication.settings import DeduplicationSettings, MethodName
from pipeline.deduplication.shuffle import Comparison, compare, write_rows
from pipeline.deduplication.verify import (
    Check,
    ContainmentCheck,
    SignatureCheck,
    Verification,
    verify,
)
from pipeline.errors import RunFailed
from pipeline.passes.run import Run
from pipeline.store.commit import Place
from pipeline.store.records import OutputFile
from pipeline.store.tables import TableFile, write_table

# Documents with duplicates whose clusters are counted at a time: about 100 bytes each.
CLUSTERED = 10_000_000


def key_maker(method: MethodName, settings: DeduplicationSettings) -> KeyMaker:
    """What makes the keys of a method."""
    makers: dict[MethodName, KeyMaker] = {
        "exact": ExactKeys(settings.exact),
        "digest": MetadataKeys("digest", settings.digest),
        "url": MetadataKeys("url", settings.url),
        "paragraphs": LineKeys("paragraphs"),
        "lines": LineKeys("lines"),
        "minhash": MinHashKeys(settings.minhash),
        "overlap": OverlapKeys(settings.overlap),
    }
    return makers[method]


@dataclass(frozen=True)
class Deduplicator:
    """Compares units whose keys are made.

    Attributes:
        units: in order of source, and of preference within a source.
        keys: how many each method's own kind of key block has, by scope.
        settings: of every method.
        root: the dataset's folder.
        step: name of the step; those that lead to its decisions are called after it.
        run: that it is part of.
        partition_bytes: bound on the keys of one partition.
    """

    units: KeyUnits
    keys: dict[int, int]
    settings: DeduplicationSettings
    root: str
    step: str
    run: Run
    partition_bytes: int

    def decide(self, method: MethodName, fingerprint: str) -> Decisions:
        """Decide, unless it is decided under this fingerprint."""
        if method in ("minhash", "overlap"):
            place = self._place("decisions")
            decisions = finished(place, fingerprint)
            if decisions is None:
                choose_pairs = self._minhash if method == "minhash" else self._overlap
                decisions = self._finish(place, choose_pairs(place, fingerprint), fingerprint)
            return decisions
        if method in ("paragraphs", "lines"):
            policy = getattr(self.settings, method).policy
            return self._compare(method, partial(removed_rows, policy=policy), REMOVED, fingerprint)
        return self._compare(method, cluster_rows, MEMBER_ROW, fingerprint)

    def _place(self, part: str) -> Place:
        return self.run.place(self.root, f"{self.step}.{part}")

    def _compare(
        self,
        kind: MethodName,
        decide: Callable[[Groups], Iterable[Decided]],
        dtype: np.dtype[Any],
        fingerprint: str,
        part: str = "decisions",
    ) -> Decisions:
        # Which source is preferred does not matter to what is a candidate.
        preferred = part == "decisions"
        units = self.units if preferred else self._without_sources()
        place, combine = self._place(part), key_maker(kind, self.settings).combine
        work = Comparison(units, kind, decide, dtype, place, self.partition_bytes, combine)
        return compare(work, self.keys, fingerprint, self.run)

    def _without_sources(self) -> KeyUnits:
        path = f"{self.units.path.removesuffix('.parquet')}.one-source.parquet"
        return write_key_units(path, [replace(unit, source=0) for unit in self.units])

    def _minhash(self, place: Place, fingerprint: str) -> tuple[TableFile, ...]:
        """Clusters of similar documents; one of each stays."""
        settings = self.settings.minhash
        check = SignatureCheck(settings.permutations, settings.minimum_similarity)
        edges = self._edges("minhash", check, candidate_pairs, CANDIDATE, fingerprint)
        _, tables = cluster_units(
            [place.full(file.name) for file in edges],
            self.units,
            place,
            self.run,
            maximum_edges=settings.maximum_edges,
            partition_bytes=self.partition_bytes,
        )
        return tables

    def _overlap(self, place: Place, fingerprint: str) -> tuple[TableFile, ...]:
        """In order of preference, who stays of those that overlap."""
        settings = self.settings.overlap
        check = ContainmentCheck(settings.threshold, settings.margin)
        pairs = partial(shared_pairs, maximum_owners=settings.maximum_owners)
        edges = self._edges("overlap", check, pairs, SHARED, fingerprint)
        found = sum(file.rows for file in edges)
        if found > settings.maximum_edges:
            raise RunFailed(
                f"{found:,} pairs overlap, more than deduplication.overlap.maximum_edges = "
                f"{settings.maximum_edges:,}; drop near-duplicates with minhash first"
            )
        arrays = [read_array(place.full(file.name)) for file in edges]
        members = choose(np.concatenate([np.empty(0, EDGE), *arrays]))
        rows = np.empty(len(members), MEMBER_ROW)
        rows["size"], rows["representative"] = members["size"], members["representative"]
        decided = dict(by_unit(members["node"], rows))
        nothing = np.empty(0, MEMBER_ROW)
        records = [
            write_rows(place, unit.full_name, own, digest(own, self.units))
            for number, unit in enumerate(self.units)
            for own in [decided.get(number, nothing)]
        ]
        name = f"{place.inner('tables')}/{place.step}.{place.attempt()}.parquet"
        return (write_table(place.root, name, records),)

    def _finish(self, place: Place, tables: tuple[TableFile, ...], fingerprint: str) -> Decisions:
        """Record the decisions with the statistics of clusters.

        One worker, in as many rounds over the decisions as keep it to `CLUSTERED` documents.
        """
        sources = self.units.sources()
        made = Decisions(place, tables, {})
        summary = Summary.empty(int(sources.max(initial=0)) + 1)
        rounds = 1 + sum(made.bytes.values()) // MEMBER_ROW.itemsize // CLUSTERED
        for number in range(rounds):
            summary.add(summarize(self._clusters(made, number, rounds), sources))
        return finish(place, fingerprint, tables, {"summary": asdict(summary)})

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

    def _edges(
        self,
        method: MethodName,
        check: Check,
        decide: Callable[[Groups], Iterable[Decided]],
        dtype: np.dtype[Any],
        fingerprint: str,
    ) -> list[OutputFile]:
        """Verified pairs, as edge files."""
        candidates = self._compare(method, decide, dtype, fingerprint, "candidates")
        place = self._place("edges")
        work = Verification(self.units, candidates, check, place, self.partition_bytes)
        return verify(work, self.run)
