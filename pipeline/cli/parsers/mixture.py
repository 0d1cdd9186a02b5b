"""Options of `roving mixture`."""

from __future__ import annotations

import argparse
import re

from pipeline.cli.options import Deferred, add_recipe_options

DESCRIPTION = "`roving mixture plan`: what a token budget means for each source."
EPILOG = """\
examples:
  roving mixture plan out/tokens
  roving mixture plan out/tokens --tokens 200B --set mixture.shares.books=0.1
  roving mixture plan out/tokens/books out/tokens/c4 --tokens 5M --window 256

The shares are those of the recipe's [mixture.shares], by source, in tokens: LLaMA's Table 1 unless
you give others. Epochs say how often each token is read; a fraction below 1 means that some are
not. Nothing is written.
"""

_SCALES = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("mixture")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    planning = actions.add_parser(
        "plan",
        help="tokens available, share, and epochs needed, per source",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    planning.add_argument(
        "tokens_folder",
        nargs="+",
        metavar="FOLDER",
        help="a token dataset, or a folder of token datasets",
    )
    planning.add_argument(
        "--tokens",
        type=token_count,
        metavar="N",
        help="budget, as 1400000000000 or 1.4T (default: the recipe's mixture.tokens)",
    )
    planning.add_argument(
        "--window", type=int, default=2048, help="tokens of a training window (default: 2048)"
    )
    add_recipe_options(planning, "mixture.shares.books=0.1")
    planning.set_defaults(execute=Deferred("mixture"))


def token_count(text: str) -> int:
    """A number of tokens as people write it: 5_000_000, 300M, 1.4T."""
    match = re.fullmatch(r"([\d_]+(?:\.\d+)?)([KMBT]?)", text.strip(), re.IGNORECASE)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of tokens; write 5000000 or 1.4T")
    tokens = round(float(match[1]) * _SCALES[match[2].upper()])
    if not tokens:
        raise argparse.ArgumentTypeError("a budget must have at least one token")
    return tokens
