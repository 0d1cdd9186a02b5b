"""A tokenizer from real documents: flags, round trip, the same ids in Hugging Face's library."""

from __future__ import annotations

from pathlib import Path

import pytest
import sentencepiece

from filters.document import Document
from pipeline.cli.main import main
from pipeline.shards import read_documents
from pipeline.store.dataset import Dataset
from pipeline.store.files import open_read
from tokenizer.card import whitespace_pieces
from tokenizer.flags import llama_flags
from tokenizer.folder import read_card, read_model_file
from tokenizer.model_proto import read_model

pytestmark = pytest.mark.real

SOURCES = ("wikipedia", "stackexchange", "github")
LANGUAGES = ("de", "en", "it", "ru")
SIZE = 8_000


@pytest.fixture(scope="module")
def datasets(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    root = tmp_path_factory.mktemp("datasets")
    dumps = tmp_path_factory.mktemp("dumps")
    for language in LANGUAGES:
        name = f"{language}wiki-minidump-pages-articles.xml.bz2"
        (dumps / name).symlink_to(real_data / "wikipedia" / name)
    for source in SOURCES:
        given = dumps if source == "wikipedia" else real_data / source
        words = ["--input", str(given), "--output", str(root / source)]
        assert main(["run", source, *words]) == 0
    return [str(root / source) for source in SOURCES]


@pytest.fixture(scope="module")
def folder(datasets: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("models") / "tokenizer"
    command = ["tokenizer", "train", "--documents", *datasets, "--output", str(output)]
    command += [f"--set=tokenizer.vocabulary_size={SIZE}", "--set=tokenizer.held_out_share=0.1"]
    assert main(command) == 0
    return output


@pytest.fixture(scope="module")
def documents(datasets: list[str]) -> list[Document]:
    found: list[Document] = []
    for path in [shard.path for folder in datasets for shard in Dataset(folder).shards]:
        with open_read(path) as handle:
            found += read_documents(handle)
    return found


def test_flags_and_pieces(folder: Path) -> None:
    model = read_model(read_model_file(str(folder)))
    assert model.flags == llama_flags(SIZE, 2)
    assert len(model.pieces) == SIZE
    assert {1, 2, 3, 4, 8, 16} <= set(whitespace_pieces(model))
    learned = [piece.text for piece in model.pieces[259:]]
    assert not [text for text in learned if sum(c.isdigit() for c in text) > 1 and text.isascii()]
    assert not [text for text in learned if "\n" in text or "\0" in text]
    assert {"▁the", "▁return", "\t\t"} <= set(learned)
    assert [text for text in learned if len(text) > 2 and "а" <= min(text) <= max(text) <= "я"]


def test_every_document_comes_back(folder: Path, documents: list[Document]) -> None:
    processor = sentencepiece.SentencePieceProcessor(model_proto=read_model_file(str(folder)))
    assert len(documents) > 1500
    for document in documents:
        decoded = processor.decode(processor.encode(document.text))
        assert decoded == document.text.replace("▁", " "), document.id


def test_fertility_on_held_out_documents(folder: Path) -> None:
    held_out = read_card(folder)["held_out"]
    assert {"stackexchange", "github"} <= set(held_out["sources"])
    assert held_out["all"]["documents"] > 100
    assert held_out["all"]["failures"] == 0
    for measured in held_out["sources"].values():
        assert 2.5 < 1 / measured["all"]["tokens_per_byte"] < 5
        assert measured["all"]["byte_token_share"] < 0.02


def test_hugging_face_gives_the_same_ids(folder: Path, documents: list[Document]) -> None:
    tokenizers = pytest.importorskip("tokenizers", reason="needs the extra `interop`")
    processor = sentencepiece.SentencePieceProcessor(model_proto=read_model_file(str(folder)))
    loaded = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    loaded.encode_special_tokens = True
    for document in documents:
        ids = loaded.encode(document.text, add_special_tokens=False).ids
        assert ids == processor.encode(document.text), document.id
