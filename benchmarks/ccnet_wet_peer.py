"""cc_net's own classes over WET files, stage by stage; run by `ccnet_wet_path.py`.

Runs in an environment of its own, with cc-net and what it imports. Reads a JSON configuration
from the file named on the command line, prints CPU seconds per stage as JSON, and leaves cc_net's
output where the configuration says. The stages stand in the order of cc_net's `mine.py`.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    from cc_net import dedup, jsonql, perplexity, process_wet_file, split_by_lang
except ModuleNotFoundError as missing:
    sys.exit(f"{missing.name} is not installed: ccnet_wet_path.py says how to install cc_net")

FIELD = "raw_content"


class Stages:
    """CPU seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def timed(self, name: str) -> Iterator[None]:
        start = time.process_time()
        yield
        self.seconds[name] = time.process_time() - start


def apply(transformer: Any, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [document for document in transformer.map(documents) if document is not None]


def run(config: dict[str, Any], models: dict[str, Any], stages: Stages, folder: Path) -> int:
    hashes = folder / "hashes.bin"
    with stages.timed("read and length"):
        documents = [
            document
            for path in config["wets"]
            for document in process_wet_file.parse_warc_file(
                jsonql.open_read(Path(path)), min_len=config["minimum_characters"]
            )
        ]
    count = len(documents)
    with stages.timed("hash"):
        collector = dedup.HashesCollector(FIELD, output=hashes)
        for _ in collector.map(documents):
            pass
    with stages.timed("duplicates"):
        documents = apply(dedup.DuplicatesRemover(FIELD, [hashes]), documents)
    with stages.timed("language"):
        documents = apply(models["language"], documents)
    with stages.timed("pieces"):
        documents = apply(models["pieces"], documents)
    with stages.timed("perplexity"):
        documents = apply(models["scores"], documents)
        documents = apply(models["buckets"], documents)
        documents = apply(perplexity.DropKeys("tokenized"), documents)
    with stages.timed("write"):
        jsonql.write_jsons(documents, Path(config["output"]))
    return count


def main() -> None:
    config = json.loads(Path(sys.argv[1]).read_text())
    languages, folder = config["languages"], Path(config["models"])
    models: dict[str, Any] = {
        "language": split_by_lang.Classifier(
            Path(config["lid"]), FIELD, "language", threshold=config["minimum_score"], top=1
        ),
        "pieces": perplexity.MultiSentencePiece(
            {name: folder / name / "sentencepiece.model" for name in languages},
            field=FIELD,
            output_field="tokenized",
            normalize=True,
        ),
        "scores": perplexity.DocLM(
            {name: folder / name / "lm.binary" for name in languages},
            field="tokenized",
            output_field="perplexity",
            normalize=False,
        ),
        "buckets": perplexity.PerplexityBucket(Path(config["cutoffs"])),
    }
    for model in models.values():
        model.__enter__()
    with tempfile.TemporaryDirectory() as temporary:
        run(config, models, Stages(), Path(temporary))  # warms caches and mapped models
        stages = Stages()
        count = run(config, models, stages, Path(temporary))
    print(json.dumps({"documents": count, "seconds": stages.seconds}))


main()
