"""Fits the weights that choose a page's blocks (`filters/web/weights.py`) to labelled pages.

    PYTHONPATH=. python benchmarks/block_choice.py --data DIR \\
        --pages A.warc.gz A-gold.jsonl.gz [--pages ...]

Gold: by URL, the page's text (`gold` or `main_content`), as in the Web Content Extraction
Benchmark.
DIR holds pages with snippets that must be in the text or must not, as for
benchmarks/extraction_quality.py: of them every second page, from the second on, serves for the fit
with the blocks that have snippets; the others are kept for tests/real/test_web_real.py.
A block's target is the share of its 3-grams of words that the gold has; logistic regression with a
ridge, every page of the same weight, long blocks of more. Prints the mean F1 of words by type of
page, each page decided by weights fitted to the other four fifths, then the weights from all.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import random
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import extraction_quality
from filters.document import Document
from filters.html import HtmlDecoder
from filters.web.blocks import BlockReader
from filters.web.features import NAMES, block_features
from filters.web.page_types import page_type
from filters.web.parsing import keep_seen, parse
from filters.web.selection import ask, mark_blocks, most_probable
from filters.web.writing import write
from pipeline.readers.warc import read_warc

Array = NDArray[np.float64]
_WORDS = re.compile(r"\w+")
RIDGE, FOLDS = 2.0, 5
# Of a page with snippets, against one with its whole text; words that a snippet's block counts.
SNIPPET_PAGE, SNIPPET_WORDS = 3.0, 30.0


def words(text: str) -> list[str]:
    """Words as they are compared."""
    return _WORDS.findall(text.lower())


class Page:
    """A labelled page, its blocks, their features and targets."""

    def __init__(self, html: str, url: str, gold: dict[str, Any]) -> None:
        tree = parse(html)
        self.kind = page_type(tree, url)
        keep_seen(tree, html)
        blocks = BlockReader(markdown=False).read(tree)
        mark_blocks(blocks)
        self.opinions = ask(tree, blocks, self.kind)
        self.features = block_features(blocks, *self.opinions, self.kind)
        texts = [write([block], "plain")[0] for block in blocks]
        self.words = [words(text) for text in texts]
        if "page_type" not in gold:
            self._snippets(texts, gold)
            return
        self.type = gold["page_type"]
        self.importance = 1.0
        self.gold = words(gold.get("gold") or gold["main_content"])
        self.targets = self._targets()
        self.weights = np.minimum([len(own) for own in self.words], 100.0)

    def _snippets(self, texts: list[str], gold: dict[str, list[str]]) -> None:
        self.importance = SNIPPET_PAGE
        wanted = [any(snippet in text for snippet in gold["with"]) for text in texts]
        labelled = [any(snippet in text for snippet in gold["without"]) for text in texts]
        self.targets = np.array(wanted, np.float64)
        self.weights = SNIPPET_WORDS * np.logical_or(wanted, labelled)

    def _targets(self) -> Array:
        whole = f" {' '.join(self.gold)} "
        grams = set(zip(self.gold, self.gold[1:], self.gold[2:], strict=False))
        targets = []
        for own in self.words:
            if len(own) < 6:
                targets.append(float(bool(own) and f" {' '.join(own)} " in whole))
            else:
                theirs = list(zip(own, own[1:], own[2:], strict=False))
                targets.append(sum(gram in grams for gram in theirs) / len(theirs))
        return np.array(targets)

    def f1(self, weights: Array) -> float:
        """F1 of the words of the blocks that the weights choose."""
        chosen = most_probable(self.features @ weights, self.opinions[0], self.kind)
        found = Counter(word for number in chosen for word in self.words[number])
        wanted = Counter(self.gold)
        both = sum((found & wanted).values())
        return 2 * both / max(1, found.total() + wanted.total())


def fit(pages: list[Page]) -> Array:
    """Weights by Newton's method: shape [features]."""
    pages = [page for page in pages if len(page.words)]
    table = np.concatenate([page.features for page in pages])
    targets = np.concatenate([page.targets for page in pages])
    weights = np.concatenate(
        [page.importance * 50 * page.weights / (page.weights.sum() + 1) for page in pages]
    )
    found = np.zeros(table.shape[1])
    for _ in range(30):
        probability = 1 / (1 + np.exp(-table @ found))
        spread = weights * probability * (1 - probability)
        curvature = (table * spread[:, None]).T @ table + RIDGE * np.eye(len(found))
        found += np.linalg.solve(
            curvature, table.T @ (weights * (targets - probability)) - RIDGE * found
        )
    return found


def read_pages(warc: Path, gold: Path) -> list[Page]:
    """Pages of a file that have a label."""
    with gzip.open(gold, "rt", encoding="utf-8") as lines:
        labels = {label["url"]: label for label in map(json.loads, lines)}
    decoder, pages = HtmlDecoder(), []
    with warc.open("rb") as stream:
        for record in read_warc(stream, maximum_record_bytes=32 << 20):
            if isinstance(record, Document) and record.metadata["url"] in labels:
                decoded = decoder(record)
                if isinstance(decoded, Document):
                    url = decoded.metadata["url"]
                    pages.append(Page(decoded.text, url, labels[url]))
    return pages


def read_snippet_pages(folder: Path) -> list[Page]:
    """Every second page with snippets, from the second on."""
    return [Page(*page) for page in extraction_quality.read_pages(folder)[1::2]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with commoncrawl/")
    parser.add_argument("--pages", type=Path, nargs=2, action="append", required=True)
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL + 1)
    arguments = parser.parse_args()
    pages = [page for pair in arguments.pages for page in read_pages(*pair)]
    snippet_pages = read_snippet_pages(arguments.data / "commoncrawl")
    order = list(range(len(pages)))
    random.Random(1).shuffle(order)
    scores: dict[str, list[float]] = defaultdict(list)
    for fold in range(FOLDS):
        held = set(order[fold::FOLDS])
        others = [page for number, page in enumerate(pages) if number not in held]
        weights = fit(others + snippet_pages)
        for number in held:
            scores[pages[number].type].append(pages[number].f1(weights))
    everything = [score for own in scores.values() for score in own]
    print(f"{len(pages)} pages, F1 {np.mean(everything):.3f}")
    for name, own in sorted(scores.items()):
        print(f"{name:14s} {len(own):4d} {np.mean(own):.3f}")
    for name, weight in zip(NAMES, fit(pages + snippet_pages), strict=True):
        print(f'    "{name}": {weight:.2f},')


if __name__ == "__main__":
    main()
