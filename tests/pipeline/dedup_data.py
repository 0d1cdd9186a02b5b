"""Small documents datasets, and `roving dedup` on them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from filters.document import Document
from pipeline.cli.main import main
from pipeline.shards import Columns, ShardWriter, document_row, document_schema

COLUMNS = Columns({"title": pa.string()}, {"quality": pa.float32()})
Rows = dict[str, dict[str, Any]]


def document(identifier: str, text: str, quality: float | None = None, **metadata: str) -> Document:
    signals = {} if quality is None else {"quality": quality}
    return Document(identifier, "test", text, dict(metadata), signals)


def write_dataset(folder: Path, units: Mapping[str, Sequence[Document]]) -> Path:
    """A dataset as a run leaves it: shards, and the stats that vouch for each."""
    for name, documents in units.items():
        write_unit(folder, name, documents)
    return folder


def write_unit(folder: Path, name: str, documents: Sequence[Document]) -> None:
    schema = document_schema(COLUMNS)
    path = folder / "documents" / f"part-{name}.parquet"
    writer = ShardWriter(str(path), schema, 100)
    for one in documents:
        writer.add(document_row(one, schema))
    writer.close()
    writer.commit()
    stats = folder / "stats" / f"part-{name}.json"
    stats.parent.mkdir(exist_ok=True)
    stats.write_text(json.dumps({"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}))


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
        rows = self._rows("rejected", label)
        for row in rows.values():
            row["signals"] = json.loads(row["signals"] or "{}")
        return rows

    def _rows(self, kind: str, label: str) -> Rows:
        rows = pq.read_table(self.folder / label / kind).to_pylist()
        found = {row["id"]: row for row in rows}
        assert len(found) == len(rows)
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
        return json.loads((self.folder / "work" / "report.json").read_text())

    def report_of(self, step: str) -> Any:
        """The marker of a step of the work folder."""
        return json.loads((self.folder / "work" / step / "done.json").read_text())

    def manifest(self, label: str) -> Any:
        return json.loads((self.folder / label / "manifest.json").read_text())

    def assert_conserved(self, label: str, documents: int) -> None:
        """Every document is kept or rejected, and the manifest says so."""
        kept, rejected = self.documents(label), self.rejected(label)
        assert not kept.keys() & rejected.keys()
        assert len(kept) + len(rejected) == documents
        manifest = self.manifest(label)
        assert manifest["documents"] == len(kept)
        stages = manifest["funnel"]["stages"]
        assert stages[0]["documents_in"] == documents
        assert sum(sum(stage["reasons"].values()) for stage in stages) == len(rejected)

    def contents(self, pattern: str = "**/*") -> dict[str, str]:
        """SHA-256 of every file, timings left out."""
        return {
            path.relative_to(self.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.glob(pattern))
            if path.is_file() and "logs" not in path.parts and path.name != ".lock"
        }

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
