"""Which templates left holes in a dataset of Wikipedia, by wiki: what its tables lack."""

from __future__ import annotations

from collections import Counter

import pyarrow.parquet as pq

from pipeline.passes.run import Result
from pipeline.store import files

# The rest are single pages' templates; the column `hole_templates` has them all.
_MOST = 200


def holes_by_template(result: Result) -> dict[str, dict[str, int]]:
    """Number of holes by wiki and template, the commonest first, of the documents of a pass."""
    counts: dict[str, Counter[str]] = {}
    for record in result.records():
        path = result.place.full(record.of_kind("documents").name)
        with files.open_read(path) as stream:
            columns = pq.ParquetFile(stream).read(columns=["id", "hole_templates"]).to_pydict()
        for identifier, names in zip(columns["id"], columns["hole_templates"], strict=True):
            if names:
                counts.setdefault(identifier.partition("/")[0], Counter()).update(names)
    return {wiki: dict(counts[wiki].most_common(_MOST)) for wiki in sorted(counts)}
