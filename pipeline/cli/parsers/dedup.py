"""Options of `roving dedup`."""

from __future__ import annotations

import argparse

from pipeline.cli.options import (
    Deferred,
    add_engine_options,
    add_foreign_option,
    add_recipe_options,
)
from pipeline.deduplication import methods

DESCRIPTION = "`roving dedup METHOD`: remove what documents datasets have more than once."
EPILOG = """\
examples:
  roving dedup minhash --input out/wikipedia --output out/deduplicated
  roving dedup exact --input out/wikipedia --input out/c4 --input out/commoncrawl \\
      --output out/deduplicated --workers 4
  roving dedup minhash --input old=out/2019 --input new=out/2020 --output out/new \\
      --set deduplication.minhash.threshold=0.7

Datasets are compared with each other as well as within; of two copies the one in the dataset named
first stays. Each is written anew to OUTPUT/LABEL, with what was dropped and why; LABEL is the
folder's name unless given. Their manifests say what each dataset shares with each and what was
repeated most. A document that has duplicates carries the signals METHOD_cluster (where the copy
is that stayed) and METHOD_cluster_size.
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    listed = "\n".join(f"  {name:<12}{methods.summary_of(name)}" for name in methods.names())
    parser = commands.add_parser(
        "dedup",
        description=f"{DESCRIPTION}\n\nmethods:\n{listed}",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("method", metavar="METHOD", help="see above")
    parser.add_argument(
        "--input",
        action="append",
        required=True,
        metavar="[LABEL=]DATASET",
        help="folder of a documents dataset; repeat for more, in order of priority",
    )
    parser.add_argument("--output", required=True, help="folder of the deduplicated datasets")
    add_foreign_option(parser)
    add_recipe_options(parser, "deduplication.minhash.threshold=0.7")
    add_engine_options(parser)
    parser.set_defaults(execute=Deferred("dedup"), accepts_engine_options=True)
