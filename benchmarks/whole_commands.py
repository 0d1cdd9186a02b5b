"""Whole commands, start-up included, against datatrove's for the same job, in one run.

    python benchmarks/whole_commands.py --warc crawl/ --documents out/wikipedia out/books \
        --tokenizer models/tokenizer --peer-python PYTHON

Three jobs, each if its input is given: WARC files to English text (`--warc`), near-duplicates out
of documents (`--documents`), documents to token shards (`--documents` and `--tokenizer`, a folder).
PYTHON runs an environment made with

    pip install 'datatrove[io,processing]' faust-cchardet python-magic warcio \
        fasttext-numpy2-wheel lxml_html_clean tokenizers spacy

and the system's libmagic; without it only ours run. Both sides read the same files, with one worker
and as they come, but for these: perplexity and the reference classifier are off, for datatrove has
neither, and its language filter gets our model. Its WARC job is its example for Common Crawl
without the list of URLs: Trafilatura, LanguageFilter, and Gopher's two filters, which `--bare`
leaves out. CPU time is that of all processes that a command started; the sides take turns. What
was kept is printed beside it. The goals are 5, 30 and 4 times less.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import string
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.store.dataset import Dataset

HERE = Path(__file__).resolve().parent
# prctl: processes whose parent has ended become children of this one.
_SUBREAPER = 36
_OFF = ("perplexity", "reference_quality")
_LETTERS = string.ascii_lowercase, string.ascii_uppercase
_COUNTED = ("documents", "characters", "tokens")


@dataclass
class Job:
    """One job, done by both sides.

    Attributes:
        goal: the ratio of CPU that we want at least.
        ours: arguments of `roving`; {output} stands for a new folder.
        peer: configuration of `whole_commands_peer.py`.
    """

    name: str
    goal: float
    ours: Sequence[str]
    peer: dict[str, Any]
    seconds: dict[str, list[float]] = field(default_factory=dict)
    kept: dict[str, dict[str, int]] = field(default_factory=dict)


def used(command: Sequence[str], log: Path) -> float:
    """CPU seconds of a command and of all that it started, whoever waited for them."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    with log.open("w") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = usage.ru_utime + usage.ru_stime
        with suppress(ChildProcessError):
            while True:
                _, _, usage = os.wait4(-1, 0)
                seconds += usage.ru_utime + usage.ru_stime
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command[:4])} ... failed:\n{log.read_text()[-4000:]}")
    return seconds


def our_documents(output: Path) -> dict[str, int]:
    """What the manifests below a folder say, those of splits where a dataset has them."""
    found: Counter[str] = Counter()
    for path in output.rglob("manifest.json"):
        manifest = json.loads(path.read_text())
        for part in manifest.get("splits", {"": manifest}).values():
            found.update({name: part[name] for name in _COUNTED if name in part})
    return dict(found)


def run(job: Job, peer_python: str | None, folder: Path, number: int) -> None:
    """Let both sides do a job once."""
    output = folder / f"{job.name}{number}"
    command = [part.replace("{output}", str(output / "ours")) for part in job.ours]
    seconds = used([sys.executable, "-m", "pipeline", *command], folder / "log")
    job.seconds.setdefault("roving", []).append(seconds)
    job.kept["roving"] = our_documents(output / "ours")
    if peer_python is None:
        return
    config, result = folder / "config.json", folder / "result.json"
    config.write_text(json.dumps({**job.peer, "output": str(output / "peer")}))
    script = str(HERE / "whole_commands_peer.py")
    seconds = used([peer_python, script, job.name, str(config), str(result)], folder / "log")
    job.seconds.setdefault("datatrove", []).append(seconds)
    job.kept["datatrove"] = json.loads(result.read_text())


def shards(datasets: Sequence[Path], folder: Path) -> str:
    """A folder with links to the shards of all datasets, for the peer's reader."""
    folder.mkdir()
    for dataset in datasets:
        for number, shard in enumerate(Dataset(str(dataset)).shards):
            name = f"{dataset.name}-{number:05}.parquet"
            (folder / name).symlink_to(Path(shard.path).resolve())
    rows = sum(pq.ParquetFile(path).metadata.num_rows for path in folder.iterdir())
    print(f"documents: {rows:,} in {len(list(folder.iterdir()))} shards")
    return str(folder)


def grown(links: str, copies: int, folder: Path) -> str:
    """A folder with the documents so many times, in other words of the same lengths.

    Letters of the Latin alphabet are moved on by one more place in each copy, so that copies have
    the duplicates that the documents have, and none among each other.
    """
    folder.mkdir()
    for path in sorted(Path(links).iterdir()):
        table = pq.read_table(path, columns=["id", "text"])
        for number in range(copies):
            moved = "".join(half[number:] + half[:number] for half in _LETTERS)
            letters = str.maketrans("".join(_LETTERS), moved)
            columns = {
                "id": [f"{number}-{name}" for name in table["id"].to_pylist()],
                "text": [text.translate(letters) for text in table["text"].to_pylist()],
            }
            pq.write_table(pa.table(columns), folder / f"{path.stem}-{number:02}.parquet")
    return str(folder)


def jobs(parsed: argparse.Namespace, folder: Path) -> list[Job]:
    found = []
    if parsed.warc:
        off = [f"--set=commoncrawl.{name}.enabled=false" for name in _OFF]
        source = ["run", "commoncrawl", "--input", str(parsed.warc), "--output", "{output}"]
        peer = {"warc": str(parsed.warc), "lid": str(parsed.lid.resolve()), "bare": parsed.bare}
        found.append(Job("warc", 5, [*source, *off], peer))
    if parsed.documents:
        links = shards(parsed.documents, folder / "shards")
        documents = grown(links, parsed.copies, folder / "documents")
        ours = ["dedup", "minhash", "--foreign", "--input", documents, "--output", "{output}"]
        found.append(Job("minhash", 30, ours, {"documents": documents}))
    if parsed.documents and parsed.tokenizer:
        datasets = [str(path) for path in parsed.documents]
        ours = ["tokenize", "--documents", *datasets, "--output", "{output}"]
        tokenizer = str((parsed.tokenizer / "tokenizer.json").resolve())
        peer = {"documents": links, "tokenizer": tokenizer}
        found.append(Job("tokens", 4, [*ours, "--tokenizer", str(parsed.tokenizer)], peer))
    return [job for job in found if job.name in parsed.only]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--warc", type=Path, help="folder with *.warc.gz")
    parser.add_argument("--documents", type=Path, nargs="+", help="documents datasets")
    parser.add_argument("--tokenizer", type=Path, help="folder of a tokenizer")
    lid = HERE.parent / "models" / "lid.176.ftz"
    parser.add_argument("--lid", type=Path, default=lid, help="lid.176.ftz or .bin")
    parser.add_argument("--peer-python", help="python with datatrove; without it only ours runs")
    parser.add_argument("--bare", action="store_true", help="datatrove without Gopher's filters")
    names = ["warc", "minhash", "tokens"]
    parser.add_argument("--only", nargs="+", default=names, choices=names)
    copies = "how often near-duplicates are looked for in the documents, each time in other letters"
    parser.add_argument("--copies", type=int, default=1, help=copies)
    parser.add_argument("--rounds", type=int, default=1, help="runs of each side, taking turns")
    parsed = parser.parse_args()
    if not parsed.warc and not parsed.documents:
        parser.error("give --warc, --documents or both")
    if not parsed.peer_python:
        print("datatrove is left out: --peer-python names an environment that has it")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for job in jobs(parsed, folder):
            for number in range(parsed.rounds):
                run(job, parsed.peer_python, folder, number)
            for side, seconds in job.seconds.items():
                kept = ", ".join(f"{number:,} {name}" for name, number in job.kept[side].items())
                values = ", ".join(f"{value:.2f}" for value in seconds)
                print(f"{job.name}, {side}: {median(seconds):.2f} s CPU ({values}); {kept}")
            if len(job.seconds) > 1:
                ratio = median(job.seconds["datatrove"]) / median(job.seconds["roving"])
                print(f"{job.name}: {ratio:.1f} times less CPU (goal: >= {job.goal:g})", flush=True)


if __name__ == "__main__":
    main()
