"""Deduplication of finished datasets: keys of each, decisions over all, each written anew.

Nothing but keys is made before it is decided what stays; the texts are read once by each method to
make keys, a later one's of what the earlier ones leave, and once to be written. Datasets come in
order of priority: the earlier one keeps its copy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from filters.paths import Location
from pipeline.deduplication.decision_files import Decisions
from pipeline.deduplication.deduplicator import Deduplicator
from pipeline.deduplication.key_pass import KeyPass, SeenDocuments, check_columns
from pipeline.deduplication.key_units import KeyUnit, KeyUnits, write_key_units
from pipeline.deduplication.keys import KeyMaker
from pipeline.deduplication.methods import method_of
from pipeline.deduplication.removal import REPEATS, ROWS, Clusters, Lines, Removal, kind_of
from pipeline.deduplication.report import Report, make_report
from pipeline.deduplication.sections import MethodName
from pipeline.errors import InputError
from pipeline.fingerprints import parts_of
from pipeline.job import Job
from pipeline.passes.documents_pass import DocumentsPass
from pipeline.passes.run import Result
from pipeline.passes.shard_units import SHA256, ReadExtracted, ReadShard, units_after
from pipeline.passes.shards import Columns, columns_of
from pipeline.passes.stages import Stage
from pipeline.passes.writer import WriterSettings
from pipeline.store import files
from pipeline.store.commit import Place
from pipeline.store.dataset import Dataset, Shard, foreign_shards
from pipeline.store.records import UnitRecord
from pipeline.store.units import Unit


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
class Decided:
    """One method's decisions on some datasets.

    Attributes:
        removals: what they do to each dataset.
        keyed: the keys of each dataset.
        decisions: on all.
        report: on them.
    """

    removals: tuple[Removal, ...]
    keyed: tuple[Result, ...]
    decisions: Decisions
    report: Report


@dataclass(frozen=True)
class Step:
    """One method over some datasets.

    Attributes:
        job: what the user asked for.
        method: of deduplication.
        datasets: in order of priority.
        name: of the step; in `job.output` are the keys and decisions.
        then: stages that what is left goes through while it is written.
        before: what earlier methods have decided on the same datasets.
    """

    job: Job
    method: MethodName
    datasets: tuple[Documents, ...]
    name: str
    then: tuple[Stage, ...] = ()
    before: tuple[Decided, ...] = ()

    def run(self) -> Iterator[Written]:
        """Make keys, decide, and write each dataset anew.

        Raises:
            InputError: the datasets cannot be compared this way.
            RecipeError: the settings do not work together.
        """
        decided = self.decide()
        for number, dataset in enumerate(self.datasets):
            result = self.write(number, decided)
            yield Written(dataset, result, decided.report)

    def decide(self) -> Decided:
        """Make keys, and decide; nothing is written of the documents.

        Raises:
            InputError: the datasets cannot be compared this way.
            RecipeError: the settings do not work together.
        """
        recipe, run = self.job.recipe, self.job.run
        method, settings = method_of(self.method), self._settings
        maker = method.keys(settings)
        self._check(maker)
        keyed, seen = [], []
        for number, dataset in enumerate(self.datasets):
            place = self.job.place(f"{self.name}.keys.{dataset.label}")
            units, before = self._units(number, self.before), self._removals(number)
            result = run.run_units(KeyPass(maker, place, dataset.label, before), units)
            run.kept.append(result)
            keyed.append(result)
            seen += [SeenDocuments(unit, before) for unit in units]
        compared, keys_by_scope, contents = self._compared(keyed, maker.kind)
        path = run.path(self.job.output, f"{self.name}.units.parquet")
        units_compared = write_key_units(path, compared)
        deduplicator = Deduplicator(
            units_compared,
            keys_by_scope,
            maker,
            self.job.output,
            self.name,
            run,
            recipe.run.partition_bytes,
        )
        made_of = parts_of(Deduplicator, method.decide, maker, settings, contents).fingerprint
        decisions = method.decide(deduplicator, settings, made_of)
        run.kept.append(decisions)
        report = self._report(decisions, keyed, units_compared, seen)
        print("\n".join(report.lines()))
        removals = tuple(self._removal(dataset, units_compared) for dataset in self.datasets)
        return Decided(removals, tuple(keyed), decisions, report)

    def write(self, number: int, decided: Decided) -> Result:
        """Write a dataset anew, without what this method and those before have removed."""
        job, dataset = self.job, self.datasets[number]
        every = (*self.before, decided)
        reader = (
            ReadExtracted(dataset.place.root, job.batching)
            if dataset.carries
            else ReadShard(job.batching)
        )
        removals = [one.removals[number] for one in every]
        writer = WriterSettings(
            with_signals(dataset.columns, removals), (), job.recipe.run.rows_per_group
        )
        work = DocumentsPass(
            f"{' '.join(one.method for one in removals)} {dataset.label}",
            dataset.place,
            reader,
            (*(one.stage() for one in removals), *self.then),
            job.batching,
            writer,
            job.document_seconds,
        )
        return job.run_pass(work, self._units(number, every))

    @property
    def _settings(self) -> Any:
        return getattr(self.job.recipe.deduplication, self.method)

    def _removals(self, number: int) -> tuple[Removal, ...]:
        """What earlier methods do to a dataset."""
        return tuple(one.removals[number] for one in self.before)

    def _removal(self, dataset: Documents, compared: KeyUnits) -> Removal:
        if method_of(self.method).removes == "lines":
            return Lines(self.method, self.name, self._settings.minimum_characters)
        return Clusters(self.method, self.name, Location(compared.path), self._label(dataset))

    def _check(self, maker: KeyMaker) -> None:
        """Fail before any work; of each dataset's shards the first is looked at."""
        maker.check()
        for number, dataset in enumerate(self.datasets):
            first = dataset.units[0].path
            with files.open_read(first) as handle:
                check_columns(
                    first,
                    pq.read_schema(handle),
                    maker.columns,
                    maker.scores,
                    self._removals(number),
                )
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
        apart = int(getattr(self._settings, "scope", "all") == "dataset")
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

    def _report(
        self,
        decisions: Decisions,
        keyed: Sequence[Result],
        units: KeyUnits,
        seen: Sequence[SeenDocuments],
    ) -> Report:
        documents = {
            dataset.label: result.summary.funnel.records
            for dataset, result in zip(self.datasets, keyed, strict=True)
        }
        return make_report(self.method, decisions.summary, documents, units, seen)

    def _units(self, number: int, every: Sequence[Decided]) -> list[Unit]:
        """A dataset's units with decisions on them: redone only where these are others."""
        label = self._label(self.datasets[number])
        found = list(self.datasets[number].units)
        for one in every:
            step, keyed = one.removals[number].step, one.keyed[number]
            beside = {record.unit: _beside(step, keyed, record) for record in keyed.records()}
            for place, unit in enumerate(found):
                own = one.decisions.units[KeyUnit(unit.name, label=label).full_name]
                made = [(kind_of(step, kind), path) for kind, path in own.inputs]
                found[place] = replace(
                    unit,
                    inputs=(*unit.inputs, *made, *beside[unit.name]),
                    version=f"{unit.version}-{own.digest}",
                )
        return found


def _beside(step: str, keyed: Result, record: UnitRecord) -> tuple[tuple[str, str], ...]:
    """Of the arrays beside a unit's keys those by which decisions are applied."""
    return tuple(
        (kind_of(step, kind), keyed.place.full(file.name))
        for file in record.files
        for kind in (REPEATS, ROWS)
        if file.kind.endswith(f"-{kind}")
    )


@dataclass(frozen=True)
class Written:
    """A dataset written anew: what was made, and the report."""

    dataset: Documents
    result: Result
    report: Report


def with_signals(columns: Columns, removals: Sequence[Removal]) -> Columns:
    """The columns with those that methods add."""
    signals = dict(columns.signals)
    for removal in removals:
        signals |= removal.signals
    return Columns(columns.metadata, signals)
