"""arXiv as LLaMA used it: LaTeX from the first section on, macros expanded (arXiv 2302.13971).

One pass: bulk tars -> submissions -> text. Title, authors and abstract go to columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from filters.latex import LatexCleaner
from pipeline.deduplication.chain import complete, documents_place
from pipeline.job import Job
from pipeline.passes.documents import DocumentsPass
from pipeline.readers.arxiv_bulk import read_arxiv
from pipeline.readers.records import Records
from pipeline.shards import Columns
from pipeline.sources.settings import ArxivInputSettings
from pipeline.stages import ReadUnit, Stage, enabled
from pipeline.store.commit import Place
from pipeline.store.inputs import Inputs, find_inputs
from pipeline.store.units import Unit, unit_of
from pipeline.writer import WriterSettings

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


def find_units(inputs: Inputs) -> list[Unit]:
    """Units below a folder.

    Raises:
        InputError: nothing is there that looks like arXiv sources.
    """
    return [unit_of(file) for file in find_inputs(inputs, FILES, LOOKED_FOR)]


def run(job: Job) -> None:
    """Run the source."""
    settings = job.recipe.arxiv
    units = find_units(job.input)
    job.check_stages(stages(job))
    methods = settings.deduplicate
    place = documents_place(job, methods)
    result = job.run_pass(documents_pass(job, place), units)
    complete(job, methods, result, [])


def stages(job: Job) -> tuple[Stage, ...]:
    """From submissions to text."""
    settings = job.recipe.arxiv.latex
    return (*enabled((settings, LatexCleaner(settings))), *job.last_stages)


def documents_pass(job: Job, place: Place) -> DocumentsPass:
    """Bulk files to documents."""
    columns, rows_per_group = job.columns(COLUMNS), job.recipe.run.rows_per_group
    writer = WriterSettings(columns, (), rows_per_group)
    read = ReadUnit(ReadBulk(job.recipe.arxiv.input), job.batching)
    return DocumentsPass(
        "arxiv", place, read, stages(job), job.batching, writer, job.document_seconds
    )
