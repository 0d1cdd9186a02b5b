"""What attempts at a unit leave behind when they do not end: marks, and records to be skipped.

    OUT/work/STEP/attempts/<unit>.<key>.<number>                              one for each attempt
    OUT/work/STEP/skips/<fingerprint>/<unit>.<key>.<identity>.<record>.json   a record given up

Marks count attempts, without a listing, and go when the unit is committed. A skip stays, as part of
the unit's key, and holds for the input that it was found with.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace

import orjson

from pipeline.store import files
from pipeline.store.base import NEW
from pipeline.store.commit import Place
from pipeline.store.units import Skip, Unit, identity_hash

# Attempts of which a mark is left; those that follow are guarded.
UNGUARDED = 2

KILLED = "killed_worker"
TOO_LONG = "took_too_long"


def marks(place: Place, fingerprint: str, unit: Unit) -> list[str]:
    """Paths of the marks that a unit may have."""
    folder, key = place.folder("attempts"), unit.first_key(fingerprint)
    return [files.join(folder, f"{unit.name}.{key}.{number + 1}") for number in range(UNGUARDED)]


def mark(place: Place, fingerprint: str, unit: Unit) -> int:
    """Leave a mark; which attempt this is, 1 or 2, or 3 where there have been two and more."""
    for number, path in enumerate(marks(place, fingerprint, unit)):
        if files.write_bytes(path, place.run.encode(), NEW):
            return number + 1
    return UNGUARDED + 1


def forget(place: Place) -> None:
    """Delete the marks of a run that was told to end: they say nothing about its units."""
    for file in files.list_files(place.folder("attempts")):
        with suppress(FileNotFoundError):  # a thread that is still there may commit its unit
            if files.read_bytes(file.path) == place.run.encode():
                files.delete([file.path])


def skips_folder(place: Place, fingerprint: str) -> str:
    """Folder of the skips of a pass."""
    return files.join(place.folder("skips"), fingerprint)


def skips_prefix(place: Place, fingerprint: str, unit: Unit) -> str:
    """Beginning of the paths of a unit's skips."""
    name = f"{unit.name}.{unit.first_key(fingerprint)}.{identity_hash(unit.identity)}"
    return files.join(skips_folder(place, fingerprint), name)


def put_skip(prefix: str, record: int, stage: str, reason: str, detail: str) -> Skip:
    """Say that a record is not to be tried again; what was said first stands.

    Args:
        prefix: of the unit's skips.
        record, stage, reason, detail: as of `Skip`.
    """
    skip = Skip(record, stage, reason, detail, identity=prefix.rsplit(".", 1)[1])
    files.write_bytes(f"{prefix}.{record}.json", orjson.dumps(asdict(skip)), NEW)
    return skip


def with_skips(place: Place, fingerprint: str, units: Sequence[Unit]) -> list[Unit]:
    """Units with their skips, from one listing; those of another input are left out."""
    found: dict[str, list[Skip]] = {}
    for file in files.list_files(skips_folder(place, fingerprint)):
        unit_and_key = file.relative.rsplit(".", 3)[0]
        skip = Skip(**orjson.loads(files.read_bytes(file.path)))
        found.setdefault(unit_and_key, []).append(skip)
    if not found:
        return list(units)
    skipping = []
    for unit in units:
        skips = found.get(f"{unit.name}.{unit.first_key(fingerprint)}", [])
        skips.sort(key=lambda skip: skip.record)
        skipping.append(replace(unit, skipped=tuple(skips)).of_this_input())
    return skipping
