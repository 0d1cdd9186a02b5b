"""The join of BigQuery's tables: which path, under which licence, stands for each blob.

First, files meet licences by repository: each files row gets the verdict on its repository, or its
reason to go. Then they meet contents by blob id, and what comes back for each contents unit is a
small Arrow file: row, repository, path, licence, reason. Contents themselves are not shuffled.

Of the paths of one blob the best rank stands for it, then the smallest repository, then the
smallest path: 0 licensed and of a wanted kind, 1 licensed, 2 not licensed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import apache_beam as beam
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from filters.code import CodePathFilter, CodePathSettings
from pipeline.deduplication.decision_files import DECISIONS, Decisions, finish, finished
from pipeline.deduplication.key_units import KeyUnit, KeyUnits, write_key_units
from pipeline.deduplication.shuffle import NO_FUNNEL
from pipeline.errors import OutputError
from pipeline.passes.run import Run
from pipeline.passes.shuffle import WHOLE, ForUnit, cut, give_back
from pipeline.sources.github.licences import (
    LicencePolicy,
    Verdict,
    folder_of,
    is_licence_file,
    nearest,
)
from pipeline.sources.github.meeting import Met, from_bytes, meet, tables_of, to_bytes
from pipeline.sources.github.tables import KEYS, SCHEMAS, TABLE_BYTES, key_of, schema, sorted_bytes
from pipeline.store import files
from pipeline.store.commit import Attempt, Place, content_hash
from pipeline.store.records import UnitInput, UnitRecord
from pipeline.store.tables import TableFile
from pipeline.store.units import Unit

_SYMLINK, _SUBMODULE, _KIND = 0o120000, 0o160000, 0o170000

_BLOBS = schema(
    key=pa.uint64(),
    id=pa.string(),
    rank=pa.int8(),
    repository=pa.string(),
    path=pa.string(),
    licence=pa.string(),
    reason=pa.string(),
    licensed=pa.int64(),
)
CHOSEN = schema(
    row=pa.int64(),
    repository=pa.string(),
    path=pa.string(),
    licence=pa.string(),
    reason=pa.string(),
    licensed=pa.int64(),
)
_BEST_FIRST: list[tuple[str, Literal["ascending", "descending"]]] = [
    (name, "ascending") for name in ("id", "rank", "repository", "path")
]


@dataclass(frozen=True)
class Join:
    """The join of one input.

    Attributes:
        files: sorted tables of files.
        licences: sorted tables of licences.
        contents: sorted tables of contents; their numbers are those of the contents units.
        policy: on licences.
        paths: settings of the path filter, by which a wanted path is preferred.
        partition_bytes: bound on what one partition holds.
    """

    files: tuple[KeyUnit, ...]
    licences: tuple[KeyUnit, ...]
    contents: tuple[KeyUnit, ...]
    policy: LicencePolicy
    paths: CodePathSettings
    partition_bytes: int

    def run(self, sizes: Sequence[int], fingerprint: str, root: str, run: Run) -> Decisions:
        """Write what stands for each blob, unless it is there, with the account of files rows.

        Args:
            sizes: bytes of files and licences, and of contents, as tables in memory.
            fingerprint: of everything that decides the result.
            root: the dataset's folder.
            run: that this is part of.
        """
        place = run.place(root, "join")
        decisions = finished(place, fingerprint)
        if decisions is not None:
            return decisions
        licensed, account = self._license(sizes[0], run.place(root, "join.licensed"), run)
        size = account.pop(TABLE_BYTES, 0) + sizes[1]
        tables, chosen = self._choose(licensed, size, place, run)
        return finish(place, fingerprint, tables, {"report": _report(account, chosen)})

    def _license(self, size: int, place: Place, run: Run) -> tuple[list[KeyUnit], Counter[str]]:
        """Files rows with the verdicts on their repositories, as sorted tables; their counts."""
        tables = write_key_units(
            run.path(place.root, "files.parquet"), [*self.files, *self.licences]
        )
        division = cut([size], self.partition_bytes, run.engine)
        split = len(self.files), len(tables)
        write = partial(
            _write_licensed, place=place, split=split, policy=self.policy, paths=self.paths
        )
        found, account = [], Counter[str]()
        for own in division:

            def expand(root: beam.Pipeline, partitions: range = own) -> beam.PCollection:
                return meet(root, tables, partitions, division.bits) | "license" >> beam.Map(write)

            result = run.run_records("licences", place, len(own), expand)
            for record in result.records():
                account.update(record.extra)
                path = place.full(record.of_kind(KEYS).name)
                found.append(KeyUnit(record.unit, files={KEYS: path}))
        return found, account

    def _choose(
        self, licensed: Sequence[KeyUnit], size: int, place: Place, run: Run
    ) -> tuple[list[TableFile], Counter[str]]:
        """What stands for each row of contents, a file for each of their units, and the counts."""
        tables = write_key_units(
            run.path(place.root, "contents.parquet"), [*licensed, *self.contents]
        )
        units = write_key_units(run.path(place.root, "units.parquet"), self.contents)
        division = cut([size], self.partition_bytes, run.engine)
        choose = partial(_chosen, licensed=len(licensed))
        write = partial(_write_chosen, place=place, units=units)
        found, counts = [], Counter[str]()
        for own in division:

            def expand(root: beam.Pipeline, partitions: range = own) -> beam.PCollection:
                met = meet(root, tables, partitions, division.bits)
                chosen = met | "choose" >> beam.FlatMap(choose).with_output_types(ForUnit)
                return give_back(root, len(units), chosen, write)

            result = run.run_records("contents join", place, len(units) + 1, expand)
            found += result.summary.tables
            counts.update(result.summary.extra)
        return found, counts


def _report(account: Counter[str], chosen: Counter[str]) -> dict[str, Any]:
    licensed = account.pop("licensed", 0)
    rows = licensed + sum(account.values())
    return {
        "files": {"rows": rows, "licensed": licensed, "reasons": dict(sorted(account.items()))},
        "licensed": {
            "chosen": chosen["chosen"],
            "same_content": chosen["licensed"] - chosen["chosen"],
            "without_content": licensed - chosen["licensed"],
        },
    }


def read_chosen(paths: Sequence[str]) -> pa.Table:
    """What was chosen for a contents unit, in order of row.

    Raises:
        OutputError: it cannot be read now.
    """
    try:
        parts = [from_bytes(files.read_bytes(path)) for path in paths]
    except OSError as error:
        raise OutputError(f"cannot read what was joined, {paths[0]}: {error}") from error
    return pa.concat_tables(parts).sort_by("row")


def _write_licensed(
    met: Met,
    place: Place,
    split: tuple[int, int],
    policy: LicencePolicy,
    paths: CodePathSettings,
) -> UnitRecord:
    """Files rows of a partition's repositories with their verdicts, one row for each blob."""
    partition = met[0]
    everything = list(met[1])
    rows = tables_of((partition, everything), range(split[0]), SCHEMAS["files"])
    licences = tables_of((partition, everything), range(*split), SCHEMAS["licenses"])
    by_repository: dict[str, list[str]] = {}
    for row in licences.to_pylist():
        by_repository.setdefault(row["repository"], []).append(row["licence"])
    judge = _Judge(policy, by_repository, CodePathFilter(paths))
    judged = judge.judge(rows.sort_by([("repository", "ascending"), ("path", "ascending")]))
    counts = Counter(reason for reason in judged.column("reason").to_pylist() if reason)
    counts["licensed"] = pc.sum(judged.column("licensed")).as_py() or 0
    blobs = best_of_each(judged)
    counts[TABLE_BYTES] = blobs.nbytes
    name = f"{partition:06}"
    attempt = Attempt(place, Unit(name, "", name, 0))
    attempt.write(KEYS, "parquet", sorted_bytes(blobs))
    found = attempt.publish({KEYS: len(blobs)})
    return UnitRecord(name, "", "", UnitInput("", "", 0), found, NO_FUNNEL, extra=counts)


@dataclass(frozen=True)
class _Judge:
    """Verdicts on files rows."""

    policy: LicencePolicy
    licences: dict[str, list[str]]
    paths: CodePathFilter

    def judge(self, rows: pa.Table) -> pa.Table:
        """Rows of whole repositories, sorted by repository, as `_BLOBS`."""
        names = [str(name) for name in rows.column("repository").to_pylist()]
        starts = [at for at in range(len(names)) if not at or names[at] != names[at - 1]]
        columns: dict[str, list[Any]] = {name: [] for name in _BLOBS.names}
        for start, end in zip(starts, [*starts[1:], len(names)], strict=True):
            for row in self._repository(names[start], rows.slice(start, end - start).to_pylist()):
                for name, value in zip(_BLOBS.names, row, strict=True):
                    columns[name].append(value)
        return pa.table(columns, _BLOBS)

    def _repository(self, name: str, rows: list[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
        of_all = self.policy.verdict(self.licences.get(name, ()))
        own = _folders_with_own_licence(rows)
        for row in rows:
            verdict = of_all
            if not verdict.reason:
                verdict = nearest(row["path"], own) or of_all
            kind = row["mode"] & _KIND
            reason = {_SYMLINK: "symlink", _SUBMODULE: "submodule"}.get(kind, verdict.reason)
            rank = 2 if reason else int(bool(self.paths.reason(row["path"])))
            blob, path = row["id"], row["path"]
            yield key_of(blob), blob, rank, name, path, verdict.licence, reason, int(not reason)


def _folders_with_own_licence(rows: Iterable[dict[str, Any]]) -> dict[str, Verdict]:
    """Folders below the top with a licence file that is none of those at the top.

    The tables say of a nested licence file only which blob it is: what is below such a folder goes.
    """
    found = [(folder_of(row["path"]), row["id"]) for row in rows if is_licence_file(row["path"])]
    top = {blob for folder, blob in found if not folder}
    verdict = Verdict("", "folder_with_own_licence")
    return {folder: verdict for folder, blob in found if folder and blob not in top}


def best_of_each(judged: pa.Table) -> pa.Table:
    """For each blob the row that stands for it, with the number of its licensed rows."""
    if not len(judged):
        return judged
    ordered = judged.sort_by(_BEST_FIRST)
    ids = ordered.column("id")
    changes = pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1))
    first = np.flatnonzero(np.append(True, changes.to_numpy(zero_copy_only=False)))
    counts = np.add.reduceat(ordered.column("licensed").to_numpy(), first)
    best = ordered.take(first)
    place = best.schema.get_field_index("licensed")
    return best.set_column(place, "licensed", pa.array(counts, pa.int64()))


def _chosen(met: Met, licensed: int) -> Iterator[tuple[int, bytes]]:
    """For each contents unit its rows of this partition with what stands for them."""
    everything = list(met[1])
    blobs = best_of_each(tables_of((met[0], everything), range(licensed), _BLOBS))
    known = {blob: at for at, blob in enumerate(blobs.column("id").to_pylist())}
    used: set[int] = set()
    for number, data in sorted(everything):
        if number < licensed:
            continue
        contents = from_bytes(data)
        places = [known.get(blob) for blob in contents.column("id").to_pylist()]
        there = pa.array([place is not None for place in places])
        found = [place for place in places if place is not None]
        used.update(found)
        rows = contents.filter(there).column("row")
        result = blobs.take(pa.array(found, pa.int64())).select(CHOSEN.names[1:])
        yield number - licensed, to_bytes(result.add_column(0, "row", rows).cast(CHOSEN))
    counts = blobs.column("licensed").to_numpy()
    there_counts = counts[sorted(used)]
    summary = {
        "licensed": int(there_counts.sum()),
        "chosen": int(np.count_nonzero(there_counts)),
    }
    yield WHOLE, orjson.dumps(summary)


def _write_chosen(item: tuple[int, Iterable[bytes]], place: Place, units: KeyUnits) -> UnitRecord:
    number, parts = item
    filled = [part for part in parts if part]
    nothing = UnitInput("", "", 0)
    if number == WHOLE:
        total: Counter[str] = Counter()
        for part in filled:
            total.update(orjson.loads(part))
        return UnitRecord("summary", "", "", nothing, (), NO_FUNNEL, extra=total)
    tables = [CHOSEN.empty_table(), *map(from_bytes, filled)]
    name = units[number].full_name
    attempt = Attempt(place, Unit(name, "", name, 0))
    chosen = pa.concat_tables(tables).sort_by("row").combine_chunks()
    attempt.write(DECISIONS, "arrow", to_bytes(chosen))
    found = attempt.publish({DECISIONS: len(chosen)})
    return UnitRecord(name, "", "", nothing, found, NO_FUNNEL, content=content_hash(found))
