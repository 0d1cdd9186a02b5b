"""`roving shards verify` on documents and token datasets, as a person calls it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import sentencepiece
from documents_data import write_documents_dataset
from tokens_data import TEXTS, documents_of, tokenize, write_documents

from pipeline.cli.main import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, small_tokenizer: Path) -> Path:
    """A documents dataset that a run made, and a token dataset."""
    folder = tmp_path_factory.mktemp("made")
    arguments = ["run", "books", "--input", str(ROOT / "samples" / "books")]
    arguments += ["--output", str(folder / "books"), "--recipe", "recipes/sample.toml"]
    assert main(arguments) == 0
    source = write_documents(folder / "source", {"a": TEXTS, "b": TEXTS[:2]})
    assert tokenize(small_tokenizer, folder / "tokens", source) == 0
    return folder


@pytest.fixture
def documents(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "books", tmp_path / "books"))


@pytest.fixture
def tokens(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made / "tokens", tmp_path / "tokens")
    return tmp_path / "tokens" / "source"


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def verify(*arguments: object) -> int:
    return main(["shards", "verify", *map(str, arguments)])


def test_sound_datasets(
    documents: Path, tokens: Path, small_tokenizer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(documents, tokens, "--tokenizer", small_tokenizer) == 0
    out = capsys.readouterr().out
    assert f"{documents}: sound" in out
    assert f"{tokens}: sound" in out


def test_a_flipped_byte_in_documents(documents: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = next((documents / "documents").glob("*.parquet"))
    flip(path, 500)
    assert verify(documents) == 1
    out = capsys.readouterr().out
    assert f"{path}, bytes 0 to {min(path.stat().st_size, 1 << 20) - 1:,}: not the bytes" in out
    assert f"{documents}: DAMAGED" in out


def test_a_truncated_file_of_documents(documents: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = next((documents / "rejected").glob("*.parquet"))
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[: size - 10])
    assert verify(documents) == 1
    assert f"{path}, bytes {size - 10:,} to {size - 1:,}: the file ends" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["documents", "rejected", "tables"])
def test_a_missing_file_of_documents(
    kind: str, documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = next((documents / kind).glob("*.parquet"))
    path.rename(path.with_name("other.parquet"))
    assert verify(documents) == 1
    out = capsys.readouterr().out
    assert f"{path}: the file is missing; the manifest lists it" in out
    assert "other.parquet" not in out


def test_files_that_no_manifest_lists_are_no_part_of_a_dataset(
    documents: Path, tokens: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (documents / "documents", documents / "tables", tokens / "train"):
        next(path.glob("*.parquet")).with_name("late.0a1b2c3d4e5f60.parquet").write_bytes(b"half")
    assert verify(documents, tokens) == 0
    assert "late" not in capsys.readouterr().out


def test_a_flipped_byte_in_a_table(documents: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = next((documents / "tables").glob("*.parquet"))
    flip(path, 40)
    assert verify(documents) == 1
    assert f"{path}, bytes 0 to {path.stat().st_size - 1:,}: not the" in capsys.readouterr().out


def test_counts_of_documents_that_do_not_add_up(
    documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = documents / "manifest.json"
    manifest = json.loads(path.read_bytes())
    kept = manifest["documents"]
    manifest["documents"] += 1
    path.write_text(json.dumps(manifest))
    assert verify(documents) == 1
    expected = f"{kept + 1:,} documents; its units have {kept:,}, its funnel {kept:,}"
    assert expected in capsys.readouterr().out


@pytest.mark.parametrize("which", ["documents", "tokens"])
def test_a_manifest_that_is_no_json(
    which: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    folder: Path = request.getfixturevalue(which)
    (folder / "manifest.json").write_text('{"kind": "tok')
    assert verify(folder) == 1
    assert "manifest.json" in capsys.readouterr().out


def test_a_flipped_byte_in_tokens(tokens: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = next((tokens / "train").glob("*.bin"))
    flip(path, 4)
    assert verify(tokens) == 1
    assert f"{path}, bytes 0 to {path.stat().st_size - 1:,}: not the" in capsys.readouterr().out


def test_two_tokenizers_are_refused(
    tmp_path: Path, tokens: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["the cat and the dog"] * 20),
        model_prefix=str(tmp_path / "other"),
        model_type="bpe",
        vocab_size=290,
        byte_fallback=True,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    source = write_documents(tmp_path / "second", {"a": TEXTS})
    assert tokenize(tmp_path / "other.model", tmp_path / "tokens", source) == 0
    second = tmp_path / "tokens" / "second"
    capsys.readouterr()
    assert verify(tokens, second) == 1
    out = capsys.readouterr().out
    assert f"{tokens} and {second} were made by different tokenizers" in out
    assert verify(second, "--tokenizer", tmp_path / "other.model") == 0
    assert verify(tokens, "--tokenizer", tmp_path / "other.model") == 1
    assert "which was given" in capsys.readouterr().out


def test_a_folder_that_is_no_dataset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(tmp_path) == 2
    assert f"{tmp_path} is no dataset: there is no manifest.json" in capsys.readouterr().err
    unfinished = write_documents_dataset(
        tmp_path / "begun", {"a": documents_of("a", TEXTS)}, finished=False
    )
    assert verify(unfinished) == 2
    assert "run the same command again to finish it" in capsys.readouterr().err
