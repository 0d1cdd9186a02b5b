"""Our WET path against cc_net's own classes: CPU seconds per stage, and whether they agree.

    python benchmarks/ccnet_wet_path.py --wet DIR --lid lid.176.ftz --peer-python PYTHON

PYTHON runs an environment made with

    pip install --no-deps cc-net
    pip install func_argparse submitit pandas sacremoses requests beautifulsoup4 \
        numpy kenlm sentencepiece fasttext-community

(cc-net's own list of dependencies holds a git address.) Both sides are subprocesses of one run over
the same files, with the same language models, trained here on the text of the same files. The
sides take turns, `--rounds` times; each turn is a process that goes over the files twice, once to
warm up and once timed, and every time over is a snapshot of its own, because a paragraph met twice
would be a duplicate. Medians are printed. cc_net parses its WETs once for hashing and once for
mining; it is charged for one parse. Exits with 1 if a decision differs.

cc_net reads WARC headers by position, so the records are written anew with the headers of a WET of
2019, one gzip member each, as Common Crawl does; texts and URLs stay as they are.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from statistics import median
from typing import Any

import fasttext
import kenlm
import numpy as np
import sentencepiece
from fastwarc.warc import ArchiveIterator, WarcRecordType

from filters.ccnet_text import normalize_for_language_model
from filters.models import predict
from filters.perplexity import LanguageModel
from pipeline.models.kenlm_programs import find_program

HERE = Path(__file__).resolve().parent
MINIMUM_CHARACTERS = 200_000  # of a language, to get a model
DECISIONS = ("line_ids", "raw_content", "language", "language_score", "perplexity", "bucket")


def rewrite_wet(source: Path, target: Path) -> list[str]:
    """Copy the conversion records with headers in the order of 2019; returns their texts."""
    texts = []
    with source.open("rb") as stream, target.open("wb") as output:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.conversion):
            block = record.reader.read()
            texts.append(block.decode("utf-8", "replace"))
            digest = record.headers.get("WARC-Block-Digest", "sha1:none")
            head = (
                "WARC/1.0\r\nWARC-Type: conversion\r\n"
                f"WARC-Target-URI: {record.headers['WARC-Target-URI']}\r\n"
                "WARC-Date: 2019-02-15T19:15:59Z\r\n"
                f"WARC-Record-ID: {record.record_id}\r\nWARC-Refers-To: {record.record_id}\r\n"
                f"WARC-Block-Digest: {digest}\r\nContent-Type: text/plain\r\n"
                f"Content-Length: {len(block)}\r\n\r\n"
            )
            output.write(gzip.compress(head.encode() + block + b"\r\n\r\n"))
    return texts


def train_models(texts: list[str], lid: Path, folder: Path) -> dict[str, tuple[float, float]]:
    """SentencePiece and KenLM for each language with enough text; returns their cut-offs.

    Every second text trains; the others give the cut-offs, at CCNet's percentiles.
    """
    model = fasttext.load_model(str(lid))
    lines = defaultdict(list)
    for text in texts:
        if line := normalize_for_language_model(text, newlines="delete"):
            lines[predict(model, text.replace("\n", " "))[0][0]].append(line)
    cutoffs = {}
    for language, own in sorted(lines.items()):
        if sum(map(len, own)) >= MINIMUM_CHARACTERS:
            trained = train_model(own[::2], folder / language)
            perplexities = [trained.perplexity(line) or 0.0 for line in own[1::2]]
            head, middle = np.percentile(perplexities, [30, 60]).round(1).tolist()
            cutoffs[language] = head, middle
            card = {"cutoffs": {"head": head, "middle": middle}}
            (folder / language / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return cutoffs


def train_model(lines: list[str], folder: Path) -> LanguageModel:
    folder.mkdir(parents=True)
    name = str(folder / "sentencepiece.model")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line[:4000] for line in lines]),
        model_prefix=name.removesuffix(".model"),
        vocab_size=8000,
        hard_vocab_limit=False,
        character_coverage=0.9995,
        max_sentence_length=20_000,
        minloglevel=2,
    )
    processor = sentencepiece.SentencePieceProcessor(model_file=name)
    pieces, arpa, binary = folder / "pieces", folder / "arpa", folder / "lm.binary"
    with pieces.open("w", encoding="utf-8") as output:
        for line in lines:
            output.write(" ".join(processor.encode(line, out_type=str)) + "\n")
    options = ["-o", "5", "-S", "1G", "-T", str(folder), "--discount_fallback"]
    options += ["--skip_symbols", "--text", str(pieces), "--arpa", str(arpa)]
    for program in (["lmplz", *options], ["build_binary", str(arpa), str(binary)]):
        command = [str(find_program(program[0])), *program[1:]]
        subprocess.run(command, check=True, capture_output=True)
    return LanguageModel(processor, kenlm.Model(str(binary)), None)


def write_cutoffs(cutoffs: dict[str, tuple[float, float]], path: Path) -> None:
    """The same cut-offs in cc_net's form: a row per percentile, of which it reads 30 and 60."""
    rows = [",".join(["", *cutoffs])]
    for percentile in range(100):
        column = 0 if percentile < 60 else 1
        rows.append(",".join([str(percentile), *(str(cut[column]) for cut in cutoffs.values())]))
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def run_side(python: str, script: str, config: dict[str, Any], folder: Path) -> dict[str, Any]:
    path = folder / f"{script}.{config.get('mode', 'peer')}.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    command = [python, str(HERE / script), str(path)]
    environment = {"PYTHONPATH": str(HERE.parent) if script.endswith("ours.py") else ""}
    result = subprocess.run(command, check=False, capture_output=True, env=environment, text=True)
    if result.returncode:
        sys.exit(f"{script} failed:\n{result.stderr}")
    measured: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return measured


def print_seconds(rounds: dict[str, list[dict[str, Any]]]) -> None:
    """Median CPU seconds per stage and pass; stages that one side times together are added up."""
    groups = {
        "read and length": ("read and length",),
        "hash": ("hash",),
        "duplicates": ("duplicates",),
        "language": ("language",),
        "pieces and perplexity": ("pieces", "perplexity", "pieces and perplexity"),
        "write": ("write",),
    }
    print(f"\n{'CPU seconds per pass':24s}" + "".join(f"{name:>18s}" for name in rounds))
    totals: Counter[str] = Counter()
    for group, stages in groups.items():
        row = f"{group:24s}"
        for name, sides in rounds.items():
            seconds = median(sum(side["seconds"].get(s, 0.0) for s in stages) for side in sides)
            totals[name] += seconds
            row += f"{seconds:18.3f}"
        print(row)
    print(f"{'sum':24s}" + "".join(f"{totals[name]:18.3f}" for name in rounds))
    rates = [f"{sides[0]['documents'] / totals[name]:18.0f}" for name, sides in rounds.items()]
    print(f"{'documents per second':24s}" + "".join(rates))
    for name in rounds:
        if name != "cc_net" and "cc_net" in rounds:
            print(f"cc_net / {name}: {totals['cc_net'] / totals[name]:.2f}")


def read_lines(path: Path) -> list[dict[str, Any]]:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def compare(ours: Path, peer: Path) -> bool:
    """Print how many decisions agree; documents are matched by their order."""
    mine, theirs = read_lines(ours), read_lines(peer)
    urls = [document["url"] for document in mine] == [document["url"] for document in theirs]
    print(f"\ndocuments kept: {len(mine)} ours, {len(theirs)} cc_net, same and in order: {urls}")
    if not urls:
        mine_urls, their_urls = ({d["url"] for d in side} for side in (mine, theirs))
        print(f"  only ours: {sorted(mine_urls - their_urls)}")
        print(f"  only cc_net: {sorted(their_urls - mine_urls)}")
        return False
    agree = True
    for name in DECISIONS:
        differing = [
            (a["url"], a.get(name), b.get(name))
            for a, b in zip(mine, theirs, strict=True)
            if a.get(name) != b.get(name)
        ]
        agree &= not differing
        print(f"  {name:16s} {len(mine) - len(differing)} of {len(mine)} equal")
        for url, a, b in differing[:3]:
            print(f"    {url}: ours {str(a)[:60]!r}, cc_net {str(b)[:60]!r}")
    print("  buckets:", dict(Counter(document["bucket"] for document in mine)))
    print("  languages:", dict(Counter(d["language"] for d in mine).most_common(8)))
    return agree


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--wet", type=Path, required=True, help="folder with *.wet.gz")
    parser.add_argument("--lid", type=Path, required=True, help="lid.176.ftz or .bin")
    parser.add_argument("--peer-python", help="python with cc-net; without it only ours runs")
    parser.add_argument("--rounds", type=int, default=5, help="timed passes of each side")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        texts, wets = [], []
        for source in sorted(arguments.wet.glob("*.wet.gz")):
            wets.append(folder / source.name)
            texts += rewrite_wet(source, wets[-1])
        lines = sum(text.count("\n") for text in texts)
        print(f"{len(texts)} records, {lines} lines, {sum(map(len, texts))} characters")
        models = folder / "models"
        cutoffs = train_models(texts, arguments.lid, models)
        write_cutoffs(cutoffs, folder / "cutoffs.csv")
        print(f"language models and their cut-offs: {cutoffs}")
        config = {
            "wets": [str(path) for path in wets],
            "lid": str(arguments.lid.resolve()),
            "models": str(models),
            "languages": list(cutoffs),
            "cutoffs": str(folder / "cutoffs.csv"),
            "minimum_characters": 300,
            "minimum_score": 0.5,
        }
        sides = {}
        if arguments.peer_python:
            peer = {**config, "output": str(folder / "peer.json.gz")}
            sides["cc_net"] = (arguments.peer_python, "ccnet_wet_peer.py", peer)
        for mode in ("ccnet", "standard"):
            paths = {"output": str(folder / mode), "decisions": str(folder / f"{mode}.jsonl")}
            side = {**config, "mode": mode, **paths}
            sides[f"ours, {mode}"] = (sys.executable, "ccnet_wet_ours.py", side)
        rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
        for _ in range(arguments.rounds):
            for name, (python, script, side) in sides.items():
                rounds[name].append(run_side(python, script, side, folder))
        print_seconds(rounds)
        agree = not arguments.peer_python or compare(
            folder / "ccnet.jsonl", folder / "peer.json.gz"
        )
    sys.exit(not agree)


if __name__ == "__main__":
    main()
