"""The one way to commit a unit: files under names used once, then the record that names them.

    OUT/KIND/<unit>.<attempt>.<suffix>               files of the step that makes the dataset
    OUT/work/STEP/KIND/<unit>.<attempt>.<suffix>     files of the steps before it
    OUT/work/STEP/done/<unit>.<key>.<identity>.json  the record, written last

No two attempts have a name in common, so a late one, a second one, a worker that was paused, an
older run or another launcher can change nothing that is finished. A key holds all that decides the
unit, so a record vouches for its files whoever wrote them. The identity of the input stands beside
it: under another one the input is hashed, and if it is the same the files stay.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.store import files
from pipeline.store.base import ANY, NEW
from pipeline.store.files import NewFile
from pipeline.store.options import BY_ENVIRONMENT, StoreOptions, configure
from pipeline.store.records import OutputFile, UnitInput, UnitRecord, record_name
from pipeline.store.units import Unit, open_unit

# Hexadecimal digits of a run's id, and of what follows it in the id of an attempt.
RUN_DIGITS = 8
ATTEMPT_DIGITS = 6


@dataclass(frozen=True)
class Place:
    """Where the files of a step are, and who writes them.

    Attributes:
        root: the dataset's folder.
        step: name of the step.
        is_last: whether it makes the dataset itself.
        run: id of the run, at the beginning of each attempt's.
        stores: how object stores are reached. Every pass has a place, so wherever one is unpickled
            its process knows.
    """

    root: str
    step: str
    is_last: bool = False
    run: str = ""
    stores: StoreOptions = BY_ENVIRONMENT

    def __reduce__(self) -> tuple[Any, ...]:
        return _on_a_worker, (self.root, self.step, self.is_last, self.run, self.stores)

    def inner(self, kind: str) -> str:
        """Folder of one kind of file, below the dataset's."""
        return kind if self.is_last and kind != "done" else f"work/{self.step}/{kind}"

    def folder(self, kind: str) -> str:
        """Folder of one kind of file."""
        return files.join(self.root, self.inner(kind))

    def full(self, name: str) -> str:
        """Full path of a file that a record names."""
        return files.join(self.root, name)

    def done(self, unit: Unit, key: str) -> str:
        """Path of a unit's record."""
        return files.join(self.folder("done"), record_name(unit.name, key, unit.identity))

    def record(self, record: UnitRecord) -> str:
        """Path of a record that is there."""
        return files.join(self.folder("done"), record.name)

    def attempt(self) -> str:
        """A new id, never given before."""
        return f"{self.run}{secrets.token_hex(ATTEMPT_DIGITS // 2)}"


def _on_a_worker(root: str, step: str, is_last: bool, run: str, stores: StoreOptions) -> Place:
    """A place that was sent here, with what its process must know to write there."""
    if stores not in _configured:
        configure(stores)
        _configured.append(stores)
    return Place(root, step, is_last, run, stores)


# How stores are reached from this process.
_configured: list[StoreOptions] = []


def new_run() -> str:
    """The id of a run."""
    return secrets.token_hex(RUN_DIGITS // 2)


class Attempt:
    """One attempt at a unit: nothing of it counts before `commit`."""

    def __init__(self, place: Place, unit: Unit) -> None:
        self.id = place.attempt()
        self._place = place
        self._unit = unit
        self._files: list[tuple[str, NewFile]] = []

    def create(self, kind: str, suffix: str) -> NewFile:
        """Begin a file of the unit."""
        name = f"{self._unit.name}.{self.id}.{suffix}"
        file = NewFile(files.join(self._place.folder(kind), name))
        self._files.append((kind, file))
        return file

    def write(self, kind: str, suffix: str, data: bytes) -> None:
        """A whole file of the unit."""
        self.create(kind, suffix).write(data)

    def publish(self, rows: Mapping[str, int]) -> tuple[OutputFile, ...]:
        """Publish the files; they count when a record names them.

        Args:
            rows: of the files, by kind.
        """
        for _, file in self._files:
            file.publish()
        return tuple(
            OutputFile(
                kind,
                f"{self._place.inner(kind)}/{files.split(file.path)[1]}",
                file.size,
                file.sha256(),
                rows.get(kind, 0),
                tuple(file.blocks()),
            )
            for kind, file in self._files
        )

    def commit(
        self,
        key: str,
        input: UnitInput,
        funnel: Mapping[str, Any],
        rows: Mapping[str, int],
        *,
        seconds: Mapping[str, float] | None = None,
        content: str = "",
        extra: Mapping[str, Any] | None = None,
    ) -> UnitRecord:
        """Publish the files, then the record; if another attempt was first, its record stands.

        Args:
            key: under which the unit is committed.
            input: what was read.
            funnel: counts by stage.
            rows: of the files, by kind.
            seconds: CPU seconds by stage.
            content: hash of what later steps see; by default of the files' content.
            extra: what else is to be said of the unit.
        """
        found = self.publish(rows)
        record = UnitRecord(
            self._unit.name,
            key,
            self._unit.identity,
            input,
            found,
            funnel,
            seconds or {},
            content or content_hash(found),
            extra or {},
        )
        first = put_record(self._place, self._unit, record)
        if first is not record:
            files.delete([file.path for _, file in self._files])
        return first

    def discard(self) -> None:
        """Give the unit up; nothing of it becomes visible."""
        for _, file in self._files:
            file.discard()


def content_hash(found: Sequence[OutputFile]) -> str:
    """Short hash of the kinds and contents of files."""
    listed = "\n".join(sorted(f"{file.kind} {file.sha256}" for file in found))
    return hashlib.sha256(listed.encode()).hexdigest()[:16]


def put_record(place: Place, unit: Unit, record: UnitRecord) -> UnitRecord:
    """Write a unit's record, unless there is one that holds; returns the one that stands."""
    path = place.done(unit, record.key)
    if files.write_bytes(path, record.to_bytes(), NEW):
        return record
    other = read_record(place, path)
    if other is not None:
        return other
    files.write_bytes(path, record.to_bytes(), ANY)
    return record


def read_record(place: Place, path: str) -> UnitRecord | None:
    """A unit's record, if it is there and so are all files that it names."""
    try:
        record = UnitRecord.from_bytes(files.read_bytes(path))
    except (FileNotFoundError, ValueError):
        return None
    for file in record.files:
        found = files.stat(place.full(file.name))
        if found is None or found.size != file.bytes:
            return None
    return record


def take_over(place: Place, unit: Unit, key: str) -> UnitRecord | None:
    """The record of a unit that is finished, whoever finished it.

    A record that was made of an input with another identity counts if the input has the content
    that was read then; its identity is noted, so that it is hashed once.
    """
    record = read_record(place, place.done(unit, key))
    if record is not None:
        return record
    candidates = [
        found
        for name in unit.earlier
        if (found := read_record(place, files.join(place.folder("done"), name))) is not None
    ]
    if not candidates:
        return None
    size, sha256 = open_unit(unit).finish()
    for found in candidates:
        if (found.input.bytes, found.input.sha256) == (size, sha256):
            noted = replace(found.input, identity=unit.identity, listed_bytes=unit.size)
            return put_record(place, unit, replace(found, identity=unit.identity, input=noted))
    return None


def with_records(place: Place, fingerprint: str, units: Sequence[Unit]) -> tuple[list[Unit], int]:
    """The units with what one listing says of their records, and how many are finished."""
    names: dict[str, list[str]] = {}
    for file in files.store_of(place.root).list(place.folder("done")):
        names.setdefault(file.relative.split(".", 1)[0], []).append(file.relative)
    finished, known = 0, []
    for unit in units:
        key = unit.key(fingerprint)
        found = [name for name in names.get(unit.name, ()) if name.split(".")[1] == key]
        if record_name(unit.name, key, unit.identity) in found:
            finished += 1
            known.append(unit)
        else:
            known.append(replace(unit, earlier=tuple(sorted(found))) if found else unit)
    return known, finished


def with_identity(unit: Unit) -> Unit:
    """The unit with the identity of its input, looked up where the listing does not say it."""
    if unit.identity or unit.members:
        return unit
    found = files.stat(unit.path)
    if found is None:
        return replace(unit, identity="missing")
    return replace(unit, identity=found.identity, size=unit.size or found.size)
