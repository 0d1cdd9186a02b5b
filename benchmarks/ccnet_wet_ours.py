"""Our WET path, stage by stage, in the order of the CommonCrawl source; run by `ccnet_wet_path.py`.

Reads a JSON configuration from the file named on the command line, prints CPU seconds per stage as
JSON, and leaves the documents as Parquet and the decisions as JSON lines where the configuration
says. No Beam: what it costs is measured elsewhere.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dedup.decisions import removed_rows
from dedup.groups import find_groups
from dedup.key_blocks import KeyBlock
from dedup.paragraph_hashes import hash_document, unique_paragraphs
from filters.document import Document, Filter, Rejected
from filters.language import LanguageFilter, LanguageSettings
from filters.length import LengthFilter, LengthSettings
from filters.perplexity import PerplexityFilter, PerplexitySettings
from pipeline.readers.wet import read_wet

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("source", pa.string()),
        pa.field("text", pa.string()),
        pa.field("url", pa.string()),
        pa.field("language", pa.string()),
        pa.field("bucket", pa.string()),
        pa.field("language_score", pa.float32()),
        pa.field("perplexity", pa.float32()),
        pa.field("line_ids", pa.list_(pa.int32())),
    ]
)


class Stages:
    """CPU seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        start = time.process_time()
        yield
        self.seconds[name] = time.process_time() - start


def build_filters(config: dict[str, Any]) -> dict[str, Filter]:
    """The filters of the path, opened."""
    mode = config["mode"]
    filters: dict[str, Filter] = {
        "length": LengthFilter(
            LengthSettings(
                enabled=True,
                minimum_characters=config["minimum_characters"],
                maximum_characters=0,
            )
        ),
        "language": LanguageFilter(
            LanguageSettings(
                enabled=True,
                keep=(),
                minimum_score=config["minimum_score"],
                characters=500,
                certain_score=0.9,
                doubtful_characters=20_000,
            ),
            config["lid"],
            mode,
        ),
        "perplexity": PerplexityFilter(
            PerplexitySettings(
                enabled=True,
                keep_buckets=("head", "middle", "tail"),
                cutoffs="own",
                without_model="keep",
                maximum_characters=0,
            ),
            config["models"],
            mode=mode,
        ),
    }
    for stage in filters.values():
        stage.open()
    return filters


def kept(stage: Filter, documents: list[Document]) -> list[Document]:
    results = [stage(document) for document in documents]
    return [result for result in results if not isinstance(result, Rejected)]


def hash_paragraphs(documents: list[Document]) -> tuple[KeyBlock, list[list[str]]]:
    """The key block of the documents, and each document's unique lines."""
    keys, lines = [], []
    for document in documents:
        hashes = hash_document(document.text)
        unique = unique_paragraphs(hashes.lines, hashes.keys)
        document.signals["line_ids"] = unique
        lines.append([hashes.lines[index] for index in unique])
        keys.append(hashes.keys[unique])
    together = np.concatenate(keys)
    return KeyBlock.of(together, np.arange(len(together), dtype=np.uint32)), lines


def remove_duplicates(
    documents: list[Document], block: KeyBlock, lines: list[list[str]]
) -> list[Document]:
    """Drop every copy of the paragraphs that several documents have, as cc_net does."""
    keep = np.ones(len(block), dtype=bool)
    for _, removed in removed_rows(find_groups([block], [0], [0]), "remove_all"):
        keep[removed["row"]] = False
    remaining, start = [], 0
    for document, own in zip(documents, lines, strict=True):
        mask = keep[start : start + len(own)]
        start += len(own)
        if mask.any():
            indices = np.flatnonzero(mask)
            document.text = "\n".join([own[index] for index in indices.tolist()])
            document.signals["line_ids"] = document.signals["line_ids"][indices]
            remaining.append(document)
    return remaining


def write(documents: list[Document], path: str) -> None:
    rows = [
        {
            "id": document.id,
            "source": document.source,
            "text": document.text,
            "url": document.metadata["url"],
            **document.metadata,
            **document.signals,
        }
        for document in documents
    ]
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    pq.write_table(table, path, compression="zstd", compression_level=3, row_group_size=1000)


def run(config: dict[str, Any], filters: dict[str, Filter], stages: Stages) -> list[Document]:
    documents = []
    with stages.timed("read and length"):
        for path in config["wets"]:
            with open(path, "rb") as stream:
                records = read_wet(stream, title_in_text=False, maximum_record_bytes=20_000_000)
                documents += [record for record in records if isinstance(record, Document)]
        documents = kept(filters["length"], documents)
    config["documents"] = len(documents)
    with stages.timed("hash"):
        block, lines = hash_paragraphs(documents)
    with stages.timed("duplicates"):
        documents = remove_duplicates(documents, block, lines)
    with stages.timed("language"):
        documents = kept(filters["language"], documents)
    with stages.timed("pieces and perplexity"):
        documents = kept(filters["perplexity"], documents)
    with stages.timed("write"):
        write(documents, config["output"])
    return documents


def write_decisions(documents: list[Document], path: str) -> None:
    """One line per document, with the names that cc_net gives its fields."""
    with open(path, "w", encoding="utf-8") as output:
        for document in documents:
            decisions = {
                "url": document.metadata["url"],
                "raw_content": document.text,
                "line_ids": document.signals["line_ids"].tolist(),
                "language": document.signals["language"],
                "language_score": document.signals["language_score"],
                "perplexity": document.signals.get("perplexity"),
                "bucket": document.signals["bucket"],
            }
            output.write(json.dumps(decisions) + "\n")


def main() -> None:
    config = json.loads(Path(sys.argv[1]).read_text())
    filters = build_filters(config)
    run(config, filters, Stages())  # warms caches and mapped models
    stages = Stages()
    documents = run(config, filters, stages)
    write_decisions(documents, config["decisions"])
    print(json.dumps({"documents": config["documents"], "seconds": stages.seconds}))


if __name__ == "__main__":
    main()
