"""Options of `roving run`."""

from __future__ import annotations

import argparse

from pipeline.cli.options import Deferred, add_engine_options, add_recipe_options
from pipeline.registry import summaries

DESCRIPTION = "`roving run SOURCE`: raw input to a finished dataset."

EPILOG = """\
examples:
  roving run wikipedia --input dumps/ --output out/wikipedia
  roving run commoncrawl --input crawl/ --output out/cc --workers 4 \\
      --set commoncrawl.perplexity.enabled=false --set 'commoncrawl.language.keep=["en","de"]'
  roving run commoncrawl --input-list warc.paths.gz --base s3://commoncrawl --output out/cc
  roving run commoncrawl --input gs://b/crawl --output gs://b/out --runner DataflowRunner \\
      --project p --region r --temp_location gs://b/tmp

The same command again continues an interrupted run. OUTPUT/documents holds what was kept,
OUTPUT/rejected what was dropped and why, OUTPUT/manifest.json is written last.
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    sources = "\n".join(f"  {name:<14}{what}" for name, what in summaries().items())
    parser = commands.add_parser(
        "run",
        description=f"{DESCRIPTION}\n\nsources, and what they are made of:\n{sources}",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="SOURCE", help="see above")
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument(
        "--input",
        action="append",
        metavar="FOLDER",
        help="folder (or file) with the raw files; repeat for more",
    )
    given.add_argument(
        "--input-list",
        metavar="FILE",
        help="names of raw files below --base, a line each, as in Common Crawl's warc.paths.gz",
    )
    parser.add_argument("--base", metavar="URL", help="what the names of --input-list stand below")
    parser.add_argument("--output", required=True, help="folder of the dataset")
    add_recipe_options(parser, "commoncrawl.length.minimum_characters=200")
    add_engine_options(parser)
    parser.set_defaults(execute=Deferred("run"), accepts_engine_options=True)
