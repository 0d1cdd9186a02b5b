"""Encoding: Roving's encoder, SentencePiece itself, and Hugging Face `tokenizers`, in one run.

    python benchmarks/encoding.py --documents out/wikipedia out/books \
        --tokenizer models/tokenizer [--rounds 3]

Texts are the documents of the datasets, in order; every round starts with an encoder that knows
nothing. Prints MB of UTF-8 per CPU second and the ratio to plain SentencePiece, one text at a time
and one thread each; the goal is at least 1.8. Ids are compared on every document. `tokenizers`,
where it is installed, encodes with the folder's `tokenizer.json`, in batches.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import sentencepiece

from pipeline.recipe import load_recipe
from pipeline.store.dataset import Dataset
from tokenizer.encoder import Encoded, Encoder
from tokenizer.folder import MODEL_FILE

RECIPE = str(Path(__file__).resolve().parents[1] / "recipes" / "llama1.toml")
Ids = list[list[int]]


def read_batches(folders: Sequence[str], size: int) -> list[list[str]]:
    """The texts of documents datasets, cut as `roving tokenize` cuts them."""
    batches: list[list[str]] = [[]]
    held = 0
    for folder in folders:
        for shard in Dataset(folder).shards:
            for text in pq.read_table(shard.path, columns=["text"]).column("text").to_pylist():
                if held >= size:
                    batches.append([])
                    held = 0
                batches[-1].append(text)
                held += len(text.encode())
    return batches


def timed(encode: Callable[[], Ids]) -> tuple[float, Ids]:
    started = time.process_time()
    ids = encode()
    return time.process_time() - started, ids


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", nargs="+", required=True)
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder of a tokenizer")
    parser.add_argument("--rounds", type=int, default=3)
    parsed = parser.parse_args()
    os.environ["RAYON_NUM_THREADS"] = "1"
    settings = load_recipe(RECIPE).tokens
    batches = read_batches(parsed.documents, settings.batch_bytes)
    megabytes = sum(len(text.encode()) for batch in batches for text in batch) / 1e6
    processor = sentencepiece.SentencePieceProcessor(model_file=str(parsed.tokenizer / MODEL_FILE))
    arrays = [pa.array(batch, pa.string()) for batch in batches]
    encoded: list[Encoded] = []

    def ours() -> Ids:
        encoder = Encoder(str(parsed.tokenizer), cache_bytes=settings.cache_bytes)
        encoded[:] = [encoder.encode(array) for array in arrays]
        return []

    def plain() -> Ids:
        return [processor.encode(text) for batch in batches for text in batch]

    ways: dict[str, Callable[[], Ids]] = {"sentencepiece": plain, "roving": ours}
    if find_spec("tokenizers"):
        import tokenizers  # noqa: PLC0415  (a peer, if there is one)

        peer = tokenizers.Tokenizer.from_file(str(parsed.tokenizer / "tokenizer.json"))
        ways["tokenizers"] = lambda: [
            one.ids
            for batch in batches
            for one in peer.encode_batch(batch, add_special_tokens=False)
        ]
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    expected: Ids = []
    for _ in range(parsed.rounds):
        for name, encode in ways.items():
            taken, ids = timed(encode)
            seconds[name].append(taken)
            if name == "sentencepiece":
                expected = ids
    found = [
        ids.tolist()
        for batch in encoded
        for ids in np.split(batch.ids, np.cumsum(batch.lengths)[:-1])
    ]
    differing = sum(one != other for one, other in zip(found, expected, strict=True))
    print(f"{megabytes:.1f} MB in {len(expected):,} documents; ids differ in {differing}")
    for name, taken in seconds.items():
        rate = megabytes / median(taken)
        ratio = median(seconds["sentencepiece"]) / median(taken)
        print(f"{name:<14}{rate:7.1f} MB per CPU second, {ratio:.2f} times sentencepiece")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"largest process {peak:,.0f} MB")


if __name__ == "__main__":
    main()
