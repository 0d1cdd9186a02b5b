"""Near-duplicates: accuracy, CPU time and memory beside the peers, on the same labelled set.

    PYTHONPATH=. python benchmarks/near_duplicate_set.py --data DIR --output SET
    PYTHONPATH=. python benchmarks/near_duplicates.py --set SET \\
        --peer-python PYTHON --text-dedup-python PYTHON2 [--rounds 3]

PYTHON runs an environment made with

    pip install datasketch rensa datatrove orjson spacy tokenizers regex 'xxhash<4'

and PYTHON2 one of its own, as text-dedup wants old versions of others:

    pip install text-dedup

A tool whose interpreter is not given is left out; --tools names the ones to run. Every tool runs as
a process on the same JSONL, in one run, all set for a threshold of 0.7 with word 5-grams
(`near_duplicates_peers.py` has each one's settings), and gives the ids that it removes and, if it
has them, its clusters. CPU time is user + system of the process and its children, memory the
largest process's peak; both less those of a run on two documents (imports, models; a difference
of that run's size is noise, so small sets say little of CPU time). Ours stands
twice: "ours" makes keys and decisions from shards, as datasketch and rensa do from the JSONL;
"roving dedup minhash" also writes the deduplicated dataset, as datatrove and text-dedup do.

`near_duplicate_scores.py` defines the scores. "exact" is what exact Jaccard with transitive closure
at that threshold would remove: no tool of one threshold has full marks at all three.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import near_duplicates_ours as ours
from benchmarks.common import Used
from benchmarks.near_duplicate_scores import (
    Array,
    Truth,
    count_lost,
    resolved_by_bin,
    score_pairs,
    score_removals,
    wrong_kinds,
)

PEERS = Path(__file__).with_name("near_duplicates_peers.py")
THRESHOLDS = (0.7, 0.8, 0.9)
BINS = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
# A process starts with the peak memory of the one that starts it: this one is small.
LAUNCHER = """
import json, resource, subprocess, sys, time
started = time.monotonic()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
wall = time.monotonic() - started
print(json.dumps([wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000]))
"""
Side = Callable[[Path, Path], Used]


def measure(command: Sequence[str]) -> Used:
    """Run a command to its end; ends this one, with the command's messages, if it fails."""
    launcher = [sys.executable, "-S", "-c", LAUNCHER, *command]
    done = subprocess.run(launcher, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-4000:]}")
    return Used(*json.loads(done.stdout))


def run_peer(python: str, tool: str) -> Side:
    """A run of a peer on a JSONL file that writes its result."""
    return lambda documents, output: measure(
        [python, str(PEERS), tool, str(documents), str(output)]
    )


def run_ours(documents: Path, output: Path, settings: Sequence[str]) -> Used:
    """The command `roving dedup minhash`, which also writes the documents that stay."""
    with tempfile.TemporaryDirectory() as temporary:
        dataset, deduplicated = Path(temporary, "dataset"), Path(temporary, "deduplicated")
        ours.write_dataset(documents, dataset)
        options = ["--input", f"set={dataset}", "--foreign", "--output", str(deduplicated)]
        options += [part for setting in settings for part in ("--set", setting)]
        used = measure([sys.executable, "-m", "pipeline", "dedup", "minhash", *options])
        result = ours.read_dataset_result(deduplicated / "set")
    output.write_text(json.dumps(result), encoding="utf-8")
    return used


def run_our_chain(documents: Path, output: Path, settings: Sequence[str]) -> Used:
    """Its keys and decisions alone."""
    with tempfile.TemporaryDirectory() as temporary:
        dataset, work = Path(temporary, "dataset"), Path(temporary, "work")
        ours.write_dataset(documents, dataset)
        used = measure([sys.executable, str(ours.__file__), str(dataset), str(work), *settings])
        result = ours.read_decisions(dataset, work)
    output.write_text(json.dumps(result), encoding="utf-8")
    return used


def choose_sides(arguments: argparse.Namespace) -> dict[str, Side]:
    """By name, what runs on a JSONL file and writes `removed` and perhaps `clusters` as JSON."""
    pythons = {
        "datasketch": arguments.peer_python,
        "rensa-index": arguments.peer_python,
        "rensa-deduplicator": arguments.peer_python,
        "rensa-flags": arguments.peer_python,
        "text-dedup": arguments.text_dedup_python,
        "datatrove": arguments.peer_python,
    }
    # Of two copies the first stays, as with the peers.
    settings = ("deduplication.minhash.keep=first", *arguments.setting)
    sides: dict[str, Side] = {
        "ours": partial(run_our_chain, settings=settings),
        "roving dedup minhash": partial(run_ours, settings=settings),
    }
    sides |= {tool: run_peer(python, tool) for tool, python in pythons.items() if python}
    return {name: side for name, side in sides.items() if name in (arguments.tools or sides)}


@dataclass
class Runs:
    """A side's runs on the first two documents and on all, and its result."""

    start: list[Used] = field(default_factory=list)
    whole: list[Used] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)

    def add(self, side: Side, documents: Path, count: int) -> None:
        """Run both once."""
        with tempfile.TemporaryDirectory() as folder:
            few, output = Path(folder, "few.jsonl"), Path(folder, "result.json")
            with documents.open(encoding="utf-8") as file:
                few.write_text("".join(islice(file, 2)), encoding="utf-8")
            self.start.append(side(few, output))
            self.whole.append(side(documents.resolve(), output))
            self.result = json.loads(output.read_text(encoding="utf-8"))
        self.result["removed"] = mask_of(map(int, self.result["removed"]), count)

    def cpu(self) -> float:
        """Seconds over start-up; medians."""
        return median(run.cpu for run in self.whole) - median(run.cpu for run in self.start)

    def memory(self) -> float:
        """Megabytes over start-up; medians."""
        return median(run.peak for run in self.whole) - median(run.peak for run in self.start)


def mask_of(numbers: Any, count: int) -> Array:
    mask = np.zeros(count, bool)
    mask[list(numbers)] = True
    return mask


def exact_result(truth: Truth, threshold: float) -> dict[str, Any]:
    """Exact components as a tool's result."""
    clusters = truth.exact_clusters(threshold)
    gone = [document for members in clusters for document in members[1:]]
    return {"removed": mask_of(gone, len(truth.kind)), "clusters": clusters}


def print_scores(truth: Truth, results: dict[str, dict[str, Any]]) -> None:
    """Precision, recall and F1 of removals and of pairs."""
    head = "".join(f" |   P@{t:g}   R@{t:g}  F1@{t:g}" for t in THRESHOLDS)
    wanted = ", ".join(f"{truth.wanted(t)} at {t:g}" for t in THRESHOLDS)
    print(f"\nremovals wanted: {wanted}\n{'removals':22s}{'removed':>8s}{'lost':>6s}{head}")
    for name, result in results.items():
        removed = result["removed"]
        scores = [score_removals(truth, removed, t) for t in THRESHOLDS]
        cells = "".join(f" | {s.precision:.4f} {s.recall:.4f} {s.f1:.4f}" for s in scores)
        print(f"{name:22s}{removed.sum():8d}{count_lost(truth, removed):6d}{cells}")
    print(f"\n{'pairs':36s}{head}")
    for name, result in results.items():
        if "clusters" in result:
            clusters = [[int(member) for member in members] for members in result["clusters"]]
            pairs = [score_pairs(truth, clusters, t) for t in THRESHOLDS]
            cells = "".join(f" | {s.precision:.4f} {s.recall:.4f} {s.f1:.4f}" for s in pairs)
            print(f"{name:36s}{cells}")


def print_details(truth: Truth, results: dict[str, dict[str, Any]]) -> None:
    """Which pairs were resolved, by their Jaccard, and what was removed wrongly."""
    bounds = [*(f"<{high:g}" for high in BINS[1:]), "=1"]
    print("\npairs of which one was removed, by Jaccard, %")
    print(f"{'':22s}" + "".join(f"{bound:>7s}" for bound in bounds))
    for name, result in results.items():
        shares = 100 * resolved_by_bin(truth, result["removed"], BINS)
        print(f"{name:22s}" + "".join(f"{share:7.1f}" for share in shares))
    print("\nremoved with no document at J >= 0.7, by kind")
    for name, result in results.items():
        kinds = wrong_kinds(truth, result["removed"], 0.7).most_common()
        print(f"{name:22s}" + ", ".join(f"{kind} {count}" for kind, count in kinds))


def print_costs(sides: dict[str, Runs], count: int) -> None:
    """CPU and memory; ratios to ours, else to the first."""
    reference = (sides.get("ours") or next(iter(sides.values()))).cpu()
    print(
        f"{'':22s}{'start-up':>9s}{'CPU s over it':>24s}{'docs/s':>8s}{'MB':>8s}{'CPU ratio':>10s}"
    )
    for name, runs in sides.items():
        start, cpu = median(run.cpu for run in runs.start), runs.cpu()
        spread = [run.cpu - start for run in runs.whole]
        seconds = f"{cpu:.2f} ({min(spread):.2f}-{max(spread):.2f})"
        print(
            f"{name:22s}{start:9.2f}{seconds:>24s}{count / cpu:8.0f}{runs.memory():8.0f}"
            f"{cpu / reference:10.2f}"
        )


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--set", type=Path, required=True, help="from near_duplicate_set.py")
    parser.add_argument("--peer-python", help="python with datasketch, rensa and datatrove")
    parser.add_argument("--text-dedup-python", help="python with text-dedup")
    parser.add_argument("--tools", nargs="*", help="run these only")
    parser.add_argument(
        "--setting",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="of the recipe, for ours, e.g. deduplication.minhash.threshold=0.7; repeatable",
    )
    parser.add_argument("--rounds", type=int, default=1, help="runs of each tool, taking turns")
    arguments = parser.parse_args(argv)
    truth = Truth.load(arguments.set)
    count = len(truth.kind)
    sides = choose_sides(arguments)
    runs = {name: Runs() for name in sides}
    for _ in range(arguments.rounds):
        for name, side in sides.items():
            runs[name].add(side, arguments.set / "documents.jsonl", count)
    results = {f"exact {t:g}": exact_result(truth, t) for t in THRESHOLDS}
    results |= {name: run.result for name, run in runs.items()}
    print(f"{count} documents, {len(truth.jaccard)} pairs of J >= 0.5")
    print_costs(runs, count)
    print_scores(truth, results)
    print_details(truth, results)


if __name__ == "__main__":
    main()
