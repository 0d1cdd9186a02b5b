"""The pass that opens input files to find out what units they are: where they may be cut, say.

What was seen of a file stands in its unit's record, so that it is opened once, by a worker; a file
with another identity is another unit here, since nothing of it is hashed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import apache_beam as beam

from pipeline.fingerprints import Fingerprinted
from pipeline.passes.run import Run
from pipeline.store.accounting import Funnel
from pipeline.store.commit import Attempt, Place
from pipeline.store.records import UnitInput, UnitRecord
from pipeline.store.units import Unit

# From a unit that is a whole file to what is to be known of it, as JSON has it.
Look: TypeAlias = Callable[[Unit], Any]

_SEEN = "seen"


@dataclass(frozen=True)
class LookPass(Fingerprinted):
    """A look at each file."""

    name: str
    place: Place
    look: Look

    def decided_by(self) -> tuple[Any, ...]:
        return (self.look,)

    def through(self, units: beam.PCollection) -> tuple[beam.PCollection, ...]:
        return (units | "look" >> beam.Map(self.make),)

    def make(self, unit: Unit) -> UnitRecord:
        """Look at one file, and note what was seen."""
        seen = {_SEEN: self.look(unit)}
        read = UnitInput(unit.relative, unit.identity, unit.size)
        key = unit.key(self.fingerprint)
        return Attempt(self.place, unit).commit(key, read, Funnel().to_json(), {}, extra=seen)


def look_at(run: Run, name: str, place: Place, units: Sequence[Unit], look: Look) -> dict[str, Any]:
    """What is seen of each unit, by its name; no pass where there are none."""
    if not units:
        return {}
    work = LookPass(name, place, look)
    result = run.run_units(work, [replace(unit, version=unit.identity) for unit in units])
    run.kept.append(result)
    return {record.unit: record.extra[_SEEN] for record in result.records()}
