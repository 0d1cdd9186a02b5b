"""Small documents datasets, and `roving dedup` on them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from dataset_files import comparison, every_step, leftovers, rows
from documents_data import write_documents_dataset

from filters.document import Document
from pipeline.cli.main import main
from pipeline.deduplication.decision_files import Decisions
from pipeline.passes.engine import Engine
from pipeline.passes.run import write_mark
from pipeline.passes.shards import Columns
from pipeline.store.accounting import json_bytes, read_json
from pipeline.store.commit import new_run

COLUMNS = Columns({"title": pa.string()}, {"quality": pa.float32()})
Rows = dict[str, dict[str, Any]]


def document(identifier: str, text: str, quality: float | None = None, **metadata: str) -> Document:
    signals = {} if quality is None else {"quality": quality}
    return Document(identifier, "test", text, dict(metadata), signals)


def write_dataset(folder: Path, units: Mapping[str, Sequence[Document]]) -> Path:
    """A dataset as a run leaves it; one that is there is replaced."""
    return write_documents_dataset(folder, units, COLUMNS)


def write_foreign(folder: Path, tables: Mapping[str, pa.Table]) -> Path:
    """Parquet files of somebody else, by path below the folder."""
    for name, table in tables.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, folder / name)
    return folder


def keep_work(output: Path) -> Path:
    """Let a run on another engine be under way there: what steps have made stays for it."""
    write_mark(str(output), new_run(), Engine("DataflowRunner"))
    return output


def words(seed: int, count: int) -> list[str]:
    """Random words; another seed gives other ones."""
    return [f"w{n}" for n in np.random.default_rng(seed).integers(0, 10**6, count).tolist()]


@dataclass(frozen=True)
class Result:
    """The output folder of a deduplication."""

    folder: Path

    def documents(self, label: str) -> Rows:
        """What was kept, by id."""
        return self._rows("documents", label)

    def rejected(self, label: str) -> Rows:
        """What was dropped, by id, signals as data."""
        found = self._rows("rejected", label)
        for row in found.values():
            row["signals"] = json.loads(row["signals"] or "{}")
        return found

    def _rows(self, kind: str, label: str) -> Rows:
        every = list(rows(self.folder / label, kind))
        found = {row["id"]: row for row in every}
        assert len(found) == len(every)
        return found

    def kept(self, label: str) -> list[str]:
        return list(self.documents(label))

    def texts(self, label: str) -> dict[str, str]:
        return {name: row["text"] for name, row in self.documents(label).items()}

    def reasons(self, label: str) -> dict[str, str]:
        return {name: row["reason"] for name, row in self.rejected(label).items()}

    def clusters(self, label: str, method: str) -> dict[str, tuple[str, int]]:
        """Of every document that has duplicates, kept or not: the cluster and its size."""
        names = f"{method}_cluster", f"{method}_cluster_size"
        found = {}
        for name, row in self.documents(label).items():
            if row[names[0]] is not None:
                found[name] = (row[names[0]], row[names[1]])
        for name, row in self.rejected(label).items():
            found[name] = (row["signals"][names[0]], row["signals"][names[1]])
        return found

    @property
    def report(self) -> Any:
        """What the manifests of all labels say, once in each."""
        found = [read_json(str(path)) for path in self.folder.glob("*/manifest.json")]
        reports = [report for manifest in found for report in manifest["deduplication"]]
        assert len(reports) == len(found) > 0
        assert all(report == reports[0] for report in reports)
        return reports[0]

    def decisions(self, step: str) -> Decisions:
        """What a step has decided."""
        return comparison(self.folder, step)

    def manifest(self, label: str) -> Any:
        return json.loads((self.folder / label / "manifest.json").read_text())

    def assert_conserved(self, label: str, documents: int) -> None:
        """Every document is kept or rejected, and the manifest says so."""
        kept, rejected = self.documents(label), self.rejected(label)
        assert not kept.keys() & rejected.keys()
        assert len(kept) + len(rejected) == documents
        assert leftovers(self.folder / label) == []
        manifest = self.manifest(label)
        assert manifest["documents"] == len(kept)
        stages = manifest["funnel"]["stages"]
        assert stages[0]["documents_in"] == documents
        assert sum(sum(stage["reasons"].values()) for stage in stages) == len(rejected)

    def contents(self, pattern: str = "*") -> dict[str, str]:
        """SHA-256 of the files of all steps, and what manifests say but of runs, by name."""
        found = {}
        for name, checksum in every_step(self.folder).items():
            if fnmatch(name, pattern):
                found[name] = checksum
        for path in sorted(self.folder.glob("*/manifest.json")):
            name, manifest = path.relative_to(self.folder).as_posix(), read_json(str(path))
            own = {"run", "tables"}
            plain = {key: value for key, value in manifest.items() if key not in own}
            if fnmatch(name, pattern):
                found[name] = hashlib.sha256(json_bytes(plain)).hexdigest()
        return found

    def times(self, pattern: str = "**/*") -> dict[str, int]:
        """When each file was last written."""
        return {
            path.relative_to(self.folder).as_posix(): path.stat().st_mtime_ns
            for path in sorted(self.folder.glob(pattern))
            if path.is_file() and path.name != ".lock"
        }


def deduplicate(
    method: str, inputs: Mapping[str, Path], output: Path, *options: str, **settings: Any
) -> Result:
    """Run a method; settings are its own in the recipe."""
    arguments = ["dedup", method, "--output", str(output), *options]
    for label, folder in inputs.items():
        arguments += ["--input", f"{label}={folder}"]
    for name, value in settings.items():
        plain = json.dumps(value)
        arguments += ["--set", f"deduplication.{method}.{name}={plain}"]
    assert main(arguments) == 0
    return Result(output)
