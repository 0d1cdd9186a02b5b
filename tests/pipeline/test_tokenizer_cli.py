"""`roving tokenizer`: from datasets to a tokenizer's folder, and what is printed."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from model_data import Language
from test_tokenizer_sample import dataset

from pipeline.cli.main import main
from tokenizer.flags import llama_flags
from tokenizer.folder import read_card
from tokenizer.model_proto import read_model

SET = [
    "--set=mixture.shares={a=0.75,b=0.25}",
    "--set=tokenizer.vocabulary_size=420",
    "--set=tokenizer.sample_bytes=100000",
    "--set=tokenizer.held_out_share=0.1",
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    root = tmp_path_factory.mktemp("datasets")
    return [
        dataset(root / "a", Language(1).texts(200)),
        dataset(root / "b", Language(2).texts(100), prefix="e"),
    ]


@pytest.fixture(scope="module")
def trained(folders: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("models") / "tokenizer"
    command = ["tokenizer", "train", "--documents", *folders, "--output", str(output)]
    assert main([*command, *SET]) == 0
    return output


def test_the_folder_is_whole(trained: Path) -> None:
    names = {path.name for path in trained.iterdir()}
    assert names == {
        "tokenizer.model",
        "card.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
    }
    card = read_card(trained)
    assert set(card["files"]) == names - {"card.json"}
    assert card["sha256"] == card["files"]["tokenizer.model"]["sha256"]
    assert read_model((trained / "tokenizer.model").read_bytes()).flags == llama_flags(420, 2)
    assert card["flags"]["trainer"]["vocab_size"] == 420


def test_the_card_says_what_it_was_made_from(trained: Path) -> None:
    sample = read_card(trained)["sample"]
    assert sample["sources"]["a"]["bytes"] == 75_000
    assert sample["sources"]["b"]["bytes"] == 25_000
    assert sample["bytes"] == 100_000
    assert len(sample["sources"]["a"]["dataset"]["content"]) == 64
    held_out = read_card(trained)["held_out"]
    assert set(held_out["sources"]) == {"a", "b"}
    assert set(held_out["sources"]["a"]["languages"]) == {"de", "en"}
    assert held_out["all"]["failures"] == 0
    assert held_out["all"]["tokens_per_word"] > 1


def test_a_second_training_gives_the_same_bytes(
    folders: list[str], trained: Path, tmp_path: Path
) -> None:
    output = tmp_path / "again"
    command = ["tokenizer", "train", "--output", str(output), "--workers", "2"]
    for folder in reversed(folders):
        command += ["--documents", folder]
    assert main([*command, *SET]) == 0
    for path in trained.iterdir():
        assert (output / path.name).read_bytes() == path.read_bytes(), path.name


def test_memory_is_stated_before_training(
    folders: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["tokenizer", "train", "--documents", *folders, "--output", str(tmp_path / "t")]
    assert main([*command, *SET]) == 0
    printed = capsys.readouterr().out
    assert printed.index("takes about 0.3 GB of memory") < printed.index("bpe of 420 pieces")
    assert main([*command, *SET, "--set=tokenizer.memory_bytes=300000001"]) == 2
    error = capsys.readouterr().err
    assert "more than tokenizer.memory_bytes = 300,000,001; lower tokenizer.sample_bytes" in error


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        (["tokenizer.vocabulary_size=50000"], 3, "or lower tokenizer.vocabulary_size"),
        (["tokenizer.vocabulary_size=270"], 2, "raise tokenizer.vocabulary_size"),
        (["mixture.shares.a=0.0", "mixture.shares.b=0.0"], 2, "a share above 0"),
        (["tokenizer.vocabulary=5"], 2, "unknown key"),
    ],
)
def test_what_cannot_be_done_says_why(
    *,
    folders: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: list[str],
    status: int,
    message: str,
) -> None:
    command = ["tokenizer", "train", "--documents", *folders, "--output", str(tmp_path / "t")]
    assert main([*command, *SET, *(f"--set={change}" for change in changes)]) == status
    assert message in capsys.readouterr().err
    assert not (tmp_path / "t").exists()


def test_show(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tokenizer", "show", str(trained)]) == 0
    shown = capsys.readouterr().out
    assert "bpe of 420 pieces" in shown
    assert "byte_fallback=True" in shown
    assert main(["tokenizer", "show", str(trained.parent)]) == 2
    assert "there is no tokenizer at" in capsys.readouterr().err


def standard_input(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))


def test_encode_and_decode(
    trained: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ["--model", str(trained)]
    assert main(["tokenizer", "encode", *model, "a\n12"]) == 0
    assert capsys.readouterr().out.split() == ["▁", "a", "<0x0A>", "<0x31>", "<0x32>"]
    text = "bace  difo\n<s> 日本"
    assert main(["tokenizer", "encode", *model, "--ids", text]) == 0
    ids = capsys.readouterr().out.split()
    assert main(["tokenizer", "decode", *model, *ids]) == 0
    assert capsys.readouterr().out == text + "\n"
    standard_input(monkeypatch, text.encode())
    assert main(["tokenizer", "encode", *model, "--ids"]) == 0
    assert capsys.readouterr().out.split() == ids
    standard_input(monkeypatch, " ".join(ids).encode())
    assert main(["tokenizer", "decode", *model]) == 0
    assert capsys.readouterr().out == text + "\n"


@pytest.mark.parametrize(
    ("words", "content", "message"),
    [
        (["encode"], b"a\xff", "standard input is not UTF-8"),
        (["encode", "a\ud800"], b"", "half of a surrogate pair"),
        (["decode", "420"], b"", "'420' is no id: ids are numbers from 0 to 419"),
        (["decode", "-1x"], b"", "is no id"),
    ],
)
def test_what_is_no_text_or_no_id_is_refused(
    *,
    trained: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    content: bytes,
    message: str,
) -> None:
    standard_input(monkeypatch, content)
    assert main(["tokenizer", words[0], "--model", str(trained), "--", *words[1:]]) == 2
    assert message in capsys.readouterr().err


def test_the_exports_are_json(trained: Path) -> None:
    content: dict[str, Any] = json.loads((trained / "tokenizer.json").read_bytes())
    assert len(content["model"]["vocab"]) == 420


def test_a_place_that_cannot_be_written_is_met_before_training(
    folders: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    output = str(tmp_path / "file" / "tokenizer")
    command = ["tokenizer", "train", "--documents", *folders, "--output", output]
    assert main([*command, *SET, "--work", str(tmp_path / "work")]) == 2
    captured = capsys.readouterr()
    assert f"cannot write {output}: File exists" in captured.err
    assert "training on" not in captured.out
