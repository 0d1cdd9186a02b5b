"""`roving`: the command line."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence

from filters.models import MissingModel
from pipeline.cli import decontaminate, dedup, models, run, shards
from pipeline.errors import RovingError
from pipeline.models.cards import TooLittleData

# Exit status of a model that cannot be made from this input, so that a script may go on without.
TOO_LITTLE_DATA = 3

DESCRIPTION = """\
Raw crawls, dumps and archives in; clean, deduplicated, accounted-for pretraining text out.

  roving run wikipedia   --input dumps/  --output out/wikipedia
  roving run commoncrawl --input crawl/  --output out/commoncrawl --workers 8
  roving dedup minhash   --input out/wikipedia --input out/commoncrawl --output out/clean
  roving shards stats out/commoncrawl
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser with every command."""
    parser = argparse.ArgumentParser(
        prog="roving", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (run, dedup, decontaminate, shards, models):
        module.add_parser(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = build_parser()
    parsed, rest = parser.parse_known_args(arguments)
    if rest and not getattr(parsed, "accepts_engine_options", False):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        status: int = parsed.execute(parsed, rest)
    except TooLittleData as error:
        print(f"roving: error: {error}", file=sys.stderr)
        return TOO_LITTLE_DATA
    except (RovingError, MissingModel) as error:
        # Beam says where in the graph; what is wrong is said without.
        message = re.sub(r" \[while running .*\]$", "", str(error), flags=re.DOTALL)
        print(f"roving: error: {message}", file=sys.stderr)
        return 2
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
