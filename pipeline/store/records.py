"""The record of a finished unit: who it is, what it was made of, which files it became.

It is written once as `done/<unit>.<key>.<identity>.json`, which lets a later run take the unit
over, and stands as a row in the tables that a run's manifest names (`pipeline.store.tables`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from pipeline.store.units import identity_hash


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file of a unit.

    Attributes:
        kind: `documents`, `rejected`, `keys/minhash`...
        name: path below the dataset's folder.
        bytes, sha256: of its content.
        rows: documents, keys, or whatever it holds.
        blocks: checksums of its blocks, by which damage is located.
    """

    kind: str
    name: str
    bytes: int
    sha256: str
    rows: int
    blocks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitInput:
    """What a unit was made of.

    Attributes:
        path: of the input, below the input folder.
        identity: as it was listed.
        listed_bytes: as it was listed.
        bytes, sha256: of what was read.
        lost_bytes: how many of them could not be read as records.
        lost: why, empty if none were lost.
    """

    path: str
    identity: str
    listed_bytes: int
    bytes: int = 0
    sha256: str = ""
    lost_bytes: int = 0
    lost: str = ""


def record_name(unit: str, key: str, identity: str) -> str:
    """Name of the file of a unit's record."""
    return f"{unit}.{key}.{identity_hash(identity)}.json"


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """A finished unit.

    Attributes:
        unit: name.
        key: under which it is committed (`Unit.key`).
        identity: of the unit's own input, under which it is committed.
        input: what it was made of, at the very beginning.
        files: what it became.
        funnel: counts by stage (`Funnel.to_json`).
        seconds: CPU seconds by stage.
        content: hash of what later steps see of the unit; names, attempts and times are not in it.
        extra: what else a step says of its units.
    """

    unit: str
    key: str
    identity: str
    input: UnitInput
    files: tuple[OutputFile, ...]
    funnel: Mapping[str, Any]
    seconds: Mapping[str, float] = field(default_factory=dict)
    content: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the file that the record is in."""
        return record_name(self.unit, self.key, self.identity)

    def of_kind(self, kind: str) -> OutputFile:
        """The one file of a kind.

        Raises:
            KeyError: there is none.
        """
        for file in self.files:
            if file.kind == kind:
                return file
        raise KeyError(kind)

    def to_bytes(self) -> bytes:
        """As JSON."""
        return orjson.dumps(self, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def from_bytes(cls, data: bytes) -> UnitRecord:
        """From JSON.

        Raises:
            ValueError: it is something else.
        """
        return cls.from_plain(orjson.loads(data))

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> UnitRecord:
        """From plain data.

        Raises:
            ValueError: it is something else.
        """
        try:
            found = dict(plain)
            found["input"] = UnitInput(**found["input"])
            found["files"] = tuple(
                OutputFile(**{**file, "blocks": tuple(file["blocks"])}) for file in found["files"]
            )
            return cls(**found)
        except (KeyError, TypeError) as error:
            raise ValueError(f"no record of a unit: {error}") from None
