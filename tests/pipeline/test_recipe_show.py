"""`roving recipe show`, and where every number is from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import orjson
import pytest

from pipeline.cli.main import main
from pipeline.recipe import RECIPES, load_recipe, recipe_type, resolved

OURS = sorted(path.stem for path in RECIPES.glob("*.toml"))
ORIGIN = re.compile(r"(?:paper|code|measured|ours): \S")
# Names and places, which decide no text, and what is empty.
WITHOUT_ORIGIN = re.compile(
    r"name|.*\.enabled|models\.[a-z_]+|models\.evaluation\.fields|pii\.placeholders\..*"
    r"|deduplication\.[a-z]+\.score|stackexchange\.input\.sites"
    r"|commoncrawl\.reference_quality\.positive_label"
)


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["recipe", "show", *arguments]) == 0
    return capsys.readouterr().out


def test_every_number_and_choice_says_where_it_is_from() -> None:
    keys = resolved(recipe_type()(name="x"))
    silent = [
        key
        for key, one in keys.items()
        if not ORIGIN.match(one["origin"]) and not WITHOUT_ORIGIN.fullmatch(key)
    ]
    assert silent == []
    numbers = [key for key, one in keys.items() if type(one["value"]) in (int, float)]
    assert len(numbers) > 150
    assert [key for key in numbers if not keys[key]["origin"]] == []
    assert [key for key, one in keys.items() if one["origin"] != one["origin"].strip()] == []


def test_defaults_are_not_marked_as_changed() -> None:
    assert [key for key, one in resolved(recipe_type()(name="x")).items() if "default" in one] == []


def test_what_a_recipe_changes_has_its_default_beside_it() -> None:
    keys = resolved(load_recipe("curated", ["commoncrawl.length.minimum_characters=200"]))
    assert {key: one["default"] for key, one in keys.items() if "default" in one} == {
        "wikipedia.deduplicate": [],
        "wikipedia.wikitext.structure": False,
        "commoncrawl.deduplicate": [],
        "books.html.mark_headings": False,
        "books.html.mark_tables": False,
        "commoncrawl.extract.markup": "plain",
        "commoncrawl.perplexity.keep_buckets": ["head", "middle"],
        "commoncrawl.length.minimum_characters": 300,
        "github.deduplicate": ["digest"],
        "github.path.languages": [],
        "github.quality.data_minimum": 0,
        "github.quality.data_maximum": 0,
        "github.quality.minimum_visible_share": 0.0,
        "github.quality.minimum_visible": 0,
        "pii.enabled": False,
    }
    assert keys["commoncrawl.length.minimum_characters"]["value"] == 200
    assert keys["commoncrawl.length.minimum_characters"]["origin"].startswith("code: CCNet")


def test_resolved_is_json() -> None:
    keys = resolved(load_recipe("llama1"))
    assert orjson.loads(orjson.dumps(keys)) == keys


@pytest.mark.parametrize("name", OURS)
def test_what_is_printed_is_the_same_recipe(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overrides = [
        'commoncrawl.reference_quality.positive_label="a \\"quoted\\" # \\\\ \\u007F é"',
        'c4.bad_words.allow=["one", "two # three"]',
        "models.evaluation.fields={mmlu=['question', 'choices.text'], 'a set'=[]}",
        "decontamination.minimum_characters=0",
        "pii.maximum_per_1000_characters=1e-9",
        f"c4.policy.phrases={[f'phrase number {number}' for number in range(30)]}",
    ]
    options = [part for one in overrides for part in ("--set", one)]
    copy = tmp_path / "copy.toml"
    copy.write_text(shown(capsys, name, *options), encoding="utf-8")
    assert load_recipe(str(copy)) == load_recipe(name, overrides)


def test_origins_and_changes_stand_behind_the_values(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "curated", "--set", "commoncrawl.length.minimum_characters=200")
    lines = text.splitlines()
    changed = (
        "minimum_characters = 200 # CHANGED, default 300 (code: CCNet's, when a record is read)"
    )
    assert lines[lines.index("[commoncrawl.length]") + 2] == changed
    assert "largest = 28 # paper: LLaMA" in text
    assert lines[lines.index("[pii]") + 1].startswith("enabled = true # CHANGED, default false")
    assert lines[0] == 'name = "curated"'


@pytest.mark.parametrize("arguments", [("llama1", "books.length"), ("books.length",)])
def test_a_section_alone(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, *arguments).splitlines()[:2] == ["[books.length]", "enabled = true"]


def test_a_key_alone(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "llama1", "c4.sentences.minimum_sentences")
    assert text == "[c4.sentences]\nminimum_sentences = 3 # code: C4's\n"


def test_json_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(shown(capsys, "ccnet", "commoncrawl.paragraphs", "--json"))
    assert found["commoncrawl.paragraphs.policy"]["value"] == "remove_all"
    assert found["commoncrawl.paragraphs.policy"]["default"] == "keep_first"
    assert found["commoncrawl.paragraphs.group_files"] == {
        "value": 50,
        "origin": "code: CCNet's hash_in_mem",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["nothing"],
            "there is no recipe 'nothing'; give the path of a file, or one of ours: ccnet",
        ),
        (["llama1", "boks"], "there is no section or key 'boks'"),
        (["llama1", "books.len"], "there is no section or key 'books.len'"),
        (["llama1", "--set", "books.x=1"], "recipe llama1: unknown key 'books.x'"),
    ],
)
def test_what_is_not_there_is_named(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recipe", "show", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_recipe_has_the_name_of_ours_or_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ccnet").write_text('name = "a file"\n')
    assert load_recipe("ccnet").commoncrawl.mode == "ccnet"
    assert load_recipe("./ccnet").name == "a file"
