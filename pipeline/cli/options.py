"""Options that several commands share."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.errors import InputError, OutputError, RunFailed
from pipeline.passes.engine import LOCAL_RUNNER, Engine
from pipeline.store import files
from pipeline.store.dataset import MANIFEST

DEFAULT_RECIPE = "llama1"


def add_command(
    commands: Any,
    name: str,
    description: str,
    summary: str,
    execute: Callable[[argparse.Namespace, list[str]], int],
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
    """Add `--recipe` and `--set`; `example` is an override that makes sense for the command."""
    parser.add_argument(
        "--recipe",
        default=DEFAULT_RECIPE,
        help="recipe file, or the name of one of ours (default: llama1)",
    )
    add_override_option(parser, example)


def add_override_option(parser: argparse.ArgumentParser, example: str) -> None:
    """Add `--set`; `example` is an override that makes sense for the command."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help=f"override a recipe key, e.g. {example}; repeatable",
    )


def add_foreign_option(parser: argparse.ArgumentParser) -> None:
    """Add `--foreign`."""
    parser.add_argument(
        "--foreign",
        action="store_true",
        help="take folders without a manifest as they are: every *.parquet in them (or in their "
        "documents/) with columns `id` and `text`",
    )


def is_foreign(folder: str, *, allowed: bool) -> bool:
    """Whether a folder is to be taken as it is: it has no manifest, and the user has said so."""
    return allowed and not files.exists(files.join(folder, MANIFEST))


def add_runner_options(parser: argparse.ArgumentParser) -> None:
    """Add what says where a run happens."""
    parser.add_argument("--workers", type=int, default=1, help="local processes (default: 1)")
    parser.add_argument(
        "--runner",
        default=LOCAL_RUNNER,
        help=f"Beam runner (default: {LOCAL_RUNNER}, local); its own options follow unchanged",
    )


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Add what says where a run happens, and `--keep-rejected-text`."""
    add_runner_options(parser)
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


def output_for(folder: str, output: str, label: str) -> str:
    """Where the new dataset goes.

    Raises:
        OutputError: that is where it comes from.
    """
    target = files.join(output, label)
    if files.is_local(folder) and Path(folder).resolve() == Path(target).resolve():
        raise OutputError(
            f"{folder} would be written over itself; choose another --output, or another label, "
            "LABEL=FOLDER"
        )
    return target


def check_label(text: str, label: str) -> None:
    """Fail on what cannot be the name of a folder, and on what we call our own.

    Raises:
        InputError: `text` has such a label.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", label) or label == "work":
        raise InputError(
            f"{text}: {label!r} cannot be the label; give one of the letters a to z, digits and "
            "`._-`, LABEL=FOLDER"
        )


def labelled(inputs: list[str]) -> dict[str, str]:
    """Folders by label, from `LABEL=FOLDER` or `FOLDER`.

    Raises:
        InputError: a label twice, or one that cannot be the name of a folder.
    """
    found: dict[str, str] = {}
    for text in inputs:
        label, equals, folder = text.partition("=")
        if not equals or "/" in label:
            folder = text
            label = files.split(text.rstrip("/"))[1]
        check_label(text, label)
        if label in found:
            raise InputError(f"two inputs are called {label!r}; give them labels, LABEL=FOLDER")
        found[label] = folder
    return found
