"""Options of `roving recipe`."""

from __future__ import annotations

import argparse

from pipeline.cli.options import DEFAULT_RECIPE, Deferred, add_command, add_override_option

DESCRIPTION = "Print every key of a recipe, with its value and where that is from."

EPILOG = """\
examples:
  roving recipe show
  roving recipe show curated pii
  roving recipe show commoncrawl.language
  roving recipe show mine.toml --set commoncrawl.length.minimum_characters=200
  roving recipe show llama1 --json > recipe.json

What is printed is TOML, and a recipe as it stands. Behind each key stands where its default is
from: `paper` (which one says so), `code` (published with a paper), `measured` (where to read it) or
`ours` (why). `CHANGED` marks what the recipe or --set has otherwise.
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("recipe")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = add_command(
        actions,
        "show",
        DESCRIPTION,
        "print all keys, resolved, with where they are from",
        Deferred("recipe"),
    )
    show.epilog = EPILOG
    show.add_argument(
        "recipe",
        nargs="?",
        default=DEFAULT_RECIPE,
        metavar="RECIPE",
        help="recipe file, or the name of one of ours (default: llama1)",
    )
    show.add_argument(
        "section",
        nargs="?",
        default="",
        metavar="SECTION",
        help="only this section or key, e.g. commoncrawl.language",
    )
    add_override_option(show, "commoncrawl.length.minimum_characters=200")
    show.add_argument("--json", action="store_true", help="print JSON, by key, for machines")
