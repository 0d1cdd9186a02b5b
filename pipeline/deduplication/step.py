"""One deduplication of finished datasets: keys of each, decisions over all, each written anew.

Nothing but keys is made before it is decided what stays; the texts are read once to make keys and
once to be copied. Datasets come in order of priority: the earlier one keeps its copy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from pipeline import files
from pipeline.dataset import Dataset, document_files
from pipeline.deduplication.decisions import Decisions
from pipeline.deduplication.documents import DocumentRemoval
from pipeline.deduplication.key_pass import KeyMaker, KeyPass, check_columns
from pipeline.deduplication.makers import MinHashKeys
from pipeline.deduplication.methods import Deduplicator, key_maker
from pipeline.deduplication.paragraphs import LineRemoval
from pipeline.deduplication.report import make_report
from pipeline.deduplication.settings import LineSettings, MethodName
from pipeline.deduplication.shuffle import KeyUnit
from pipeline.errors import InputError
from pipeline.finish import ReadExtracted, ReadShard
from pipeline.job import Job
from pipeline.recipe import fingerprint, to_plain
from pipeline.runner import MapPass, run_unit_pass
from pipeline.shards import Columns, columns_of
from pipeline.stages import BatchStage, Stage
from pipeline.units import Unit
from pipeline.writer import WriterSettings

FOOTER_BYTES = 1 << 16


@dataclass(frozen=True)
class Documents:
    """A documents dataset among those that are compared.

    Attributes:
        label: names it in reports and in clusters.
        folder: where it is.
        units: its shards, in order.
        columns: of its shards.
        output: folder of the deduplicated dataset.
        carries: whether the result accounts for what the pass that wrote it accounted for, rather
            than for its documents.
    """

    label: str
    folder: str
    units: tuple[Unit, ...]
    columns: Columns
    output: str
    carries: bool = False


def find_documents(folder: str, label: str, output: str, *, carries: bool = False) -> Documents:
    """The dataset in a folder: `documents/part-*.parquet`.

    Raises:
        InputError: there are no documents, or the first shard is no Parquet file, or has no `id`
            or `text`.
    """
    parts = document_files(folder)
    units = tuple(_unit(folder, file) for file in parts)
    try:
        columns = columns_of(parts[0].path)
    except pa.ArrowInvalid as error:
        raise InputError(f"{parts[0].path} cannot be read as Parquet: {error}") from None
    return Documents(label, folder, units, columns, output, carries)


def _unit(folder: str, file: files.FileInfo) -> Unit:
    """The unit that is a shard; its version is the hash of all that is recorded of it.

    A shard that no run of ours recorded is told from another one by its end, where Parquet has the
    statistics of every column.
    """
    name = file.relative.removesuffix(".parquet").removeprefix("part-").replace("/", "_")
    stats = Dataset(folder).stats_path(name)
    if files.exists(stats):
        recorded = files.read_bytes(stats)
    else:
        with files.open_read(file.path) as handle:
            handle.seek(max(0, file.size - FOOTER_BYTES))
            recorded = handle.read()
    version = xxhash.xxh3_64_hexdigest(recorded)
    return Unit(name, file.path, file.relative, file.size, version=version)


@dataclass(frozen=True)
class Step:
    """One method over some datasets.

    Attributes:
        job: what the user asked for.
        method: of deduplication.
        datasets: in order of priority.
        work: folder for keys and decisions.
        then: stages that what is left goes through while it is written.
        then_version: what decides what those stages do.
    """

    job: Job
    method: MethodName
    datasets: tuple[Documents, ...]
    work: str
    then: tuple[Stage, ...] = ()
    then_version: str = ""

    def run(self) -> Iterator[tuple[Documents, str, list[dict[str, Any]]]]:
        """Make keys, decide, and write each dataset anew.

        Yields:
            Each dataset with the fingerprint of its result and the stats of its units.

        Raises:
            InputError: the datasets cannot be compared this way.
            RecipeError: the settings do not work together.
        """
        recipe = self.job.recipe
        made_by = fingerprint(self.method, to_plain(getattr(recipe.deduplication, self.method)))
        maker = key_maker(self.method, recipe.deduplication)
        self._check(maker)
        for dataset in self.datasets:
            keys = KeyPass(maker, self._keys(dataset), made_by, dataset.label)
            run_unit_pass(keys, dataset.units, self.job.workers)
        compared = self._compared()
        deduplicator = Deduplicator(
            compared,
            recipe.deduplication,
            self.work,
            self.job.engine,
            recipe.run.partition_bytes,
        )
        inputs = [[d.label, [[u.name, u.size, u.version] for u in d.units]] for d in self.datasets]
        decisions = deduplicator.run(self.method, fingerprint(made_by, inputs))
        self._report(decisions, compared)
        for dataset in self.datasets:
            label, form = self._label(dataset), self.job.shard_form
            version = fingerprint(made_by, "written", label, form, self.then_version)
            yield dataset, version, self._write(dataset, decisions, compared, version)

    def _check(self, maker: KeyMaker) -> None:
        """Fail before any work; of each dataset's shards the first is looked at."""
        if isinstance(maker, MinHashKeys):
            maker.check()
        for dataset in self.datasets:
            first = dataset.units[0].path
            with files.open_read(first) as handle:
                check_columns(first, pq.read_schema(handle), maker.columns)
        names = Counter(unit.full_name for unit in self._compared())
        name, times = names.most_common(1)[0]
        if times > 1:
            raise InputError(
                f"{times} shards would be called {name!r}; give the datasets other labels, "
                "LABEL=FOLDER, or rename the shards"
            )

    def _keys(self, dataset: Documents) -> str:
        return files.join(self.work, "keys", dataset.label)

    def _label(self, dataset: Documents) -> str:
        """What tells equal unit names apart, where there are several datasets."""
        return dataset.label if len(self.datasets) > 1 else ""

    def _compared(self) -> tuple[KeyUnit, ...]:
        settings = getattr(self.job.recipe.deduplication, self.method)
        apart = int(getattr(settings, "scope", "all") == "dataset")
        return tuple(
            KeyUnit(self._keys(dataset), unit.name, source * apart, source, self._label(dataset))
            for source, dataset in enumerate(self.datasets)
            for unit in dataset.units
        )

    def _report(self, decisions: Decisions, compared: Sequence[KeyUnit]) -> None:
        shards = [unit.path for dataset in self.datasets for unit in dataset.units]
        labels = [dataset.label for dataset in self.datasets]
        report = make_report(self.method, decisions.summary(), labels, compared, shards)
        report.write(self.work)
        print("\n".join(report.lines()))

    def _write(
        self, dataset: Documents, decisions: Decisions, compared: Sequence[KeyUnit], version: str
    ) -> list[dict[str, Any]]:
        job, own = self.job, [unit for unit in compared if unit.dataset == self._keys(dataset)]
        names = [unit.full_name for unit in compared]
        units = [
            # Redone only where the shard or the decisions on it are other than before.
            replace(unit, version=f"{unit.version}-{decisions.digest(key_unit.full_name, names)}")
            for unit, key_unit in zip(dataset.units, own, strict=True)
        ]
        reader = (
            ReadExtracted(dataset.folder, job.batching)
            if dataset.carries
            else ReadShard(job.batching)
        )
        rows_per_group = job.recipe.run.rows_per_group
        columns = with_signals(dataset.columns, self.method)
        writer = WriterSettings(dataset.output, version, columns, (), rows_per_group)
        stages = (self._removal(dataset, decisions, compared), *self.then)
        name = f"{self.method} {dataset.label}"
        return job.run_pass(MapPass(name, reader, stages, job.batching, writer), units)

    def _removal(
        self, dataset: Documents, decisions: Decisions, compared: Sequence[KeyUnit]
    ) -> BatchStage:
        label = self._label(dataset)
        if self.method not in ("paragraphs", "lines"):
            return DocumentRemoval(self.method, decisions.folder, compared, label)
        settings: LineSettings = getattr(self.job.recipe.deduplication, self.method)
        repeats = files.join(self._keys(dataset), "keys", f"{self.method}-repeats")
        minimum = settings.minimum_characters
        return LineRemoval(self.method, decisions.folder, minimum, repeats, label)


def with_signals(columns: Columns, method: MethodName) -> Columns:
    """The columns with those that a method adds."""
    added: Mapping[str, pa.DataType] = (
        {"lines": pa.int32(), "characters": pa.int64()}
        if method in ("paragraphs", "lines")
        else {f"{method}_cluster": pa.string(), f"{method}_cluster_size": pa.int32()}
    )
    return Columns(columns.metadata, {**columns.signals, **added})
