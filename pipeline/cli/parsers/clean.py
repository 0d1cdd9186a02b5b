"""Options of `roving clean`."""

from __future__ import annotations

import argparse

from pipeline.cli.options import Deferred

DESCRIPTION = "Remove what interrupted and superseded runs left in an output folder."

EPILOG = """\
examples:
  roving clean out/commoncrawl --dry-run    # what would go
  roving clean out/commoncrawl

What the manifest names stays, and so does what finished units of an interrupted run have made: the
same command again takes it over; unless another run began later and finished the dataset. A run on
another engine whose command was interrupted may still be writing: nothing goes until you say with
--ended that its job is over.
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "clean",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dataset", help="output folder of a command")
    parser.add_argument("--dry-run", action="store_true", help="only print what would go")
    parser.add_argument(
        "--ended",
        action="append",
        default=[],
        metavar="RUN",
        help="a run that you know has ended, though it has not said so; repeatable",
    )
    parser.set_defaults(execute=Deferred("clean"))
