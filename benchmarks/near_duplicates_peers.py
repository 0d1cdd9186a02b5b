"""The peers' side of `near_duplicates.py`, run by an interpreter that has the peer.

    python near_duplicates_peers.py TOOL DOCUMENTS.jsonl OUTPUT.json

OUTPUT gets `removed` (ids) and, where the tool has them, `clusters` (lists of ids; single documents
left out). Every tool is set for a threshold of 0.7 with word 5-grams and 112 to 128 permutations,
as its documentation has it. datasketch and rensa leave shingles to the user: they get those of the
set's rule. datatrove and text-dedup cut words by their own rules.
"""

# An environment need not have every peer.
# ruff: noqa: PLC0415

from __future__ import annotations

import json
import re
import struct
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

THRESHOLD, PERMUTATIONS, SHINGLE_WORDS = 0.7, 128, 5
WORD = re.compile(r"\w+")
Result = dict[str, Any]


def read_documents(path: Path) -> Iterator[tuple[str, str]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            yield record["id"], record["text"]


def shingles(text: str) -> set[str]:
    """Five words in a row; a shorter text is one shingle."""
    words = WORD.findall(text.lower())
    count = max(1, len(words) - SHINGLE_WORDS + 1)
    return {" ".join(words[start : start + SHINGLE_WORDS]) for start in range(count)}


def connect(matches: Iterable[tuple[str, Iterable[str]]]) -> Result:
    """Clusters of documents given with earlier ones that they match; the first of each stays."""
    parent: dict[str, str] = {}

    def find(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for name, others in matches:
        parent[name] = name
        for other in others:
            parent[find(name)] = find(other)
    members: dict[str, list[str]] = {}
    for name in parent:
        members.setdefault(find(name), []).append(name)
    clusters = [names for names in members.values() if len(names) > 1]
    return {"removed": [name for names in clusters for name in names[1:]], "clusters": clusters}


def run_datasketch(path: Path) -> Result:
    """MinHash.update_batch, then MinHashLSH: query, then insert."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)

    def matches() -> Iterator[tuple[str, list[str]]]:
        for name, text in read_documents(path):
            sketch = MinHash(num_perm=PERMUTATIONS)
            sketch.update_batch([shingle.encode() for shingle in shingles(text)])
            yield name, index.query(sketch)
            index.insert(name, sketch, check_duplication=False)

    return connect(matches())


def run_rensa_index(path: Path) -> Result:
    """RMinHash, then RMinHashLSH with 16 bands: query, then insert."""
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=16)

    def matches() -> Iterator[tuple[str, list[str]]]:
        names: list[str] = []
        for name, text in read_documents(path):
            sketch = RMinHash(num_perm=PERMUTATIONS, seed=42)
            sketch.update(list(shingles(text)))
            yield name, [names[key] for key in index.query(sketch)]
            index.insert(len(names), sketch)
            names.append(name)

    return connect(matches())


def run_rensa_deduplicator(path: Path) -> Result:
    """RMinHashDeduplicator, which compares signatures of candidates with the threshold."""
    from rensa import RMinHash, RMinHashDeduplicator

    seen = RMinHashDeduplicator(threshold=THRESHOLD, num_perm=PERMUTATIONS, use_lsh=True)
    removed = []
    for name, text in read_documents(path):
        sketch = RMinHash(num_perm=PERMUTATIONS, seed=42)
        sketch.update(list(shingles(text)))
        if not seen.add(name, sketch):
            removed.append(name)
    return {"removed": removed}


def run_rensa_flags(path: Path) -> Result:
    """The one-shot form: a matrix of signatures, flags of rows that have a duplicate."""
    from rensa import RMinHash, RMinHashLSH

    names, sets = [], []
    for name, text in read_documents(path):
        names.append(name)
        sets.append([shingle.encode() for shingle in shingles(text)])
    matrix = RMinHash.digest_matrix_from_token_byte_sets(sets, PERMUTATIONS, 42)
    index = RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=16)
    flags = index.query_duplicate_flags_matrix_one_shot(matrix)
    return {"removed": [name for name, flag in zip(names, flags, strict=True) if flag]}


def run_datatrove(path: Path) -> Result:
    """The four steps with their defaults: English spaCy words, 14 buckets of 8 hashes."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter

    config = MinhashConfig()
    with tempfile.TemporaryDirectory() as folder:

        def step(number: int, stages: list[Any], tasks: int = 1) -> None:
            logs = f"{folder}/logs{number}"
            LocalPipelineExecutor(stages, tasks=tasks, workers=1, logging_dir=logs).run()

        reader = JsonlReader(str(path.parent), glob_pattern=path.name)
        step(1, [reader, MinhashDedupSignature(f"{folder}/1", config)])
        step(2, [MinhashDedupBuckets(f"{folder}/1", f"{folder}/2", config=config)], tasks=14)
        cluster = MinhashDedupCluster(f"{folder}/2", f"{folder}/3", config, save_cluster_id=True)
        step(3, [cluster])
        removed = JsonlWriter(f"{folder}/removed", compression=None)
        kept = JsonlWriter(f"{folder}/kept", compression=None)
        step(4, [reader, MinhashDedupFilter(f"{folder}/3", exclusion_writer=removed), kept])

        files = sorted(Path(folder, "removed").glob("*.jsonl"))
        gone = [name for file in files for name, _ in read_documents(file)]
        clusters: dict[int, list[str]] = {}
        names = [name for name, _ in read_documents(path)]
        for file in Path(folder, "3").glob("*.clusters"):
            for line, number in struct.iter_unpack("<II", file.read_bytes()):
                clusters.setdefault(number, []).append(names[line])
    return {"removed": gone, "clusters": list(clusters.values())}


def run_text_dedup(path: Path) -> Result:
    """The command `minhash` in this process, with the faster of its hashes."""
    from datasets import load_from_disk
    from text_dedup import minhash

    with tempfile.TemporaryDirectory() as folder:
        options = {
            "path": "json",
            "data_files": path,
            "split": "train",
            "cache_dir": f"{folder}/cache",
            "output": f"{folder}/kept",
            "column": "text",
            "ngram": SHINGLE_WORDS,
            "num_perm": PERMUTATIONS,
            "threshold": THRESHOLD,
            "hash_func": "xxh3",
            "num_proc": 1,
        }
        arguments = [part for key, value in options.items() for part in (f"--{key}", str(value))]
        minhash.main(arguments, standalone_mode=False)
        kept = set(load_from_disk(f"{folder}/kept")["id"])
    names = [name for name, _ in read_documents(path)]
    clusters: dict[int, list[str]] = {}
    for row, name in enumerate(names):
        clusters.setdefault(minhash.uf.find(row), []).append(name)
    return {
        "removed": [name for name in names if name not in kept],
        "clusters": [members for members in clusters.values() if len(members) > 1],
    }


TOOLS: dict[str, Callable[[Path], Result]] = {
    "datasketch": run_datasketch,
    "rensa-index": run_rensa_index,
    "rensa-deduplicator": run_rensa_deduplicator,
    "rensa-flags": run_rensa_flags,
    "datatrove": run_datatrove,
    "text-dedup": run_text_dedup,
}


if __name__ == "__main__":
    tool, documents, output = sys.argv[1:]
    try:
        result = TOOLS[tool](Path(documents))
    except ModuleNotFoundError as missing:
        sys.exit(f"{missing.name} is not installed: near_duplicates.py says how to install {tool}")
    Path(output).write_text(json.dumps(result), encoding="utf-8")
