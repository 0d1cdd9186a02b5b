"""Training a tokenizer: memory, CPU time, and what newlines inside sentences are worth.

    .venv/bin/python benchmarks/tokenizer_training.py out/wikipedia out/github [--vocabulary 32000]

Trains twice on nine tenths of the documents: with newlines inside sentences, as the pipeline does,
and with a sentence for each line. Prints for both, of the last tenth, bytes per token by dataset.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import xxhash

from pipeline.models.training_texts import read_batches
from tokenizer.card import measure
from tokenizer.flags import llama_flags
from tokenizer.model_proto import read_model
from tokenizer.training import train

THREADS = 2
KINDS = ("newlines inside", "a line each")


def documents(folders: list[str], *, held_out: bool) -> Iterator[tuple[str, str, str]]:
    """Dataset, nothing, and text of each document."""
    for folder in folders:
        for batch in read_batches(folder, ["id", "text"]):
            for row in batch.to_pylist():
                if (xxhash.xxh3_64_intdigest(row["id"].encode()) % 10 == 0) == held_out:
                    yield Path(folder).name, "", row["text"]


def texts(folders: list[str], kind: str) -> Iterator[str]:
    """What is trained on."""
    for _, _, text in documents(folders, held_out=False):
        if kind == KINDS[0]:
            yield text
        else:
            yield from filter(None, text.split("\n"))


def run(folders: list[str], kind: str, vocabulary: int) -> None:
    """Train and measure, in a process of its own."""
    started = time.process_time()
    content = train(texts(folders, kind), llama_flags(vocabulary, THREADS))
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    held_out = documents(folders, held_out=True)
    found = measure(read_model(content), content, held_out, THREADS)
    rates = "  ".join(
        f"{name} {found.total(name).bytes / found.total(name).tokens:.3f}"
        for name in sorted(found.sources)
    )
    total = found.total().tokens
    print(f"{kind:<16}{seconds:6.1f} s CPU {peak / 1e6:8.0f} MB  {total:,} tokens  {rates}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", nargs="+")
    parser.add_argument("--vocabulary", type=int, default=32_000)
    parsed = parser.parse_args()
    size = sum(len(text.encode()) for _, _, text in documents(parsed.datasets, held_out=False))
    print(f"trained on {size:,} bytes; peak memory is the whole process's; bytes per token:")
    for kind in KINDS:
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=run, args=(parsed.datasets, kind, parsed.vocabulary))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
