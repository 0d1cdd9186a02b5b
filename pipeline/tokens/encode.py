"""The pass that makes a token dataset: a shard of documents in, token shards of both splits out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import IO, Any, cast

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import files
from pipeline.errors import InputError
from pipeline.models.sampling import in_share
from pipeline.shards import batches_of
from pipeline.tokens.output import EMPTY, UnitTokens, token_fingerprint
from pipeline.tokens.settings import TokensSettings
from pipeline.units import Unit
from tokenizer.encoder import Encoder
from tokenizer.shards.manifest import SPLITS, TokenizerIdentity
from tokenizer.shards.writer import PROVENANCE

ENCODE = "encode"
INVALID = "invalid_utf8"
# Of the draw of validation documents; another dataset with the same ids draws the same ones.
VALIDATION_SEED = 0x7661_6C69_6461_7465


@lru_cache(maxsize=1)
def _encoder(path: str, sha256: str, cache_bytes: int, threads: int) -> Encoder:
    """One per worker process, so that words met in one unit are known in the next."""
    encoder = Encoder(path, cache_bytes=cache_bytes, threads=threads)
    if encoder.identity.sha256 != sha256:
        raise InputError(f"the tokenizer {path} was changed while the run went on")
    return encoder


@dataclass(frozen=True)
class TokenPass:
    """Tokens of every unit of a documents dataset.

    Attributes:
        label: of the dataset, and the source of its tokens in mixtures.
        folder: of the token dataset.
        tokenizer: path of the tokenizer, the same on every worker.
        identity: of the tokenizer.
        settings: of encoding.
    """

    label: str
    folder: str
    tokenizer: str
    identity: TokenizerIdentity
    settings: TokensSettings

    @property
    def name(self) -> str:
        return f"tokens of {self.label}"

    @cached_property
    def fingerprint(self) -> str:
        # How much is encoded at a time, and by how many threads, changes nothing.
        share = self.settings.validation_share
        return token_fingerprint(ENCODE, self.label, share, self.identity)

    def through(self, units: beam.PCollection) -> beam.PCollection:
        return units | ENCODE >> beam.Map(self.make)

    def make(self, unit: Unit) -> str:
        """Write the tokens of one unit."""
        settings = self.settings
        encoder = _encoder(
            self.tokenizer, self.identity.sha256, settings.cache_bytes, settings.threads
        )
        output = UnitTokens(unit, self.folder, self.identity, ENCODE)
        stream = files.HashingReader(files.open_read(unit.path))
        try:
            for rows in document_batches(unit.path, stream, settings.batch_bytes):
                self._add(output, rows, encoder)
            size, sha256 = stream.finish()
            output.commit(self.fingerprint, {"bytes": size, "sha256": sha256})
        except BaseException:
            output.discard()
            raise
        return unit.name

    def _add(self, output: UnitTokens, rows: pa.Table, encoder: Encoder) -> None:
        """Encode documents and write them to their splits."""
        reasons = _reasons(rows.column("text"))
        for row, reason in enumerate(reasons):
            if reason:
                id, url = rows["id"][row].as_py(), rows["url"][row].as_py()
                output.reject(str(id), str(url or ""), reason)
        kept = rows.filter(pa.array([not reason for reason in reasons], pa.bool_()))
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


def document_batches(path: str, stream: files.HashingReader, size: int) -> Iterator[pa.Table]:
    """Rows of a document shard, about `size` bytes of text at a time: `text` and `PROVENANCE`.

    Raises:
        InputError: it is no Parquet file, or is damaged, or a document has no `id` or no `text`.
    """
    try:
        names = pq.read_schema(cast(IO[bytes], stream)).names
        missing = {"id", "text"} - set(names)
        if missing:
            raise InputError(f"{path} has no column {' and no column '.join(sorted(missing))}")
        wanted = [name for name in (*PROVENANCE, "text") if name in names]
        held: list[pa.RecordBatch] = []
        held_bytes = 0
        for batch in batches_of(stream, wanted):
            held.append(batch)
            held_bytes += batch.column("text").nbytes
            if held_bytes >= size:
                yield _strings(path, pa.Table.from_batches(held))
                held, held_bytes = [], 0
        if held:
            yield _strings(path, pa.Table.from_batches(held))
    except (pa.ArrowException, OSError) as error:
        if stream.failure is not None:
            raise stream.failure from None
        raise InputError(f"{path} is no Parquet file, or is damaged: {error}") from None


def _strings(path: str, table: pa.Table) -> pa.Table:
    """All columns as strings; those that a foreign file does not have, as null."""
    if table.column("id").null_count:
        raise InputError(f"{path} holds documents without id")
    nothing = pa.nulls(len(table), pa.string())
    columns = {
        name: table.column(name).cast(pa.string()) if name in table.column_names else nothing
        for name in (*PROVENANCE, "text")
    }
    return pa.table(columns)


def _reasons(texts: pa.ChunkedArray[Any]) -> list[str]:
    """Why each text has no tokens; empty where it has."""
    sizes = pc.fill_null(pc.binary_length(texts), 0).to_pylist()
    reasons = ["" if size else EMPTY for size in sizes]
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        for row, content in enumerate(texts.cast(pa.binary()).to_pylist()):
            try:
                (content or b"").decode("utf-8")
            except UnicodeDecodeError:
                reasons[row] = INVALID
    return reasons
