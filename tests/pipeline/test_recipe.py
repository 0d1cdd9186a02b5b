"""Recipes: typed, complete, unknown keys refused, overrides and inheritance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import RecipeError
from pipeline.recipe import load_recipe
from pipeline.tokens.settings import MixtureSettings

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
LLAMA = str(RECIPES / "llama1.toml")


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.name)
def test_every_recipe_loads(path: Path) -> None:
    assert load_recipe(str(path)).name == path.stem


def test_paper_values() -> None:
    crawl = load_recipe(LLAMA).commoncrawl
    assert crawl.length.minimum_characters == 300
    assert crawl.language.minimum_score == 0.5
    assert crawl.language.keep == ("en",)
    assert crawl.reference_quality.threshold == 0.25


def test_overrides_are_typed() -> None:
    recipe = load_recipe(
        LLAMA,
        [
            "commoncrawl.length.minimum_characters=200",
            'commoncrawl.language.keep=["de", "fr"]',
            "commoncrawl.perplexity.enabled=false",
            "commoncrawl.paragraphs.scope=all",
        ],
    )
    assert recipe.commoncrawl.length.minimum_characters == 200
    assert recipe.commoncrawl.language.keep == ("de", "fr")
    assert recipe.commoncrawl.perplexity.enabled is False
    assert recipe.commoncrawl.paragraphs.scope == "all"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("commoncrawl.length.minimum=3", "unknown key 'commoncrawl.length.minimum'"),
        ("nothing.here=1", "unknown key 'nothing'"),
        ("commoncrawl.length.minimum_characters=many", "commoncrawl.length.minimum_characters"),
        ("commoncrawl.paragraphs.policy=keep_last", "'keep_first' or 'remove_all'"),
        ("commoncrawl.length", "section.key=value"),
        ("commoncrawl.paragraphs.group_files=0", "greater than 0"),
        ("run.rejected_text_share=7", "less than or equal to 1"),
        ("commoncrawl.input.snapshot_pattern=CC", "needs a group"),
        ("commoncrawl.input.snapshot_pattern='('", "not a regular expression"),
        ("name.x=1", "'name' is a key, not a section"),
    ],
)
def test_what_is_wrong_is_named(override: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe(LLAMA, [override])


def test_a_recipe_needs_a_name(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[run]\nrows_per_group = 7\n")
    with pytest.raises(RecipeError, match="missing key 'name'"):
        load_recipe(str(tmp_path / "bad.toml"))


def test_what_a_recipe_leaves_out_is_default(tmp_path: Path) -> None:
    (tmp_path / "bare.toml").write_text('name = "bare"\n[mixture.shares]\nbooks = 0.5\n')
    recipe = load_recipe(str(tmp_path / "bare.toml"))
    assert recipe.mixture.shares["books"] == 0.5
    assert recipe.mixture.shares["c4"] == MixtureSettings().shares["c4"]
    changed = replace(recipe, mixture=MixtureSettings())
    assert changed == type(recipe)(name="bare")


def test_the_defaults_are_those_of_llama1() -> None:
    recipe = load_recipe("llama1")
    assert recipe == type(recipe)(name="llama1")


def test_a_recipe_can_extend_another(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        f'extends = "{LLAMA}"\nname = "mine"\n[commoncrawl.length]\nminimum_characters = 7\n'
    )
    recipe = load_recipe(str(tmp_path / "mine.toml"))
    assert recipe.commoncrawl.length.minimum_characters == 7
    assert recipe.commoncrawl.language.minimum_score == 0.5


def test_a_recipe_anywhere_can_extend_one_of_ours(tmp_path: Path) -> None:
    for name in ("mine.toml", "llama1.toml"):
        (tmp_path / name).write_text('extends = "llama1.toml"\nname = "mine"\n')
        recipe = load_recipe(str(tmp_path / name))
        assert (recipe.name, recipe.commoncrawl.language.keep) == ("mine", ("en",))
