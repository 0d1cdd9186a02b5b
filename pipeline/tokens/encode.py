"""The pass that makes a token dataset: a shard of documents in, token shards of both splits out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.paths import Model
from pipeline.fingerprints import Fingerprinted
from pipeline.models.sampling import in_share
from pipeline.passes.shard_units import checked_input
from pipeline.store import files
from pipeline.store.commit import Place
from pipeline.store.records import UnitRecord
from pipeline.store.streams import HashingReader
from pipeline.store.units import Unit
from pipeline.tokens.output import UnitTokens
from pipeline.tokens.settings import TokensSettings
from pipeline.tokens.text_columns import Rows, document_batches
from tokenizer.encoder import Encoder
from tokenizer.folder import model_file
from tokenizer.shards.manifest import SPLITS, TokenizerIdentity
from tokenizer.shards.writer import PROVENANCE

ENCODE = "encode"
_COLUMNS = (*PROVENANCE, "text")
# Of the draw of validation documents; another dataset with the same ids draws the same ones.
VALIDATION_SEED = 0x7661_6C69_6461_7465


@lru_cache(maxsize=1)
def _encoder(path: str, identity: TokenizerIdentity, cache_bytes: int, threads: int) -> Encoder:
    """One per worker process and identity, so that words met in one unit are known in the next."""
    return Encoder(path, cache_bytes=cache_bytes, threads=threads)


@dataclass(frozen=True)
class TokenPass(Fingerprinted):
    """Tokens of every unit of a documents dataset.

    Attributes:
        label: of the dataset, and the source of its tokens in mixtures.
        place: of the token dataset.
        tokenizer: path of the tokenizer, the same on every worker.
        identity: of the tokenizer.
        settings: of encoding.
    """

    label: str
    place: Place
    tokenizer: str
    identity: TokenizerIdentity
    settings: TokensSettings

    @property
    def name(self) -> str:
        return f"tokens of {self.label}"

    def decided_by(self) -> tuple[Any, ...]:
        # How much is encoded at a time, and by how many threads, changes nothing.
        return self.label, self.settings.validation_share, Model(model_file(self.tokenizer))

    def through(self, units: beam.PCollection) -> tuple[beam.PCollection, ...]:
        return (units | ENCODE >> beam.Map(self.make),)

    def make(self, unit: Unit) -> UnitRecord:
        """Write the tokens of one unit."""
        settings = self.settings
        encoder = _encoder(self.tokenizer, self.identity, settings.cache_bytes, settings.threads)
        output = UnitTokens(unit, self.place, self.identity, ENCODE)
        stream = HashingReader(files.open_read(unit.path))
        try:
            for rows in document_batches(unit.path, stream, _COLUMNS, settings.batch_bytes):
                self._add(output, rows, encoder)
            return output.commit(self.fingerprint, checked_input(unit, *stream.finish()))
        except BaseException:
            output.discard()
            raise

    def _add(self, output: UnitTokens, read: Rows, encoder: Encoder) -> None:
        """Encode documents and write them to their splits."""
        rows, found = read.table, read.reasons
        kept = rows.filter(pa.array([not reason for reason in found], pa.bool_()))
        rejected = rows.select(["id", "url"]).filter(pa.array(map(bool, found), pa.bool_()))
        for row, reason in zip(rejected.to_pylist(), filter(None, found), strict=True):
            output.reject(row["id"], row["url"] or "", reason)
        text = kept.column("text").combine_chunks()
        assert isinstance(text, pa.StringArray)
        output.count(len(rows), len(kept), int(pc.sum(pc.utf8_length(text)).as_py() or 0))
        encoded = encoder.encode(text).framed(self.identity.bos_id, self.identity.eos_id)
        documents = kept.drop_columns(["text"])
        documents = documents.append_column("tokens", pa.array(encoded.lengths))
        sizes = pc.binary_length(text).cast(pa.int64())
        documents = documents.append_column("text_bytes", sizes)
        share = self.settings.validation_share
        held_out = np.fromiter(
            (in_share(str(name), share, VALIDATION_SEED) for name in kept["id"].to_pylist()),
            bool,
            len(kept),
        )
        for split, chosen in zip(SPLITS, (~held_out, held_out), strict=True):
            if chosen.any():
                ids = encoded.ids[np.repeat(chosen, encoded.lengths)]
                output.write(split, ids, documents.filter(pa.array(chosen)))
