"""How fast windows of a mixture are read on one thread, against copying as many bytes.

    python benchmarks/window_reading.py [--tokens 200_000_000] [--length 2048]

Makes three sources of random tokens in shards of 20 million, reads batches of 64 windows in the
mixture's order from a warm cache, and prints tokens per second, and the ratio to one plain copy of
the same number of tokens out of one array. A trainer on one GPU takes about 0.01 to 0.1 million.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "tokenizer"))
from token_data import BOS, EOS, write_dataset

from tokenizer.mixture.windows import Mixture

SHARES = {"books": 0.6, "wikipedia": 0.3, "arxiv": 0.1}
SHARD_TOKENS = 20_000_000
DOCUMENT_TOKENS = 1000
BATCH = 64


def main() -> None:
    """Make, read, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=100_000_000)
    parser.add_argument("--length", type=int, default=2048)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        random = np.random.default_rng(0)
        datasets = {
            name: write_dataset(Path(folder, name), _shards(random, options.tokens * share))
            for name, share in SHARES.items()
        }
        mixture = Mixture(datasets, SHARES, options.length, seed=0)
        batches = np.arange(options.tokens // options.length // BATCH * BATCH).reshape(-1, BATCH)
        for batch in batches:
            mixture.read(batch)
        started = time.process_time()
        for batch in batches:
            mixture.read(batch)
        seconds = time.process_time() - started
    read = batches.size * options.length
    whole = random.integers(0, 512, read, dtype=np.uint16)
    started = time.process_time()
    for start in range(0, read, BATCH * options.length):
        whole[start : start + BATCH * options.length].copy()
    copying = time.process_time() - started
    print(
        f"{read / seconds / 1e6:,.0f} million tokens a second; "
        f"copying as many is {seconds / copying:.1f} times faster"
    )


def _shards(random: np.random.Generator, tokens: float) -> list[list[list[int]]]:
    document = [BOS, *random.integers(3, 512, DOCUMENT_TOKENS - 2).tolist(), EOS]
    count, rest = divmod(int(tokens), SHARD_TOKENS)
    sizes = [SHARD_TOKENS] * count + ([rest] if rest >= DOCUMENT_TOKENS else [])
    return [[document] * (size // DOCUMENT_TOKENS) for size in sizes]


if __name__ == "__main__":
    main()
