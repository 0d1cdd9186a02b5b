"""Other programs read our files: megatron-core, datatrove and datasets (extra `interop`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tokens_data import TEXTS, tokenize, write_documents

from pipeline.cli.main import main
from tokenizer.shards.reader import TokenDataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory, small_tokenizer: Path) -> TokenDataset:
    tmp_path = tmp_path_factory.mktemp("dataset")
    source = write_documents(tmp_path / "source", {"a": TEXTS, "b": TEXTS[::-1]})
    options = ("--set", "tokens.validation_share=0.0")
    assert tokenize(small_tokenizer, tmp_path / "tokens", source, options=options) == 0
    return TokenDataset.open(str(tmp_path / "tokens" / "source"))


def export(dataset: TokenDataset, form: str, output: Path) -> Path:
    assert main(["shards", "convert", dataset.folder, "--to", form, "--output", str(output)]) == 0
    return output


def test_megatron_core_reads_the_same_sequences(dataset: TokenDataset) -> None:
    reason = "needs the extra interop: pip install '.[interop]'"
    indexed = pytest.importorskip("megatron.core.datasets.indexed_dataset", reason=reason)
    for number, info in enumerate(dataset.shards):
        shard, theirs = dataset.shard(number), indexed.IndexedDataset(info.stem)
        assert len(theirs) == info.documents
        assert theirs.document_indices.tolist() == list(range(info.documents + 1))
        for row in range(info.documents):
            ours = shard.tokens[shard.document_starts[row] : shard.document_starts[row + 1]]
            assert theirs[row].dtype == ours.dtype
            assert np.array_equal(theirs[row], ours)


def test_datatrove_reads_the_same_tokens(tmp_path: Path, dataset: TokenDataset) -> None:
    theirs = pytest.importorskip("datatrove.utils.dataset", reason="needs the extra interop")
    folder = export(dataset, "datatrove", tmp_path / "there")
    path = folder / "train" / "a.ds"
    read = theirs.DatatroveFileDataset(str(path), seq_len=16, token_size=2)
    tokens = dataset.shard(0).tokens
    for number in range(len(read)):
        expected = tokens[17 * number : 17 * number + 17]
        assert np.array_equal(np.asarray(read[number]["input_ids"]), expected)


def test_datasets_reads_the_same_documents(tmp_path: Path, dataset: TokenDataset) -> None:
    datasets = pytest.importorskip("datasets", reason="needs the extra interop")
    folder = export(dataset, "huggingface", tmp_path / "there")
    read = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))["train"]
    assert len(read) == dataset.documents
    shard = dataset.shard(0)
    for row in range(dataset.shards[0].documents):
        ours = shard.tokens[shard.document_starts[row] : shard.document_starts[row + 1]]
        assert read[row]["input_ids"] == ours.tolist()
        assert read[row]["id"] == dataset.document(0, row).id
