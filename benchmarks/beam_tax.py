"""What Beam costs: the same units through the same functions, in a plain loop and through Beam.

    python benchmarks/beam_tax.py --input DUMPS [--copies 4] [--rounds 3]

Wikipedia's pass (read, page filter, wikitext, Parquet), in one process, rounds alternating. Prints
the ratio of CPU seconds; the goal is at most 1.10.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from common import grow_input

from pipeline.job import Job
from pipeline.passes.documents_pass import DocumentsPass
from pipeline.passes.engine import Engine
from pipeline.passes.run import running
from pipeline.passes.stages import apply_stage, read_unit
from pipeline.passes.writer import UnitWriter
from pipeline.recipe import load_recipe
from pipeline.sources.run import plan
from pipeline.sources.wikipedia import source as wikipedia
from pipeline.store.commit import with_identity
from pipeline.store.inputs import Inputs
from pipeline.store.units import Unit

RECIPE = str(Path(__file__).resolve().parents[1] / "recipes" / "llama1.toml")


def plain_loop(work: DocumentsPass, units: list[Unit], source: wikipedia.ReadDump) -> None:
    """The pass without Beam."""
    for unit in map(with_identity, units):
        writer = UnitWriter(unit, work.place, work.writer)
        for batch in read_unit(unit, source, work.batching):
            for stage in work.stages:
                apply_stage(stage, batch, work.batching)
            writer.add(batch)
            if batch.is_last:
                writer.commit(batch, work.fingerprint)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", type=Path, required=True, help="folder with MediaWiki dumps")
    parser.add_argument("--copies", type=int, default=4, help="how often each dump is taken")
    parser.add_argument("--rounds", type=int, default=3)
    parsed = parser.parse_args()
    seconds: dict[str, list[float]] = {"plain": [], "beam": []}
    with tempfile.TemporaryDirectory() as folder:
        grow_input(parsed.input, "*.xml.bz2", parsed.copies, Path(folder, "input"))
        recipe = load_recipe(RECIPE)
        settings = wikipedia.SOURCE.section(recipe)
        inputs = Inputs((str(Path(folder, "input")),))
        units, _ = wikipedia.find_units(inputs, settings)
        for number in range(parsed.rounds):
            for way, taken in seconds.items():
                output = str(Path(folder, f"{way}{number}"))
                with running(Engine(), output) as run:
                    job = Job("wikipedia", inputs, output, recipe, run)
                    place = job.place("wikipedia", is_last=True)
                    work = replace(plan(wikipedia.SOURCE, job, units).first, place=place)
                    work.check()  # what a run does once is in neither
                    started = time.process_time()
                    if way == "plain":
                        plain_loop(work, units, wikipedia.ReadDump(settings.input))
                    else:
                        run.run_units(work, units)
                    taken.append(time.process_time() - started)
    for way, values in seconds.items():
        print(f"{way:<6} CPU seconds: " + " ".join(f"{value:.2f}" for value in values))
    print(f"Beam / plain: {median(seconds['beam']) / median(seconds['plain']):.3f} (goal: <= 1.10)")


if __name__ == "__main__":
    main()
