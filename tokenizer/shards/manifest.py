"""The manifest of a token dataset: what it is made of, by which tokenizer, with checksums.

Its fingerprint is the SHA-256 of its canonical content (JSON with sorted keys and no white space,
the fingerprint, the names of files and the tables of units left out): a checkpoint that names it
names these very tokens, whichever attempt wrote them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizer.errors import TokenizerError
from tokenizer.shards.index import token_type

KIND = "tokens"
FORMAT_VERSION = 2
NAME = "manifest.json"
SPLITS = ("train", "validation")


@dataclass(frozen=True)
class TokenizerIdentity:
    """Which tokenizer made the ids.

    Attributes:
        sha256: of its SentencePiece model file.
        vocabulary_size: ids are below it.
        bos_id, eos_id: around every document.
    """

    sha256: str
    vocabulary_size: int
    bos_id: int
    eos_id: int


@dataclass(frozen=True)
class ShardCounts:
    """One shard of a split.

    Attributes:
        name: of the unit that it was made of.
        stem: its files are `<split>/<stem>.bin`, `.idx` and `.docs.parquet`.
        tokens, documents: how many, BOS and EOS included.
        text_bytes: UTF-8 bytes of the documents' texts.
    """

    name: str
    stem: str
    tokens: int
    documents: int
    text_bytes: int


@dataclass(frozen=True)
class FileRecord:
    """One file: its path below the dataset's folder, its size and its SHA-256."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """A token dataset.

    Attributes:
        source: its label in mixtures.
        tokenizer: who made the ids.
        splits: shards by split, in order.
        files: all files, in order of path.
        made: how it was made: recipe, inputs, funnel; plain data.
        tables: files with a row a unit, which has the checksums of blocks of its files.
    """

    source: str
    tokenizer: TokenizerIdentity
    splits: Mapping[str, Sequence[ShardCounts]]
    files: Sequence[FileRecord]
    made: Mapping[str, Any]
    tables: Sequence[FileRecord] = ()

    def content(self) -> dict[str, Any]:
        """All of it as plain data, without the fingerprint."""
        return {
            "kind": KIND,
            "format_version": FORMAT_VERSION,
            "source": self.source,
            "tokenizer": dict(vars(self.tokenizer)),
            "dtype": token_type(self.tokenizer.vocabulary_size).name,
            "splits": {
                split: {
                    "tokens": sum(shard.tokens for shard in shards),
                    "documents": sum(shard.documents for shard in shards),
                    "text_bytes": sum(shard.text_bytes for shard in shards),
                    "shards": [dict(vars(shard)) for shard in shards],
                }
                for split, shards in self.splits.items()
            },
            "files": [dict(vars(file)) for file in self.files],
            "made": dict(self.made),
            "tables": [dict(vars(table)) for table in self.tables],
        }

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.content())

    def to_json(self) -> dict[str, Any]:
        """What `manifest.json` holds."""
        content = self.content()
        return {**content, "fingerprint": fingerprint(content)}


def fingerprint(content: Mapping[str, Any]) -> str:
    """SHA-256 of canonical JSON, without the names of files, in which attempts are."""
    nameless = {
        **{key: value for key, value in content.items() if key != "tables"},
        "files": sorted(file["sha256"] for file in content["files"]),
        "splits": {
            split: {
                **counts,
                "shards": [
                    {key: value for key, value in shard.items() if key != "stem"}
                    for shard in counts["shards"]
                ],
            }
            for split, counts in content["splits"].items()
        },
    }
    encoded = json.dumps(nameless, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(encoded.encode()).hexdigest()


def read_manifest(folder: str) -> Manifest:
    """The manifest of a token dataset.

    Raises:
        TokenizerError: there is none, it is of something else, or it was changed.
    """
    path = Path(folder, NAME)
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise TokenizerError(
            f"{folder} is no token dataset, or is not finished: there is no {NAME} in it"
        ) from None
    except ValueError as error:
        raise TokenizerError(f"{path} is damaged: {error}") from None
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise TokenizerError(f"{path} is not the manifest of a token dataset")
    if data.get("format_version") != FORMAT_VERSION:
        raise TokenizerError(
            f"{folder} was written by another version of Roving; make it again: roving tokenize"
        )
    stated = data.pop("fingerprint", None)
    try:
        found = fingerprint(data)
    except (KeyError, TypeError, AttributeError) as error:
        raise TokenizerError(f"{path} was changed or damaged: {error!r}") from None
    if stated != found:
        raise TokenizerError(
            f"{path} was changed or damaged: its content does not have the fingerprint it states"
        )
    return Manifest(
        source=data["source"],
        tokenizer=TokenizerIdentity(**data["tokenizer"]),
        splits={
            split: tuple(ShardCounts(**shard) for shard in counts["shards"])
            for split, counts in data["splits"].items()
        },
        files=tuple(FileRecord(**file) for file in data["files"]),
        made=data["made"],
        tables=tuple(FileRecord(**table) for table in data["tables"]),
    )


def different_tokenizers(
    one: tuple[str, TokenizerIdentity], other: tuple[str, TokenizerIdentity]
) -> str:
    """The sentence about two datasets, each a folder and its tokenizer, that do not go together."""
    return (
        f"{one[0]} and {other[0]} were made by different tokenizers (sha256 "
        f"{one[1].sha256[:12]}... and {other[1].sha256[:12]}...); their ids do not mean the same"
    )
