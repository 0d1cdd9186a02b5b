"""Checks that a token dataset is what was written, byte by byte, and says where it is not.

First the files against the manifest: present, whole, right checksums; the checksums of blocks, in
the tables of units, say which bytes are wrong. Then, of sound files, whether they mean what they
should: every document BOS ... EOS and neither in between, ids within the vocabulary, the index, the
rows of `.docs.parquet` and the manifest's numbers in agreement. Files that the manifest does not
list are no part of the dataset.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tokenizer.errors import TokenizerError
from tokenizer.shards.checksums import Damage, check_content
from tokenizer.shards.manifest import (
    FileRecord,
    Manifest,
    ShardCounts,
    TokenizerIdentity,
    read_manifest,
)
from tokenizer.shards.reader import TokenShard
from tokenizer.shards.writer import SUFFIXES

# Tokens that are looked at in one go.
_TOKENS_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class TokenReport:
    """What was found in a token dataset.

    Attributes:
        damage: all of it; empty if the dataset is sound.
        manifest: unless it could not be read.
    """

    damage: tuple[Damage, ...]
    manifest: Manifest | None


def verify_tokens(folder: str, tokenizer: TokenizerIdentity | None = None) -> TokenReport:
    """Read all of a token dataset and check it.

    Args:
        folder: of the dataset.
        tokenizer: that the dataset should have been made by; None if that does not matter.
    """
    try:
        manifest = read_manifest(folder)
    except TokenizerError as error:
        return TokenReport((Damage(folder, str(error)),), None)
    damage: list[Damage] = []
    if tokenizer is not None and manifest.tokenizer != tokenizer:
        problem = (
            f"made by the tokenizer {manifest.tokenizer.sha256[:12]}..., not by "
            f"{tokenizer.sha256[:12]}..., which was given"
        )
        damage.append(Damage(str(Path(folder, "manifest.json")), problem))
    broken = set()
    blocks: dict[str, list[str]] = {}
    for table in manifest.tables:
        found = list(_check_file(folder, table, []))
        damage += found
        if not found:  # else damage is located less closely
            blocks |= _blocks(Path(folder, table.path))
    for file in manifest.files:
        found = list(_check_file(folder, file, blocks.get(file.path, [])))
        damage += found
        if found:
            broken.add(_stem(file.path))
    for split, shards in manifest.splits.items():
        for shard in shards:
            if f"{split}/{shard.stem}" not in broken:
                stem = str(Path(folder, split, shard.stem))
                damage += check_shard(stem, shard, manifest.tokenizer)
    return TokenReport(tuple(damage), manifest)


def _stem(path: str) -> str:
    """The shard that a file is part of."""
    for suffix in SUFFIXES:
        path = path.removesuffix(suffix)
    return path


def _check_file(folder: str, file: FileRecord, blocks: Sequence[str]) -> Iterator[Damage]:
    path = Path(folder, file.path)
    if not path.is_file():
        yield Damage(str(path), "the file is missing; the manifest lists it")
        return
    with path.open("rb") as stream:
        yield from check_content(str(path), stream, file.bytes, file.sha256, blocks)


def _blocks(table: Path) -> dict[str, list[str]]:
    """Checksums of the blocks of every file that a table of units names."""
    units: list[Any] = pq.read_table(table, columns=["files"]).column("files").to_pylist()
    return {file["name"]: file["blocks"] for unit in units for file in unit}


def check_shard(stem: str, shard: ShardCounts, tokenizer: TokenizerIdentity) -> Iterator[Damage]:
    """Whether the three files of a shard agree with each other and with the manifest."""
    try:
        opened = TokenShard(stem)
    except TokenizerError as error:
        yield Damage(f"{stem}.idx", str(error))
        return
    starts = opened.document_starts
    if (len(opened.tokens), len(starts) - 1) != (shard.tokens, shard.documents):
        yield Damage(
            f"{stem}.idx",
            f"{len(opened.tokens):,} tokens in {len(starts) - 1:,} documents, where the manifest "
            f"says {shard.tokens:,} in {shard.documents:,}",
        )
    yield from _check_tokens(f"{stem}.bin", opened, tokenizer)
    yield from _check_rows(f"{stem}.docs.parquet", np.diff(starts), shard)


def _check_tokens(path: str, shard: TokenShard, tokenizer: TokenizerIdentity) -> Iterator[Damage]:
    """Ids in range; BOS where documents start and EOS where they end, and nowhere else."""
    tokens, starts = shard.tokens, shard.document_starts
    size = tokens.itemsize

    def first_wrong(wrong: NDArray[np.bool_], first: int, problem: str) -> Iterator[Damage]:
        if wrong.any():
            at = (first + int(np.argmax(wrong))) * size
            count = int(wrong.sum())
            more = f", and {count - 1:,} more after it" if count > 1 else ""
            yield Damage(path, f"{problem}{more}", at, at + size - 1)

    short = np.flatnonzero(np.diff(starts) < 2)
    if len(short):
        at = int(starts[short[0]]) * size
        yield Damage(path, f"document {short[0]:,} has no room for BOS and EOS", at, at)
    for first in range(0, len(tokens), _TOKENS_AT_ONCE):
        ids = tokens[first : first + _TOKENS_AT_ONCE]
        inside = starts[(starts >= first) & (starts <= first + len(ids))]
        marks = np.zeros(len(ids) + 1, bool)
        marks[inside - first] = True
        outside = (ids < 0) | (ids >= tokenizer.vocabulary_size)
        size_of = f"a vocabulary of {tokenizer.vocabulary_size:,}"
        yield from first_wrong(outside, first, f"this id is not in {size_of}")
        wrong = (ids == tokenizer.bos_id) != marks[:-1]
        yield from first_wrong(wrong, first, "BOS is not just where a document starts")
        wrong = (ids == tokenizer.eos_id) != marks[1:]
        yield from first_wrong(wrong, first, "EOS is not just where a document ends")


def _check_rows(path: str, lengths: NDArray[np.int64], shard: ShardCounts) -> Iterator[Damage]:
    try:
        table = pq.read_table(path, columns=["tokens", "text_bytes"])
    except (pa.ArrowException, OSError, KeyError) as error:
        yield Damage(path, f"it cannot be read: {error}")
        return
    stated: NDArray[Any] = table.column("tokens").to_numpy()
    if len(stated) != len(lengths):
        yield Damage(path, f"{len(stated):,} rows, where the index has {len(lengths):,} documents")
    elif not np.array_equal(stated, lengths):
        row = int(np.flatnonzero(stated != lengths)[0])
        yield Damage(
            path, f"row {row} says {stated[row]:,} tokens, the index says {lengths[row]:,}"
        )
    text_bytes = int(table.column("text_bytes").to_numpy().sum())
    if text_bytes != shard.text_bytes:
        yield Damage(
            path, f"{text_bytes:,} bytes of text, where the manifest says {shard.text_bytes:,}"
        )
