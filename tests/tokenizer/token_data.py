"""Small token datasets for tests, written as `roving tokenize` writes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from tokenizer.shards.manifest import FileRecord, Manifest, ShardCounts, TokenizerIdentity
from tokenizer.shards.reader import TokenDataset
from tokenizer.shards.writer import DOCUMENTS_SCHEMA, SUFFIXES, Streams, TokenShardWriter

BOS, EOS = 1, 2
# What tells the files of one attempt at a unit from those of another.
ATTEMPT = "0a1b2c3d4e5f60"
TOKENIZER = TokenizerIdentity("ab" * 32, 512, BOS, EOS)


def write_dataset(
    folder: Path,
    shards: Sequence[Sequence[Sequence[int]]],
    *,
    source: str = "books",
    split: str = "train",
    tokenizer: TokenizerIdentity = TOKENIZER,
) -> TokenDataset:
    """A dataset whose shards hold these documents, each a list of ids with BOS and EOS."""
    (folder / split).mkdir(parents=True)
    counts, records = [], []
    for number, documents in enumerate(shards):
        name = f"unit-{number:03}"
        stem = f"{name}.{ATTEMPT}"
        paths = [folder / split / f"{stem}{suffix}" for suffix in SUFFIXES]
        with (
            paths[0].open("wb") as tokens,
            paths[1].open("wb") as index,
            paths[2].open("wb") as doc,
        ):
            writer = TokenShardWriter(Streams(tokens, index, doc), tokenizer.vocabulary_size)
            ids = np.array([token for document in documents for token in document], np.int64)
            writer.add(ids, _rows(name, source, documents))
            writer.finish()
        counts.append(ShardCounts(name, stem, **writer.counts()))
        records += [
            FileRecord(
                path.relative_to(folder).as_posix(),
                path.stat().st_size,
                hashlib.sha256(path.read_bytes()).hexdigest(),
            )
            for path in paths
        ]
    splits = {"train": [], "validation": [], split: counts}
    manifest = Manifest(source, tokenizer, splits, records, {})
    (folder / "manifest.json").write_text(json.dumps(manifest.to_json()))
    return TokenDataset.open(str(folder), split)


def _rows(name: str, source: str, documents: Sequence[Sequence[int]]) -> pa.Table:
    rows = [
        {
            "id": f"{name}-{number}",
            "url": f"https://example.org/{name}/{number}",
            "licence": "CC-BY-4.0",
            "language": "en",
            "source": source,
            "tokens": len(document),
            "text_bytes": 3 * (len(document) - 2),
        }
        for number, document in enumerate(documents)
    ]
    return pa.Table.from_pylist(rows, schema=DOCUMENTS_SCHEMA)


def documents(
    seed: int, number: int, longest: int = 60, vocabulary_size: int = 512
) -> list[list[int]]:
    """Random documents, `BOS ... EOS`."""
    random = np.random.default_rng(seed)
    return [
        [BOS, *random.integers(3, vocabulary_size, random.integers(0, longest)).tolist(), EOS]
        for _ in range(number)
    ]
