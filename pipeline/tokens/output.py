"""What a pass over units writes of a token dataset, and the manifest of all of them.

    train/<stem>.bin | .idx | .docs.parquet        Megatron's pair, and who each document is
    validation/<stem>.bin | .idx | .docs.parquet   documents that training never sees
    rejected/<stem>.parquet                        documents that have no tokens, and why
    tables/                                        a row a unit: its input, counts, files
    manifest.json                                  `tokenizer.shards.manifest`

A stem is `<unit>.<attempt>`.

Documents keep the order of their unit. A split without documents has no files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any, cast

import pyarrow as pa
from numpy.typing import NDArray

from pipeline.passes.batch import RejectedDocument
from pipeline.passes.run import Result
from pipeline.passes.shards import REJECTED_SCHEMA, ShardWriter, rejected_row
from pipeline.store.accounting import Funnel, StageCount
from pipeline.store.commit import Attempt, Place
from pipeline.store.records import UnitInput, UnitRecord
from pipeline.store.units import Unit
from tokenizer.shards.manifest import (
    SPLITS,
    FileRecord,
    Manifest,
    ShardCounts,
    TokenizerIdentity,
)
from tokenizer.shards.writer import SUFFIXES, Streams, TokenShardWriter

REJECTED_ROWS_PER_GROUP = 1000


def manifest_of(
    label: str,
    identity: TokenizerIdentity,
    result: Result,
    made: Mapping[str, Any],
) -> Manifest:
    """The manifest of a finished dataset.

    Args:
        label: name of the source.
        identity: of the tokenizer.
        result: of the pass.
        made: how it was made.
    """
    splits: dict[str, list[ShardCounts]] = {split: [] for split in SPLITS}
    found: list[FileRecord] = []
    for record in result.records():
        for split, counts in record.extra.items():
            splits[split].append(ShardCounts(**counts))
        found += [FileRecord(file.name, file.bytes, file.sha256) for file in record.files]
    found.sort(key=lambda file: file.path)
    tables = [FileRecord(one.name, one.bytes, one.sha256) for one in result.summary.tables]
    return Manifest(label, identity, splits, found, made, tables)


class UnitTokens:
    """Writes the files of one unit; none appears before `commit`.

    Args:
        unit: the work unit.
        place: of the token dataset.
        identity: of the tokenizer.
        stage: name of what is done, in the accounting.
    """

    def __init__(self, unit: Unit, place: Place, identity: TokenizerIdentity, stage: str) -> None:
        self._unit = unit
        self._attempt = Attempt(place, unit)
        self._identity = identity
        self._stage = stage
        self._funnel = Funnel()
        self._funnel.stage(stage)
        self._splits: dict[str, TokenShardWriter] = {}
        rejected = self._attempt.create("rejected", "parquet")
        self._rejected = ShardWriter(rejected, REJECTED_SCHEMA, REJECTED_ROWS_PER_GROUP)

    def count(self, documents: int, kept: int, characters: int) -> None:
        """Account for documents, and the characters of those that are kept."""
        # What is rejected has no characters: it is empty, or is no text.
        counted = StageCount(documents, kept, characters, characters)
        self._funnel.stage(self._stage).count.add(counted)

    def reject(self, id: str, url: str, reason: str) -> None:
        """Record a document that has no tokens."""
        self._funnel.stage(self._stage).reasons[reason] += 1
        row = RejectedDocument(id, url, self._stage, reason, "", {}, 0)
        self._rejected.add(rejected_row(row))

    def write(self, split: str, ids: NDArray[Any], documents: pa.Table) -> None:
        """Write documents, as `TokenShardWriter.add` takes them."""
        if split not in self._splits:
            opened = [self._attempt.create(split, suffix[1:]) for suffix in SUFFIXES]
            streams = Streams(*(cast(IO[bytes], file) for file in opened))
            self._splits[split] = TokenShardWriter(streams, self._identity.vocabulary_size)
        self._splits[split].add(ids, documents)

    def commit(self, fingerprint: str, read: UnitInput) -> UnitRecord:
        """Publish every file and commit the unit.

        Args:
            fingerprint: of the pass.
            read: what the tokens were made of.
        """
        self._funnel.check(f"unit {self._unit.name}")
        self._rejected.close()
        for writer in self._splits.values():
            writer.finish()
        stem = f"{self._unit.name}.{self._attempt.id}"
        counts = {
            split: {"name": self._unit.name, "stem": stem, **writer.counts()}
            for split, writer in self._splits.items()
        }
        rows = {split: writer.documents for split, writer in self._splits.items()}
        rows["rejected"] = self._rejected.rows
        key = self._unit.key(fingerprint)
        return self._attempt.commit(key, read, self._funnel.to_json(), rows, extra=counts)

    def discard(self) -> None:
        """Give the unit up; nothing of it becomes visible."""
        self._rejected.discard()
        for writer in self._splits.values():
            writer.discard()
        self._attempt.discard()
