"""A dataset folder: where its parts are, which units are committed, when it is complete.

documents/part-<unit>.parquet   what was kept
rejected/part-<unit>.parquet    what was dropped, with stage and reason
keys/<kind>/part-<unit>.keys    key blocks, where the pass makes them
stats/part-<unit>.json          written last for each unit: the unit is committed
manifest.json                   written last of all: the dataset is complete
logs/                           timings; the only part that differs between runs
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline import files
from pipeline.accounting import read_json
from pipeline.errors import InputError, OutputError
from pipeline.units import Unit

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Dataset:
    """Paths of one dataset."""

    folder: str

    def part(self, kind: str, unit: str, suffix: str = "parquet") -> str:
        return files.join(self.folder, *kind.split("/"), f"part-{unit}.{suffix}")

    def stats_path(self, unit: str) -> str:
        return self.part("stats", unit, "json")

    @property
    def manifest_path(self) -> str:
        return files.join(self.folder, "manifest.json")

    def committed(self) -> Iterator[dict[str, Any]]:
        """The stats of every committed unit, in order of unit name."""
        for file in files.list_files(files.join(self.folder, "stats")):
            if file.relative.endswith(".json") and not file.relative.startswith("."):
                yield read_json(file.path)

    def committed_among(self, names: Iterable[str]) -> Iterator[dict[str, Any]]:
        """The stats of those of the named units that are committed."""
        wanted = {f"part-{name}.json" for name in names}
        for file in files.list_files(files.join(self.folder, "stats")):
            if file.relative in wanted:
                yield read_json(file.path)

    def pending(self, units: Iterable[Unit], fingerprint: str) -> list[Unit]:
        """Units that are not committed under this fingerprint with the same input size.

        Raises:
            OutputError: the folder holds units that the input does not have.
        """
        units = list(units)
        done = {stats["unit"]: stats for stats in self.committed()}
        foreign = sorted(set(done) - {unit.name for unit in units})
        if foreign:
            raise OutputError(
                f"{self.folder} holds {len(foreign)} units that are not in this input (for "
                f"example {foreign[0]}); choose another --output, or delete the folder"
            )
        return [
            unit
            for unit in units
            if unit.name not in done
            or done[unit.name]["fingerprint"] != unit.fingerprint(fingerprint)
            or done[unit.name]["input"]["listed_bytes"] != unit.size
        ]

    def is_complete(self) -> bool:
        return files.exists(self.manifest_path)


def document_parts(folder: str) -> list[str]:
    """Paths of the document shards of a dataset folder, in order.

    Raises:
        InputError: there are none.
    """
    return [file.path for file in document_files(folder)]


def document_files(folder: str) -> list[files.FileInfo]:
    """The document shards of a dataset folder, in order.

    Raises:
        InputError: there are none.
    """
    found = [
        file
        for file in files.list_files(files.join(folder, "documents"))
        if file.relative.endswith(".parquet") and not file.relative.startswith(".")
    ]
    if not found:
        raise InputError(
            f"{folder!r} is no documents dataset: there is no documents/part-*.parquet in it"
        )
    return found
