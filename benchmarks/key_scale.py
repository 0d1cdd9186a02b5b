"""Exact and paragraph deduplication at scale: from key blocks to decision files, through Beam.

    python benchmarks/key_scale.py --keys 100_000_000 --folder SCRATCH
    python benchmarks/key_scale.py --keys 40_000_000 --hot 0.5 --folder SCRATCH

Writes synthetic key blocks (uniform 64-bit keys; a share of them occurs about three times; one key
is in every unit a hundred times, or, with `--hot`, in that share of its rows, as a line of every
page is), decides on them in a process of its own, and prints its CPU time per key and its peak
memory, start-up included. Beside it, in the same run, what a plain Python set takes for a part of
the same keys. The blocks are left in the folder until the next run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
from common import measure

from dedup.decisions import REMOVED, removed_rows
from dedup.key_blocks import KeyBlock, read_range
from pipeline.deduplication.key_units import KeyUnit, KeyUnits, write_key_units
from pipeline.deduplication.shuffle import Comparison, compare
from pipeline.passes.engine import Engine
from pipeline.passes.run import running
from pipeline.store.accounting import read_json, write_json
from pipeline.store.files import write_bytes

UNITS, COUNTS = "units.parquet", "counts.json"
HOT = np.uint64(0x0123456789ABCDEF)
HOT_COPIES = 100


def write_blocks(folder: Path, keys: int, units: int, repeated: float, hot: float) -> None:
    """Key blocks of `keys` keys in all, as a pass over documents would leave them."""
    shutil.rmtree(folder, ignore_errors=True)
    found, entries, size = [], 0, keys // units
    for unit in range(units):
        generator = np.random.default_rng(unit)
        copies = max(HOT_COPIES, int(size * hot))
        common = generator.integers(0, int(keys * repeated / 3), int((size - copies) * repeated))
        own = generator.integers(0, 1 << 64, size - len(common) - copies, dtype=np.uint64)
        # Multiplication by an odd number spreads small numbers over the key space.
        mixed = common.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C55)
        block = KeyBlock.of(
            np.concatenate([mixed, own, np.full(copies, HOT)]), np.arange(size, dtype=np.uint32)
        )
        path = str(folder / "keys" / f"{unit:05}")
        write_bytes(path, block.to_bytes())
        entries += block.entries("key")
        found.append(KeyUnit(f"{unit:05}", files={"keys/synthetic": path}))
    write_key_units(str(folder / UNITS), found)
    write_json(str(folder / COUNTS), {"units": units, "keys": entries})


def decide(folder: Path) -> None:
    """The measured work."""
    counts, output = read_json(str(folder / COUNTS)), str(folder / "out")
    with running(Engine(), output) as run:
        work = Comparison(
            KeyUnits(str(folder / UNITS), counts["units"]),
            "synthetic",
            partial(removed_rows, policy="keep_first"),
            REMOVED,
            run.place(output, "decisions"),
            16 << 20,
        )
        summary = compare(work, {0: counts["keys"]}, "benchmark", run).summary
    print(json.dumps({"removed": summary.members - summary.groups}))


def python_set(folder: Path, keys: int) -> tuple[float, int]:
    """CPU seconds, and keys looked at, of `key in seen` over the first units."""
    seen: set[int] = set()
    looked, seconds = 0, 0.0
    for path in sorted((folder / "keys").iterdir()):
        with path.open("rb") as file:
            found = read_range(file, range(1), 0).keys.tolist()
        started = time.process_time()
        removed = []
        for row, key in enumerate(found):
            if key in seen:
                removed.append(row)
            else:
                seen.add(key)
        seconds += time.process_time() - started
        looked += len(found)
        if looked >= keys:
            break
    return seconds, looked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="scratch folder; is emptied")
    parser.add_argument("--keys", type=int, default=20_000_000)
    parser.add_argument("--units", type=int, default=100)
    parser.add_argument("--repeated", type=float, default=0.3, help="share of repeated keys")
    parser.add_argument("--hot", type=float, default=0.0, help="share of rows with one key")
    parser.add_argument("--decide", action="store_true", help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    folder = parsed.folder / "key_scale"
    if parsed.decide:
        decide(folder)
        return
    write_blocks(folder, parsed.keys, parsed.units, parsed.repeated, parsed.hot)
    command = [sys.executable, __file__, "--decide", "--folder", str(parsed.folder)]
    used = measure(command)
    idle = measure([sys.executable, "-c", "import apache_beam, pipeline.deduplication.shuffle"])
    seconds, looked = python_set(folder, min(parsed.keys, 5_000_000))
    nanoseconds, working = (cpu / parsed.keys * 1e9 for cpu in (used.cpu, used.cpu - idle.cpu))
    print(f"{parsed.keys:,} keys in {parsed.units} units: {used.cpu:.1f} CPU s, {used.peak:.0f} MB")
    print(f"  {nanoseconds:.0f} ns per key, {working:.0f} without start-up")
    print(f"a Python set over {looked:,} of them: {seconds / looked * 1e9:.0f} ns per key")
    print(f"a billion keys at this cost: {nanoseconds / 60:.0f} CPU minutes, the same memory")


if __name__ == "__main__":
    main()
