"""One worker against two: wall time, and the same bytes.

    python benchmarks/workers.py --input DUMPS [--copies 80] [--rounds 1]
    python benchmarks/workers.py --source commoncrawl --input CRAWL --pattern 'web*.warc.gz'

`roving run SOURCE` as a user calls it (CommonCrawl without the models that would have to be made),
start-up included. Prints the speed-up; the goal is 1.8. Run it where two cores are idle. Cores
share caches and memory, so it also prints what the machine allows: the speed-up of two separate
runs of one worker, side by side, each on the whole input.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from common import grow_input, measure

from pipeline.store.dataset import Dataset


def same_bytes(one: Path, two: Path) -> bool:
    """Whether the files of two datasets are equal; each attempt gives them other names."""
    made = [
        {
            (record.unit, file.kind): file.sha256
            for record in Dataset(str(folder)).records()
            for file in record.files
        }
        for folder in (one, two)
    ]
    return bool(made[0]) and made[0] == made[1]


def command(parsed: argparse.Namespace, source: Path, output: Path, workers: int) -> list[str]:
    """The command line of one run."""
    words = [sys.executable, "-m", "pipeline", "run", parsed.source, "--input", str(source)]
    words += ["--output", str(output), "--workers", str(workers)]
    for stage in ("perplexity", "reference_quality"):
        words += ["--set", f"commoncrawl.{stage}.enabled=false"]
    return words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", choices=("wikipedia", "commoncrawl"), default="wikipedia")
    parser.add_argument("--input", type=Path, required=True, help="folder with raw files")
    parser.add_argument("--pattern", default="*.xml.bz2", help="files that are taken")
    parser.add_argument("--copies", type=int, default=80, help="how often each file is taken")
    parser.add_argument("--rounds", type=int, default=1)
    parsed = parser.parse_args()
    walls: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "input")
        grow_input(parsed.input, parsed.pattern, parsed.copies, source)
        for number in range(parsed.rounds):
            for workers, seconds in walls.items():
                output = Path(folder, f"output-{workers}-{number}")
                used = measure(command(parsed, source, output, workers))
                seconds.append(used.wall)
                print(f"{workers} workers: wall {used.wall:.1f} s, CPU {used.cpu:.1f} s")
        with ThreadPoolExecutor(2) as side_by_side:
            twins = [Path(folder, f"twin-{number}") for number in range(2)]
            runs = side_by_side.map(lambda to: measure(command(parsed, source, to, 1)), twins)
            slowest = max(used.wall for used in runs)
        same = same_bytes(Path(folder, "output-1-0"), Path(folder, "output-2-0"))
    print(f"speed-up: {median(walls[1]) / median(walls[2]):.2f} (goal: >= 1.8)")
    print(f"what the machine allows: {2 * median(walls[1]) / slowest:.2f}")
    print("output: " + ("the same bytes" if same else "DIFFERENT"))


if __name__ == "__main__":
    main()
