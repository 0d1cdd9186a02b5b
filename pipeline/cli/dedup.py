"""`roving dedup METHOD`: remove what documents datasets have more than once."""

from __future__ import annotations

import argparse
from dataclasses import replace

from pipeline.cli.options import (
    add_engine_options,
    add_foreign_option,
    add_recipe_options,
    engine_of,
    is_foreign,
    labelled,
    output_for,
)
from pipeline.deduplication.step import Step, find_documents
from pipeline.job import Job
from pipeline.passes.run import running
from pipeline.recipe import load_recipe
from pipeline.store.inputs import Inputs

METHODS = {
    "exact": "documents with the same text, or the same words",
    "digest": "documents made from the same content: a crawled page, a file",
    "url": "documents of the same address",
    "paragraphs": "paragraphs (lines) that CCNet takes for equal",
    "lines": "lines that C4 takes for equal",
    "minhash": "documents that are nearly the same",
    "overlap": "documents of which one holds most of the other (books)",
}

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
    methods = "\n".join(f"  {name:<12}{what}" for name, what in METHODS.items())
    parser = commands.add_parser(
        "dedup",
        description=f"{__doc__}\n\nmethods:\n{methods}",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("method", choices=tuple(METHODS), metavar="METHOD", help="see above")
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
    parser.set_defaults(execute=execute, accepts_engine_options=True)


def execute(parsed: argparse.Namespace, engine_options: list[str]) -> int:
    """Run one method."""
    engine = engine_of(parsed, engine_options)
    inputs = labelled(parsed.input)
    recipe = load_recipe(parsed.recipe, parsed.set)
    outputs = {label: output_for(folder, parsed.output, label) for label, folder in inputs.items()}
    with running(engine, parsed.output) as run:
        datasets = tuple(
            find_documents(
                folder,
                label,
                run.place(outputs[label], parsed.method, is_last=True),
                foreign=is_foreign(folder, allowed=parsed.foreign),
            )
            for label, folder in inputs.items()
        )
        job = Job(
            source="deduplication",
            input=Inputs(()),
            output=parsed.output,
            recipe=recipe,
            run=run,
            keep_rejected_text=parsed.keep_rejected_text,
        )
        own = {label: replace(job, output=folder) for label, folder in outputs.items()}
        for written in Step(job, parsed.method, datasets, parsed.method).run():
            done = {
                "method": parsed.method,
                "inputs": list(inputs),
                "deduplication": [written.report.to_json()],
            }
            own[written.dataset.label].complete(written.fingerprint, written.result, [], done)
        run.clean(parsed.output)
    return 0
