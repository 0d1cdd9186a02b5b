"""C4's heuristics against datatrove's C4QualityFilter: CPU seconds, and whether they agree.

    python benchmarks/c4_heuristics.py --wet DIR --peer-python PYTHON

PYTHON has datatrove and spacy. Both sides get the same pages with C4's thresholds (datatrove's
defaults are others), in turns; medians are printed. datatrove also takes an apostrophe for an end
mark: so does our side here, in the comparison alone. Exits with 1 if a page or a line differs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from filters.c4 import EndMarkFilter, PageFilter
from filters.document import Document, Filter, Rejected
from pipeline.readers.wet import read_wet
from pipeline.recipe import load_recipe
from pipeline.sources.c4.source import heuristics

ROOT = Path(__file__).resolve().parents[1]
PEER = """
import json, sys, time
from datatrove.data import Document
from datatrove.pipeline.filters import C4QualityFilter
texts = json.load(open(sys.argv[1]))
stage = C4QualityFilter(
    split_paragraph=True, remove_citations=True, filter_no_terminal_punct=True,
    min_num_sentences=3, min_words_per_line=5, max_word_length=1000,
)
stage.filter(Document(text="To load spaCy.", id="x"))
kept = {}
started = time.process_time()
for number, text in enumerate(texts):
    document = Document(text=text, id=str(number))
    if stage.filter(document) is True:
        kept[number] = document.text
print(json.dumps([time.process_time() - started, kept]))
"""


def read_texts(folder: Path) -> list[str]:
    """Texts of all pages."""
    texts = []
    for path in sorted(folder.glob("*.wet.gz")):
        with path.open("rb") as stream:
            records = read_wet(stream, title_in_text=True, maximum_record_bytes=20_000_000)
            texts += [record.text for record in records if isinstance(record, Document)]
    return texts


def our_stages() -> list[Filter]:
    """The heuristics of the recipe, with an apostrophe as one more end mark."""
    settings = load_recipe(str(ROOT / "recipes" / "llama1.toml")).c4
    marks = replace(settings.end_marks, marks=(*settings.end_marks.marks, "'"))
    stages: list[Filter] = [PageFilter(replace(settings.page, needs=()))]
    for stage in heuristics(settings):
        stages.append(EndMarkFilter(marks) if isinstance(stage, EndMarkFilter) else stage)
    for stage in stages:
        stage.open()
    return stages


def run_ours(texts: list[str], stages: list[Filter]) -> tuple[float, dict[str, str]]:
    """CPU seconds and the pages kept."""
    kept = {}
    started = time.process_time()
    for number, text in enumerate(texts):
        document = Document(str(number), "c4", text)
        if not any(isinstance(stage(document), Rejected) for stage in stages):
            kept[document.id] = document.text
    return time.process_time() - started, kept


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wet", type=Path, required=True)
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    texts, stages = read_texts(arguments.wet), our_stages()
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    ours, peers = [], []
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(texts, file)
        file.flush()
        run_ours(texts, stages)
        for _ in range(arguments.rounds):
            seconds, kept = run_ours(texts, stages)
            ours.append(seconds)
            command = [arguments.peer_python, "-c", PEER, file.name]
            done = subprocess.run(command, capture_output=True, check=True, text=True)
            seconds, peer_kept = json.loads(done.stdout.splitlines()[-1])
            peers.append(seconds)
    pages = sum((str(n) in kept) != (str(n) in peer_kept) for n in range(len(texts)))
    lines = sum(kept[one] != peer_kept[one] for one in kept.keys() & peer_kept.keys())
    print(f"{len(texts)} pages, {megabytes:.1f} MB; {len(kept)} kept")
    print(f"ours      {median(ours):8.3f} s {megabytes / median(ours):7.1f} MB/s")
    print(f"datatrove {median(peers):8.3f} s {megabytes / median(peers):7.1f} MB/s")
    print(f"ratio     {median(peers) / median(ours):8.1f}")
    print(f"decided otherwise: {pages}; kept by both with other text: {lines}")
    return 1 if pages or lines else 0


if __name__ == "__main__":
    sys.exit(main())
