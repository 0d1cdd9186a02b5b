"""Does memory stay flat? The same files once and ten times, through every pass of CommonCrawl.

    python benchmarks/memory.py --input CRAWL [--copies 2] [--factor 10]

Prints the largest process of `roving run commoncrawl` (without the models that the input would have
to be trained for) at N and at `factor` times N files. The goal: below 1.5 GB a worker, and flat.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from common import grow_input, measure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", type=Path, required=True, help="folder with WARC or WET files")
    parser.add_argument("--pattern", default="*.warc.wet.gz", help="files that are taken")
    parser.add_argument("--copies", type=int, default=2, help="how often each file is taken")
    parser.add_argument("--factor", type=int, default=10)
    parsed = parser.parse_args()
    peaks = []
    for copies in (parsed.copies, parsed.copies * parsed.factor):
        with tempfile.TemporaryDirectory() as folder:
            size = grow_input(parsed.input, parsed.pattern, copies, Path(folder, "input"))
            command = [sys.executable, "-m", "pipeline", "run", "commoncrawl"]
            command += ["--input", str(Path(folder, "input"))]
            command += ["--output", str(Path(folder, "output"))]
            command += ["--set", "commoncrawl.perplexity.enabled=false"]
            command += ["--set", "commoncrawl.reference_quality.enabled=false"]
            used = measure(command)
        peaks.append(used.peak)
        print(f"{size / 1e6:8.1f} MB of input: peak {used.peak:.0f} MB, CPU {used.cpu:.1f} s")
    print(f"ratio of peaks: {peaks[1] / peaks[0]:.2f}")


if __name__ == "__main__":
    main()
