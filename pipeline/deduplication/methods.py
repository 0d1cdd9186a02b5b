"""Each method of deduplication, from keys to decisions.

Exact, URL and line deduplication follow from equal keys at once. MinHash and overlap find candidate
pairs that way, verify them, and then choose: clusters of a similarity graph, or, for overlap, in
order of preference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
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
from pipeline import files
from pipeline.deduplication.components import cluster_units
from pipeline.deduplication.decisions import Decisions, read_array, write_array
from pipeline.deduplication.key_pass import KeyMaker
from pipeline.deduplication.makers import (
    ExactKeys,
    LineKeys,
    MetadataKeys,
    MinHashKeys,
    OverlapKeys,
)
from pipeline.deduplication.settings import DeduplicationSettings, MethodName
from pipeline.deduplication.shuffle import Comparison, KeyUnit, compare
from pipeline.deduplication.verify import (
    Check,
    ContainmentCheck,
    SignatureCheck,
    Verification,
    verify,
)
from pipeline.errors import RunFailed
from pipeline.runner import Engine

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
        settings: of every method.
        folder: for decisions and what leads to them.
        engine: where it runs.
        partition_bytes: bound on the keys of one partition.
    """

    units: tuple[KeyUnit, ...]
    settings: DeduplicationSettings
    folder: str
    engine: Engine
    partition_bytes: int

    def run(self, method: MethodName, fingerprint: str) -> Decisions:
        """Decide, unless it is decided under this fingerprint."""
        if method in ("minhash", "overlap"):
            decisions = Decisions(files.join(self.folder, "decisions"))
            if not decisions.is_done(fingerprint):
                choose_pairs = self._minhash if method == "minhash" else self._overlap
                choose_pairs(decisions, fingerprint)
                self._finish(decisions, fingerprint)
            return decisions
        if method in ("paragraphs", "lines"):
            policy = getattr(self.settings, method).policy
            return self._compare(method, partial(removed_rows, policy=policy), REMOVED, fingerprint)
        return self._compare(method, cluster_rows, MEMBER_ROW, fingerprint)

    def _compare(
        self,
        kind: str,
        decide: Callable[[Groups], Iterable[Decided]],
        dtype: np.dtype[Any],
        fingerprint: str,
        step: str = "decisions",
    ) -> Decisions:
        folder = files.join(self.folder, step)
        # Which source is preferred does not matter to what is a candidate.
        preferred = step == "decisions"
        units = self.units if preferred else tuple(replace(u, source=0) for u in self.units)
        work = Comparison(units, kind, decide, dtype, folder, self.partition_bytes)
        return compare(work, fingerprint, self.engine)

    def _minhash(self, decisions: Decisions, fingerprint: str) -> None:
        """Clusters of similar documents; one of each stays."""
        settings = self.settings.minhash
        check = SignatureCheck(settings.permutations, settings.minimum_similarity)
        edges = self._edges(check, candidate_pairs, CANDIDATE, fingerprint)
        decisions.clear()
        names = [f"{unit.full_name}.0" for unit in self.units]
        cluster_units(
            edges,
            names,
            decisions.folder,
            self.engine,
            maximum_edges=settings.maximum_edges,
            partition_bytes=self.partition_bytes,
        )

    def _overlap(self, decisions: Decisions, fingerprint: str) -> None:
        """In order of preference, who stays of those that overlap."""
        settings = self.settings.overlap
        check = ContainmentCheck(settings.threshold, settings.margin)
        pairs = partial(shared_pairs, maximum_owners=settings.maximum_owners)
        edges = self._edges(check, pairs, SHARED, fingerprint)
        found = sum(file.size for file in files.list_files(self._edge_folder)) // EDGE.itemsize
        if found > settings.maximum_edges:
            raise RunFailed(
                f"{found:,} pairs overlap, more than deduplication.overlap.maximum_edges = "
                f"{settings.maximum_edges:,}; drop near-duplicates with minhash first"
            )
        members = choose(np.concatenate([np.empty(0, EDGE), *map(read_array, edges)]))
        rows = np.empty(len(members), MEMBER_ROW)
        rows["size"], rows["representative"] = members["size"], members["representative"]
        decided = dict(by_unit(members["node"], rows))
        decisions.clear()
        for number, unit in enumerate(self.units):
            nothing = np.empty(0, MEMBER_ROW)
            write_array(decisions.part(unit.full_name, 0), decided.get(number, nothing))

    def _finish(self, decisions: Decisions, fingerprint: str) -> None:
        """Write the marker with the statistics of clusters.

        One worker, in as many rounds over the decisions as keep it to `CLUSTERED` documents.
        """
        sources = [unit.source for unit in self.units]
        summary = Summary.empty(max(sources) + 1)
        sizes = sum(file.size for file in files.list_files(decisions.folder))
        rounds = 1 + sizes // MEMBER_ROW.itemsize // CLUSTERED
        for number in range(rounds):
            summary.add(summarize(self._clusters(decisions, number, rounds), sources))
        decisions.finish(fingerprint, 1, summary)

    def _clusters(self, decisions: Decisions, number: int, rounds: int) -> Groups:
        """The clusters whose representative falls to a round."""
        nothing = np.empty(0, np.uint64)
        positions, kept = [nothing], [nothing]
        for unit_number, unit in enumerate(self.units):
            rows = read_array(decisions.part(unit.full_name, 0))
            rows = rows[rows["representative"] % np.uint64(rounds) == number]
            positions.append(np.uint64(unit_number) << ROW_BITS | rows["row"].astype(np.uint64))
            kept.append(rows["representative"])
        members, representatives = np.concatenate(positions), np.concatenate(kept)
        order = np.lexsort((members, members != representatives, representatives))
        _, starts = np.unique(representatives[order], return_index=True)
        return Groups(members[order], starts, len(members))

    @property
    def _edge_folder(self) -> str:
        return files.join(self.folder, "edges")

    def _edges(
        self,
        check: Check,
        decide: Callable[[Groups], Iterable[Decided]],
        dtype: np.dtype[Any],
        fingerprint: str,
    ) -> list[str]:
        """Verified pairs, as edge files."""
        candidates = self._compare(check.kind, decide, dtype, fingerprint, "candidates")
        work = Verification(self.units, candidates, check, self._edge_folder, self.partition_bytes)
        return verify(work, self.engine)
