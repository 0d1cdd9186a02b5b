"""Token datasets as files of other programs: `tokenizer.shards.foreign` says how they look.

BOS and EOS stay around every document. Each file appears whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputError, OutputError
from pipeline.store import files
from tokenizer.shards.foreign import TOKENS_AT_ONCE, llmc_header
from tokenizer.shards.manifest import SPLITS
from tokenizer.shards.reader import TokenDataset

# As nanoGPT and llm.c call the splits.
_SHORT = {"train": "train", "validation": "val"}


def export_tokens(folder: str, form: str, output: str) -> list[str]:
    """Write a token dataset in another form; returns the paths written.

    Args:
        folder: of the dataset.
        form: one of `EXPORTS`.
        output: an empty or new folder.

    Raises:
        InputError: the form cannot hold these ids.
        OutputError: the folder holds something.
        TokenizerError: the dataset is missing or damaged.
    """
    if files.list_files(output):
        raise OutputError(f"{output} is not empty; choose another --output")
    return [
        path for split in SPLITS for path in EXPORTS[form](TokenDataset.open(folder, split), output)
    ]


def _nanogpt(dataset: TokenDataset, output: str) -> Iterator[str]:
    """All shards of a split in one file."""
    _check_16_bits(dataset, "nanogpt")
    if not dataset.shards:
        return
    path = files.join(output, f"{_SHORT[dataset.split]}.bin")
    with files.new_file(path) as file:
        for number in range(len(dataset.shards)):
            file.write(dataset.shard(number).tokens.data.cast("B"))
    yield path


def _llmc(dataset: TokenDataset, output: str) -> Iterator[str]:
    """One file a shard."""
    _check_16_bits(dataset, "llmc")
    for number in range(len(dataset.shards)):
        name = f"{dataset.source}_{_SHORT[dataset.split]}_{number:06}.bin"
        path = files.join(output, name)
        tokens = dataset.shard(number).tokens
        with files.new_file(path) as file:
            file.write(llmc_header(len(tokens)))
            file.write(tokens.data.cast("B"))
        yield path


def _datatrove(dataset: TokenDataset, output: str) -> Iterator[str]:
    """Three files a shard."""
    for number, info in enumerate(dataset.shards):
        shard = dataset.shard(number)
        path = files.join(output, dataset.split, f"{info.name}.ds")
        with files.new_file(path) as file:
            file.write(shard.tokens.data.cast("B"))
        with files.new_file(f"{path}.index") as file:
            file.write(shard.document_starts[1:].astype("<u8").tobytes())
        size = shard.tokens.itemsize
        with files.new_file(f"{path}.metadata") as file:
            file.write(f"{dataset.tokenizer_sha256}|{size}\n{info.tokens}\n".encode())
        yield path


def _huggingface(dataset: TokenDataset, output: str) -> Iterator[str]:
    """One Parquet file a shard: `input_ids`, and what is known of the document."""
    for number, info in enumerate(dataset.shards):
        shard = dataset.shard(number)
        starts = shard.document_starts
        documents = pq.read_table(f"{info.stem}.docs.parquet").drop_columns(["tokens"])
        schema = documents.schema.append(pa.field("input_ids", pa.list_(pa.int32())))
        path = files.join(output, dataset.split, f"{info.name}.parquet")
        with (
            files.new_file(path) as file,
            pq.ParquetWriter(cast(IO[bytes], file), schema, compression="zstd") as writer,
        ):
            first = 0
            while first < info.documents:
                last = int(np.searchsorted(starts, starts[first] + TOKENS_AT_ONCE, "right")) - 1
                last = max(first + 1, last)
                ids = shard.tokens[starts[first] : starts[last]].astype(np.int32)
                offsets = (starts[first : last + 1] - starts[first]).astype(np.int32)
                lists = pa.ListArray.from_arrays(pa.array(offsets), pa.array(ids))
                rows = documents.slice(first, last - first)
                writer.write_table(rows.append_column(schema.field("input_ids"), lists))
                first = last
        yield path


EXPORTS: dict[str, Callable[[TokenDataset, str], Iterator[str]]] = {
    "nanogpt": _nanogpt,
    "llmc": _llmc,
    "datatrove": _datatrove,
    "huggingface": _huggingface,
}


def _check_16_bits(dataset: TokenDataset, form: str) -> None:
    if dataset.vocabulary_size > 1 << 16:
        raise InputError(
            f"{form} files hold ids of 16 bits; the {dataset.vocabulary_size:,} pieces of "
            f"{Path(dataset.folder).name}'s tokenizer need more: use datatrove or huggingface"
        )
