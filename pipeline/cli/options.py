"""Options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

DEFAULT_RECIPE = str(Path(__file__).resolve().parents[2] / "recipes" / "llama1.toml")


def add_recipe_options(parser: argparse.ArgumentParser, example: str) -> None:
    """Add `--recipe` and `--set`; `example` is an override that makes sense for the command."""
    parser.add_argument("--recipe", default=DEFAULT_RECIPE, help="recipe file (default: llama1)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help=f"override a recipe key, e.g. {example}; repeatable",
    )
