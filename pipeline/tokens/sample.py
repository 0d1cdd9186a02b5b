"""The pass that draws the text a tokenizer is trained on, and the text it is measured on.

A document's place in the draw is the hash of its id: the smallest are trained on, the largest are
held out. How far each end reaches follows from the datasets' own manifests, so that nothing is read
to decide it: candidates are drawn with a margin, and the exact borders are set on their hashes and
sizes alone. A source gives at most its share of the sample's bytes, to the byte; it gives less only
where it has less. Neither workers nor the order of units changes what is drawn.

    <work>/work/sample.<source>/candidates/<unit>.<attempt>.parquet
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, cast

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.deduplication.step import unit_of_shard
from pipeline.errors import RecipeError
from pipeline.fingerprints import Fingerprinted
from pipeline.models.cards import dataset_origin
from pipeline.models.sampling import hash_of
from pipeline.passes.run import Run
from pipeline.passes.shard_units import checked_input
from pipeline.passes.shards import BATCH_BYTES, batches_of
from pipeline.store import files
from pipeline.store.accounting import Funnel, StageCount, StageStats
from pipeline.store.commit import Attempt, Place
from pipeline.store.dataset import Dataset
from pipeline.store.records import UnitRecord
from pipeline.store.streams import HashingReader
from pipeline.store.units import Unit
from pipeline.tokens.settings import TokenizerSettings
from pipeline.tokens.text_columns import Rows, document_batches

_SEED = 51
_HASHES = 1 << 64
STAGE = "draw"
CANDIDATES = "candidates"
_FIELDS: list[pa.Field[Any]] = [
    pa.field("id", pa.string(), nullable=False),
    pa.field("language", pa.string(), nullable=False),
    pa.field("text", pa.string(), nullable=False),
    pa.field("hash", pa.uint64(), nullable=False),
    pa.field("bytes", pa.int64(), nullable=False),
    pa.field("held_out", pa.bool_(), nullable=False),
]
_SCHEMA = pa.schema(_FIELDS)
_READ = ("id", "language", "text")


@dataclass(frozen=True)
class Source:
    """One dataset to draw from.

    Attributes:
        label: name of the source in the mixture.
        folder: of the documents dataset.
        share: of the sample, 0 to 1; the sources' shares sum to 1.
        wanted_bytes: its share of the sample.
        characters, documents: in the dataset, by its manifest.
        origin: what identifies the dataset, for the card.
    """

    label: str
    folder: str
    share: float
    wanted_bytes: int
    characters: int
    documents: int
    origin: dict[str, Any]

    @property
    def most_bytes(self) -> int:
        """What can be drawn at most; a character has four bytes at most."""
        return min(self.wanted_bytes, 4 * self.characters)


def find_sources(
    folders: Mapping[str, str], shares: Mapping[str, float], settings: TokenizerSettings
) -> list[Source]:
    """The datasets, in the order of their labels, with their shares of the sample.

    Shares are of the sources that are there: they are scaled to sum to 1.

    Raises:
        InputError: a dataset is not complete, or is none.
        RecipeError: a source has no share, or none has one above 0.
    """
    missing = sorted(set(folders) - set(shares))
    if missing:
        raise RecipeError(
            f"the mixture has no share for {missing[0]!r}; name the dataset as the recipe does, "
            f"--documents LABEL={folders[missing[0]]} (labels: {', '.join(sorted(shares))}), or "
            f"set mixture.shares.{missing[0]}"
        )
    total = sum(shares[label] for label in folders)
    if total <= 0:
        raise RecipeError("none of these sources has a share above 0 in mixture.shares")
    found = []
    for label in sorted(folders):
        dataset = Dataset(folders[label])
        share = shares[label] / total
        found.append(
            Source(
                label,
                folders[label],
                share,
                int(share * settings.sample_bytes),
                dataset.manifest["characters"],
                dataset.manifest["documents"],
                dataset_origin(folders[label]),
            )
        )
    return found


@dataclass(frozen=True)
class SamplePass(Fingerprinted):
    """Candidates of one source.

    Attributes:
        label: of the source.
        place: where they go.
        training_below: documents whose hash is below are candidates for training.
        held_out_from: documents whose hash is at least this are candidates for measuring.
    """

    label: str
    place: Place
    training_below: int
    held_out_from: int

    @property
    def name(self) -> str:
        return f"sample of {self.label}"

    def decided_by(self) -> tuple[Any, ...]:
        return self.training_below, self.held_out_from

    def through(self, units: beam.PCollection) -> tuple[beam.PCollection, ...]:
        return (units | "sample" >> beam.Map(self.draw),)

    def draw(self, unit: Unit) -> UnitRecord:
        """Write the candidates of one unit."""
        attempt, funnel = Attempt(self.place, unit), Funnel()
        stage = funnel.stage(STAGE)
        file = attempt.create(CANDIDATES, "parquet")
        stream = HashingReader(files.open_read(unit.path))
        try:
            with pq.ParquetWriter(cast(IO[bytes], file), _SCHEMA, compression="zstd") as writer:
                for rows in document_batches(unit.path, stream, _READ, BATCH_BYTES):
                    drawn = self._candidates(rows, stage)
                    if len(drawn):
                        writer.write_table(drawn)
            read = checked_input(unit, *stream.finish())
            rows_of = {CANDIDATES: stage.count.documents_out}
            return attempt.commit(unit.key(self.fingerprint), read, funnel.to_json(), rows_of)
        except BaseException:
            attempt.discard()
            raise

    def _candidates(self, read: Rows, stage: StageStats) -> pa.Table:
        """The rows that are drawn; the others never become Python objects."""
        rows = read.table
        hashes = [hash_of(str(name), _SEED) for name in rows["id"].to_pylist()]
        near = [value < self.training_below or value >= self.held_out_from for value in hashes]
        reason = [
            why if is_near else "not_drawn" for why, is_near in zip(read.reasons, near, strict=True)
        ]
        stage.reasons.update(filter(None, reason))
        kept = rows.filter(pa.array([not one for one in reason], pa.bool_()))
        drawn = [value for value, one in zip(hashes, reason, strict=True) if not one]
        stage.count.add(StageCount(len(rows), len(drawn)))
        columns: dict[str, Any] = {
            "id": kept["id"],
            "language": pc.coalesce(kept["language"], pa.scalar("")),
            "text": kept["text"],
            "hash": pa.array(drawn, pa.uint64()),
            "bytes": pc.binary_length(kept["text"]),
            "held_out": pa.array([value >= self.held_out_from for value in drawn], pa.bool_()),
        }
        return pa.table(columns).cast(_SCHEMA)


def _pass_of(source: Source, settings: TokenizerSettings, place: Place) -> SamplePass:
    held_out = settings.held_out_share
    training = min(_candidate_share(source, source.wanted_bytes), 1 - held_out)
    measuring = min(_candidate_share(source, settings.held_out_bytes), held_out)
    below, from_ = int(training * _HASHES), _HASHES - int(measuring * _HASHES)
    return SamplePass(source.label, place, below, from_)


def _candidate_share(source: Source, wanted_bytes: int) -> float:
    """Share of the documents that holds so many bytes for all but certain.

    A character has at least one byte, so bytes over characters is never too small on average. Four
    standard deviations are added for documents whose sizes differ as much as their mean.
    """
    if not source.characters:
        return 0.0
    share = wanted_bytes / source.characters
    expected = max(1.0, share * source.documents)
    return min(1.0, share * (1 + 4 * math.sqrt(2 / expected)))


@dataclass(frozen=True)
class DrawnSource:
    """What was drawn from a source; a part is the candidates of one unit.

    Attributes:
        source: where from.
        parts: paths of the candidates.
        training, held_out: for each part, (rows,) int64: how many bytes of each document are
            taken; all but at most one document of the source are taken whole or not at all.
    """

    source: Source
    parts: tuple[str, ...]
    training: tuple[NDArray[np.int64], ...]
    held_out: tuple[NDArray[np.int64], ...]

    @property
    def documents(self) -> int:
        return sum(int((taken > 0).sum()) for taken in self.training)

    @property
    def bytes(self) -> int:
        return sum(int(taken.sum()) for taken in self.training)

    def training_texts(self) -> Iterator[str]:
        """The texts to train on, in the dataset's order."""
        for _, text in self._texts(self.training):
            yield text

    def held_out_texts(self) -> Iterator[tuple[str, str]]:
        """Language and text of what was kept from training."""
        return self._texts(self.held_out)

    def _texts(self, parts: tuple[NDArray[np.int64], ...]) -> Iterator[tuple[str, str]]:
        for path, taken in zip(self.parts, parts, strict=True):
            if not taken.any():
                continue
            row = 0
            with files.open_read(path) as handle:
                for batch in batches_of(handle, ["language", "text", "bytes"]):
                    for one in batch.to_pylist():
                        wanted = int(taken[row])
                        row += 1
                        if wanted:
                            yield one["language"], _beginning(one["text"], one["bytes"], wanted)

    def to_json(self) -> dict[str, Any]:
        """For the card."""
        return {
            "dataset": self.source.origin,
            "share": round(self.source.share, 6),
            "wanted_bytes": self.source.wanted_bytes,
            "available_characters": self.source.characters,
            "documents": self.documents,
            "bytes": self.bytes,
        }


def _beginning(text: str, size: int, wanted: int) -> str:
    return text if wanted >= size else text.encode("utf-8")[:wanted].decode("utf-8", "ignore")


def draw_sample(
    sources: list[Source], settings: TokenizerSettings, work: str, run: Run
) -> list[DrawnSource]:
    """Run the pass over every source and set the exact borders; resumable.

    What other samples have left in the folder is removed.

    Raises:
        RunFailed: units are missing.
    """
    drawn = []
    for source in sources:
        place = run.place(work, f"sample.{source.label}")
        units = [unit_of_shard(shard) for shard in Dataset(source.folder).shards]
        result = run.run_units(_pass_of(source, settings, place), units)
        run.kept.append(result)
        parts = tuple(place.full(record.of_kind(CANDIDATES).name) for record in result.records())
        drawn.append(_within_bounds(source, parts, settings))
    run.clean(work)
    return drawn


def _within_bounds(
    source: Source, parts: tuple[str, ...], settings: TokenizerSettings
) -> DrawnSource:
    tables = []
    for path in parts:
        with files.open_read(path) as handle:
            tables.append(pq.read_table(handle, columns=["hash", "bytes", "held_out"]))
    ends = np.cumsum([len(table) for table in tables])[:-1]
    rows = pa.concat_tables(tables)
    hashes, sizes = rows["hash"].to_numpy(), rows["bytes"].to_numpy()
    held_out = rows["held_out"].to_numpy()
    training = _taken(hashes, np.where(held_out, 0, sizes), source.wanted_bytes)
    measured = _taken(~hashes, np.where(held_out, sizes, 0), settings.held_out_bytes)
    return DrawnSource(
        source, parts, tuple(np.split(training, ends)), tuple(np.split(measured, ends))
    )


def _taken(hashes: NDArray[np.uint64], sizes: NDArray[np.int64], wanted: int) -> NDArray[np.int64]:
    """Bytes to take of each document: in the order of hashes, until there are enough."""
    order = np.argsort(hashes, kind="stable")
    before = np.cumsum(sizes[order]) - sizes[order]
    taken = np.empty(len(sizes), np.int64)
    taken[order] = np.clip(wanted - before, 0, sizes[order])
    return taken
