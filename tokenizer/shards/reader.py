"""Reads token datasets through the page cache: opening costs no memory, however large they are.

Numbers are checked against each other when a dataset or shard is opened; checksums are for
`roving shards verify`. A dataset may have more shards than a process may have files open: few are
open at a time.
"""

from __future__ import annotations

import mmap
import os
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tokenizer.errors import TokenizerError
from tokenizer.shards.index import read_index, token_type
from tokenizer.shards.manifest import Manifest, different_tokenizers, read_manifest

# Of one split: mapped shards with their indexes, and files that windows are read from.
KEPT_SHARDS = 16
KEPT_FILES = 64
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class ShardInfo:
    """One shard, as the manifest has it.

    Attributes:
        name: of the unit that it was made of.
        stem: full path without suffix, as Megatron-LM's `--data-path` takes it.
        tokens, documents: how many, BOS and EOS included.
        text_bytes: UTF-8 bytes of the documents' texts.
    """

    name: str
    stem: str
    tokens: int
    documents: int
    text_bytes: int


@dataclass(frozen=True)
class DocumentRecord:
    """Where a document comes from, and how large it is."""

    id: str
    url: str | None
    licence: str | None
    language: str | None
    source: str | None
    tokens: int
    text_bytes: int


class TokenShard:
    """One `.bin` and `.idx`, memory-mapped, read only.

    Attributes:
        tokens: (tokens,) uint16 or int32, a plain array over the mapped file.
        document_starts: (documents + 1,) offsets in `tokens`; the last is its length.

    Args:
        stem: path without suffix.

    Raises:
        TokenizerError: a file is missing or damaged, or the two do not belong together.
    """

    tokens: NDArray[Any]
    document_starts: NDArray[np.int64]

    def __init__(self, stem: str) -> None:
        try:
            index = Path(f"{stem}.idx").read_bytes()
            size = Path(f"{stem}.bin").stat().st_size
        except FileNotFoundError as error:
            raise TokenizerError(f"there is no file {error.filename}") from None
        dtype, self.document_starts = read_index(index, f"{stem}.idx")
        expected = int(self.document_starts[-1]) * dtype.itemsize
        if size != expected:
            raise TokenizerError(f"{stem}.bin has {size:,} bytes where its index says {expected:,}")
        self.document_starts.setflags(write=False)
        self.tokens = _map(f"{stem}.bin", dtype)


def _map(path: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    with open(path, "rb") as handle:
        if not handle.seek(0, 2):
            return np.empty(0, dtype)
        # np.memmap would do the same, but slicing one costs a microsecond each time.
        return np.frombuffer(mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ), dtype)


class _OpenFile:
    """A descriptor, closed when nobody holds it any more: a thread may be reading."""

    number = -1

    def __init__(self, path: str) -> None:
        self.number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def __del__(self) -> None:
        if self.number >= 0:
            os.close(self.number)


class _Kept(Generic[_Value]):
    """The values that were asked for last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[int, _Value] = OrderedDict()
        self._lock = Lock()

    def get(self, key: int) -> _Value | None:
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def keep(self, key: int, value: _Value) -> _Value:
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._most:
                self._values.popitem(last=False)
        return value


class TokenDataset:
    """One split of a token dataset. Can be sent to other processes, which open files themselves.

    Attributes:
        folder: of the dataset.
        split: `train` or `validation`.
        manifest: of the dataset.
        dtype: of the ids.
        shards: in order; there may be none.
    """

    def __init__(self, folder: str, split: str, manifest: Manifest) -> None:
        self.folder = folder
        self.split = split
        self.manifest = manifest
        self.shards = tuple(
            ShardInfo(
                shard.name,
                str(Path(folder, split, shard.stem)),
                shard.tokens,
                shard.documents,
                shard.text_bytes,
            )
            for shard in manifest.splits[split]
        )
        self.dtype = token_type(manifest.tokenizer.vocabulary_size)
        self._shards: _Kept[TokenShard] = _Kept(KEPT_SHARDS)
        self._files: _Kept[_OpenFile] = _Kept(KEPT_FILES)

    def __reduce__(self) -> tuple[Any, ...]:
        return TokenDataset, (self.folder, self.split, self.manifest)

    @classmethod
    def open(cls, folder: str, split: str = "train") -> TokenDataset:
        """Open a split; checks the manifest and the sizes of its files, not their checksums.

        Raises:
            TokenizerError: there is no such split, or a file is missing or has another size.
        """
        manifest = read_manifest(folder)
        if split not in manifest.splits:
            raise TokenizerError(
                f"{folder} has no split {split!r}; it has {', '.join(sorted(manifest.splits))}"
            )
        for file in manifest.files:
            if not file.path.startswith(f"{split}/"):
                continue
            path = Path(folder, file.path)
            if not path.is_file():
                raise TokenizerError(f"{path} is missing; the manifest lists it")
            if path.stat().st_size != file.bytes:
                raise TokenizerError(
                    f"{path} has {path.stat().st_size:,} bytes where the manifest says "
                    f"{file.bytes:,}"
                )
        return cls(folder, split, manifest)

    @property
    def source(self) -> str:
        return self.manifest.source

    @cached_property
    def fingerprint(self) -> str:
        return self.manifest.fingerprint

    @property
    def tokenizer_sha256(self) -> str:
        return self.manifest.tokenizer.sha256

    @property
    def vocabulary_size(self) -> int:
        return self.manifest.tokenizer.vocabulary_size

    @property
    def bos_id(self) -> int:
        return self.manifest.tokenizer.bos_id

    @property
    def eos_id(self) -> int:
        return self.manifest.tokenizer.eos_id

    @cached_property
    def tokens(self) -> int:
        return sum(shard.tokens for shard in self.shards)

    @cached_property
    def documents(self) -> int:
        return sum(shard.documents for shard in self.shards)

    @cached_property
    def text_bytes(self) -> int:
        return sum(shard.text_bytes for shard in self.shards)

    def shard(self, index: int) -> TokenShard:
        """A shard with its index; those asked for last stay open.

        Raises:
            TokenizerError: it is damaged, or is not what the manifest says.
        """
        kept = self._shards.get(index)
        if kept is not None:
            return kept
        info = self.shards[index]
        shard = TokenShard(info.stem)
        if (len(shard.tokens), len(shard.document_starts) - 1) != (info.tokens, info.documents):
            raise TokenizerError(
                f"{info.stem}.idx says {len(shard.tokens):,} tokens in "
                f"{len(shard.document_starts) - 1:,} documents where the manifest says "
                f"{info.tokens:,} in {info.documents:,}"
            )
        return self._shards.keep(index, shard)

    def read_into(self, out: NDArray[Any], shard: int, first: int) -> None:
        """Read tokens of a shard without its index.

        Args:
            out: (tokens,) of `dtype`, contiguous; filled.
            shard: number of the shard.
            first: where to start in it.

        Raises:
            TokenizerError: the file ends before.
        """
        path = f"{self.shards[shard].stem}.bin"
        file = self._files.get(shard) or self._files.keep(shard, _OpenFile(path))
        read = os.preadv(file.number, [out.data], first * out.itemsize)
        if read != out.nbytes:
            raise TokenizerError(
                f"{path} ends at byte {first * out.itemsize + read:,}; it was cut short after it "
                "was opened"
            )

    def document(self, shard: int, document: int) -> DocumentRecord:
        """What is known of a document, by its number in its shard.

        Raises:
            TokenizerError: `.docs.parquet` is damaged.
            IndexError: the shard has no such document.
        """
        info = self.shards[shard]
        if not 0 <= document < info.documents:
            raise IndexError(f"{info.name} has {info.documents} documents, not {document + 1}")
        path = f"{info.stem}.docs.parquet"
        try:
            with pq.ParquetFile(path) as parquet:
                first = 0
                for group in range(parquet.num_row_groups):
                    rows = parquet.metadata.row_group(group).num_rows
                    if document < first + rows:
                        row = parquet.read_row_group(group).slice(document - first, 1)
                        return DocumentRecord(**row.to_pylist()[0])
                    first += rows
        except (OSError, ValueError) as error:
            raise TokenizerError(f"{path} is damaged: {error}") from None
        raise TokenizerError(
            f"{path} has {first:,} rows where the manifest says {info.documents:,}"
        )


def check_same_tokenizer(datasets: Sequence[TokenDataset]) -> None:
    """Fail unless all datasets were made by one tokenizer.

    Raises:
        TokenizerError: two were not.
    """
    for dataset in datasets[1:]:
        pair = datasets[0].manifest.tokenizer, dataset.manifest.tokenizer
        if pair[0] != pair[1]:
            raise TokenizerError(
                different_tokenizers((datasets[0].folder, pair[0]), (dataset.folder, pair[1]))
            )
