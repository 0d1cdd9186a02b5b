"""Real documents to tokens: the ids of SentencePiece, on every document of several sources."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
import sentencepiece

from pipeline.cli.main import main
from tokenizer.flags import llama_flags
from tokenizer.shards.reader import TokenDataset
from tokenizer.shards.verify import verify_tokens

pytestmark = pytest.mark.real

SOURCES = ("wikipedia", "arxiv", "stackexchange", "github")


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    for source in SOURCES:
        arguments = ["run", source, "--input", str(real_data / source)]
        assert main([*arguments, "--output", str(folder / source)]) == 0
    return folder


def texts(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted((folder / "documents").glob("*.parquet")):
        table = pq.read_table(path, columns=["id", "text"])
        found |= dict(zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True))
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, documents: Path) -> Path:
    prefix = tmp_path_factory.mktemp("tokenizer") / "tokenizer"
    lines = [
        line[start : start + 1000]
        for source in SOURCES
        for text in texts(documents / source).values()
        for line in text.split("\n")
        for start in range(0, len(line), 1000)
    ]
    flags = llama_flags(16_000, 2).trainer.stated() | {"minloglevel": 2}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_prefix=str(prefix),
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        **{name: value for name, value in flags.items() if name != "input_format"},
    )
    return prefix.with_suffix(".model")


@pytest.mark.parametrize("source", SOURCES)
def test_ids_of_every_document(tmp_path: Path, documents: Path, model: Path, source: str) -> None:
    arguments = ["tokenize", "--documents", str(documents / source), "--tokenizer", str(model)]
    assert main([*arguments, "--output", str(tmp_path)]) == 0
    assert verify_tokens(str(tmp_path / source)).damage == ()
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
    expected = {
        name: [processor.bos_id(), *processor.encode(text), processor.eos_id()]
        for name, text in texts(documents / source).items()
    }
    found = {}
    for split in ("train", "validation"):
        dataset = TokenDataset.open(str(tmp_path / source), split)
        for number, info in enumerate(dataset.shards):
            shard = dataset.shard(number)
            rows = pq.read_table(f"{info.stem}.docs.parquet")["id"].to_pylist()
            for row, name in enumerate(rows):
                first, last = shard.document_starts[row : row + 2]
                found[name] = shard.tokens[first:last].tolist()
    assert found == expected
