"""`roving run SOURCE`: raw input to a finished dataset."""

from __future__ import annotations

import argparse
import importlib

from pipeline.cli.options import add_engine_options, add_recipe_options, engine_of
from pipeline.errors import InputError
from pipeline.job import Job
from pipeline.passes.run import running
from pipeline.recipe import load_recipe
from pipeline.store.inputs import Inputs

SOURCES = ("commoncrawl", "c4", "github", "wikipedia", "books", "arxiv", "stackexchange")

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
    parser = commands.add_parser(
        "run",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", choices=SOURCES, help="which source the input is")
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
    parser.set_defaults(execute=execute, accepts_engine_options=True)


def _inputs(parsed: argparse.Namespace) -> Inputs:
    if (parsed.input_list is None) != (parsed.base is None):
        raise InputError("--input-list and --base go together: names, and what they stand below")
    if parsed.input_list is not None:
        return Inputs((), parsed.input_list, parsed.base)
    return Inputs(tuple(parsed.input))


def execute(parsed: argparse.Namespace, engine_options: list[str]) -> int:
    """Run a source."""
    engine = engine_of(parsed, engine_options)
    source = importlib.import_module(f"pipeline.sources.{parsed.source}")
    recipe = load_recipe(parsed.recipe, parsed.set)
    with running(engine, parsed.output) as run:
        source.run(
            Job(
                source=parsed.source,
                input=_inputs(parsed),
                output=parsed.output,
                recipe=recipe,
                run=run,
                keep_rejected_text=parsed.keep_rejected_text,
            )
        )
    return 0
