"""What a pass over units writes of a token dataset, and the manifest of all of them.

    train/part-<unit>.bin | .idx | .docs.parquet        Megatron's pair, and who each document is
    validation/part-<unit>.bin | .idx | .docs.parquet   documents that training never sees
    rejected/part-<unit>.parquet                        documents that have no tokens, and why
    stats/part-<unit>.json                              written last: the unit is committed
    manifest.json                                       `tokenizer.shards.manifest`

Documents keep the order of their unit. A split without documents has no files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

import orjson
import pyarrow as pa
from numpy.typing import NDArray

from pipeline import files
from pipeline.accounting import Funnel, write_json
from pipeline.batch import RejectedDocument, StageCount
from pipeline.dataset import Dataset
from pipeline.errors import InputError
from pipeline.shards import REJECTED_SCHEMA, ShardWriter, rejected_row
from pipeline.units import Unit
from tokenizer.shards.manifest import (
    SPLITS,
    FileRecord,
    Manifest,
    ShardCounts,
    TokenizerIdentity,
)
from tokenizer.shards.writer import SUFFIXES, Streams, TokenShardWriter

REJECTED_ROWS_PER_GROUP = 1000
# The code that decides the bytes of token shards; cleaning is in the version of each unit.
_DECIDING = (
    "tokenizer/encoder.py",
    "tokenizer/folder.py",
    "tokenizer/model_proto.py",
    "tokenizer/flags.py",
    "tokenizer/shards/foreign.py",
    "tokenizer/shards/index.py",
    "tokenizer/shards/writer.py",
    "pipeline/tokens/adopt.py",
    "pipeline/tokens/documents.py",
    "pipeline/tokens/encode.py",
    "pipeline/tokens/output.py",
    "pipeline/models/sampling.py",
    "pipeline/readers/document_shards.py",
    "pipeline/shards.py",
)


def token_fingerprint(*parts: Any) -> str:
    """A short hash of what decides a token dataset: plain data, and the code that makes shards."""
    root = Path(__file__).resolve().parents[2]
    code = hashlib.sha256(b"".join((root / name).read_bytes() for name in _DECIDING)).hexdigest()
    encoded = orjson.dumps([code, *parts], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(encoded).hexdigest()[:16]


def check_unchanged(path: str, found: TokenizerIdentity, expected: TokenizerIdentity) -> None:
    """Fail on a worker whose tokenizer is not the one that the run was started with.

    Raises:
        InputError: it is another.
    """
    if found != expected:
        raise InputError(
            f"the tokenizer {path} is not the one that the run was started with: it was changed "
            "since, or is another on this worker"
        )


def manifest_of(
    label: str,
    identity: TokenizerIdentity,
    committed: Sequence[Mapping[str, Any]],
    made: Mapping[str, Any],
) -> Manifest:
    """The manifest of a finished dataset.

    Args:
        label: name of the source.
        identity: of the tokenizer.
        committed: stats of all units.
        made: how it was made.
    """
    splits: dict[str, list[ShardCounts]] = {split: [] for split in SPLITS}
    found: list[FileRecord] = []
    for unit in sorted(committed, key=lambda stats: str(stats["unit"])):
        for split, counts in unit["splits"].items():
            splits[split].append(ShardCounts(f"part-{unit['unit']}", **counts))
        found += [
            FileRecord(path, entry["bytes"], entry["sha256"])
            for path, entry in unit["outputs"].items()
        ]
    found.sort(key=lambda file: file.path)
    return Manifest(label, identity, splits, found, made)


class UnitTokens:
    """Writes the files of one unit; none appears before `commit`.

    Args:
        unit: the work unit.
        folder: of the token dataset.
        identity: of the tokenizer.
        stage: name of what is done, in the accounting.
    """

    def __init__(self, unit: Unit, folder: str, identity: TokenizerIdentity, stage: str) -> None:
        self._unit = unit
        self._dataset = Dataset(folder)
        self._identity = identity
        self._stage = stage
        self._funnel = Funnel()
        self._funnel.stage(stage)
        self._splits: dict[str, tuple[TokenShardWriter, tuple[files.AtomicFile, ...]]] = {}
        self._rejected = ShardWriter(
            self._dataset.part("rejected", unit.name), REJECTED_SCHEMA, REJECTED_ROWS_PER_GROUP
        )

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
            opened = tuple(files.AtomicFile(path) for path in self._paths(split))
            streams = Streams(*(cast(IO[bytes], file) for file in opened))
            self._splits[split] = TokenShardWriter(streams, self._identity.vocabulary_size), opened
        self._splits[split][0].add(ids, documents)

    def _paths(self, split: str) -> list[str]:
        return [self._dataset.part(split, self._unit.name, suffix[1:]) for suffix in SUFFIXES]

    def commit(self, fingerprint: str, read: Mapping[str, Any]) -> None:
        """Give every file its name, then write the stats.

        Args:
            fingerprint: of the pass.
            read: size and checksum of the input.
        """
        self._funnel.check(f"unit {self._unit.name}")
        self._rejected.close()
        for writer, opened in self._splits.values():
            writer.finish()
            for file in opened:
                file.sync()
        # Another recipe's stats must not vouch for files of which some are already ours.
        files.delete([self._dataset.stats_path(self._unit.name)])
        self._rejected.commit()
        committed = [self._rejected.file]
        for split in SPLITS:
            if split not in self._splits:
                files.delete(self._paths(split))
                continue
            for file in self._splits[split][1]:
                file.commit()
                committed.append(file)
        unit = self._unit
        stats = {
            "unit": unit.name,
            "fingerprint": unit.fingerprint(fingerprint),
            "input": {"path": unit.relative, "listed_bytes": unit.size, **read},
            "funnel": self._funnel.to_json(),
            "splits": {split: writer.counts() for split, (writer, _) in self._splits.items()},
            "outputs": {_relative(file.path): _output(file) for file in committed},
        }
        write_json(self._dataset.stats_path(unit.name), stats)

    def discard(self) -> None:
        """Give the unit up; nothing of it becomes visible."""
        self._rejected.discard()
        for writer, opened in self._splits.values():
            writer.discard()
            for file in opened:
                file.discard()


def _relative(path: str) -> str:
    """A file's path below the dataset."""
    folder, name = files.split(path)
    return f"{files.split(folder)[1]}/{name}"


def _output(file: files.AtomicFile) -> dict[str, Any]:
    return {"bytes": file.size, "sha256": file.sha256(), "blocks": file.blocks()}
