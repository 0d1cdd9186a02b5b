"""datatrove's side of `warc_path.py`, run by an interpreter that has datatrove."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    from datatrove.pipeline.extractors import Trafilatura
    from datatrove.pipeline.filters import LanguageFilter
    from datatrove.pipeline.readers import WarcReader
    from datatrove.utils import lid
except ModuleNotFoundError as missing:
    sys.exit(f"{missing.name} is not installed: warc_path.py says how to install datatrove")


def run(config: dict[str, Any]) -> dict[str, Any]:
    """WarcReader, Trafilatura, LanguageFilter as they come, but for the model and the timeout."""
    # It would download lid.176.bin; it gets the model that we use.
    lid.cached_asset_path_or_download = lambda *_, **__: config["lid"]
    # The default of 1 second drops long pages when the machine is busy.
    extractor = Trafilatura(timeout=60)
    language = LanguageFilter(config["language"], language_threshold=config["minimum_score"])
    counts: Counter[str] = Counter()
    kept = []

    def read(path: Path) -> Iterator[Any]:
        reader = WarcReader(str(path.parent), glob_pattern=path.name)
        for document in reader.run():
            counts["pages"] += 1
            yield document

    def read_all() -> Iterator[Any]:
        for path in config["warcs"]:
            for document in read(Path(path)):
                document.metadata["name"] = Path(path).name
                yield document

    for document in language.run(extractor.run(read_all())):
        kept.append(f"{document.metadata['name']} {document.id.strip('<>')}")
    return {"kept": kept, "seconds": {}, "counts": counts}


if __name__ == "__main__":
    configuration = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    result = run(configuration)
    Path(configuration["output"]).write_text(json.dumps(result), encoding="utf-8")
