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

from pipeline.deduplication.decisions import Decisions
from pipeline.deduplication.documents import DocumentRemoval
from pipeline.deduplication.key_pass import KeyMaker, KeyPass, check_columns
from pipeline.deduplication.key_units import KeyUnit, KeyUnits, write_key_units
from pipeline.deduplication.makers import MinHashKeys
from pipeline.deduplication.methods import Deduplicator, key_maker
from pipeline.deduplication.paragraphs import REPEATS, LineRemoval
from pipeline.deduplication.report import Report, make_report
from pipeline.deduplication.settings import LineSettings, MethodName
from pipeline.errors import InputError
from pipeline.fingerprints import parts_of
from pipeline.finish import SHA256, ReadExtracted, ReadShard, units_after
from pipeline.job import Job
from pipeline.passes.documents import DocumentsPass
from pipeline.passes.run import Result
from pipeline.shards import Columns, columns_of
from pipeline.stages import BatchStage, Stage
from pipeline.store import files
from pipeline.store.commit import Place
from pipeline.store.dataset import Dataset, Shard, foreign_shards
from pipeline.store.units import Unit
from pipeline.writer import WriterSettings


@dataclass(frozen=True)
class Documents:
    """A documents dataset among those that are compared.

    Attributes:
        label: names it in reports and in clusters.
        units: its shards, in order.
        columns: of its shards.
        place: of the deduplicated dataset.
        carries: whether the result accounts for what the pass that wrote it accounted for, rather
            than for its documents.
    """

    label: str
    units: tuple[Unit, ...]
    columns: Columns
    place: Place
    carries: bool = False


def find_documents(folder: str, label: str, place: Place, *, foreign: bool = False) -> Documents:
    """The finished dataset in a folder, or, if `foreign`, the Parquet files there.

    Raises:
        InputError: there is none, or the first shard is no Parquet file, or has no `id` or `text`.
    """
    shards = foreign_shards(folder) if foreign else Dataset(folder).shards
    units = tuple(map(unit_of_shard, shards))
    if not units:
        raise InputError(f"{folder} is an empty dataset: its manifest names no documents")
    return Documents(label, units, first_columns(units), place)


def unit_of_shard(shard: Shard) -> Unit:
    """The unit that is a shard: told from another by its content, where a manifest says it."""
    identity = SHA256 + shard.sha256 if shard.sha256 else shard.content
    return Unit(shard.unit, shard.path, shard.unit, shard.size, identity, version=shard.content)


def first_columns(units: Sequence[Unit]) -> Columns:
    """The typed columns of the first shard.

    Raises:
        InputError: it is no Parquet file, or has no `id` or `text`.
    """
    try:
        return columns_of(units[0].path)
    except pa.ArrowInvalid as error:
        raise InputError(f"{units[0].path} cannot be read as Parquet: {error}") from None


def documents_after(result: Result, label: str, place: Place) -> Documents:
    """What a pass of this run has written, as a dataset among those that are compared."""
    units = tuple(units_after(result))
    return Documents(label, units, first_columns(units), place, carries=True)


@dataclass(frozen=True)
class Step:
    """One method over some datasets.

    Attributes:
        job: what the user asked for.
        method: of deduplication.
        datasets: in order of priority.
        name: of the step; in `job.output` are the keys and decisions.
        then: stages that what is left goes through while it is written.
    """

    job: Job
    method: MethodName
    datasets: tuple[Documents, ...]
    name: str
    then: tuple[Stage, ...] = ()

    def run(self) -> Iterator[Written]:
        """Make keys, decide, and write each dataset anew.

        Raises:
            InputError: the datasets cannot be compared this way.
            RecipeError: the settings do not work together.
        """
        recipe, run = self.job.recipe, self.job.run
        maker = key_maker(self.method, recipe.deduplication)
        self._check(maker)
        keyed = []
        for dataset in self.datasets:
            place = self.job.place(f"{self.name}.keys.{dataset.label}")
            keys = KeyPass(maker, place, dataset.label)
            result = run.run_units(keys, dataset.units)
            run.kept.append(result)
            keyed.append(result)
        compared, keys_by_scope, contents = self._compared(keyed, maker.kind)
        path = run.path(self.job.output, f"{self.name}.units.parquet")
        units = write_key_units(path, compared)
        deduplicator = Deduplicator(
            units,
            keys_by_scope,
            recipe.deduplication,
            self.job.output,
            self.name,
            run,
            recipe.run.partition_bytes,
        )
        settings = getattr(recipe.deduplication, self.method)
        made_of = parts_of(Deduplicator, maker, settings, contents).fingerprint
        decisions = deduplicator.decide(self.method, made_of)
        run.kept.append(decisions)
        report = self._report(decisions, keyed, units)
        print("\n".join(report.lines()))
        for dataset, keys_made in zip(self.datasets, keyed, strict=True):
            result = self._write(dataset, keys_made, decisions, units)
            yield Written(dataset, result, report)

    def _check(self, maker: KeyMaker) -> None:
        """Fail before any work; of each dataset's shards the first is looked at."""
        if isinstance(maker, MinHashKeys):
            maker.check()
        for dataset in self.datasets:
            first = dataset.units[0].path
            with files.open_read(first) as handle:
                check_columns(first, pq.read_schema(handle), maker.columns)
        names = Counter(
            KeyUnit(unit.name, label=self._label(dataset)).full_name
            for dataset in self.datasets
            for unit in dataset.units
        )
        name, times = names.most_common(1)[0]
        if times > 1:
            raise InputError(
                f"{times} shards would be called {name!r}; give the datasets other labels, "
                "LABEL=FOLDER, or rename the shards"
            )

    def _label(self, dataset: Documents) -> str:
        """What tells equal unit names apart, where there are several datasets."""
        return dataset.label if len(self.datasets) > 1 else ""

    def _compared(
        self, keyed: Sequence[Result], kind: str
    ) -> tuple[list[KeyUnit], dict[int, int], list[Any]]:
        """The units in order of preference, how many keys each scope has, and what they hold."""
        settings = getattr(self.job.recipe.deduplication, self.method)
        apart = int(getattr(settings, "scope", "all") == "dataset")
        units, keys, contents = [], dict[int, int](), list[Any]()
        for source, (dataset, result) in enumerate(zip(self.datasets, keyed, strict=True)):
            scope, label = source * apart, self._label(dataset)
            records = {record.unit: record for record in result.records()}
            for own in dataset.units:
                record = records[own.name]
                found = {file.kind: result.place.full(file.name) for file in record.files}
                units.append(KeyUnit(own.name, scope, source, label, found))
                keys[scope] = keys.get(scope, 0) + record.of_kind(f"keys/{kind}").rows
                contents.append([units[-1].full_name, scope, source, record.content])
        return units, keys, contents

    def _report(self, decisions: Decisions, keyed: Sequence[Result], units: KeyUnits) -> Report:
        shards = [unit.path for dataset in self.datasets for unit in dataset.units]
        documents = {
            dataset.label: result.summary.funnel.records
            for dataset, result in zip(self.datasets, keyed, strict=True)
        }
        return make_report(self.method, decisions.summary, documents, units, shards)

    def _write(
        self,
        dataset: Documents,
        keys: Result,
        decisions: Decisions,
        compared: KeyUnits,
    ) -> Result:
        job, label = self.job, self._label(dataset)
        units = self._decided(dataset, keys, decisions)
        reader = (
            ReadExtracted(dataset.place.root, job.batching)
            if dataset.carries
            else ReadShard(job.batching)
        )
        columns = with_signals(dataset.columns, self.method)
        writer = WriterSettings(columns, (), job.recipe.run.rows_per_group)
        removal: BatchStage
        if self.method in ("paragraphs", "lines"):
            settings: LineSettings = getattr(job.recipe.deduplication, self.method)
            removal = LineRemoval(self.method, settings.minimum_characters)
        else:
            removal = DocumentRemoval(self.method, compared, label)
        work = DocumentsPass(
            f"{self.method} {dataset.label}",
            dataset.place,
            reader,
            (removal, *self.then),
            job.batching,
            writer,
            job.document_seconds,
        )
        return job.run_pass(work, units)

    def _decided(self, dataset: Documents, keys: Result, decisions: Decisions) -> list[Unit]:
        """The units with the decisions on them: redone only where these are other than before."""
        repeats = {
            record.unit: tuple(
                (REPEATS, keys.place.full(file.name))
                for file in record.files
                if file.kind.endswith("-repeats")
            )
            for record in keys.records()
        }
        found = []
        for unit in dataset.units:
            name = KeyUnit(unit.name, label=self._label(dataset)).full_name
            own = decisions.units[name]
            inputs = (*unit.inputs, *own.inputs, *repeats[unit.name])
            version = f"{unit.version}-{own.digest}"
            found.append(replace(unit, inputs=inputs, version=version))
        return found


@dataclass(frozen=True)
class Written:
    """A dataset written anew: what was made, and the report."""

    dataset: Documents
    result: Result
    report: Report


def with_signals(columns: Columns, method: MethodName) -> Columns:
    """The columns with those that a method adds."""
    added: Mapping[str, pa.DataType] = (
        {"lines": pa.int32(), "characters": pa.int64()}
        if method in ("paragraphs", "lines")
        else {f"{method}_cluster": pa.string(), f"{method}_cluster_size": pa.int32()}
    )
    return Columns(columns.metadata, {**columns.signals, **added})
