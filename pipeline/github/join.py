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
from typing import Any, Literal, cast

import apache_beam as beam
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from filters.code import CodePathFilter, CodePathSettings
from pipeline import files
from pipeline.accounting import read_json, write_json
from pipeline.errors import OutputError
from pipeline.github.licences import LicencePolicy, Verdict, folder_of, is_licence_file, nearest
from pipeline.github.meeting import (
    Met,
    cuts,
    from_bytes,
    meet,
    slice_partitions,
    tables_of,
    to_bytes,
)
from pipeline.github.tables import SCHEMAS, key_of, schema, write_sorted
from pipeline.runner import Engine, quiet_beam, run_to_end

_SYMLINK, _SUBMODULE, _KIND = 0o120000, 0o160000, 0o170000
_SUMMARY = -1

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
        folder: of all its files.
        files, licences: paths of sorted tables.
        contents: paths of sorted tables.
        units: names of the contents units.
        policy: on licences.
        paths: settings of the path filter, by which a wanted path is preferred.
        partition_bytes: bound on what one partition holds.
    """

    folder: str
    files: tuple[str, ...]
    licences: tuple[str, ...]
    contents: tuple[str, ...]
    units: tuple[str, ...]
    policy: LicencePolicy
    paths: CodePathSettings
    partition_bytes: int

    def run(self, sizes: Sequence[int], fingerprint: str, engine: Engine) -> dict[str, Any]:
        """Write what stands for each blob, unless it is there; returns the account of files rows.

        Args:
            sizes: bytes of files and licences, and of contents, as tables in memory.
            fingerprint: of everything that decides the result.
            engine: where it runs.
        """
        report = files.join(self.folder, "report.json")
        if files.exists(report) and read_json(report)["fingerprint"] == fingerprint:
            return cast(dict[str, Any], read_json(report))
        for name in ("licensed", "chosen"):
            files.delete([one.path for one in files.list_files(files.join(self.folder, name))])
        files.delete([report])
        single = Engine(engine.runner, 1, engine.options)
        bits, slices = cuts(sizes[0], self.partition_bytes, engine)
        for number in range(slices):
            self._run(single, partial(self._license, slice_partitions(number, slices, bits), bits))
        licensed = [
            file.path
            for file in files.list_files(files.join(self.folder, "licensed"))
            if file.relative.endswith(".parquet")
        ]
        account = self._account()
        bits, slices = cuts(account.pop("bytes", 0) + sizes[1], self.partition_bytes, engine)
        for number in range(slices):
            partitions = slice_partitions(number, slices, bits)
            self._run(single, partial(self._choose, partitions, bits, licensed, number))
        result = self._report(account, slices) | {"fingerprint": fingerprint, "slices": slices}
        write_json(report, result)
        return result

    def _run(self, engine: Engine, expand: Any) -> None:
        with quiet_beam(engine):
            pipeline = engine.pipeline()
            expand(pipeline)
            run_to_end(pipeline)

    def _license(self, partitions: range, bits: int, root: beam.Pipeline) -> beam.PCollection:
        tables = [*self.files, *self.licences]
        write = partial(_write_licensed, work=self)
        return meet(root, tables, partitions, bits) | "license" >> beam.Map(write)

    def _choose(
        self, partitions: range, bits: int, licensed: Sequence[str], number: int, root: Any
    ) -> beam.PCollection:
        met = meet(root, [*licensed, *self.contents], partitions, bits)
        chosen = met | "choose" >> beam.FlatMap(
            partial(_chosen, licensed=len(licensed))
        ).with_output_types(tuple[int, bytes])
        every = root | "every file" >> beam.Create(
            [(unit, b"") for unit in range(_SUMMARY, len(self.units))]
        )
        return (
            (every, chosen)
            | "both" >> beam.Flatten()
            | "return" >> beam.GroupByKey()
            | "write" >> beam.Map(partial(_write_chosen, work=self, slice_number=number))
        )

    def _account(self) -> Counter[str]:
        """The counts of all partitions, summed."""
        account: Counter[str] = Counter()
        for file in files.list_files(files.join(self.folder, "licensed")):
            if file.relative.endswith(".json"):
                account.update(read_json(file.path))
        return account

    def _report(self, account: Counter[str], slices: int) -> dict[str, Any]:
        licensed = account.pop("licensed", 0)
        chosen: Counter[str] = Counter()
        for number in range(slices):
            chosen.update(read_json(summary_path(self.folder, number)))
        rows = licensed + sum(account.values())
        return {
            "files": {"rows": rows, "licensed": licensed, "reasons": dict(sorted(account.items()))},
            "licensed": {
                "chosen": chosen["chosen"],
                "same_content": chosen["licensed"] - chosen["chosen"],
                "without_content": licensed - chosen["licensed"],
            },
        }

    def chosen_path(self, unit: str, slice_number: int) -> str:
        return files.join(self.folder, "chosen", f"part-{unit}.{slice_number}.arrow")


def summary_path(folder: str, slice_number: int) -> str:
    return files.join(folder, "chosen", f"summary.{slice_number}.json")


def read_chosen(folder: str, unit: str, slices: int) -> pa.Table:
    """What was chosen for a contents unit, in order of row.

    Raises:
        OutputError: it cannot be read now.
    """
    paths = [
        files.join(folder, "chosen", f"part-{unit}.{number}.arrow") for number in range(slices)
    ]
    try:
        parts = [from_bytes(files.read_bytes(path)) for path in paths]
    except OSError as error:
        raise OutputError(f"cannot read what was joined for {unit}: {error}") from error
    return pa.concat_tables(parts).sort_by("row")


def _write_licensed(met: Met, work: Join) -> int:
    """Files rows of a partition's repositories with their verdicts, one row for each blob."""
    partition, split = met[0], len(work.files)
    everything = list(met[1])
    rows = tables_of((partition, everything), range(split), SCHEMAS["files"])
    numbers = range(split, split + len(work.licences))
    licences = tables_of((partition, everything), numbers, SCHEMAS["licenses"])
    by_repository: dict[str, list[str]] = {}
    for row in licences.to_pylist():
        by_repository.setdefault(row["repository"], []).append(row["licence"])
    judge = _Judge(work.policy, by_repository, CodePathFilter(work.paths))
    judged = judge.judge(rows.sort_by([("repository", "ascending"), ("path", "ascending")]))
    counts = Counter(reason for reason in judged.column("reason").to_pylist() if reason)
    counts["licensed"] = pc.sum(judged.column("licensed")).as_py() or 0
    blobs = best_of_each(judged)
    counts["bytes"] = blobs.nbytes
    write_sorted(files.join(work.folder, "licensed", f"part-{partition:06}.parquet"), blobs)
    write_json(files.join(work.folder, "licensed", f"counts-{partition:06}.json"), counts)
    return partition


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
    yield _SUMMARY, orjson.dumps(summary)


def _write_chosen(item: tuple[int, Iterable[bytes]], work: Join, slice_number: int) -> int:
    number, parts = item
    filled = [part for part in parts if part]
    if number == _SUMMARY:
        total: Counter[str] = Counter()
        for part in filled:
            total.update(orjson.loads(part))
        write_json(summary_path(work.folder, slice_number), total)
        return number
    tables = [CHOSEN.empty_table(), *map(from_bytes, filled)]
    with files.atomic_write(work.chosen_path(work.units[number], slice_number)) as file:
        file.write(to_bytes(pa.concat_tables(tables).sort_by("row").combine_chunks()))
    return number
