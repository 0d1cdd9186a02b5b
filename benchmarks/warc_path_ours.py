"""Our side of `warc_path.py`, which starts it with the path of a configuration (JSON)."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.web_stages import web_stages
from filters.document import Document
from pipeline.readers.warc import read_warc


def run(config: dict[str, Any]) -> dict[str, Any]:
    """Our stages in a plain loop: ids kept, CPU seconds by stage, counts by stage and reason."""
    stages = web_stages(config["lid"], config["language"], prescreen=config["prescreen"])
    seconds: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    kept = []
    since = time.process_time()

    def charge(stage: str) -> None:
        nonlocal since
        now = time.process_time()
        seconds[stage] += now - since
        since = now

    for path in config["warcs"]:
        with Path(path).open("rb") as stream:
            for record in read_warc(stream, maximum_record_bytes=32 << 20):
                charge("read")
                if not isinstance(record, Document):
                    continue
                counts["pages"] += 1
                for stage in stages:
                    result = stage(record)
                    charge(stage.name)
                    if not isinstance(result, Document):
                        counts[f"{stage.name}/{result.reason}"] += 1
                        break
                else:
                    kept.append(f"{Path(path).name} {record.id}")
    return {"kept": kept, "seconds": seconds, "counts": counts}


if __name__ == "__main__":
    configuration = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    result = run(configuration)
    Path(configuration["output"]).write_text(json.dumps(result), encoding="utf-8")
