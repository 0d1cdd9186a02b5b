"""MinHash deduplication at scale: from signatures to clusters, through Beam, in flat memory.

    python benchmarks/minhash_scale.py --documents 10_000_000 --folder SCRATCH

Writes synthetic signatures and band keys (30 % of the documents are near-duplicates of another one,
similarity 0.7 to 1; one document has as many copies as a unit has documents), then decides on them
in a process of its own, and prints CPU per document, peak memory, and what of it was found: how
many of the near-duplicates by their estimated similarity. 10 million documents take 7 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

import numpy as np
from common import measure
from numpy.typing import NDArray

from pipeline.cli.options import DEFAULT_RECIPE
from pipeline.deduplication.decision_files import array_bytes
from pipeline.deduplication.deduplicator import Deduplicator
from pipeline.deduplication.key_units import KeyUnit, KeyUnits, write_key_units
from pipeline.deduplication.methods.minhash import METHOD, MinHashKeys, band_block
from pipeline.passes.engine import Engine
from pipeline.passes.run import running
from pipeline.recipe import load_recipe
from pipeline.store.accounting import read_json, write_json
from pipeline.store.files import write_bytes

UNITS, COUNTS = "units.parquet", "counts.json"
REPEATED = 0.3
RECIPE = load_recipe(DEFAULT_RECIPE)


def signatures_of(identities: NDArray[np.uint64], permutations: int) -> NDArray[np.uint32]:
    """Random values that depend on the identity alone, shape [documents, permutations]."""
    values = identities[:, None] * np.uint64(0x9E3779B97F4A7C15)
    values = values + np.arange(permutations, dtype=np.uint64) * np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(31)
    values *= np.uint64(0x94D049BB133111EB)
    return (values >> np.uint64(32)).astype(np.uint32)


def write_units(folder: Path, documents: int, units: int) -> None:
    """Signatures and keys, as a pass over documents would leave them."""
    shutil.rmtree(folder, ignore_errors=True)
    size = documents // units
    found_units, keys = [], 0
    maker = MinHashKeys(RECIPE.deduplication.minhash)
    permutations = maker.settings.permutations
    for unit in range(units):
        generator = np.random.default_rng(unit)
        identities = np.arange(unit * size, (unit + 1) * size, dtype=np.uint64)
        copies = np.flatnonzero(generator.random(size) < REPEATED)
        identities[copies] = generator.integers(0, documents, len(copies))
        hot = generator.integers(0, size, max(1, size // units))
        identities[hot] = 0
        found = signatures_of(identities, permutations)
        for row in copies:
            other = generator.random(permutations) < generator.random() * 0.3
            found[row, other] = generator.integers(0, 1 << 32, int(other.sum()))
        block = band_block(maker.hasher, found, np.arange(size, dtype=np.uint32))
        written = {
            "keys/minhash": block.to_bytes(),
            "keys/minhash-signatures": array_bytes(found),
            "keys/minhash-ranks": array_bytes(np.zeros(size, np.uint32)),
        }
        paths = {kind: str(folder / kind / f"{unit:05}") for kind in written}
        for kind, data in written.items():
            write_bytes(paths[kind], data)
        found_units.append(KeyUnit(f"{unit:05}", files=paths))
        keys += len(block)
    write_key_units(str(folder / UNITS), found_units)
    write_json(str(folder / COUNTS), {"units": units, "keys": keys})


def decide(folder: Path) -> None:
    """The measured work."""
    settings = RECIPE.deduplication.minhash
    counts, output = read_json(str(folder / COUNTS)), str(folder / "out")
    with running(Engine(), output) as run:
        work = Deduplicator(
            KeyUnits(str(folder / UNITS), counts["units"]),
            {0: counts["keys"]},
            MinHashKeys(settings),
            output,
            "minhash",
            run,
            RECIPE.run.partition_bytes,
        )
        summary = METHOD.decide(work, settings, "benchmark").summary
    found = {"members": summary.members, "clusters": summary.groups}
    print(json.dumps({**found, "largest": summary.most_repeated[0][0]}), file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="scratch folder; is emptied")
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--units", type=int, default=100)
    parser.add_argument("--decide", action="store_true", help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    folder = parsed.folder / "minhash_scale"
    if parsed.decide:
        decide(folder)
        return
    write_units(folder, parsed.documents, parsed.units)
    used = measure([sys.executable, __file__, "--decide", "--folder", str(parsed.folder)])
    each = used.cpu / parsed.documents * 1e6
    print(f"{parsed.documents:,} documents in {parsed.units} units: {used.cpu:.1f} CPU s,")
    print(f"  {each:.2f} us per document, peak {used.peak:.0f} MB")


if __name__ == "__main__":
    main()
