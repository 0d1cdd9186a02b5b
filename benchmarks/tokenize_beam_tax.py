"""What Beam costs `roving tokenize`: the same units in a plain loop and through Beam.

    python benchmarks/tokenize_beam_tax.py --documents out/books --tokenizer models/tokenizer \
        [--copies 4] [--rounds 3]

One process, rounds alternating, the encoder warm in both. Prints the ratio of CPU seconds; the goal
is at most 1.10.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

from common import grow_input

from pipeline.deduplication.step import find_documents
from pipeline.passes.engine import Engine
from pipeline.passes.run import running
from pipeline.recipe import load_recipe
from pipeline.store.commit import Place
from pipeline.tokens.encode import TokenPass
from tokenizer.folder import tokenizer_identity

RECIPE = str(Path(__file__).resolve().parents[1] / "recipes" / "llama1.toml")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=Path, required=True, help="a documents dataset")
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--copies", type=int, default=4, help="how often each shard is taken")
    parser.add_argument("--rounds", type=int, default=3)
    parsed = parser.parse_args()
    settings = load_recipe(RECIPE).tokens
    identity = tokenizer_identity(parsed.tokenizer)
    seconds: dict[str, list[float]] = {"plain": [], "beam": []}
    with tempfile.TemporaryDirectory() as folder:
        copies = Path(folder, "input")
        grow_input(parsed.documents / "documents", "*.parquet", parsed.copies, copies / "documents")
        units = find_documents(str(copies), "copies", Place(folder, "copies"), foreign=True).units
        for number in range(-1, parsed.rounds):
            for way, taken in seconds.items():
                output = str(Path(folder, f"{way}{number}"))
                with running(Engine(), output) as run:
                    place = run.place(output, "tokens", is_last=True)
                    work = TokenPass("copies", place, parsed.tokenizer, identity, settings)
                    started = time.process_time()
                    if way == "plain":
                        for unit in units:
                            work.make(unit)
                    else:
                        run.run_units(work, units)
                    # The first round fills the encoder's cache.
                    if number >= 0:
                        taken.append(time.process_time() - started)
    for way, values in seconds.items():
        print(f"{way:<6} CPU seconds: " + " ".join(f"{value:.2f}" for value in values))
    print(f"Beam / plain: {median(seconds['beam']) / median(seconds['plain']):.3f} (goal: <= 1.10)")


if __name__ == "__main__":
    main()
