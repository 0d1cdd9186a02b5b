"""Wikitext to text: our cleaner (citations included) against wikiextractor, on the same articles.

    python benchmarks/wikitext.py --dumps DIR --peer-python PYTHON [--rounds 3]

PYTHON runs an environment with `wikiextractor`. Both sides get the wikitext of every article in the
dumps; sides alternate. Prints CPU seconds, MB/s, the ratio (goal: at least 2.5) and characters out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from filters.document import Document
from filters.wikitext import WikipediaPageFilter, clean_wikitext
from pipeline.cli.options import DEFAULT_RECIPE
from pipeline.recipe import load_recipe
from pipeline.sources.wikipedia.source import ReadDump, find_units
from pipeline.store.files import open_read
from pipeline.store.inputs import Inputs

PEER = """
import json, logging, sys, time
logging.disable(logging.CRITICAL)
from wikiextractor.extract import Extractor
pages = json.load(open(sys.argv[1]))
started, characters = time.process_time(), 0
for page in pages:
    extractor = Extractor("1", "1", "http://x", page["title"], [page["text"]])
    lines = extractor.clean_text(page["text"], expand_templates=False, html_safe=False)
    characters += sum(map(len, lines))
print(json.dumps([time.process_time() - started, characters]))
"""


def read_articles(folder: Path) -> list[dict[str, Any]]:
    """Title, language and wikitext of every article that the recipe keeps."""
    settings = load_recipe(DEFAULT_RECIPE).wikipedia
    keep = WikipediaPageFilter(settings.page)
    articles = []
    for unit in find_units(Inputs((str(folder),)), settings)[0]:
        for record in ReadDump(settings.input)(open_read(unit.path), unit):
            if isinstance(record, Document) and isinstance(keep(record), Document):
                articles.append({**record.metadata, "text": record.text})
    return articles


def ours(articles: list[dict[str, Any]]) -> tuple[float, int]:
    """CPU seconds and characters of clean text."""
    dropped = load_recipe(DEFAULT_RECIPE).wikipedia.wikitext.dropped_sections
    started, characters = time.process_time(), 0
    for article in articles:
        page = clean_wikitext(
            article["text"],
            language=article["language"],
            title=article["title"],
            dropped_sections=dropped,
        )
        characters += len(page.text)
    return time.process_time() - started, characters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dumps", type=Path, required=True, help="folder with MediaWiki dumps")
    parser.add_argument("--peer-python", required=True, help="interpreter with wikiextractor")
    parser.add_argument("--rounds", type=int, default=3)
    parsed = parser.parse_args()
    articles = read_articles(parsed.dumps)
    size = sum(len(article["text"].encode()) for article in articles) / 1e6
    seconds: dict[str, list[float]] = {"ours": [], "wikiextractor": []}
    characters: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        pages = Path(folder, "pages.json")
        pages.write_text(json.dumps(articles), encoding="utf-8")
        command = [parsed.peer_python, "-c", PEER, str(pages)]
        for _ in range(parsed.rounds):
            taken, characters["ours"] = ours(articles)
            seconds["ours"].append(taken)
            shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            taken, characters["wikiextractor"] = json.loads(shown)
            seconds["wikiextractor"].append(taken)
    print(f"{len(articles)} articles, {size:.1f} MB of wikitext")
    for side, values in seconds.items():
        rate = size / median(values)
        print(f"{side:<14}{median(values):.3f} s, {rate:.1f} MB/s, {characters[side]:,} characters")
    ratio = median(seconds["wikiextractor"]) / median(seconds["ours"])
    print(f"wikiextractor / ours: {ratio:.2f} (goal: >= 2.5)")


if __name__ == "__main__":
    main()
