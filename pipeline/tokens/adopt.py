"""The pass that makes a token dataset of token files of other programs, one unit a file.

The ids must be those of the tokenizer that is given: they are range-checked and decoded, which says
how many bytes of text they stand for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import sentencepiece

from filters.paths import Model
from pipeline.errors import InputError
from pipeline.fingerprints import Fingerprinted
from pipeline.store import files
from pipeline.store.commit import Place
from pipeline.store.records import UnitInput, UnitRecord
from pipeline.store.units import Unit, open_unit, unit_name, unit_of
from pipeline.tokens.output import UnitTokens
from pipeline.tokens.text_columns import EMPTY
from tokenizer.encoder import Encoded
from tokenizer.folder import load_tokenizer, model_file
from tokenizer.shards.foreign import READERS, Documents
from tokenizer.shards.index import check_ids
from tokenizer.shards.manifest import TokenizerIdentity
from tokenizer.shards.writer import PROVENANCE

ADOPT = "adopt"
SUFFIXES = {"nanogpt": ".bin", "llmc": ".bin", "datatrove": ".ds", "huggingface": ".parquet"}


def find_token_files(paths: Sequence[str], form: str) -> list[Unit]:
    """The units of files, or of those below folders.

    Raises:
        InputError: there are none.
    """
    suffix = SUFFIXES[form]
    found = [
        file for path in paths for file in files.list_files(path) if file.relative.endswith(suffix)
    ]
    if not found:
        raise InputError(f"there is no file *{suffix} at or below {', '.join(paths)}")
    units = [
        replace(unit_of(file), name=unit_name(file.relative.removesuffix(suffix))) for file in found
    ]
    if len({unit.name for unit in units}) < len(units):
        raise InputError("two of the files have the same name; convert them one by one")
    return units


def split_of(path: str) -> str:
    """The split that a file is of, by its name or its folder's."""
    folder, name = files.split(path)
    words = re.split(r"[^a-z]+", f"{files.split(folder)[1]} {name}".lower())
    return "validation" if {"val", "validation"} & set(words) else "train"


@lru_cache(maxsize=1)
def _processor(path: str, identity: TokenizerIdentity) -> sentencepiece.SentencePieceProcessor:
    """One per worker process and identity."""
    return load_tokenizer(path)[2]


@dataclass(frozen=True)
class AdoptPass(Fingerprinted):
    """Token shards of token files.

    Attributes:
        label: name of the source.
        place: of the token dataset.
        form: of the files, one of `READERS`.
        tokenizer: path of the tokenizer that made them.
        identity: of the tokenizer.
    """

    label: str
    place: Place
    form: str
    tokenizer: str
    identity: TokenizerIdentity

    @property
    def name(self) -> str:
        return f"tokens of {self.label}"

    def decided_by(self) -> tuple[Any, ...]:
        return self.label, self.form, Model(model_file(self.tokenizer))

    def through(self, units: beam.PCollection) -> tuple[beam.PCollection, ...]:
        return (units | ADOPT >> beam.Map(self.make),)

    def make(self, unit: Unit) -> UnitRecord:
        """Write the shard of one file."""
        output = UnitTokens(unit, self.place, self.identity, ADOPT)
        try:
            number = 0
            for documents in READERS[self.form](unit.path, self.identity):
                self._add(output, unit, documents, number)
                number += len(documents.lengths)
            size, sha256 = open_unit(unit).finish()
            read = UnitInput(unit.relative, unit.identity, unit.size, size, sha256)
            return output.commit(self.fingerprint, read)
        except BaseException:
            output.discard()
            raise

    def _add(self, output: UnitTokens, unit: Unit, documents: Documents, first: int) -> None:
        """Write documents, of which the first is number `first` of its file."""
        check_ids(documents.ids, self.identity.vocabulary_size, unit.path)
        count = len(documents.lengths)
        rows = _rows(documents, [f"{unit.relative}:{first + row}" for row in range(count)])
        full = documents.lengths > 0
        for row in np.flatnonzero(~full).tolist():
            output.reject(rows["id"][row].as_py(), rows["url"][row].as_py() or "", EMPTY)
        encoded = Encoded(documents.ids, documents.lengths[full])
        ends = np.cumsum(encoded.lengths)
        parts = [
            documents.ids[end - length : end].tolist()
            for end, length in zip(ends, encoded.lengths, strict=True)
        ]
        texts = _processor(self.tokenizer, self.identity).decode(parts)
        output.count(count, len(texts), sum(map(len, texts)))
        framed = encoded.framed(self.identity.bos_id, self.identity.eos_id)
        rows = rows.filter(pa.array(full)).append_column("tokens", pa.array(framed.lengths))
        sizes = pa.array([len(text.encode()) for text in texts], pa.int64())
        if texts:
            output.write(split_of(unit.path), framed.ids, rows.append_column("text_bytes", sizes))


def _rows(documents: Documents, names: list[str]) -> pa.Table:
    """What is known of documents; those without an id are called by their place."""
    columns: dict[str, pa.Array[Any] | pa.ChunkedArray[Any]] = {
        name: pa.nulls(len(names), pa.string()) for name in PROVENANCE
    }
    columns["id"] = pa.array(names, pa.string())
    if documents.rows is not None:
        for name in documents.rows.column_names:
            columns[name] = documents.rows.column(name).cast(pa.string())
    return pa.table(columns)
