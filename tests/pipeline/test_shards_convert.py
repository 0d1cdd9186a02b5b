"""`roving shards convert`: to other programs' files and back, with the same tokens."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tokens_data import TEXTS, tokenize, write_documents

from pipeline.cli.main import main
from pipeline.tokens.adopt import split_of
from tokenizer.shards import foreign
from tokenizer.shards.manifest import TokenizerIdentity
from tokenizer.shards.reader import TokenDataset
from tokenizer.shards.verify import verify_tokens

FORMS = ("nanogpt", "llmc", "datatrove", "huggingface")
BOS, EOS = 1, 2


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory, small_tokenizer: Path) -> Path:
    """Read only: no test may change it."""
    tmp_path = tmp_path_factory.mktemp("tokens")
    units = {name: [f"{text} {n}" for n in range(10) for text in TEXTS] for name in ("a", "b")}
    source = write_documents(tmp_path / "source", units)
    share = ("--set", "tokens.validation_share=0.3")
    assert tokenize(small_tokenizer, tmp_path / "tokens", source, options=share) == 0
    return tmp_path / "tokens" / "source"


def convert(*arguments: object) -> int:
    return main(["shards", "convert", *map(str, arguments)])


def stream(folder: Path, split: str) -> tuple[list[int], list[int]]:
    """All tokens of a split, and the length of each document."""
    dataset = TokenDataset.open(str(folder), split)
    shards = [dataset.shard(number) for number in range(len(dataset.shards))]
    return (
        np.concatenate([shard.tokens for shard in shards]).tolist(),
        np.concatenate([np.diff(shard.document_starts) for shard in shards]).tolist(),
    )


@pytest.mark.parametrize("form", FORMS)
def test_there_and_back(tmp_path: Path, tokens: Path, small_tokenizer: Path, form: str) -> None:
    assert convert(tokens, "--to", form, "--output", tmp_path / "there") == 0
    back = tmp_path / "back"
    named = ("--tokenizer", small_tokenizer, "--source", "source")
    assert convert(tmp_path / "there", "--from", form, "--output", back, *named) == 0
    assert verify_tokens(str(back)).damage == ()
    for split in ("train", "validation"):
        assert stream(back, split) == stream(tokens, split)
        before, after = (TokenDataset.open(str(folder), split) for folder in (tokens, back))
        assert after.text_bytes == before.text_bytes
        assert after.source == "source"
    if form == "huggingface":
        one, other = (
            [pq.read_table(f"{info.stem}.docs.parquet").to_pylist() for info in dataset.shards]
            for dataset in (TokenDataset.open(str(folder)) for folder in (tokens, back))
        )
        assert one == other


def test_nanogpt_is_the_ids_alone(tmp_path: Path, tokens: Path) -> None:
    assert convert(tokens, "--to", "nanogpt", "--output", tmp_path / "there") == 0
    assert np.fromfile(tmp_path / "there/train.bin", "<u2").tolist() == stream(tokens, "train")[0]
    assert (tmp_path / "there" / "val.bin").is_file()


def test_llmc_has_its_header(tmp_path: Path, tokens: Path) -> None:
    assert convert(tokens, "--to", "llmc", "--output", tmp_path / "there") == 0
    first = TokenDataset.open(str(tokens)).shard(0).tokens
    data = (tmp_path / "there" / "source_train_000000.bin").read_bytes()
    assert struct.unpack_from("<3i", data) == (20240520, 1, len(first))
    assert not any(data[12:1024])
    assert np.frombuffer(data, "<u2", offset=1024).tolist() == first.tolist()


def test_datatrove_has_the_ends_of_documents(tmp_path: Path, tokens: Path) -> None:
    assert convert(tokens, "--to", "datatrove", "--output", tmp_path / "there") == 0
    shard = TokenDataset.open(str(tokens)).shard(0)
    path = tmp_path / "there" / "train" / "a.ds"
    assert np.fromfile(path, "<u2").tolist() == shard.tokens.tolist()
    ends = np.fromfile(f"{path}.index", "<u8")
    assert ends.tolist() == shard.document_starts[1:].tolist()


def adopt(tmp_path: Path, tokenizer: Path, form: str, output: str = "out") -> int:
    named = ("--tokenizer", tokenizer, "--output", tmp_path / output)
    return convert(tmp_path / "in", "--from", form, *named)


def test_files_without_bos_get_it(tmp_path: Path, small_tokenizer: Path) -> None:
    (tmp_path / "in").mkdir()
    ids = np.array([300, 301, EOS, 302, EOS, EOS, 303, 304], "<u2")
    ids.tofile(tmp_path / "in" / "train.bin")
    assert adopt(tmp_path, small_tokenizer, "nanogpt") == 0
    found, lengths = stream(tmp_path / "out", "train")
    assert found == [BOS, 300, 301, EOS, BOS, 302, EOS, BOS, 303, 304, EOS]
    assert lengths == [4, 3, 4]
    dataset = TokenDataset.open(str(tmp_path / "out"))
    assert [dataset.document(0, row).id for row in range(3)] == [
        "train.bin:0",
        "train.bin:1",
        "train.bin:2",
    ]


def test_an_empty_document_is_rejected(tmp_path: Path, small_tokenizer: Path) -> None:
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "x.ds"
    np.array([BOS, EOS, 300, 301], "<u2").tofile(path)
    np.array([2, 2, 4], "<u8").tofile(f"{path}.index")
    assert adopt(tmp_path, small_tokenizer, "datatrove") == 0
    assert stream(tmp_path / "out", "train") == ([BOS, 300, 301, EOS], [4])
    rejected = pq.read_table(next((tmp_path / "out" / "rejected").glob("*.parquet")))
    assert rejected.column("reason").to_pylist() == ["empty", "empty"]


def test_documents_longer_than_what_is_read_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "TOKENS_AT_ONCE", 4)
    identity = TokenizerIdentity("ab" * 32, 512, BOS, EOS)
    rng = np.random.default_rng(1)
    documents = [rng.integers(3, 512, size).tolist() for size in rng.integers(1, 30, 50).tolist()]
    framed = [token for document in documents for token in (BOS, *document, EOS)]
    path = tmp_path / "x.bin"
    np.array(framed, "<u2").tofile(path)
    ends = np.cumsum([len(document) + 2 for document in documents])
    ends.astype("<u8").tofile(f"{path}.index")
    for reader in (foreign.read_nanogpt, foreign.read_datatrove):
        read = list(reader(str(path), identity))
        assert len(read) > 1
        assert [size for part in read for size in part.lengths] == [len(d) for d in documents]
        assert [token for part in read for token in part.ids] == [
            token for document in documents for token in document
        ]


@pytest.mark.parametrize(
    "case",
    [
        ("nanogpt", "x.bin", b"\x05\x00\x05", "ends within an id"),
        ("nanogpt", "x.bin", b"\xff\xff", "token 0 has id 65535, which is not in a vocabulary"),
        ("llmc", "x.bin", bytes(1024), "no header of llm.c"),
        ("llmc", "x.bin", b"", "no header of llm.c"),
        (
            "llmc",
            "x.bin",
            struct.pack("<3i", 20240520, 1, 5) + bytes(1012 + 4),
            "holds 2 tokens where its header says 5",
        ),
        ("datatrove", "x.ds", b"\x05\x00", "there is no .*x.ds.index"),
        ("huggingface", "x.parquet", b"PAR1", "x.parquet"),
        ("nanogpt", "x.txt", b"", "there is no file [*].bin"),
    ],
)
def test_files_that_are_not_what_they_should_be(
    case: tuple[str, str, bytes, str],
    tmp_path: Path,
    small_tokenizer: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    form, name, content, message = case
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(content)
    assert adopt(tmp_path, small_tokenizer, form) == 2
    assert re.search(message, capsys.readouterr().err)
    assert not (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.parametrize(
    "case",
    [
        ([300, EOS, 301], [3], "BOS or EOS stands within a document"),
        ([300, BOS, 301], [3], "BOS or EOS stands within a document"),
        ([300, 301, 302], [2], "has 6 bytes where its index has 2 tokens of 2 or 4"),
        ([300, 301, 302], [], "it has no documents"),
    ],
)
def test_an_index_of_another_file(
    case: tuple[list[int], list[int], str],
    tmp_path: Path,
    small_tokenizer: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ids, ends, message = case
    (tmp_path / "in").mkdir()
    np.array(ids, "<u2").tofile(tmp_path / "in" / "x.ds")
    np.array(ends, "<u8").tofile(tmp_path / "in" / "x.ds.index")
    assert adopt(tmp_path, small_tokenizer, "datatrove") == 2
    assert message in capsys.readouterr().err


def test_the_output_must_be_empty_and_the_tokenizer_named(
    tmp_path: Path, tokens: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert(tokens, "--to", "nanogpt", "--output", tokens) == 2
    assert "is not empty" in capsys.readouterr().err
    assert convert(tokens, "--from", "nanogpt", "--output", tmp_path / "x") == 2
    assert "--from needs --tokenizer" in capsys.readouterr().err
    named = ("--tokenizer", tokens, "--source", "../x")
    (tmp_path / "x.bin").write_bytes(b"")
    assert convert(tmp_path / "x.bin", "--from", "nanogpt", "--output", tmp_path / "y", *named) == 2
    assert "'../x' cannot be the label" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("out/train.bin", "train"),
        ("out/val.bin", "validation"),
        ("out/fineweb_val_000000.bin", "validation"),
        ("out/validation/a.ds", "validation"),
        ("validation/out/evaluation-0.ds", "train"),
    ],
)
def test_the_split_is_in_the_name(path: str, split: str) -> None:
    assert split_of(path) == split
