"""Decision files: what deduplication decided on each unit.

One NumPy file (`.npy`, a structured array) for each unit and slice of the key space,
`part-<unit>.<slice>.npy`; also where nothing was decided, so that a missing file is an error.
`done.json`, written last, holds the fingerprint, the number of slices and the statistics.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dedup.decisions import Structured, Summary
from dedup.groups import ROW_BITS
from pipeline import files
from pipeline.accounting import read_json, write_json


def read_array(path: str) -> Structured:
    """A NumPy file.

    Raises:
        ValueError: cut off, or no NumPy file.
    """
    return np.asarray(np.load(io.BytesIO(files.read_bytes(path)), allow_pickle=False))


def write_array(path: str, array: Structured) -> None:
    """Write a NumPy file that appears whole."""
    with files.atomic_write(path) as file:
        np.save(file, array, allow_pickle=False)


@dataclass(frozen=True)
class Decisions:
    """A folder of decision files."""

    folder: str

    @property
    def marker(self) -> str:
        return files.join(self.folder, "done.json")

    def part(self, unit: str, slice_number: int) -> str:
        return files.join(self.folder, f"part-{unit}.{slice_number}.npy")

    def slices(self) -> int:
        """How many slices there are; the deduplication must be finished."""
        return int(read_json(self.marker)["slices"])

    def read(self, unit: str) -> Structured:
        """All decisions on a unit, by row."""
        found = np.concatenate([read_array(self.part(unit, i)) for i in range(self.slices())])
        return found[np.argsort(found["row"], kind="stable")]

    def digest(self, unit: str, names: Sequence[str] = ()) -> str:
        """Short hash of the decisions on a unit: a unit whose decisions stay need not be redone.

        Args:
            unit: name of the unit.
            names: of all units by number, where decisions name units by theirs.
        """
        found = self.read(unit)
        digest = hashlib.sha256(found.tobytes())
        if "representative" in (found.dtype.names or ()):
            named = np.unique(found["representative"] >> ROW_BITS).tolist()
            digest.update("\n".join([names[number] for number in named]).encode())
        return digest.hexdigest()[:16]

    def is_done(self, fingerprint: str) -> bool:
        return files.exists(self.marker) and read_json(self.marker)["fingerprint"] == fingerprint

    def clear(self) -> None:
        """Delete what another run decided."""
        files.delete([self.marker])
        files.delete([file.path for file in files.list_files(self.folder)])

    def finish(self, fingerprint: str, slices: int, summary: Summary) -> None:
        """Write the marker."""
        done = {"fingerprint": fingerprint, "slices": slices, "summary": asdict(summary)}
        write_json(self.marker, done)

    def summary(self) -> Summary:
        """The statistics of a finished deduplication."""
        return read_summary(read_json(self.marker)["summary"])


def read_summary(plain: dict[str, Any]) -> Summary:
    """A summary from JSON data."""
    most = [(copies, position) for copies, position in plain.pop("most_repeated")]
    return Summary(**plain, most_repeated=most)
