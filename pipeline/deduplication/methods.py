"""Each method of deduplication, from keys to decisions.

Exact, URL and line deduplication follow from equal keys at once. MinHash and overlap find candidate
pairs that way, verify them, and then choose: clusters of a similarity graph, or, for overlap, in
order of preference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from dedup.components import EDGE, MEMBER_ROW
from dedup.decisions import (
    CANDIDATE,
    REMOVED,
    Decided,
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
        if method == "minhash":
            return self._minhash(fingerprint)
        if method == "overlap":
            return self._overlap(fingerprint)
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
        work = Comparison(self.units, kind, decide, dtype, folder, self.partition_bytes)
        return compare(work, fingerprint, self.engine)

    def _minhash(self, fingerprint: str) -> Decisions:
        settings = self.settings.minhash
        decisions = Decisions(files.join(self.folder, "decisions"))
        if decisions.is_done(fingerprint):
            return decisions
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
        self._finish(decisions, fingerprint)
        return decisions

    def _overlap(self, fingerprint: str) -> Decisions:
        settings = self.settings.overlap
        decisions = Decisions(files.join(self.folder, "decisions"))
        if decisions.is_done(fingerprint):
            return decisions
        check = ContainmentCheck(settings.threshold, settings.margin)
        pairs = partial(shared_pairs, maximum_owners=settings.maximum_owners)
        edges = self._edges(check, pairs, SHARED, fingerprint)
        found = np.concatenate([np.empty(0, EDGE), *map(read_array, edges)])
        if len(found) > settings.maximum_edges:
            raise RunFailed(
                f"{len(found):,} pairs overlap, more than deduplication.overlap.maximum_edges = "
                f"{settings.maximum_edges:,}; drop near-duplicates with minhash first"
            )
        members = choose(found)
        rows = np.empty(len(members), MEMBER_ROW)
        rows["size"], rows["representative"] = members["size"], members["representative"]
        decided = dict(by_unit(members["node"], rows))
        decisions.clear()
        for number, unit in enumerate(self.units):
            nothing = np.empty(0, MEMBER_ROW)
            write_array(decisions.part(unit.full_name, 0), decided.get(number, nothing))
        self._finish(decisions, fingerprint)
        return decisions

    def _finish(self, decisions: Decisions, fingerprint: str) -> None:
        """Write the marker with the statistics of clusters.

        One worker reads all decisions: 32 bytes for each document that has duplicates.
        """
        nothing = np.empty(0, np.uint64)
        positions, kept = [nothing], [nothing]
        for number, unit in enumerate(self.units):
            rows = read_array(decisions.part(unit.full_name, 0))
            positions.append(np.uint64(number) << ROW_BITS | rows["row"].astype(np.uint64))
            kept.append(rows["representative"])
        members, representatives = np.concatenate(positions), np.concatenate(kept)
        order = np.lexsort((members, members != representatives, representatives))
        _, starts = np.unique(representatives[order], return_index=True)
        groups = Groups(members[order], starts, len(members))
        decisions.finish(fingerprint, 1, summarize(groups, [unit.source for unit in self.units]))

    def _edges(
        self,
        check: Check,
        decide: Callable[[Groups], Iterable[Decided]],
        dtype: np.dtype[Any],
        fingerprint: str,
    ) -> list[str]:
        """Verified pairs, as edge files."""
        candidates = self._compare(check.kind, decide, dtype, fingerprint, "candidates")
        folder = files.join(self.folder, "edges")
        work = Verification(self.units, candidates, check, folder, self.partition_bytes)
        return verify(work, self.engine)
