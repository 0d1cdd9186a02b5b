"""Documents datasets for tests, written by the code that writes those of a run."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path

from filters.document import Document
from pipeline.cli.options import DEFAULT_RECIPE
from pipeline.job import Job
from pipeline.passes.batch import Batch
from pipeline.passes.engine import Engine
from pipeline.passes.run import Result, Run, running
from pipeline.passes.shards import Columns
from pipeline.passes.stages import READ
from pipeline.passes.summary import Summary
from pipeline.passes.writer import UnitWriter, WriterSettings
from pipeline.recipe import load_recipe
from pipeline.store.accounting import StageCount
from pipeline.store.commit import Place
from pipeline.store.inputs import Inputs
from pipeline.store.records import UnitInput, UnitRecord
from pipeline.store.tables import write_table
from pipeline.store.units import Unit


def write_documents_dataset(
    folder: Path,
    units: Mapping[str, Sequence[Document]],
    columns: Columns | None = None,
    *,
    rows_per_group: int = 100,
    finished: bool = True,
) -> Path:
    """A dataset of these documents by unit; one that is there is replaced.

    Args:
        folder: of the dataset.
        units: documents by name of unit.
        columns: typed columns besides the base columns.
        rows_per_group: of the Parquet files.
        finished: whether it gets its manifest.
    """
    settings = WriterSettings(columns or Columns(), (), rows_per_group)
    with running(Engine(), str(folder)) as run:
        job = Job("test", Inputs(()), str(folder), load_recipe(DEFAULT_RECIPE), run)
        place = job.place("test", is_last=True)
        result = Result(place, Summary(), run.id)
        records = [
            _write_unit(run, place, name, documents, settings) for name, documents in units.items()
        ]
        for record in records:
            result.summary.add_record(record)
        name = f"{place.inner('tables')}/test.{place.attempt()}.parquet"
        result.summary.tables.append(write_table(place.root, name, records))
        run.kept.append(result)
        if finished:
            with redirect_stdout(io.StringIO()):
                job.complete(result, [])
    return folder


def _write_unit(
    run: Run, place: Place, name: str, documents: Sequence[Document], settings: WriterSettings
) -> UnitRecord:
    unit = Unit(name, name, name, 0)
    writer = UnitWriter(unit, place, settings)
    batch = Batch(unit, 0, is_last=True, documents=list(documents))
    characters = sum(len(document.text) for document in documents)
    batch.counts[READ] = StageCount(len(documents), len(documents), characters, characters)
    batch.input = UnitInput(name, "", 0)
    writer.add(batch)
    # Each run writes anew, whatever the last one has left.
    return writer.commit(batch, run.id)
