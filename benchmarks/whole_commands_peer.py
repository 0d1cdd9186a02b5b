"""datatrove's side of `whole_commands.py`, run by an interpreter that has datatrove.

    python whole_commands_peer.py JOB CONFIG.json RESULT.json

Each job as datatrove's own examples have it, in local executors with one worker.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

try:
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.extractors import Trafilatura
    from datatrove.pipeline.filters import (
        GopherQualityFilter,
        GopherRepetitionFilter,
        LanguageFilter,
    )
    from datatrove.pipeline.readers import ParquetReader, WarcReader
    from datatrove.pipeline.tokens import DocumentTokenizer
    from datatrove.pipeline.writers import JsonlWriter
    from datatrove.utils import lid
except ModuleNotFoundError as missing:
    sys.exit(f"{missing.name} is not installed: whole_commands.py says how to install datatrove")

Config = dict[str, Any]
# Buckets of a signature, by default; the tasks of the second stage.
BUCKETS = 14


def execute(config: Config, stage: str, steps: list[Any], tasks: int = 1) -> None:
    logs = f"{config['output']}/logs/{stage}"
    LocalPipelineExecutor(steps, tasks=tasks, workers=1, logging_dir=logs).run()


def kept(config: Config) -> dict[str, int]:
    """Documents and characters that were written."""
    documents = characters = 0
    for path in sorted(Path(config["output"], "kept").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                documents += 1
                characters += len(json.loads(line)["text"])
    return {"documents": documents, "characters": characters}


def run_warc(config: Config) -> dict[str, int]:
    """Pages to English text."""
    # It would download lid.176.bin; it gets the model that we use.
    lid.cached_asset_path_or_download = lambda *_, **__: config["lid"]
    gopher = [] if config["bare"] else [GopherRepetitionFilter(), GopherQualityFilter()]
    steps = [
        WarcReader(config["warc"], glob_pattern="*.warc.gz"),
        # The default of 1 second drops long pages when the machine is busy.
        Trafilatura(favour_precision=True, timeout=60),
        LanguageFilter("en", language_threshold=0.5),
        *gopher,
        JsonlWriter(f"{config['output']}/kept"),
    ]
    execute(config, "warc", steps)
    return kept(config)


def run_minhash(config: Config) -> dict[str, int]:
    """The four stages."""
    output = config["output"]
    reader = ParquetReader(config["documents"], glob_pattern="*.parquet")
    execute(config, "1", [reader, MinhashDedupSignature(f"{output}/1")])
    execute(config, "2", [MinhashDedupBuckets(f"{output}/1", f"{output}/2")], tasks=BUCKETS)
    execute(config, "3", [MinhashDedupCluster(f"{output}/2", f"{output}/3")])
    steps = [reader, MinhashDedupFilter(f"{output}/3"), JsonlWriter(f"{output}/kept")]
    execute(config, "4", steps)
    return kept(config)


def run_tokens(config: Config) -> dict[str, int]:
    """Documents to one file of tokens, in their order."""
    output = f"{config['output']}/tokens"
    reader = ParquetReader(config["documents"], glob_pattern="*.parquet")
    tokenizer = DocumentTokenizer(output, config["tokenizer"], shuffle_documents=False)
    execute(config, "tokens", [reader, tokenizer])
    documents = sum(path.stat().st_size // 8 for path in Path(output).rglob("*.ds.index"))
    tokens = sum(path.stat().st_size for path in Path(output).rglob("*.ds")) // 2
    return {"documents": documents, "tokens": tokens}


JOBS = {"warc": run_warc, "minhash": run_minhash, "tokens": run_tokens}


if __name__ == "__main__":
    job, configuration, result = sys.argv[1:]
    found = JOBS[job](json.loads(Path(configuration).read_text(encoding="utf-8")))
    Path(result).write_text(json.dumps(found), encoding="utf-8")
