"""arXiv as LLaMA used it: LaTeX from the first section on, macros expanded (arXiv 2302.13971).

One pass: bulk tars -> submissions -> text. Title, authors and abstract go to columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from filters.latex import LatexCleaner
from pipeline.passes.shards import Columns
from pipeline.passes.stages import enabled
from pipeline.readers.arxiv_bulk import read_arxiv
from pipeline.readers.records import Records
from pipeline.recipe import Recipe
from pipeline.sources.arxiv.settings import ArxivInputSettings, ArxivSettings
from pipeline.sources.declaration import Found, Source, Step
from pipeline.store.inputs import Inputs, find_inputs
from pipeline.store.units import Unit, unit_of

FILES = r"(\.tar|(\d{4}\.\d{4,5}|[a-z]_?\d{7})(v\d+)?\.(gz|tgz|tar\.gz|pdf|tex))$"
LOOKED_FOR = "bulk files like arXiv_src_2004_001.tar, or single sources like 2004.14974.gz"

COLUMNS = Columns(
    metadata={
        "title": pa.string(),
        "abstract": pa.string(),
        "authors": pa.list_(pa.string()),
        "main_file": pa.string(),
    },
    signals={
        "start": pa.string(),
        "tex_files": pa.int64(),
        "source_characters": pa.int64(),
        "macros_defined": pa.int64(),
        "macros_left": pa.list_(pa.string()),
        "missing_files": pa.int64(),
        "encoding_assumed": pa.bool_(),
        "bibliography_characters": pa.int64(),
        "bibliographies_at": pa.list_(pa.int64()),
    },
)


@dataclass(frozen=True)
class ReadBulk:
    """Reads a unit as a bulk tar or a single submission."""

    settings: ArxivInputSettings

    def __call__(self, stream: BinaryIO, unit: Unit) -> Records:
        return read_arxiv(stream, unit.relative, self.settings.maximum_member_bytes)


def find_units(inputs: Inputs, _: ArxivSettings) -> Found:
    """Units below a folder.

    Raises:
        InputError: nothing is there that looks like arXiv sources.
    """
    return [unit_of(file) for file in find_inputs(inputs, FILES, LOOKED_FOR)], []


def steps(settings: ArxivSettings, _: Recipe, __: Sequence[Unit]) -> Iterable[Step]:
    """From submissions to text."""
    return enabled((settings.latex, LatexCleaner(settings.latex)))


SOURCE = Source(
    name="arxiv",
    settings=ArxivSettings,
    columns=COLUMNS,
    find_units=find_units,
    read=lambda settings: ReadBulk(settings.input),
    steps=steps,
)
