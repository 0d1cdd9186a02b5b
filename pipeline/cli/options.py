"""Options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.errors import RunFailed
from pipeline.runner import LOCAL_RUNNER, Engine

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


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Add what says where a run happens, and `--keep-rejected-text`."""
    parser.add_argument("--workers", type=int, default=1, help="local processes (default: 1)")
    parser.add_argument(
        "--runner",
        default=LOCAL_RUNNER,
        help=f"Beam runner (default: {LOCAL_RUNNER}, local); its own options follow unchanged",
    )
    parser.add_argument(
        "--keep-rejected-text",
        action="store_true",
        help="keep the text of every reject, not of a sample",
    )


def engine_of(parsed: argparse.Namespace, engine_options: list[str]) -> Engine:
    """The engine that the options name.

    Raises:
        RunFailed: an unknown option, or one that does not go with the runner.
    """
    if engine_options and parsed.runner == LOCAL_RUNNER:
        raise RunFailed(f"unknown options {' '.join(engine_options)}; engine options need --runner")
    return Engine(parsed.runner, parsed.workers, tuple(engine_options))
