"""F1 of the main text of labelled articles: ours against trafilatura's own default.

    python benchmarks/extraction_quality.py --data DIR

DIR holds `commoncrawl/web-*.warc.gz` and `commoncrawl/web-expected-snippets.json.gz`: by URL, texts
that must be in the result (`with`) and texts that must not (`without`). As in trafilatura's own
evaluation, a `with` found is a true positive, missed a false negative, a `without` found a false
positive. CPU time is per page, of the extraction alone.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trafilatura

from benchmarks.web_stages import crawl_settings
from filters.document import Document
from filters.extraction import HtmlExtractor
from filters.html import HtmlDecoder
from filters.prescreen import main_content
from pipeline.readers.warc import read_warc

Expected = dict[str, list[str]]


def read_pages(folder: Path) -> list[tuple[str, str, Expected]]:
    """The labelled pages' HTML and URL with what is expected of them; each URL once."""
    with gzip.open(folder / "web-expected-snippets.json.gz", "rt", encoding="utf-8") as file:
        expected: dict[str, Any] = json.load(file)
    decoder = HtmlDecoder(crawl_settings().decode)
    pages = {}
    for path in sorted(folder.glob("web-*.warc.gz")):
        with path.open("rb") as stream:
            for record in read_warc(stream, maximum_record_bytes=32 << 20):
                if isinstance(record, Document) and record.metadata["url"] in expected:
                    decoder(record)
                    pages[record.metadata["url"]] = record.text
    return [(html, url, expected[url]) for url, html in pages.items()]


def score(pages: list[tuple[str, str, Expected]], extract: Callable[[str, str], str]) -> str:
    """Precision, recall, F1 and CPU time, as a line."""
    true_positives = false_positives = false_negatives = 0
    started = time.process_time()
    texts = [extract(html, url) for html, url, _ in pages]
    milliseconds = 1000 * (time.process_time() - started) / len(pages)
    for text, (_, _, expected) in zip(texts, pages, strict=True):
        found = sum(snippet in text for snippet in expected["with"])
        true_positives += found
        false_negatives += len(expected["with"]) - found
        false_positives += sum(snippet in text for snippet in expected["without"])
    precision = true_positives / (true_positives + false_positives)
    recall = true_positives / (true_positives + false_negatives)
    f1 = 2 * precision * recall / (precision + recall)
    return f"P {precision:.4f}  R {recall:.4f}  F1 {f1:.4f}  {milliseconds:6.2f} ms/page"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with commoncrawl/")
    pages = read_pages(parser.parse_args().data / "commoncrawl")
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL + 1)
    extractor = HtmlExtractor(crawl_settings().extract)
    extractor.open()

    def ours(html: str, url: str) -> str:
        result = extractor(Document(id="", source="", text=html, metadata={"url": url}))
        return result.text if isinstance(result, Document) else ""

    sides: dict[str, Callable[[str, str], str]] = {
        "ours": ours,
        "trafilatura default": lambda html, _: trafilatura.extract(html) or "",
        "trafilatura, no comments": lambda html, _: (
            trafilatura.extract(html, include_comments=False) or ""
        ),
        "trafilatura fast, no comments": lambda html, _: (
            trafilatura.extract(html, include_comments=False, fast=True) or ""
        ),
        "resiliparse main content": lambda html, _: main_content(html),
    }
    for kept, part in {"all": pages, "kept from the fit": pages[::2]}.items():
        print(f"{len(part)} labelled pages ({kept})")
        for name, extract in sides.items():
            print(f"{name:30s} {score(part, extract)}")


if __name__ == "__main__":
    main()
