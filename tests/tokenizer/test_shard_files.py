"""Token shards: written in any batches the same bytes, read as written, refused if damaged."""

from __future__ import annotations

import io
import itertools
import json
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from token_data import BOS, EOS, TOKENIZER, documents, write_dataset

from tokenizer.errors import TokenizerError
from tokenizer.shards.checksums import BLOCK_BYTES, Checksums, check_content
from tokenizer.shards.manifest import TokenizerIdentity, read_manifest
from tokenizer.shards.reader import TokenDataset, TokenShard, check_same_tokenizer
from tokenizer.shards.writer import DOCUMENTS_SCHEMA, Streams, TokenShardWriter


class Kept(io.BytesIO):
    """Keeps what was written when it is closed."""

    def close(self) -> None:
        self.content = self.getvalue()


def shard_bytes(batches: Sequence[Sequence[Sequence[int]]]) -> list[bytes]:
    """The three files of documents written batch by batch."""
    streams = [Kept(), Kept(), Kept()]
    writer = TokenShardWriter(Streams(*streams), 512)
    number = 0
    for batch in batches:
        rows = []
        for document in batch:
            rows.append({"id": str(number), "tokens": len(document), "text_bytes": number})
            number += 1
        ids = np.array([token for document in batch for token in document], np.int64)
        writer.add(ids, pa.Table.from_pylist(rows, schema=DOCUMENTS_SCHEMA))
    writer.finish()
    return [stream.getvalue() for stream in streams]


@given(cuts=st.lists(st.integers(0, 40), max_size=6))
def test_the_cut_into_batches_changes_nothing(cuts: list[int]) -> None:
    all_documents = documents(3, 40)
    edges = [0, *sorted(cuts), 40]
    batches = [all_documents[a:b] for a, b in itertools.pairwise(edges)]
    assert shard_bytes(batches) == shard_bytes([all_documents])


def test_what_is_written_is_read(tmp_path: Path) -> None:
    shards = [[[BOS, EOS], [BOS, 511, EOS]], [[BOS, *range(3, 400), EOS]]]
    dataset = write_dataset(tmp_path / "set", shards)
    assert (dataset.tokens, dataset.documents) == (2 + 3 + 399, 3)
    for number, shard in enumerate(shards):
        opened = dataset.shard(number)
        assert type(opened.tokens) is np.ndarray
        assert not opened.tokens.flags.writeable
        starts = opened.document_starts
        read = [opened.tokens[a:b].tolist() for a, b in itertools.pairwise(starts)]
        assert read == shard
    record = dataset.document(0, 1)
    assert (record.id, record.tokens, record.licence) == ("unit-000-1", 3, "CC-BY-4.0")
    with pytest.raises(IndexError):
        dataset.document(0, 2)


def test_wide_ids_are_stored_as_int32(tmp_path: Path) -> None:
    tokenizer = TokenizerIdentity("cd" * 32, 100_000, BOS, EOS)
    dataset = write_dataset(tmp_path / "set", [[[BOS, 65_535, 65_536, EOS]]], tokenizer=tokenizer)
    assert dataset.shard(0).tokens.dtype == np.int32
    assert dataset.shard(0).tokens.tolist() == [BOS, 65_535, 65_536, EOS]


def test_an_id_outside_the_vocabulary_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match="id 512"):
        write_dataset(tmp_path / "set", [[[BOS, 512, EOS]]])


def test_a_truncated_file_is_refused_on_opening(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "set", [documents(1, 5)])
    path = Path(f"{dataset.shards[0].stem}.bin")
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(TokenizerError, match=rf"{path} has {size - 2} bytes where .* {size}"):
        TokenDataset.open(dataset.folder)
    with pytest.raises(TokenizerError, match=rf"where its index says {size}"):
        TokenShard(dataset.shards[0].stem)
    path.unlink()
    with pytest.raises(TokenizerError, match=rf"{path} is missing"):
        TokenDataset.open(dataset.folder)


def test_a_shard_of_another_dataset_is_refused(tmp_path: Path) -> None:
    one = write_dataset(tmp_path / "one", [[[BOS, 5, EOS], [BOS, 6, EOS]]])
    two = write_dataset(tmp_path / "two", [[[BOS, 5, 6, 7, 8, EOS]]])
    for suffix in (".bin", ".idx"):
        Path(one.shards[0].stem + suffix).write_bytes(
            Path(two.shards[0].stem + suffix).read_bytes()
        )
    with pytest.raises(TokenizerError, match="6 tokens in 1 documents where the manifest says 6 i"):
        TokenDataset(one.folder, "train", one.manifest).shard(0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.update(source="other"), "was changed or damaged"),
        (lambda data: data.update(kind="documents"), "not the manifest of a token dataset"),
        (lambda data: data.pop("kind"), "not the manifest of a token dataset"),
        (lambda data: data.update(format_version=9), "written by another version of Roving"),
    ],
)
def test_a_manifest_that_was_changed_is_refused(tmp_path: Path, change, message: str) -> None:
    dataset = write_dataset(tmp_path / "set", [documents(1, 3)])
    path = Path(dataset.folder, "manifest.json")
    data = json.loads(path.read_bytes())
    change(data)
    path.write_text(json.dumps(data))
    with pytest.raises(TokenizerError, match=message):
        read_manifest(dataset.folder)


def test_no_dataset_no_split_two_tokenizers(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match=r"no token dataset, or is not finished"):
        TokenDataset.open(str(tmp_path))
    one = write_dataset(tmp_path / "one", [documents(1, 3)])
    with pytest.raises(TokenizerError, match=r"no split 'test'; it has train, validation"):
        TokenDataset.open(one.folder, "test")
    assert TokenDataset.open(one.folder, "validation").tokens == 0
    other = TokenizerIdentity("cd" * 32, TOKENIZER.vocabulary_size, BOS, EOS)
    two = write_dataset(tmp_path / "two", [documents(1, 3)], tokenizer=other)
    check_same_tokenizer([one, one])
    with pytest.raises(TokenizerError, match=r"one and .*two were made by different tokenizers"):
        check_same_tokenizer([one, two])


def test_importing_the_reader_is_light() -> None:
    code = (
        "import sys, tokenizer.shards.reader; "
        "print([name for name in ('apache_beam', 'torch', 'sentencepiece') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@given(cuts=st.lists(st.integers(0, 3 * BLOCK_BYTES), max_size=5))
def test_checksums_do_not_depend_on_the_pieces(cuts: list[int]) -> None:
    data = CONTENT
    whole = Checksums()
    whole.update(data)
    pieces = Checksums()
    edges = [0, *sorted(cuts), len(data)]
    for first, last in itertools.pairwise(edges):
        pieces.update(data[first:last])
    assert (pieces.size, pieces.sha256(), pieces.blocks()) == (
        whole.size,
        whole.sha256(),
        whole.blocks(),
    )


CONTENT = random.Random(5).randbytes(2 * BLOCK_BYTES + 1000)


@pytest.mark.parametrize(
    ("wrong", "ranges"),
    [
        ((), []),
        ((0,), [(0, BLOCK_BYTES - 1)]),
        ((5, BLOCK_BYTES), [(0, 2 * BLOCK_BYTES - 1)]),
        ((3, 2 * BLOCK_BYTES + 999), [(0, BLOCK_BYTES - 1), (2 * BLOCK_BYTES, len(CONTENT) - 1)]),
    ],
)
def test_damage_is_located_by_block(wrong: tuple[int, ...], ranges: list[tuple[int, int]]) -> None:
    sums = Checksums()
    sums.update(CONTENT)
    data = bytearray(CONTENT)
    for at in wrong:
        data[at] ^= 1
    found = list(
        check_content("f", io.BytesIO(bytes(data)), len(data), sums.sha256(), sums.blocks())
    )
    assert [(one.first, one.last) for one in found] == ranges
    unknown = list(check_content("f", io.BytesIO(bytes(data)), len(data), sums.sha256(), []))
    assert [(one.first, one.last) for one in unknown] == ([(0, len(data) - 1)] if wrong else [])


@pytest.mark.parametrize("size", [0, 10, BLOCK_BYTES, len(CONTENT) - 1, len(CONTENT) + 1])
def test_a_file_of_another_size_is_located_at_its_end(size: int) -> None:
    sums = Checksums()
    sums.update(CONTENT)
    data = (CONTENT + b"more")[:size]
    found = list(check_content("f", io.BytesIO(data), len(CONTENT), sums.sha256(), sums.blocks()))
    expected = (size, len(CONTENT) - 1) if size < len(CONTENT) else (len(CONTENT), size - 1)
    assert [(one.first, one.last) for one in found] == [expected]
