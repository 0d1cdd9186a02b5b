"""`roving models`: from datasets on disk to models, with what is printed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from model_data import Language, write_dataset
from test_models_language import SETTINGS as LANGUAGE_SETTINGS
from test_models_language import needs_lmplz
from test_models_reference import SETTINGS as REFERENCE_SETTINGS

from pipeline.cli.main import build_parser, main
from pipeline.models.cards import TooLittleData, read_card

GOOD, BAD = Language(seed=21), Language(seed=22)


def run(*words: str) -> int:
    section = words[0]
    settings = LANGUAGE_SETTINGS if section == "language" else REFERENCE_SETTINGS
    changes = [
        f"--set=models.{section}.{key}={value}"
        for key, value in dataclasses.asdict(settings).items()
    ]
    arguments = build_parser("models").parse_args(["models", *words, *changes])
    code: int = arguments.execute(arguments, [])
    return code


def rows(language: Language, code: str, count: int, host: str = "") -> list[dict[str, Any]]:
    return [
        {
            "id": f"{code}/{number}",
            "source": "test",
            "text": text,
            "url": f"http://{host}/{number}" if host else None,
            "language": code,
            "cited_urls": [f"https://www.cited.org/{number}#part"],
        }
        for number, text in enumerate(language.texts(count))
    ]


@pytest.fixture
def wikipedia(tmp_path: Path) -> str:
    return write_dataset(tmp_path / "w", [rows(GOOD, "aa", 250), rows(BAD, "bb", 5)])


@needs_lmplz
def test_language_command_leaves_out_what_is_too_small(
    wikipedia: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "models" / "language"
    words = ["language", "--documents", wikipedia, "--output", str(output)]
    with pytest.raises(TooLittleData, match="no language had enough text"):
        run(*words)  # English, which the recipe keeps
    assert run(*words, "--set", "commoncrawl.language.keep=[]") == 0
    printed = capsys.readouterr().out
    assert [path.name for path in output.iterdir()] == ["aa"]
    assert "aa: 2" in printed
    assert "held-out documents)" in printed
    assert "better give --reference" in printed
    assert "left out: bb: " in printed
    assert read_card(output / "aa")["origin"]["documents"][0]["documents"] == 255
    with pytest.raises(TooLittleData, match="no language had enough text"):
        run(*words, "--languages", "bb,cc")


@needs_lmplz
def test_language_command_with_a_reference_sample(
    wikipedia: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crawl = write_dataset(tmp_path / "c", [rows(BAD, "aa", 30), rows(GOOD, "bb", 30)])
    output = tmp_path / "language"
    words = ["--documents", wikipedia, "--reference", crawl, "--output", str(output)]
    assert run("language", *words, "--languages", "aa") == 0
    card = read_card(output / "aa")
    assert card["reference"]["documents"] == 30
    assert len(card["origin"]["reference"]) == 1
    assert "(from 30 given documents)" in capsys.readouterr().out


def test_reference_command(
    wikipedia: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = [rows(GOOD, "en", 120, "cited.org"), rows(BAD, "en", 200, "other.org")]
    crawl = write_dataset(tmp_path / "c", parts)
    output = tmp_path / "reference"
    words = ["--documents", crawl, "--citations", wikipedia, "--output", str(output)]
    assert run("reference", *words) == 0
    card = read_card(output)
    assert card["origin"]["selection"]["cited_pages"] == 120
    assert card["held_out"]["f1"] > 0.9
    assert "precision 1.0, recall 1.0" in capsys.readouterr().out


def test_reference_command_says_what_is_missing(wikipedia: str, tmp_path: Path) -> None:
    crawl = write_dataset(tmp_path / "c", [rows(BAD, "en", 200, "other.org")])
    with pytest.raises(TooLittleData, match="0 positives, at least 50 are needed"):
        run("reference", "--documents", crawl, "--citations", wikipedia, "--output", str(tmp_path))


def test_the_command_line_prints_the_error_alone(
    wikipedia: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--documents", wikipedia, "--citations", wikipedia, "--output", str(tmp_path / "m")]
    assert main(["models", "reference", *words]) == 3
    error = capsys.readouterr().err
    assert error.startswith("roving: error: reference classifier: 0 positives, at least 100 ")
    assert error.count("\n") == 1
