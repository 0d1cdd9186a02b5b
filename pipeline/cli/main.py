"""`roving`: the command line."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
from collections.abc import Sequence

from filters.models import MissingModel
from pipeline.errors import RovingError
from tokenizer.errors import TokenizerError
from trainer.cli import main as train

# Each but `train` has a module of options in `pipeline.cli.parsers`; what a command needs to run is
# imported when it runs.
COMMANDS = {
    "run": "make a clean dataset from a source's raw files",
    "dedup": "remove duplicates within and between datasets",
    "decontaminate": "take the text of evaluation sets out of datasets",
    "tokenizer": "train a tokenizer, and look at what it does",
    "tokenize": "make token datasets from documents datasets",
    "mixture": "plan how much of each source a model reads",
    "train": "train a LLaMA on token datasets; judge, sample and export it",
    "recipe": "show every threshold, and where it is from",
    "shards": "look into a dataset, verify it, convert tokens",
    "clean": "remove what interrupted runs left in an output folder",
    "models": "fetch or train the models that sources need",
}

DESCRIPTION = """\
Raw crawls, dumps and archives in; clean, deduplicated, accounted-for pretraining text out.

  roving run wikipedia   --input dumps/  --output out/wikipedia
  roving run commoncrawl --input crawl/  --output out/commoncrawl --workers 8
  roving dedup minhash   --input out/wikipedia --input out/commoncrawl --output out/clean
  roving shards stats out/commoncrawl
  roving train run       recipes/training/125m.toml
"""


def build_parser(command: str | None) -> argparse.ArgumentParser:
    """The parser, of which only the command given has its options."""
    parser = argparse.ArgumentParser(
        prog="roving", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        if name == command:
            importlib.import_module(f"pipeline.cli.parsers.{name}").add_parser(commands)
        else:
            commands.add_parser(name, help=summary)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    command = arguments[0] if arguments else None
    if command == "train":
        return train(arguments[1:])
    parser = build_parser(command)
    parsed, rest = parser.parse_known_args(arguments)
    if rest and not getattr(parsed, "accepts_engine_options", False):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        if hasattr(parsed, "plugin"):
            importlib.import_module("pipeline.plugins").load_plugins(parsed.plugin)
        status: int = parsed.execute(parsed, rest)
    except (RovingError, MissingModel, TokenizerError) as error:
        # Beam says where in the graph; what is wrong is said without.
        message = re.sub(r" \[while running .*\]$", "", str(error), flags=re.DOTALL)
        print(f"roving: error: {message}", file=sys.stderr)
        return error.exit_status if isinstance(error, RovingError) else 2
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing more can be printed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("\nroving: interrupted; run the same command again to continue", file=sys.stderr)
        return 130
    return status


if __name__ == "__main__":
    sys.exit(main())
