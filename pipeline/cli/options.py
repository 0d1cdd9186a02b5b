"""Options that several commands share, and what a command runs. No Beam: `--help` is quick."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from pipeline.collector import importing

DEFAULT_RECIPE = "llama1"

Execute: TypeAlias = Callable[[argparse.Namespace, list[str]], int]


@dataclass(frozen=True)
class Deferred:
    """A function of `pipeline.cli.MODULE`, imported when it is called: Beam takes seconds."""

    module: str
    function: str = "execute"

    def load(self) -> Execute:
        """Import it."""
        name = f"pipeline.cli.{self.module}"
        if name not in sys.modules:
            with importing():
                importlib.import_module(name)
        module = sys.modules[name]
        return cast(Execute, getattr(module, self.function))

    def __call__(self, parsed: argparse.Namespace, engine_options: list[str]) -> int:
        return self.load()(parsed, engine_options)


def add_command(
    commands: Any,
    name: str,
    description: str,
    summary: str,
    execute: Execute,
) -> argparse.ArgumentParser:
    """Add one of a command's own commands, with its help as it stands."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(execute=execute)
    return parser


def add_recipe_options(parser: argparse.ArgumentParser, example: str) -> None:
    """Add `--recipe`, `--set` and `--plugin`; `example` is an override that makes sense here."""
    parser.add_argument(
        "--recipe",
        default=DEFAULT_RECIPE,
        help="recipe file, or the name of one of ours (default: llama1)",
    )
    add_override_option(parser, example)


def add_override_option(parser: argparse.ArgumentParser, example: str) -> None:
    """Add `--set` and `--plugin`; `example` is an override that makes sense for the command."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help=f"override a recipe key, e.g. {example}; repeatable",
    )
    parser.add_argument(
        "--plugin",
        action="append",
        default=[],
        metavar="FILE",
        help="file with filters, sources or methods of yours (docs/extending.md); repeatable",
    )


def add_foreign_option(parser: argparse.ArgumentParser) -> None:
    """Add `--foreign`."""
    parser.add_argument(
        "--foreign",
        action="store_true",
        help="take folders without a manifest as they are: every *.parquet in them (or in their "
        "documents/) with columns `id` and `text`",
    )


def add_runner_options(parser: argparse.ArgumentParser) -> None:
    """Add what says where a run happens."""
    parser.add_argument("--workers", type=int, default=1, help="local processes (default: 1)")
    parser.add_argument(
        "--runner",
        help="Beam runner (default: FnApiRunner, local); its own options follow unchanged",
    )


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Add what says where a run happens, and `--keep-rejected-text`."""
    add_runner_options(parser)
    parser.add_argument(
        "--keep-rejected-text",
        action="store_true",
        help="keep the text of every reject, not of a sample",
    )
